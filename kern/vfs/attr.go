package vfs

import (
	"math"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// change fills in a change of attributes, given those that the file has; s is zero. The vnode is locked.
type change func(a *Attr, s *SetAttr)

// changeAttr changes a file's attributes, if the caller may. A change that turns out empty is none.
//
// Errors: EPERM, EROFS, EFTYPE, EOPNOTSUPP.
func (vp *Vnode) changeAttr(t *kern.Thread, do change) error { return vp.changeTimes(t, false, do) }

// changeTimes is changeAttr for a change of times; now says that it is to now.
func (vp *Vnode) changeTimes(t *kern.Thread, now bool, do change) error {
	lk := vp.mount.vfs.scratch(t)
	defer lk.put()
	if err := vp.lock(); err != nil {
		return err
	}
	defer vp.mu.Unlock()
	if err := vp.node.Attr(t, &lk.attr); err != nil {
		return err
	}
	s := SetAttr{Now: now}
	do(&lk.attr, &s)
	if s.Valid == 0 {
		return nil
	}
	return vp.setAttr(t, &lk.attr, &s, now)
}

// changePath changes the attributes of the file of a path in the client's memory.
func changePath(t *kern.Thread, at int, path uint64, mode followMode, do change) (int64, error) {
	vp, err := nameiIn(t, at, path, mode)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	return 0, vp.changeAttr(t, do)
}

// changeFD changes the attributes of an open file.
func changeFD(t *kern.Thread, fd int, do change) (int64, error) {
	return 0, withFile(t, fd, func(_ *kern.File, of *openVnode) error { return of.vp.changeAttr(t, do) })
}

func setMode(mode uint32) change {
	return func(_ *Attr, s *SetAttr) { s.Valid, s.Mode = SetMode, mode&allPerms }
}

func chmod(t *kern.Thread, a *kern.Args) (int64, error) {
	return changePath(t, abi.AT_FDCWD, a[0], follow, setMode(a.Uint(1)))
}

func lchmod(t *kern.Thread, a *kern.Args) (int64, error) {
	return changePath(t, abi.AT_FDCWD, a[0], nofollow, setMode(a.Uint(1)))
}

func fchmod(t *kern.Thread, a *kern.Args) (int64, error) {
	return changeFD(t, a.Int(0), setMode(a.Uint(1)))
}

func fchmodat(t *kern.Thread, a *kern.Args) (int64, error) {
	return changePath(t, a.Int(0), a[1], followUnless(a.Int(3)), setMode(a.Uint(2)))
}

func setFlags(flags uint64) change {
	return func(_ *Attr, s *SetAttr) { s.Valid, s.Flags = SetFlags, uint32(flags) }
}

func chflags(t *kern.Thread, a *kern.Args) (int64, error) {
	return changePath(t, abi.AT_FDCWD, a[0], follow, setFlags(a[1]))
}

func lchflags(t *kern.Thread, a *kern.Args) (int64, error) {
	return changePath(t, abi.AT_FDCWD, a[0], nofollow, setFlags(a[1]))
}

func fchflags(t *kern.Thread, a *kern.Args) (int64, error) {
	return changeFD(t, a.Int(0), setFlags(a[1]))
}

// keepID is the owner or group that leaves the old one.
const keepID = math.MaxUint32

// setOwner changes owner and group. The set-id bits go: in NetBSD's own calls the bit of what changes, in the __posix_ ones both
// unless the superuser calls.
func setOwner(t *kern.Thread, uid, gid uint32, posix bool) change {
	return func(a *Attr, s *SetAttr) {
		if uid != keepID {
			s.Valid, s.UID = s.Valid|SetUID, uid
		}
		if gid != keepID {
			s.Valid, s.GID = s.Valid|SetGID, gid
		}
		var drop uint32
		switch {
		case posix && !t.Cred().Root():
			drop = abi.S_ISUID | abi.S_ISGID
		case posix:
		default:
			if uid != keepID {
				drop |= abi.S_ISUID
			}
			if gid != keepID {
				drop |= abi.S_ISGID
			}
		}
		if a.Mode&drop != 0 {
			s.Valid, s.Mode = s.Valid|SetMode, a.Mode&allPerms&^drop
		}
	}
}

// chownPath makes the handler of a chown by path: path, uid, gid.
func chownPath(mode followMode, posix bool) kern.Handler {
	return func(t *kern.Thread, a *kern.Args) (int64, error) {
		return changePath(t, abi.AT_FDCWD, a[0], mode, setOwner(t, a.Uint(1), a.Uint(2), posix))
	}
}

// chownFD makes the handler of a chown by descriptor: fd, uid, gid.
func chownFD(posix bool) kern.Handler {
	return func(t *kern.Thread, a *kern.Args) (int64, error) {
		return changeFD(t, a.Int(0), setOwner(t, a.Uint(1), a.Uint(2), posix))
	}
}

func fchownat(t *kern.Thread, a *kern.Args) (int64, error) {
	return changePath(t, a.Int(0), a[1], followUnless(a.Int(4)), setOwner(t, a.Uint(2), a.Uint(3), false))
}

// fileTimes are the arguments of the utimes family.
type fileTimes struct {
	atime, mtime abi.Timespec
	// null says that both are now, which takes less permission.
	null bool
}

// copyInTimes reads two timespecs, or two timevals; without an address both are now. UTIME_NOW and UTIME_OMIT may stand for
// nanoseconds, and for microseconds.
//
// Errors: EFAULT; EINVAL for a part of a second that is none.
func copyInTimes(t *kern.Thread, addr uint64, timevals bool) (*fileTimes, error) {
	now := timespec(t.K.Now())
	if addr == 0 {
		return &fileTimes{now, now, true}, nil
	}
	var raw [2 * abi.SizeofTimespec]byte
	if err := t.Mem.CopyIn(addr, raw[:]); err != nil {
		return nil, err
	}
	var ts [2]abi.Timespec
	unit, limit := int64(1), int64(time.Second)
	if timevals {
		unit, limit = 1000, 1e6
	}
	isNow := 0
	for i := range ts {
		// A timeval has the layout of a timespec.
		if err := ts[i].Decode(raw[i*abi.SizeofTimespec:]); err != nil {
			return nil, err
		}
		switch nsec := ts[i].Nsec; {
		case nsec == abi.UTIME_NOW:
			ts[i] = now
			isNow++
		case nsec == abi.UTIME_OMIT:
		case nsec < 0 || nsec >= limit:
			return nil, abi.EINVAL
		default:
			ts[i].Nsec = nsec * unit
		}
	}
	return &fileTimes{ts[0], ts[1], isNow == 2}, nil
}

// apply fills in the change of times. A file cannot be younger than its last change: the time of birth follows.
func (ft *fileTimes) apply(a *Attr, s *SetAttr) {
	if ft.atime.Nsec != abi.UTIME_OMIT {
		s.Valid, s.Atime = s.Valid|SetAtime, time.Unix(ft.atime.Sec, ft.atime.Nsec)
	}
	if ft.mtime.Nsec != abi.UTIME_OMIT {
		s.Valid, s.Mtime = s.Valid|SetMtime, time.Unix(ft.mtime.Sec, ft.mtime.Nsec)
		if s.Mtime.Before(a.Btime) {
			s.Valid, s.Btime = s.Valid|SetBtime, s.Mtime
		}
	}
}

// sysUtimes sets the times of the file of a path.
func sysUtimes(t *kern.Thread, at int, path, times uint64, timevals bool, mode followMode) (int64, error) {
	ft, err := copyInTimes(t, times, timevals)
	if err != nil {
		return 0, err
	}
	vp, err := nameiIn(t, at, path, mode)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	return 0, vp.changeTimes(t, ft.null, ft.apply)
}

// sysFutimes sets the times of an open file.
func sysFutimes(t *kern.Thread, fd int, times uint64, timevals bool) (int64, error) {
	ft, err := copyInTimes(t, times, timevals)
	if err != nil {
		return 0, err
	}
	return 0, withFile(t, fd, func(_ *kern.File, of *openVnode) error {
		return of.vp.changeTimes(t, ft.null, ft.apply)
	})
}

func utimes(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysUtimes(t, abi.AT_FDCWD, a[0], a[1], true, follow)
}

func lutimes(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysUtimes(t, abi.AT_FDCWD, a[0], a[1], true, nofollow)
}

func futimes(t *kern.Thread, a *kern.Args) (int64, error) { return sysFutimes(t, a.Int(0), a[1], true) }

func utimensat(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysUtimes(t, a.Int(0), a[1], a[2], false, followUnless(a.Int(3)))
}

func futimens(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysFutimes(t, a.Int(0), a[1], false)
}

// truncate is truncate(2): path, pad, length. Errors: EINVAL for a negative length, EISDIR, EACCES.
func truncate(t *kern.Thread, a *kern.Args) (int64, error) {
	if a.Int64(2) < 0 {
		return 0, abi.EINVAL
	}
	vp, err := nameiIn(t, abi.AT_FDCWD, a[0], follow)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	return 0, vp.truncate(t, a.Int64(2), t.Cred())
}
