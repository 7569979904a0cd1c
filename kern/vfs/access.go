package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// accessMode says what a caller wants to do with a file: bits as in access(2).
type accessMode uint32

const (
	mayExec  accessMode = abi.X_OK
	mayWrite accessMode = abi.W_OK
	mayRead  accessMode = abi.R_OK
)

// The file flags of chflags(2) that forbid changes.
const (
	immutableFlags = abi.UF_IMMUTABLE | abi.SF_IMMUTABLE
	appendFlags    = abi.UF_APPEND | abi.SF_APPEND
)

// checkMode checks the permission bits: the owner's, else the group's, else the others'. The superuser may do all, but
// execute only what anybody may execute. Errors: EACCES.
func checkMode(c *kern.Cred, a *Attr, want accessMode) error {
	if c.Root() {
		if want&mayExec != 0 && a.Mode&abi.S_IFMT != abi.S_IFDIR && a.Mode&0111 == 0 {
			return abi.EACCES
		}
		return nil
	}
	granted := a.Mode
	switch {
	case c.Euid == a.UID:
		granted >>= 6
	case c.InGroup(a.GID):
		granted >>= 3
	}
	if accessMode(granted)&want != want {
		return abi.EACCES
	}
	return nil
}

// checkAccess checks everything that an access depends on; a has the file's attributes. The vnode is locked, or a layer's.
//
// Errors: EROFS for writing on a read-only mount (devices, fifos and sockets excepted), EPERM for writing to an
// immutable file, EACCES. An Unchecked node allows everything.
func (vp *Vnode) checkAccess(t *kern.Thread, c *kern.Cred, a *Attr, want accessMode) error {
	if _, ok := vp.node.(Unchecked); ok {
		return nil
	}
	if want&mayWrite != 0 {
		if vp.mount.readOnly() && vp.stored() {
			return abi.EROFS
		}
		if a.Flags&immutableFlags != 0 {
			return abi.EPERM
		}
	}
	if want&mayExec != 0 && vp.typ == abi.S_IFREG && vp.mount.Flags()&abi.MNT_NOEXEC != 0 {
		return abi.EACCES
	}
	if vp.stacked != nil {
		return vp.stacked.Access(t, c, uint32(want))
	}
	return checkMode(c, a, want)
}

// stored says whether the file's contents are the file system's: not a device's, a fifo's or a socket's.
func (vp *Vnode) stored() bool {
	return vp.typ == abi.S_IFREG || vp.typ == abi.S_IFDIR || vp.typ == abi.S_IFLNK
}

// access is checkAccess of an unlocked vnode; a is filled.
func (vp *Vnode) access(t *kern.Thread, c *kern.Cred, want accessMode, a *Attr) error {
	if err := vp.Attr(t, a); err != nil {
		return err
	}
	return vp.checkAccess(t, c, a, want)
}

// checkDelete says whether a name that leads to a file may be taken out of a directory: the directory is writable
// already. d and f are the attributes of both.
//
// Errors: EPERM when the directory is append-only or sticky with other owners, or the file is immutable or append-only.
func checkDelete(c *kern.Cred, d, f *Attr) error {
	if d.Flags&appendFlags != 0 || f.Flags&(immutableFlags|appendFlags) != 0 {
		return abi.EPERM
	}
	if d.Mode&abi.S_ISTXT != 0 && !c.Root() && c.Euid != d.UID && c.Euid != f.UID {
		return abi.EPERM
	}
	return nil
}

// checkChange says whether a change of attributes is allowed to the caller, and adds what follows from it. utimesNull is the
// change of times to now, which needs less.
//
// Errors: EROFS, EPERM, EACCES, EFTYPE for the sticky bit on a file.
func (vp *Vnode) checkChange(c *kern.Cred, a *Attr, s *SetAttr, utimesNull bool) error {
	if vp.mount.readOnly() && (s.Valid != SetSize || vp.stored()) {
		return abi.EROFS
	}
	if vp.stacked != nil {
		return nil // the vnode below checks
	}
	if s.Valid&SetFlags != 0 {
		return vp.checkChflags(c, a, s)
	}
	if s.Valid&SetSize != 0 {
		return checkResize(a)
	}
	if a.Flags&(immutableFlags|appendFlags) != 0 {
		return abi.EPERM
	}
	if s.Valid&(SetUID|SetGID) != 0 {
		if err := checkChown(c, a, s); err != nil {
			return err
		}
	} else if s.Valid&SetMode != 0 {
		if err := checkChmod(c, a, s.Mode); err != nil {
			return err
		}
	}
	if s.Valid&(SetAtime|SetMtime) != 0 {
		return checkChtimes(c, a, utimesNull)
	}
	return nil
}

