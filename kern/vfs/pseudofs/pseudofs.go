// Package pseudofs is what file systems share that store nothing: kernfs, ptyfs and fdesc, whose files stand for something else in the
// kernel. It is no file system: each of them brings its own directories and files.
//
// Start reading with FS.
package pseudofs

import (
	"iter"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// FS is a mounted one without its root directory. Its names come and go by themselves, so that they are not cached.
type FS struct {
	// Name is what is shown as mounted: the type's name.
	Name string
}

// Statfs says that there is a little, and that it is full, as genfs of NetBSD does: df(1) would leave out what is empty.
func (FS) Statfs(_ *kern.Thread, st *abi.Statvfs) error {
	st.Bsize, st.Frsize, st.Iosize = abi.DEV_BSIZE, abi.DEV_BSIZE, abi.DEV_BSIZE
	st.Blocks = 2
	return nil
}

// Sync has nothing to write.
func (FS) Sync(*kern.Thread, bool) error { return nil }

// Unmount has nothing to free.
func (FS) Unmount(*kern.Thread, bool) error { return nil }

// Source is the name.
func (f FS) Source() string { return f.Name }

// Uncached says that names are looked up each time.
func (FS) Uncached() {}

// Fixed is for directories whose names are not users' to make, nor to take away: all of it is EROFS.
type Fixed struct{}

var (
	_ vfs.Creator = Fixed{}
	_ vfs.Linker  = Fixed{}
	_ vfs.Remover = Fixed{}
	_ vfs.Renamer = Fixed{}
)

// Create fails. Errors: EROFS.
func (Fixed) Create(*kern.Thread, string, *vfs.NewNode) (vfs.Node, error) { return nil, abi.EROFS }

// Link fails. Errors: EROFS.
func (Fixed) Link(*kern.Thread, string, vfs.Node) error { return abi.EROFS }

// Remove fails. Errors: EROFS.
func (Fixed) Remove(*kern.Thread, string, vfs.Node) error { return abi.EROFS }

// Rmdir fails. Errors: EROFS.
func (Fixed) Rmdir(*kern.Thread, string, vfs.Node) error { return abi.EROFS }

// Rename fails. Errors: EROFS.
func (Fixed) Rename(*kern.Thread, string, vfs.Node, vfs.Node, string, vfs.Node) error {
	return abi.EROFS
}

// The cookies of the entries that every directory has; a directory's own follow.
const (
	dotCookie = iota + 1
	dotDotCookie
	// FirstCookie is the smallest of a directory's own entries.
	FirstCookie
)

// ReadDir serves vfs.Directory's ReadDir: "." and "..", with the numbers of their directories, and then entries, which
// have cookies from FirstCookie on in rising order.
func ReadDir(self, parent uint64, entries iter.Seq[vfs.Dirent], cookie int64, emit func(vfs.Dirent) bool) error {
	for _, e := range []vfs.Dirent{
		{Ino: self, Type: abi.DT_DIR, Name: ".", Cookie: dotCookie},
		{Ino: parent, Type: abi.DT_DIR, Name: "..", Cookie: dotDotCookie},
	} {
		if e.Cookie > cookie && !emit(e) {
			return nil
		}
	}
	for e := range entries {
		if e.Cookie > cookie && !emit(e) {
			return nil
		}
	}
	return nil
}

// DirAttr are the attributes of a directory that everybody may read and search.
func DirAttr(ino uint64, links uint32, at time.Time) vfs.Attr {
	return vfs.Attr{
		Mode: abi.S_IFDIR | 0o555, Nlink: links, Ino: ino, Size: abi.DEV_BSIZE, Bytes: abi.DEV_BSIZE, Blksize: abi.DEV_BSIZE,
		Atime: at, Mtime: at, Ctime: at, Btime: at,
	}
}
