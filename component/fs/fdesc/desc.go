package fdesc

import (
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/pseudofs"
)

// dir is the directory fd. Names in it can neither be made nor taken away: EOPNOTSUPP.
type dir struct{ root *root }

var _ vfs.Directory = (*dir)(nil)

// Attr fills a.
func (d *dir) Attr(_ *kern.Thread, a *vfs.Attr) error {
	*a = pseudofs.DirAttr(dirIno, 2, d.root.k.BootTime())
	return nil
}

// Inactive has nothing to free.
func (*dir) Inactive(*kern.Thread) {}

// Lookup finds a descriptor of the calling process. Errors: ENOENT for what is no number, EBADF for one that is not open.
func (d *dir) Lookup(t *kern.Thread, name string) (vfs.Node, error) {
	fd, err := strconv.ParseUint(name, 10, 31)
	switch {
	case err != nil && err.(*strconv.NumError).Err == strconv.ErrRange:
		return nil, abi.EBADF
	case err != nil:
		return nil, abi.ENOENT
	}
	f, err := t.Desc.Get(int(fd))
	if err != nil {
		return nil, err
	}
	defer f.Release(t)
	n := &desc{dir: d, fd: int(fd)}
	n.typ, n.rdev, err = typeOf(t, f)
	return n, err
}

// typeOf is the type of an open file. It takes no lock of a vnode.
func typeOf(t *kern.Thread, f *kern.File) (typ uint32, rdev uint64, err error) {
	if vp := vfs.VnodeOf(f); vp != nil {
		return vp.Type(), vp.Rdev(), nil
	}
	st, err := fstat(t, f)
	return st.Mode & abi.S_IFMT, st.Rdev, err
}

// fstat is fstat(2). Errors: EOPNOTSUPP for a file without attributes.
func fstat(t *kern.Thread, f *kern.File) (st abi.Stat, err error) {
	s, ok := f.Ops.(kern.Stater)
	if !ok {
		return st, abi.EOPNOTSUPP
	}
	err = s.Stat(t, f, &st)
	return st, err
}

// Parent is the root directory.
func (d *dir) Parent(*kern.Thread) (vfs.Node, error) { return d.root, nil }

// ReadDir lists the descriptors of the calling process, the directory's own too; the cookie of one is its number and
// pseudofs.FirstCookie.
func (d *dir) ReadDir(t *kern.Thread, cookie int64, emit func(vfs.Dirent) bool) error {
	var fds []int
	t.Desc.Open(func(fd int, _ *kern.File) { fds = append(fds, fd) })
	return pseudofs.ReadDir(dirIno, rootIno, descriptors(fds), cookie, emit)
}

func descriptors(fds []int) iter.Seq[vfs.Dirent] {
	return func(yield func(vfs.Dirent) bool) {
		for _, fd := range slices.Sorted(slices.Values(fds)) {
			e := vfs.Dirent{Ino: firstIno + uint64(fd), Type: abi.DT_UNKNOWN, Name: strconv.Itoa(fd),
				Cookie: int64(fd) + pseudofs.FirstCookie}
			if !yield(e) {
				return
			}
		}
	}
}

// desc is a descriptor, of whatever process uses it: there is one for each time that one is looked up. It holds nothing: the descriptor
// may be closed, or be another file, at any time.
type desc struct {
	dir  *dir
	fd   int
	typ  uint32 // when it was looked up
	rdev uint64
}

var (
	_ vfs.Opener    = (*desc)(nil)
	_ vfs.Typed     = (*desc)(nil)
	_ vfs.Unchecked = (*desc)(nil)
	_ vfs.Directory = (*desc)(nil)
)

// Inactive has nothing to free.
func (*desc) Inactive(*kern.Thread) {}

// Type is what the descriptor referred to when it was looked up.
func (n *desc) Type() (typ uint32, rdev uint64) { return n.typ, n.rdev }

// Unchecked says that whoever has a descriptor may use it.
func (*desc) Unchecked() {}

// Open gives the file that the descriptor refers to. Errors: EBADF; EACCES for what the descriptor is not open for.
func (n *desc) Open(t *kern.Thread, fflags uint32) (kern.Ops, error) {
	f, err := t.Desc.Get(n.fd)
	if err != nil {
		return nil, err
	}
	const modes = abi.FREAD | abi.FWRITE
	if fflags&modes&^f.Flags() != 0 {
		f.Release(t)
		return nil, abi.EACCES
	}
	return nil, &kern.Opened{File: f}
}

// Attr fills a with what fstat(2) says of the descriptor, but for the number of the file, which is its own here. A directory cannot
// be searched by this name: it would lead in circles.
//
// Errors: EBADF, EOPNOTSUPP for a file without attributes.
func (n *desc) Attr(t *kern.Thread, a *vfs.Attr) error {
	f, err := t.Desc.Get(n.fd)
	if err != nil {
		return err
	}
	defer f.Release(t)
	st, err := fstat(t, f)
	if err != nil {
		return err
	}
	*a = vfs.Attr{Mode: st.Mode, Nlink: 1, UID: st.Uid, GID: st.Gid, Ino: firstIno + uint64(n.fd), Size: st.Size,
		Bytes: st.Blocks * abi.S_BLKSIZE, Blksize: st.Blksize, Rdev: st.Rdev, Flags: st.Flags, Gen: st.Gen,
		Atime: at(st.Atim), Mtime: at(st.Mtim), Ctime: at(st.Ctim), Btime: at(st.Birthtim)}
	if st.Mode&abi.S_IFMT == abi.S_IFDIR {
		a.Mode &^= 0o111
	}
	return nil
}

func at(ts abi.Timespec) time.Time { return time.Unix(ts.Sec, ts.Nsec) }

// Lookup finds nothing in a directory by this name. Errors: ENOTDIR.
func (*desc) Lookup(*kern.Thread, string) (vfs.Node, error) { return nil, abi.ENOTDIR }

// Parent is the directory of the descriptors.
func (n *desc) Parent(*kern.Thread) (vfs.Node, error) { return n.dir, nil }

// ReadDir lists nothing: who opens the directory reads it itself. Errors: ENOTDIR.
func (*desc) ReadDir(*kern.Thread, int64, func(vfs.Dirent) bool) error { return abi.ENOTDIR }
