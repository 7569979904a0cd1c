package vfs

import (
	"errors"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// statusFlags are the flags of open(2) that an open file keeps.
const statusFlags = abi.FREAD | abi.FWRITE | abi.O_NONBLOCK | abi.O_APPEND | abi.O_ASYNC | abi.O_SYNC | abi.O_DSYNC |
	abi.O_RSYNC | abi.O_ALT_IO | abi.O_DIRECT | abi.O_NOSIGPIPE

func open(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysOpen(t, abi.AT_FDCWD, a[0], a.Int(1), a.Uint(2))
}

func openat(t *kern.Thread, a *kern.Args) (int64, error) {
	return sysOpen(t, a.Int(0), a[1], a.Int(2), a.Uint(3))
}

// sysOpen is open(2). Errors: EINVAL for no access mode, and for O_CREAT with O_DIRECTORY; EEXIST with O_EXCL; EISDIR for
// writing to a directory; ENOTDIR with O_DIRECTORY; EFTYPE for a symbolic link with O_NOFOLLOW; EOPNOTSUPP for a
// socket; EAGAIN for a lock with O_NONBLOCK; EMFILE.
func sysOpen(t *kern.Thread, at int, path uint64, oflags int, mode uint32) (int64, error) {
	v := Of(t.K)
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return 0, err
	}
	oflags &^= abi.O_SEARCH
	fflags := kern.FFlags(oflags)
	if fflags&(abi.FREAD|abi.FWRITE) == 0 || oflags&(abi.O_CREAT|abi.O_DIRECTORY) == abi.O_CREAT|abi.O_DIRECTORY {
		return 0, abi.EINVAL
	}
	lk, err := v.begin(t, at, name)
	if err != nil {
		return 0, err
	}
	perm := mode &^ cwdOf(t.Proc).umask() & allPerms &^ abi.S_ISTXT
	vp, made, err := lk.openVnode(oflags, perm)
	if err == nil && !made {
		err = lk.mayOpen(vp, fflags)
	}
	lk.end()
	if err == nil {
		if made {
			fflags &^= abi.O_TRUNC
		}
		return v.openFD(t, vp, fflags)
	}
	if vp != nil {
		vp.Release(t)
	}
	return 0, err
}

// openVnode is the file to be opened, held; made says that O_CREAT has made it.
func (lk *lookup) openVnode(oflags int, perm uint32) (vp *Vnode, made bool, err error) {
	mode := follow
	if oflags&abi.O_NOFOLLOW != 0 || oflags&(abi.O_CREAT|abi.O_EXCL) == abi.O_CREAT|abi.O_EXCL {
		mode = nofollow
	}
	if oflags&abi.O_CREAT == 0 {
		vp, err = lk.existing(mode)
		return vp, false, err
	}
	lk.making = true
	for {
		vp, err = lk.resolve(mode)
		if err != nil {
			return nil, false, err
		}
		if vp != nil {
			if oflags&abi.O_EXCL != 0 {
				return vp, false, abi.EEXIST
			}
			return vp, false, nil
		}
		vp, err = lk.create(&NewNode{Mode: abi.S_IFREG | perm})
		if err != abi.EEXIST || oflags&abi.O_EXCL != 0 {
			return vp, err == nil, err
		}
		// Somebody else has made it since it was looked for: look again.
	}
}

// mayOpen checks that a file that was there may be opened as asked for.
func (lk *lookup) mayOpen(vp *Vnode, fflags uint32) error {
	switch vp.typ {
	case abi.S_IFSOCK:
		return abi.EOPNOTSUPP
	case abi.S_IFLNK:
		return abi.EFTYPE
	}
	if fflags&abi.O_DIRECTORY != 0 && !vp.IsDir() {
		return abi.ENOTDIR
	}
	var want accessMode
	if fflags&abi.FREAD != 0 {
		want |= mayRead
	}
	if fflags&(abi.FWRITE|abi.O_TRUNC) != 0 {
		if vp.IsDir() {
			return abi.EISDIR
		}
		want |= mayWrite
	}
	if err := vp.access(lk.t, lk.cred, want, &lk.attr); err != nil {
		return err
	}
	if lk.attr.Flags&appendFlags != 0 && want&mayWrite != 0 &&
		(fflags&abi.O_APPEND == 0 || fflags&abi.O_TRUNC != 0) {
		return abi.EPERM
	}
	return nil
}

