package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// MakeSocket makes the node of a local socket, S_IFSOCK, as bind(2) does; the process's umask applies. The vnode is returned held.
//
// Errors: EADDRINUSE for a path that is there; ENOENT, ENOTDIR, EACCES, EROFS, ENOSPC, ELOOP, ENAMETOOLONG.
func (v *VFS) MakeSocket(t *kern.Thread, path []byte) (*Vnode, error) {
	lk, err := v.begin(t, abi.AT_FDCWD, path)
	if err != nil {
		return nil, err
	}
	defer lk.end()
	lk.making = true
	vp, err := lk.resolve(follow)
	if err != nil {
		return nil, err
	}
	if vp != nil {
		vp.Release(t)
		return nil, abi.EADDRINUSE
	}
	vp, err = lk.create(&NewNode{Mode: abi.S_IFSOCK | accessPerms&^cwdOf(t.Proc).umask()})
	if err == abi.EEXIST {
		err = abi.EADDRINUSE
	}
	if err != nil {
		return nil, err
	}
	return vp.socket(t)
}

// socket is the vnode that stands for a socket, below any layers, held: it is one under all its names. It takes over the
// reference.
func (vp *Vnode) socket(t *kern.Thread) (*Vnode, error) {
	defer vp.Release(t)
	low, _, err := vp.under(t, false)
	return low, err
}

// LookupSocket is the node of a local socket that the caller may write to, held: connect(2) has that.
//
// Errors: ENOTSOCK for another file, EACCES, and those of a lookup.
func (v *VFS) LookupSocket(t *kern.Thread, path []byte) (*Vnode, error) {
	vp, err := v.namei(t, abi.AT_FDCWD, path, follow)
	if err != nil {
		return nil, err
	}
	err = abi.ENOTSOCK
	if vp.typ == abi.S_IFSOCK {
		lk := v.scratch(t)
		err = vp.access(t, t.Cred(), mayWrite, &lk.attr)
		lk.put()
	}
	if err != nil {
		vp.Release(t)
		return nil, err
	}
	return vp.socket(t)
}
