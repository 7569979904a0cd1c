package vfs

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// noDev is st_rdev of what is no device, NODEV.
const noDev = ^uint64(0)

// stat fills st with the file's attributes. Errors: EBADF when the file system is gone.
func (vp *Vnode) stat(t *kern.Thread, st *abi.Stat) error {
	lk := vp.mount.vfs.scratch(t)
	defer lk.put()
	return lk.stat(vp, st)
}

// stat is Vnode.stat with the lookup's buffers.
func (lk *lookup) stat(vp *Vnode, st *abi.Stat) error {
	a := &lk.attr
	if err := vp.Attr(lk.t, a); err != nil {
		if vp.dead.Load() {
			return abi.EBADF
		}
		return err
	}
	*st = abi.Stat{
		Dev: vp.mount.dev(), Mode: a.Mode, Ino: a.Ino, Nlink: a.Nlink, Uid: a.UID, Gid: a.GID, Rdev: noDev,
		Atim: timespec(a.Atime), Mtim: timespec(a.Mtime), Ctim: timespec(a.Ctime), Birthtim: timespec(a.Btime),
		Size: a.Size, Blocks: (a.Bytes + abi.S_BLKSIZE - 1) / abi.S_BLKSIZE, Blksize: a.Blksize,
		Flags: a.Flags, Gen: a.Gen,
	}
	if vp.typ == abi.S_IFCHR || vp.typ == abi.S_IFBLK {
		st.Rdev = a.Rdev
	}
	return nil
}

// timespec is a time as the ABI has it; the zero Time is 0.
func timespec(t time.Time) abi.Timespec {
	if t.IsZero() {
		return abi.Timespec{}
	}
	return abi.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
}

// sysStat is stat(2) and its relatives: lstat, fstatat.
func sysStat(t *kern.Thread, at int, path, addr uint64, mode followMode) error {
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return err
	}
	lk, err := Of(t.K).begin(t, at, name)
	if err != nil {
		return err
	}
	defer lk.end()
	vp, err := lk.existing(mode)
	if err != nil {
		return err
	}
	err = lk.stat(vp, &lk.st)
	vp.Release(t)
	if err != nil {
		return err
	}
	return copyOutStat(t, addr, &lk.st)
}

// copyOutStat sends a struct stat.
func copyOutStat(t *kern.Thread, addr uint64, st *abi.Stat) error {
	buf, err := t.Mem.Reserve(addr, abi.SizeofStat)
	if err != nil {
		return err
	}
	if err := st.Encode(buf); err != nil {
		return err
	}
	return t.Mem.Commit(addr, buf)
}

func stat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysStat(t, abi.AT_FDCWD, a[0], a[1], follow)
}

func lstat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysStat(t, abi.AT_FDCWD, a[0], a[1], nofollow)
}

func fstatat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysStat(t, a.Int(0), a[1], a[2], followUnless(a.Int(3)))
}

// followUnless turns the AT_SYMLINK_NOFOLLOW of a call's flags into a mode.
func followUnless(flags int) followMode { return flags&abi.AT_SYMLINK_NOFOLLOW == 0 }

func access(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysAccess(t, abi.AT_FDCWD, a[0], a.Int(1), 0)
}

func faccessat(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, sysAccess(t, a.Int(0), a[1], a.Int(2), a.Int(3))
}

// sysAccess is access(2): with the real ids, unless AT_EACCESS asks for the effective ones.
//
// Errors: EINVAL for a mode that is none.
func sysAccess(t *kern.Thread, at int, path uint64, mode, flags int) error {
	if mode&^(abi.R_OK|abi.W_OK|abi.X_OK) != 0 {
		return abi.EINVAL
	}
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return err
	}
	lk, err := Of(t.K).begin(t, at, name)
	if err != nil {
		return err
	}
	defer lk.end()
	if c := lk.cred; flags&abi.AT_EACCESS == 0 && (c.Ruid != c.Euid || c.Rgid != c.Egid) {
		real := *c
		real.Euid, real.Egid = c.Ruid, c.Rgid
		lk.cred = &real
	}
	vp, err := lk.existing(followUnless(flags))
	if err != nil {
		return err
	}
	defer vp.Release(t)
	if mode == abi.F_OK {
		return nil
	}
	return vp.access(t, lk.cred, accessMode(mode), &lk.attr)
}

func readlink(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysReadlink(t, abi.AT_FDCWD, a[0], a[1], a[2])
}

func readlinkat(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysReadlink(t, a.Int(0), a[1], a[2], a[3])
}

// sysReadlink copies out a symbolic link's target, without NUL, cut to n bytes. Errors: EINVAL for what is none.
func sysReadlink(t *kern.Thread, at int, path, addr, n uint64) (int64, error) {
	v := Of(t.K)
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return 0, err
	}
	vp, err := v.namei(t, at, name, nofollow)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	if vp.typ != abi.S_IFLNK {
		return 0, abi.EINVAL
	}
	if vp.mount.Flags()&abi.MNT_SYMPERM != 0 {
		var a Attr
		if err := vp.access(t, t.Cred(), mayRead, &a); err != nil {
			return 0, err
		}
	}
	target, err := vp.readlink(t)
	if err != nil {
		return 0, err
	}
	target = target[:min(uint64(len(target)), n)]
	return int64(len(target)), t.Mem.CopyOut(addr, []byte(target))
}