// openFD opens a vnode, whose permissions have been checked, and gives it a descriptor. It takes over the reference.
// Truncation comes last: an open that fails has lost nothing.
func (v *VFS) openFD(t *kern.Thread, vp *Vnode, fflags uint32) (int64, error) {
	f, err := v.openFile(t, vp, fflags)
	var other *kern.Opened
	if errors.As(err, &other) {
		return allocOpened(t, other.File, fflags)
	}
	if err != nil {
		return 0, err
	}
	if err := lockOnOpen(t, f, fflags); err != nil {
		f.Release(t)
		return 0, err
	}
	f.Hold() // for this call
	defer f.Release(t)
	fd, err := t.Desc.Alloc(f, 0, fflags&abi.O_CLOEXEC != 0)
	if err != nil {
		f.Release(t)
		return 0, err
	}
	if fflags&abi.O_TRUNC != 0 {
		if err := vp.truncate(t, 0, nil); err != nil {
			t.Desc.Close(t, fd)
			return 0, err
		}
	}
	return int64(fd), nil
}

// allocOpened gives a file that was open already a descriptor, taking over the reference. It is not truncated nor locked: it is not
// the file that was asked for.
func allocOpened(t *kern.Thread, f *kern.File, fflags uint32) (int64, error) {
	fd, err := t.Desc.Alloc(f, 0, fflags&abi.O_CLOEXEC != 0)
	if err != nil {
		f.Release(t)
		return 0, err
	}
	return int64(fd), nil
}

// openFile makes an open file of a vnode, taking over the reference. fflags are open's.
//
// Errors: *kern.Opened for one that was open already; the driver's, the file system's.
func (v *VFS) openFile(t *kern.Thread, vp *Vnode, fflags uint32) (*kern.File, error) {
	ops, err := vp.open(t, fflags)
	if err != nil {
		vp.Release(t)
		return nil, err
	}
	if fflags&abi.FWRITE != 0 {
		ops.base().countWriter(1)
	}
	f := kern.NewFile(abi.DTYPE_VNODE, ops, fflags&statusFlags)
	if df, ok := ops.(*deviceFile); ok {
		v.specs.opened(df, f)
	}
	return f, nil
}

// open opens what the vnode stands for. It may wait: no lock is held.
func (vp *Vnode) open(t *kern.Thread, fflags uint32) (vnodeFile, error) {
	if vp.stacked == nil {
		return vp.openAs(t, vp, fflags)
	}
	low, as, err := vp.openBelow(t, fflags)
	if err != nil {
		return nil, err
	}
	ops, err := low.openAs(as, vp, fflags)
	if err != nil {
		low.Release(t)
	}
	return ops, err
}

// openAs opens what the vnode stands for as a file of face, which is the vnode itself or a layer's above it. With a layer's, the
// caller's reference of the vnode is the file's.
func (vp *Vnode) openAs(t *kern.Thread, face *Vnode, fflags uint32) (vnodeFile, error) {
	if vp.dead.Load() {
		return nil, abi.ENXIO
	}
	if o, ok := vp.node.(Opener); ok {
		ops, err := o.Open(t, fflags)
		if err != nil {
			return nil, err
		}
		if ops != nil {
			return &deviceFile{openVnode: vp.opened(face), ops: ops}, nil
		}
	}
	switch vp.typ {
	case abi.S_IFIFO:
		return vp.openFifo(t, face, fflags)
	case abi.S_IFCHR, abi.S_IFBLK:
		return vp.openSpecial(t, face, fflags)
	}
	return &regFile{vp.opened(face)}, nil
}

// lockOnOpen is O_SHLOCK and O_EXLOCK.
func lockOnOpen(t *kern.Thread, f *kern.File, fflags uint32) error {
	how := abi.LOCK_SH
	switch {
	case fflags&abi.O_EXLOCK != 0:
		how = abi.LOCK_EX
	case fflags&abi.O_SHLOCK == 0:
		return nil
	}
	if fflags&abi.O_NONBLOCK != 0 {
		how |= abi.LOCK_NB
	}
	return f.Ops.(vnodeFile).base().flock(t, f, how)
}
