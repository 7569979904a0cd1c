// Package layerfs is component rumpvfs_layerfs: what null, umap and overlay mounts share. A layer shows a directory of another
// file system, and everything below it, in a second place: each file is a node over the vnode of the real one and hands calls down to
// it, so that names, contents, locks and events are the same in both places. A mount in the real tree is not crossed: the layer
// shows the directory under it (mount_null(8)).
//
// It knows no mount(2) arguments but the common part of them, struct layer_args (Args); the types are packages of their own. How
// package vfs treats such nodes, and the order of locks, is said at [vfs.Stacked].
//
// Start reading with FS, then node (node.go).
package layerfs

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// Component is the component. It attaches nothing: the types of layers do.
func Component() *kern.Component {
	return &kern.Component{
		Name:    "rumpvfs_layerfs",
		Needs:   []string{"rumpvfs"},
		Doc:     "what null, umap and overlay mounts share",
		Modules: []kern.Module{{Name: "layerfs", Class: abi.MODULE_CLASS_MISC}},
		Attach:  func(*kern.Kernel) error { return nil },
	}
}

// Owners changes users and groups on their way through a layer.
type Owners interface {
	// Cred are the credentials below of somebody with credentials c.
	Cred(c *kern.Cred) *kern.Cred
	// Up are owner and group as the layer shows those of a file below.
	Up(uid, gid uint32) (uint32, uint32)
	// Down turns the owner and the group of a change, as s.Valid says, into those below. Errors: EINVAL for one that there is not
	// below.
	Down(s *vfs.SetAttr) error
}

// FS is a layer.
type FS struct {
	k      *kern.Kernel
	root   *dir
	source string
	owners Owners // nil: the same below

	mu    sync.Mutex
	nodes map[*vfs.Vnode]layered // the nodes that have not ended, by the vnode below
}

var (
	_ vfs.FS           = (*FS)(nil)
	_ vfs.HandleFinder = (*FS)(nil)
	_ vfs.Updater      = (*FS)(nil)
	_ vfs.ArgsGetter   = (*FS)(nil)
	_ vfs.Uncached     = (*FS)(nil)
)

// New makes a layer over a directory, whose reference it takes over. source is what is mounted, for f_mntfromname; owners may be nil.
func New(t *kern.Thread, below *vfs.Vnode, source string, owners Owners) *FS {
	f := &FS{k: t.K, source: source, owners: owners, nodes: map[*vfs.Vnode]layered{}}
	f.root = f.node(t, below).(*dir)
	return f
}

// Refs are the addresses in a struct layer_args: vfs.Type's.
func Refs(data []byte) (vfs.Refs, error) {
	var a abi.LayerArgs
	if err := a.Decode(data); err != nil {
		return vfs.Refs{}, abi.EINVAL
	}
	return vfs.Refs{Strings: []uint64{a.Target}}, nil
}

// Args checks mount(2)'s arguments and finds the directory that they name, the first of their strings, held.
//
// Errors: EINVAL for arguments of less than size bytes and for what is no directory; those of namei(9).
func Args(t *kern.Thread, m *vfs.MountArgs, size int) (*vfs.Vnode, error) {
	if len(m.Data) < size {
		return nil, abi.EINVAL
	}
	vp, err := m.VFS.Namei(t, m.Strings[0])
	if err != nil {
		return nil, err
	}
	if !vp.IsDir() {
		vp.Release(t)
		return nil, abi.EINVAL
	}
	return vp, nil
}

// Root is the node over the directory that the layer was made for.
func (f *FS) Root() (vfs.Node, error) { return f.root, nil }

// Source is what is mounted.
func (f *FS) Source() string { return f.source }

// Uncached says that names change without the layer: the file system below remembers them.
func (*FS) Uncached() {}

// Statfs is what the file system below says.
func (f *FS) Statfs(t *kern.Thread, st *abi.Statvfs) error { return f.root.below.Mount().Statfs(t, st) }

// Sync has nothing to do: the layer holds nothing back.
func (*FS) Sync(*kern.Thread, bool) error { return nil }

// Unmount gives back the vnodes below.
func (f *FS) Unmount(t *kern.Thread, _ bool) error {
	f.mu.Lock()
	left := f.nodes
	f.nodes = map[*vfs.Vnode]layered{}
	f.mu.Unlock()
	for vp := range left {
		vp.Release(t)
	}
	return nil
}

// Update is refused, as in the original. Errors: EOPNOTSUPP; EINVAL without arguments.
func (*FS) Update(_ *kern.Thread, m *vfs.MountArgs) error {
	if len(m.Data) == 0 {
		return abi.EINVAL
	}
	return abi.EOPNOTSUPP
}

// GetArgs clears the address of the directory's path, which is nobody's any more, and leaves the rest as it is.
func (*FS) GetArgs(_ *kern.Thread, data []byte) error {
	var a abi.LayerArgs
	if err := a.Decode(data); err != nil {
		return abi.EINVAL
	}
	a.Target = 0
	return a.Encode(data)
}

// Handle is the file handle of the file below.
func (f *FS) Handle(n vfs.Node) ([]byte, error) {
	own, ok := n.(layered)
	if !ok || own.base().fs != f {
		return nil, abi.EXDEV
	}
	return own.base().below.Handle()
}

// Find is the node over the file that a handle of the file system below is of. Errors: ESTALE, EOPNOTSUPP.
func (f *FS) Find(handle []byte) (vfs.Node, error) {
	t := f.k.KernelThread()
	vp, err := f.root.below.Mount().Find(t, handle)
	if err != nil {
		return nil, err
	}
	return f.node(t, vp), nil
}

// as is the thread as which vnodes below are used.
func (f *FS) as(t *kern.Thread) *kern.Thread {
	if f.owners == nil {
		return t
	}
	return t.As(f.owners.Cred(t.Cred()))
}

// node is the node over a vnode, whose reference it takes over.
func (f *FS) node(t *kern.Thread, vp *vfs.Vnode) layered {
	f.mu.Lock()
	n := f.nodes[vp]
	if n == nil {
		own := node{fs: f, below: vp}
		if n = layered(&own); vp.IsDir() {
			n = &dir{own}
		}
		f.nodes[vp] = n
		f.mu.Unlock()
		return n
	}
	f.mu.Unlock()
	vp.Release(t) // the node has a reference
	return n
}
