package vfs

import (
	"errors"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Stacked is a node of a layer: a file system that lies over directories of others and passes calls on to the vnodes there, as
// mount_null(8), mount_umap(8), mount_overlay(8) and mount_union(8) have them.
//
// Package vfs leaves to the vnodes below what depends on the file and not on its name: contents, extended attributes, devices,
// fifos, advisory locks, events of kqueue, times. Of permissions it checks for a layer only what the flags of its
// mount say; the rest is checked below, by the operations of layerop.go, with the credentials that the layer gives them.
// Locks of a layer's vnodes are taken before those of vnodes below.
type Stacked interface {
	// Below is the vnode that has the file's contents, and the thread to use it as: t, or t with other credentials. write
	// says that it is to be changed. It is called with the layer's vnode locked shared, and stays valid as long as that is in use.
	//
	// Errors: EROFS for what cannot be changed, and what making it changeable meets.
	Below(t *kern.Thread, write bool) (*Vnode, *kern.Thread, error)
	// Access says whether somebody with credentials c may do what want has, bits of access(2).
	//
	// Errors: EACCES, EPERM, EROFS.
	Access(t *kern.Thread, c *kern.Cred, want uint32) error
}

// Activator is a node that lives no longer than its vnode: Inactive ends it for good, and another node takes its place when the
// file is looked up again. Activate is called when a vnode is made for the node, with the table of vnodes locked, and
// must not wait; false says that the node has ended since it was looked up.
type Activator interface {
	Activate() bool
}

// errEnded is Mount.Vnode's for a node that has ended.
var errEnded = errors.New("the node has ended")

// activate says whether a vnode may be made for a node.
func activate(n Node) bool {
	a, ok := n.(Activator)
	return !ok || a.Activate()
}

// vnodeOf is the vnode, held, of the node that find finds; it looks again when that has ended meanwhile.
func (m *Mount) vnodeOf(t *kern.Thread, find func() (Node, error)) (*Vnode, error) {
	for {
		n, err := find()
		if err != nil {
			return nil, err
		}
		vp, err := m.Vnode(t, n)
		if err != errEnded {
			return vp, err
		}
	}
}

// under is the vnode that has the contents of a layer's, held, through any number of layers; vp itself where it is not a layer's.
//
// Errors: EIO when a layer's file system is gone, EROFS when it is read-only and write is set; those of Stacked.Below.
func (vp *Vnode) under(t *kern.Thread, write bool) (*Vnode, *kern.Thread, error) {
	at := vp.Hold()
	for at.stacked != nil {
		low, as, err := at.below(t, write)
		at.Release(t)
		if err != nil {
			return nil, nil, err
		}
		at, t = low, as
	}
	return at, t, nil
}

// below is the next vnode of under, held.
func (vp *Vnode) below(t *kern.Thread, write bool) (*Vnode, *kern.Thread, error) {
	if write && vp.mount.readOnly() && vp.stored() {
		return nil, nil, abi.EROFS
	}
	if err := vp.rlock(); err != nil {
		return nil, nil, err
	}
	defer vp.mu.RUnlock()
	low, as, err := vp.stacked.Below(t, write)
	if err != nil {
		return nil, nil, err
	}
	return low.Hold(), as, nil
}

// openBelow is the vnode that an open of a layer's is one of, held; the nodes on the way that are an Opener are told.
//
// Errors: ENXIO for a device on a layer that is mounted nodev; those of Opener and under.
func (vp *Vnode) openBelow(t *kern.Thread, fflags uint32) (*Vnode, *kern.Thread, error) {
	at := vp.Hold()
	for at.stacked != nil {
		low, as, err := at.openLayer(t, fflags)
		at.Release(t)
		if err != nil {
			return nil, nil, err
		}
		at, t = low, as
	}
	return at, t, nil
}

func (vp *Vnode) openLayer(t *kern.Thread, fflags uint32) (*Vnode, *kern.Thread, error) {
	isDevice := vp.typ == abi.S_IFCHR || vp.typ == abi.S_IFBLK
	if isDevice && vp.mount.Flags()&abi.MNT_NODEV != 0 {
		return nil, nil, abi.ENXIO
	}
	if o, ok := vp.node.(Opener); ok {
		if _, err := o.Open(t, fflags); err != nil {
			return nil, nil, err
		}
	}
	return vp.below(t, false)
}
