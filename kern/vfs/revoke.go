package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// revoke is revoke(2): all opens of a file stop working, as [Vnode.revoke] says.
//
// Errors: EPERM for another than the owner and the superuser; EINVAL for fifos, whose readers and writers wait for each other, and
// sockets: the original revokes these too.
func revoke(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := nameiIn(t, abi.AT_FDCWD, a[0], follow)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	var attr Attr
	if err := vp.Attr(t, &attr); err != nil {
		return 0, err
	}
	if c := t.Cred(); !c.Root() && c.Euid != attr.UID {
		return 0, abi.EPERM
	}
	if vp.typ == abi.S_IFIFO || vp.typ == abi.S_IFSOCK {
		return 0, abi.EINVAL
	}
	return 0, vp.revoke(t)
}

// revoke ends all opens of a file. A device is closed, whoever has it open by whatever name: it reads as at its end then, and does
// not write. An open regular file or directory gives EIO or EBADF from now on, and has no locks; later opens are as
// if nothing had been.
//
// Errors: those of a layer that has to find the file below.
func (vp *Vnode) revoke(t *kern.Thread) error {
	leaf, _, err := vp.under(t, false)
	if err != nil {
		return err
	}
	defer leaf.Release(t)
	v := vp.mount.vfs
	if leaf.typ == abi.S_IFCHR || leaf.typ == abi.S_IFBLK {
		for _, df := range v.specs.take(specKey{leaf.rdev, leaf.typ == abi.S_IFBLK}) {
			df.revoke(t)
		}
	} else {
		leaf.era.Add(1)
		v.locks.releaseAll(leaf)
	}
	leaf.notify(abi.NOTE_REVOKE)
	return nil
}

// valid says whether the open has not been revoked; devices are told otherwise. Errors: EBADF.
func (of *openVnode) valid() error {
	if of.era != of.leaf.era.Load() {
		return abi.EBADF
	}
	return nil
}
