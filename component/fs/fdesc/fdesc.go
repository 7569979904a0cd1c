// Package fdesc is component rumpfs_fdesc: the file system type fdesc, whose files are the descriptors of the process that looks, fd(4):
// fd/0 and on, stdin, stdout and stderr, which lead there, and tty, its controlling terminal. To open one is to duplicate
// the descriptor.
//
// Start reading with desc (desc.go).
package fdesc

import (
	"iter"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/tty"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/pseudofs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_fdesc",
		Needs:   []string{"rumpvfs"},
		Doc:     "descriptors as files",
		Modules: []kern.Module{{Name: "fdesc", Class: abi.MODULE_CLASS_VFS}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "fdesc", Mount: mount})
		},
	}
}

// The numbers of the files: descriptors have firstIno and on.
const (
	rootIno = iota + 2
	dirIno
	stdinIno
	stdoutIno
	stderrIno
	ttyIno
	firstIno
)

// FS is a mounted fdesc.
type FS struct {
	pseudofs.FS
	root *root
}

var (
	_ vfs.Uncached   = (*FS)(nil)
	_ vfs.ArgsGetter = (*FS)(nil)
)

// mount makes an fdesc. It takes no arguments.
func mount(t *kern.Thread, _ *vfs.MountArgs) (vfs.FS, error) {
	r := &root{k: t.K, tty: &terminal{t.K}}
	r.fd = &dir{root: r}
	for i, name := range []string{"stdin", "stdout", "stderr"} {
		r.links = append(r.links, &link{k: t.K, name: name, fd: i})
	}
	return &FS{FS: pseudofs.FS{Name: "fdesc"}, root: r}, nil
}

// Root is the directory that has fd, and the names of the first three descriptors.
func (f *FS) Root() (vfs.Node, error) { return f.root, nil }

// GetArgs has no arguments to tell.
func (*FS) GetArgs(*kern.Thread, []byte) error { return nil }

// root is the root directory.
type root struct {
	k     *kern.Kernel
	fd    *dir
	links []*link
	tty   *terminal
}

var _ vfs.Directory = (*root)(nil)

// Attr fills a.
func (r *root) Attr(_ *kern.Thread, a *vfs.Attr) error {
	*a = pseudofs.DirAttr(rootIno, 2, r.k.BootTime())
	return nil
}

// Inactive has nothing to free.
func (*root) Inactive(*kern.Thread) {}

// Lookup finds a name. Errors: ENOENT; ENXIO for tty when the process has no controlling terminal.
func (r *root) Lookup(t *kern.Thread, name string) (vfs.Node, error) {
	switch name {
	case "fd":
		return r.fd, nil
	case "tty":
		if t.Ctty() == nil {
			return nil, abi.ENXIO
		}
		return r.tty, nil
	}
	for _, l := range r.links {
		if l.name == name {
			return l, nil
		}
	}
	return nil, abi.ENOENT
}

// Parent is the root itself.
func (r *root) Parent(*kern.Thread) (vfs.Node, error) { return r, nil }

// ReadDir lists what the calling process has.
func (r *root) ReadDir(t *kern.Thread, cookie int64, emit func(vfs.Dirent) bool) error {
	return pseudofs.ReadDir(rootIno, rootIno, r.entries(t), cookie, emit)
}

func (r *root) entries(t *kern.Thread) iter.Seq[vfs.Dirent] {
	return func(yield func(vfs.Dirent) bool) {
		all := []vfs.Dirent{{Ino: dirIno, Type: abi.DT_DIR, Name: "fd"}}
		for _, l := range r.links {
			e := vfs.Dirent{Ino: stdinIno + uint64(l.fd), Type: abi.DT_LNK, Name: l.name}
			if !isOpen(t, l.fd) {
				e.Name = ""
			}
			all = append(all, e)
		}
		if t.Ctty() != nil {
			all = append(all, vfs.Dirent{Ino: ttyIno, Type: abi.DT_CHR, Name: "tty"})
		}
		for i, e := range all {
			e.Cookie = int64(i) + pseudofs.FirstCookie
			if e.Name != "" && !yield(e) {
				return
			}
		}
	}
}

// isOpen says whether the calling process has a descriptor open.
func isOpen(t *kern.Thread, fd int) bool {
	f, err := t.Desc.Get(fd)
	if err != nil {
		return false
	}
	f.Release(t)
	return true
}

// link is a symbolic link to a descriptor.
type link struct {
	k    *kern.Kernel
	name string
	fd   int
}

var _ vfs.Linkname = (*link)(nil)

// target is where the link leads: descriptors of the links have one digit.
func (l *link) target() string { return "fd/" + string(rune('0'+l.fd)) }

// Attr fills a.
func (l *link) Attr(_ *kern.Thread, a *vfs.Attr) error {
	at := l.k.BootTime()
	*a = vfs.Attr{Mode: abi.S_IFLNK | 0o555, Nlink: 1, Ino: stdinIno + uint64(l.fd), Size: int64(len(l.target())),
		Blksize: abi.DEV_BSIZE, Atime: at, Mtime: at, Ctime: at, Btime: at}
	return nil
}

// Inactive has nothing to free.
func (*link) Inactive(*kern.Thread) {}

// Readlink is the name in fd.
func (l *link) Readlink(*kern.Thread) (string, error) { return l.target(), nil }

// terminal is the special file of the controlling terminal: another name of /dev/tty.
type terminal struct{ k *kern.Kernel }

// Attr fills a.
func (n *terminal) Attr(_ *kern.Thread, a *vfs.Attr) error {
	at := n.k.BootTime()
	*a = vfs.Attr{Mode: abi.S_IFCHR | 0o666, Nlink: 1, Ino: ttyIno, Blksize: abi.DEV_BSIZE, Rdev: kern.Makedev(tty.CttyMajor, 0),
		Atime: at, Mtime: at, Ctime: at, Btime: at}
	return nil
}

// Inactive has nothing to free.
func (*terminal) Inactive(*kern.Thread) {}
