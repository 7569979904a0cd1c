package vfs

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Mount is a file system at its place in the tree.
type Mount struct {
	vfs    *VFS
	fs     FS
	typ    *Type
	root   *Vnode // held until unmounted
	path   string // where it is mounted, from the real root
	fsid   abi.Fsid
	owner  uint32
	covers atomic.Pointer[Vnode] // held; nil for the root file system, and when unmounted
	flags  atomic.Uint32         // MNT_*
	cached atomic.Bool           // names may be cached

	// busy is held shared by calls on the whole file system, which must not go meanwhile, and exclusively by mounting and
	// unmounting it.
	busy sync.RWMutex

	// renameMu is held by renames from one directory to another: what is above a directory then stays.
	renameMu sync.Mutex

	mu        sync.Mutex
	reclaimed sync.Cond // a vnode has left vnodes
	vnodes    map[Node]*Vnode
	gone      bool // unmounted
}

// FS is the mounted file system.
func (m *Mount) FS() FS { return m.fs }

// Type is the kind of file system.
func (m *Mount) Type() *Type { return m.typ }

// Path is where the file system is mounted, from the real root.
func (m *Mount) Path() string { return m.path }

// Flags are the MNT_* flags of the mount.
func (m *Mount) Flags() uint32 { return m.flags.Load() }

// Root is the root vnode of the mount, held; nil when it has been unmounted.
func (m *Mount) Root() *Vnode {
	if !m.root.tryHold() {
		return nil
	}
	return m.root
}

// coveredDir is the directory that the mount covers, held; nil for the root file system.
func (m *Mount) coveredDir() *Vnode {
	if vp := m.covers.Load(); vp != nil && vp.tryHold() {
		return vp
	}
	return nil
}

// coversIn says whether m covers a directory of o.
func (m *Mount) coversIn(o *Mount) bool {
	vp := m.covers.Load()
	return vp != nil && vp.mount == o
}

// readOnly says whether the mount is read-only.
func (m *Mount) readOnly() bool { return m.flags.Load()&abi.MNT_RDONLY != 0 }

// dev is st_dev of the mount's files.
func (m *Mount) dev() uint64 { return uint64(uint32(m.fsid.Val[0])) }

// enter keeps the file system mounted until leave. It says false when it is not mounted any more.
func (m *Mount) enter() bool {
	m.busy.RLock()
	if m.isGone() {
		m.busy.RUnlock()
		return false
	}
	return true
}

func (m *Mount) leave() { m.busy.RUnlock() }

func (m *Mount) isGone() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gone
}

func newMount(v *VFS, typ *Type) *Mount {
	m := &Mount{vfs: v, typ: typ, vnodes: map[Node]*Vnode{}}
	m.reclaimed.L = &m.mu
	return m
}

// Vnode is the vnode of a node of the mounted file system, held.
//
// Errors: those of Node.Attr; EIO when the file system is unmounted; errEnded for an Activator that has ended.
func (m *Mount) Vnode(t *kern.Thread, n Node) (*Vnode, error) {
	m.mu.Lock()
	vp := m.find(n)
	gone := m.gone
	m.mu.Unlock()
	if vp != nil {
		return vp, nil
	}
	if gone {
		return nil, abi.EIO
	}
	typ, rdev, err := typeOf(t, n)
	if err != nil {
		return nil, err
	}
	fresh := &Vnode{mount: m, id: m.vfs.lastID.Add(1), node: n, typ: typ}
	switch typ {
	case abi.S_IFDIR:
		fresh.dir, _ = n.(Directory)
	case abi.S_IFCHR, abi.S_IFBLK:
		fresh.rdev = rdev
	}
	fresh.stacked, _ = n.(Stacked)
	fresh.refs.Store(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	if vp := m.find(n); vp != nil {
		return vp, nil
	}
	if m.gone {
		return nil, abi.EIO
	}
	if !activate(n) {
		return nil, errEnded
	}
	m.vnodes[n] = fresh
	return fresh, nil
}

// typeOf is a node's type, and its device number. Those of a layer's are the vnode's below, which knows them without its attributes.
func typeOf(t *kern.Thread, n Node) (typ uint32, rdev uint64, err error) {
	switch n := n.(type) {
	case Typed:
		typ, rdev = n.Type()
		return typ, rdev, nil
	case Stacked:
		low, _, err := n.Below(t, false)
		if err != nil {
			return 0, 0, err
		}
		return low.typ, low.rdev, nil
	}
	var a Attr
	err = n.Attr(t, &a)
	return a.Mode & abi.S_IFMT, a.Rdev, err
}

// find is the vnode of n, held, if there is one; called with mu held, which it may give up for a while.
func (m *Mount) find(n Node) *Vnode {
	for {
		vp := m.vnodes[n]
		if vp == nil {
			return nil
		}
		if !vp.reclaiming {
			vp.refs.Add(1)
			return vp
		}
		m.reclaimed.Wait()
	}
}

// awaitReclaims waits until no vnode is becoming inactive; called with mu held, which it gives up meanwhile.
func (m *Mount) awaitReclaims() {
	for {
		reclaiming := false
		for _, vp := range m.vnodes {
			reclaiming = reclaiming || vp.reclaiming
		}
		if !reclaiming {
			return
		}
		m.reclaimed.Wait()
	}
}

// releaseLast drops what seems to be the last reference of vp.
func (m *Mount) releaseLast(t *kern.Thread, vp *Vnode) {
	m.mu.Lock()
	if vp.refs.Add(-1) > 0 || m.gone {
		m.mu.Unlock()
		return
	}
	vp.reclaiming = true
	m.mu.Unlock()
	m.vfs.cache.purgeDir(t, vp)
	vp.node.Inactive(t)
	m.mu.Lock()
	delete(m.vnodes, vp.node)
	m.mu.Unlock()
	m.reclaimed.Broadcast()
}