// checkChmod: the owner may change the mode; only the superuser sets the sticky bit of a file, or the set-group-id bit for
// a group that he is not in.
func checkChmod(c *kern.Cred, a *Attr, mode uint32) error {
	switch {
	case c.Root():
		return nil
	case c.Euid != a.UID:
		return abi.EPERM
	case mode&abi.S_ISTXT != 0 && a.Mode&abi.S_IFMT != abi.S_IFDIR:
		return abi.EFTYPE
	case mode&abi.S_ISGID != 0 && !c.InGroup(a.GID):
		return abi.EPERM
	}
	return nil
}

// checkChown: the owner may give a file to a group that he is in; the superuser may do all.
func checkChown(c *kern.Cred, a *Attr, s *SetAttr) error {
	switch {
	case c.Root():
		return nil
	case c.Euid != a.UID, s.Valid&SetUID != 0 && s.UID != a.UID:
		return abi.EPERM
	case s.Valid&SetGID != 0 && s.GID != a.GID && !c.InGroup(s.GID):
		return abi.EPERM
	}
	return nil
}

// checkChtimes: the owner may set any times, who may write may set them to now.
func checkChtimes(c *kern.Cred, a *Attr, now bool) error {
	if c.Root() || c.Euid == a.UID {
		return nil
	}
	if !now {
		return abi.EPERM
	}
	return checkMode(c, a, mayWrite)
}

// checkChflags: the owner may change the user flags of what is no device; the superuser, at securelevel 0 as rump
// kernels are, all flags. Another than the superuser keeps the system flags.
func (vp *Vnode) checkChflags(c *kern.Cred, a *Attr, s *SetAttr) error {
	if c.Root() {
		return nil
	}
	if c.Euid != a.UID || a.Flags&(abi.SF_IMMUTABLE|abi.SF_APPEND) != 0 ||
		(a.Flags^s.Flags)&abi.SF_SETTABLE != 0 || vp.typ == abi.S_IFCHR || vp.typ == abi.S_IFBLK {
		return abi.EPERM
	}
	return nil
}

// checkResize: neither immutable nor append-only files change their size that way.
func checkResize(a *Attr) error {
	if a.Flags&(immutableFlags|appendFlags) != 0 {
		return abi.EPERM
	}
	return nil
}

// setAttr checks a change and makes it; the vnode is locked exclusively and a has its attributes.
//
// Errors: those of checkChange, EOPNOTSUPP where attributes cannot change.
func (vp *Vnode) setAttr(t *kern.Thread, a *Attr, s *SetAttr, utimesNull bool) error {
	if err := vp.checkChange(t.Cred(), a, s, utimesNull); err != nil {
		return err
	}
	return vp.forceAttr(t, s)
}

// forceAttr makes a change without checking it.
func (vp *Vnode) forceAttr(t *kern.Thread, s *SetAttr) error {
	setter, ok := vp.node.(AttrSetter)
	if !ok {
		return abi.EOPNOTSUPP
	}
	if err := setter.SetAttr(t, s); err != nil {
		return err
	}
	if s.Valid&SetSize != 0 {
		vp.touch(Mtime | Ctime)
		vp.notify(abi.NOTE_WRITE | abi.NOTE_ATTRIB)
		return nil
	}
	vp.touch(Ctime)
	vp.notify(abi.NOTE_ATTRIB)
	return nil
}

// clearSetID takes the set-id bits off a file that somebody else than the superuser writes to. a has the attributes;
// the vnode is locked exclusively.
func (vp *Vnode) clearSetID(t *kern.Thread, a *Attr) {
	if a.Mode&(abi.S_ISUID|abi.S_ISGID) == 0 || t.Cred().Root() {
		return
	}
	// A file system that cannot change the mode cannot have such a file written to either.
	_ = vp.forceAttr(t, &SetAttr{Valid: SetMode, Mode: a.Mode & 07777 &^ (abi.S_ISUID | abi.S_ISGID)})
}
