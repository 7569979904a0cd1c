// Package ptyfs is component rumpfs_ptyfs: the file system type ptyfs, whose files are the pseudo terminals that are in use,
// mount_ptyfs(8). While one is mounted, /dev/ptmx and /dev/ptm take their terminals from it, and there are as many as are asked for.
//
// The terminals themselves are package kern/dev/pty's.
package ptyfs

import (
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/pty"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
	"github.com/rumpctrl/rumpctrl/kern/vfs/pseudofs"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpfs_ptyfs",
		Needs:   []string{"rumpvfs", "rumpkern_tty"},
		Doc:     "pseudo terminals as files",
		Modules: []kern.Module{{Name: "ptyfs", Class: abi.MODULE_CLASS_VFS}},
		Attach: func(k *kern.Kernel) error {
			return vfs.Of(k).Register(&vfs.Type{Name: "ptyfs", Mount: mount, ArgsSize: abi.SizeofPtyfsArgs})
		},
	}
}

// oldArgsSize is the size of the arguments of version 1, which have no flags.
const oldArgsSize = abi.SizeofPtyfsArgs - 4

// FS is a mounted ptyfs.
type FS struct {
	pseudofs.FS
	k     *kern.Kernel
	ptys  *pty.Ptys
	args  abi.PtyfsArgs
	root  *root
	table table
}

var (
	_ vfs.Updater    = (*FS)(nil)
	_ vfs.ArgsGetter = (*FS)(nil)
	_ vfs.Uncached   = (*FS)(nil)
	_ pty.Namer      = (*FS)(nil)
)

// mount makes a ptyfs, and has the cloning devices use it. Errors: EINVAL for no arguments, and those of another version.
func mount(t *kern.Thread, m *vfs.MountArgs) (vfs.FS, error) {
	a, err := decode(m.Data)
	if err != nil {
		return nil, err
	}
	f := &FS{FS: pseudofs.FS{Name: "ptyfs"}, k: t.K, ptys: pty.Of(t.K), args: a}
	f.root = &root{fs: f, times: newTimes(t.K.Now())}
	f.ptys.AddNamer(f)
	return f, nil
}

// decode reads and checks the arguments. Errors: EINVAL.
func decode(data []byte) (a abi.PtyfsArgs, err error) {
	old := len(data) == oldArgsSize
	if old {
		data = append(data[:oldArgsSize:oldArgsSize], 0, 0, 0, 0)
	}
	if len(data) != abi.SizeofPtyfsArgs || a.Decode(data) != nil || a.Version > abi.PTYFS_ARGSVERSION ||
		old && a.Version == abi.PTYFS_ARGSVERSION {
		return a, abi.EINVAL
	}
	if a.Version < abi.PTYFS_ARGSVERSION {
		a.Flags = 0
	}
	return a, nil
}

// Update fails: nothing of a ptyfs can be changed. Errors: EOPNOTSUPP.
func (f *FS) Update(*kern.Thread, *vfs.MountArgs) error { return abi.EOPNOTSUPP }

// GetArgs fills in group and mode, and for those who know of them the flags.
func (f *FS) GetArgs(_ *kern.Thread, data []byte) error {
	var a abi.PtyfsArgs
	if err := a.Decode(data); err != nil {
		return abi.EINVAL
	}
	a.Gid, a.Mode = f.args.Gid, f.args.Mode
	if a.Version >= abi.PTYFS_ARGSVERSION {
		a.Flags = f.args.Flags
	}
	return a.Encode(data)
}

// Root is the directory of the terminals.
func (f *FS) Root() (vfs.Node, error) { return f.root, nil }

// Unmount has the cloning devices look elsewhere.
func (f *FS) Unmount(*kern.Thread, bool) error {
	f.ptys.RemoveNamer(f)
	return nil
}

// mounted is the mount; nil when there is none any more.
func (f *FS) mounted() *vfs.Mount {
	for _, m := range vfs.Of(f.k).Mounts() {
		if m.FS() == vfs.FS(f) {
			return m
		}
	}
	return nil
}

// Vnode is the special file of a side of a pair. One of a master makes the slave's name, for as long as it is in use.
//
// Errors: ENOENT for a slave that has no name, EIO when the file system is unmounted.
func (f *FS) Vnode(t *kern.Thread, index int, s pty.Side) (*vfs.Vnode, error) {
	m := f.mounted()
	if m == nil {
		return nil, abi.EIO
	}
	if s == pty.Slave {
		n := f.table.get(index)
		if n == nil {
			return nil, abi.ENOENT
		}
		return m.Vnode(t, n)
	}
	n := f.table.use(f, t, index)
	vp, err := m.Vnode(t, n)
	if err != nil {
		f.table.drop(index)
	}
	return vp, err
}

// Name is a slave's path, below the calling process's root directory; masters have no names. Errors: ENOENT.
func (f *FS) Name(t *kern.Thread, index int, s pty.Side) (string, error) {
	if s == pty.Master {
		return "/dev/null", nil
	}
	m := f.mounted()
	if m == nil {
		return "", abi.ENOENT
	}
	path, err := m.VisiblePath(t)
	if err != nil {
		return "", err
	}
	if path == "/" {
		path = ""
	}
	return path + "/" + strconv.Itoa(index), nil
}

// Rights are the mount arguments'.
func (f *FS) Rights() (gid, mode uint32) { return f.args.Gid, f.args.Mode & abi.ALLPERMS }

// Visible says whether the calling process sees the mount.
func (f *FS) Visible(t *kern.Thread) bool {
	m := f.mounted()
	if m == nil {
		return false
	}
	_, err := m.VisiblePath(t)
	return err == nil
}

// Has says whether a pair's slave has a name.
func (f *FS) Has(index int) bool { return f.table.get(index) != nil }
