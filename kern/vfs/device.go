package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// This is what drivers need of the file system that hand out terminals: files of the kernel's own finding are opened, given away
// and revoked without a look at the caller's rights.

// Open opens a vnode for the kernel, taking over the reference; fflags are FREAD, FWRITE and status flags.
//
// Errors: the driver's, the file system's.
func (v *VFS) Open(t *kern.Thread, vp *Vnode, fflags uint32) (*kern.File, error) {
	return v.openFile(t, vp, fflags)
}

// Give changes a file's owner, group and permissions. On a read-only mount they stay as they are.
//
// Errors: EOPNOTSUPP, EIO when the file system is gone.
func (vp *Vnode) Give(t *kern.Thread, uid, gid, mode uint32) error {
	if vp.mount.readOnly() {
		return nil
	}
	s, ok := vp.node.(AttrSetter)
	if !ok {
		return abi.EOPNOTSUPP
	}
	if err := vp.lock(); err != nil {
		return err
	}
	defer vp.mu.Unlock()
	if err := s.SetAttr(t, &SetAttr{Valid: SetUID | SetGID | SetMode, UID: uid, GID: gid, Mode: mode}); err != nil {
		return err
	}
	vp.touch(Ctime)
	vp.notify(abi.NOTE_ATTRIB)
	return nil
}

// Revoke is revoke(2) of a special file. Errors: EINVAL for what is none.
func (vp *Vnode) Revoke(t *kern.Thread) error {
	if vp.typ != abi.S_IFCHR && vp.typ != abi.S_IFBLK {
		return abi.EINVAL
	}
	return vp.revoke(t)
}

// VisiblePath is where the calling process sees a mount: below its root directory. Errors: ENOENT for a mount that it does not see.
func (m *Mount) VisiblePath(t *kern.Thread) (string, error) {
	path := m.path
	if c := cwdOf(t.Proc); c.chroots() {
		var visible bool
		if path, visible = c.visible(t, path); !visible {
			return "", abi.ENOENT
		}
	}
	return path, nil
}
