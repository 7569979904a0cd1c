// Package kernfs is component rumpfs_kernfs: the file system type kernfs, whose files say what the kernel is, mount_kernfs(8): boottime,
// copyright, hostname, hz, msgbuf, pagesize, physmem, time and version. hostname can be written.
//
// What a rump kernel has not is not there: loadavg, for it runs nobody's programs, and rootdev and rrootdev, for its root file
// system is on no device.
//
// Start reading with the table of files (table.go).
package kernfs

import (
	"iter"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/pseudofs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_kernfs",
		Needs:   []string{"rumpvfs"},
		Doc:     "facts of the kernel as files",
		Modules: []kern.Module{{Name: "kernfs", Class: abi.MODULE_CLASS_VFS}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "kernfs", Mount: mount})
		},
	}
}

// FS is a mounted kernfs.
type FS struct {
	pseudofs.FS
	root *root
}

var (
	_ vfs.Uncached   = (*FS)(nil)
	_ vfs.ArgsGetter = (*FS)(nil)
)

// mount makes a kernfs. It takes no arguments.
func mount(t *kern.Thread, _ *vfs.MountArgs) (vfs.FS, error) {
	r := &root{k: t.K}
	for i, e := range entries {
		r.files = append(r.files, &file{k: t.K, entry: e, ino: rootIno + 1 + uint64(i)})
	}
	return &FS{FS: pseudofs.FS{Name: "kernfs"}, root: r}, nil
}

// Root is the directory of the files.
func (f *FS) Root() (vfs.Node, error) { return f.root, nil }

// GetArgs has no arguments to tell.
func (*FS) GetArgs(*kern.Thread, []byte) error { return nil }

// rootIno is the number of the root directory; the files' follow in order of the table.
const rootIno = 2

// root is the directory.
type root struct {
	pseudofs.Fixed
	k     *kern.Kernel
	files []*file
}

var _ vfs.Directory = (*root)(nil)

// Attr fills a. The times are always now, as with all files here but boottime.
func (r *root) Attr(_ *kern.Thread, a *vfs.Attr) error {
	*a = pseudofs.DirAttr(rootIno, 2, r.k.Now())
	return nil
}

// Inactive has nothing to free.
func (*root) Inactive(*kern.Thread) {}

// Lookup finds a file. Errors: ENOENT.
func (r *root) Lookup(_ *kern.Thread, name string) (vfs.Node, error) {
	for _, f := range r.files {
		if f.name == name {
			return f, nil
		}
	}
	return nil, abi.ENOENT
}

// Parent is the root itself.
func (r *root) Parent(*kern.Thread) (vfs.Node, error) { return r, nil }

// ReadDir lists the files in order of the table.
func (r *root) ReadDir(_ *kern.Thread, cookie int64, emit func(vfs.Dirent) bool) error {
	return pseudofs.ReadDir(rootIno, rootIno, r.dirents(), cookie, emit)
}

func (r *root) dirents() iter.Seq[vfs.Dirent] {
	return func(yield func(vfs.Dirent) bool) {
		for i, f := range r.files {
			e := vfs.Dirent{Ino: f.ino, Type: abi.DT_REG, Name: f.name, Cookie: pseudofs.FirstCookie + int64(i)}
			if !yield(e) {
				return
			}
		}
	}
}

// file is one of the files.
type file struct {
	entry
	k   *kern.Kernel
	ino uint64
}

var (
	_ vfs.Reader     = (*file)(nil)
	_ vfs.Writer     = (*file)(nil)
	_ vfs.AttrSetter = (*file)(nil)
)

// Attr fills a: the size is that of what would be read now.
func (f *file) Attr(t *kern.Thread, a *vfs.Attr) error {
	text, err := f.read(t)
	if err != nil {
		return err
	}
	at := f.k.Now()
	if f.atBoot {
		at = f.k.BootTime()
	}
	size := int64(len(text))
	*a = vfs.Attr{Mode: abi.S_IFREG | 0o444, Nlink: 1, Ino: f.ino, Size: size, Bytes: size, Blksize: abi.DEV_BSIZE,
		Atime: at, Mtime: at, Ctime: at, Btime: f.k.BootTime()}
	if f.write != nil {
		a.Mode |= abi.S_IWUSR
	}
	return nil
}

// Inactive has nothing to free.
func (*file) Inactive(*kern.Thread) {}

// ReadAt reads what the file says now.
func (f *file) ReadAt(t *kern.Thread, p []byte, off int64) (int, error) {
	text, err := f.read(t)
	if err != nil || off >= int64(len(text)) {
		return 0, err
	}
	return copy(p, text[off:]), nil
}

// maxWrite is the most that is written at once, and that is the whole of it.
const maxWrite = 255

// WriteAt gives the file new contents: one write, from the start. Errors: EINVAL for another offset, EIO for more than maxWrite bytes and
// for what is not written.
func (f *file) WriteAt(t *kern.Thread, p []byte, off int64) (int, error) {
	switch {
	case off != 0:
		return 0, abi.EINVAL
	case len(p) > maxWrite || f.write == nil:
		return 0, abi.EIO
	}
	if err := f.write(t, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetAttr takes no notice of the size, so that a file can be opened with O_TRUNC: it changes when something is written. Errors: EOPNOTSUPP
// for all else, of which the original takes no notice either.
func (f *file) SetAttr(_ *kern.Thread, s *vfs.SetAttr) error {
	if s.Valid&^vfs.SetSize != 0 {
		return abi.EOPNOTSUPP
	}
	return nil
}
