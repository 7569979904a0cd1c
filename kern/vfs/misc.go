package vfs

import (
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// syncAll is sync(2): every file system that is not read-only begins to write what it holds.
func syncAll(t *kern.Thread, _ *kern.Args) (int64, error) {
	for _, m := range Of(t.K).Mounts() {
		if m.readOnly() || !m.enter() {
			continue
		}
		if err := m.fs.Sync(t, false); err != nil {
			t.K.Logf("sync: %s: %v\n", m.path, err)
		}
		m.leave()
	}
	return 0, nil
}

// pathconfs are the answers that are the same for all files; those of devices alone are in specialConfs.
var pathconfs = map[int]int64{
	abi.PC_LINK_MAX:         abi.LINK_MAX,
	abi.PC_NAME_MAX:         maxName,
	abi.PC_PATH_MAX:         abi.PATH_MAX,
	abi.PC_PIPE_BUF:         abi.PIPE_BUF,
	abi.PC_CHOWN_RESTRICTED: 1,
	abi.PC_NO_TRUNC:         1,
	abi.PC_SYNC_IO:          1,
	abi.PC_FILESIZEBITS:     64,
	abi.PC_SYMLINK_MAX:      abi.PATH_MAX,
	abi.PC_2_SYMLINKS:       1,
}

// specialConfs are those of terminals among the special files.
var specialConfs = map[int]int64{
	abi.PC_MAX_CANON: abi.MAX_CANON,
	abi.PC_MAX_INPUT: abi.MAX_INPUT,
	abi.PC_VDISABLE:  abi.POSIX_VDISABLE,
}

// pathconf answers pathconf(2) for a file. Errors: EINVAL.
func (vp *Vnode) pathconf(t *kern.Thread, name int) (int64, error) {
	if vp.stacked != nil {
		low, as, err := vp.under(t, false)
		if err != nil {
			return 0, err
		}
		defer low.Release(t)
		return low.pathconf(as, name)
	}
	if p, ok := vp.node.(Pathconfer); ok {
		if n, err := p.Pathconf(t, name); err != abi.EINVAL {
			return n, err
		}
	}
	if n, ok := pathconfs[name]; ok {
		return n, nil
	}
	if n, ok := specialConfs[name]; ok && vp.typ == abi.S_IFCHR {
		return n, nil
	}
	return 0, abi.EINVAL
}

func pathconf(t *kern.Thread, a *kern.Args) (int64, error) {
	vp, err := nameiIn(t, abi.AT_FDCWD, a[0], follow)
	if err != nil {
		return 0, err
	}
	defer vp.Release(t)
	return vp.pathconf(t, a.Int(1))
}

// fpathconf is fpathconf(2). Pipes and sockets know PIPE_BUF alone. Errors: EBADF, EINVAL, EOPNOTSUPP.
func fpathconf(t *kern.Thread, a *kern.Args) (int64, error) {
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if vp := VnodeOf(f); vp != nil {
		return vp.pathconf(t, a.Int(1))
	}
	switch f.Type {
	case abi.DTYPE_PIPE, abi.DTYPE_SOCKET:
		if a.Int(1) == abi.PC_PIPE_BUF {
			return abi.PIPE_BUF, nil
		}
		return 0, abi.EINVAL
	case abi.DTYPE_KQUEUE:
		return 0, abi.EINVAL
	}
	return 0, abi.EOPNOTSUPP
}

// asValue turns an error into the value that calls return which do not use errno.
func asValue(err error) (int64, error) { return int64(abi.ToErrno(err)), nil }

// posixFadvise is posix_fadvise(2): fd, pad, offset, length, advice. It returns the error as its value. Files are in memory or
// bring their own caches: advice changes nothing.
func posixFadvise(t *kern.Thread, a *kern.Args) (int64, error) {
	off, n, advice := a.Int64(2), a.Int64(3), a.Int(4)
	if n < 0 || n > 0 && off > math.MaxInt64-n {
		return asValue(abi.EINVAL)
	}
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return asValue(err)
	}
	defer f.Release(t)
	switch {
	case f.Type == abi.DTYPE_PIPE || f.Type == abi.DTYPE_SOCKET:
		return asValue(abi.ESPIPE)
	case VnodeOf(f) == nil:
		return asValue(abi.EOPNOTSUPP)
	case advice < abi.POSIX_FADV_NORMAL || advice > abi.POSIX_FADV_NOREUSE:
		return asValue(abi.EINVAL)
	}
	return 0, nil
}

// space calls do for a file that is open for writing, with the vnode locked and a range that is one; for
// posix_fallocate and fdiscard: fd, pad, offset, length.
func space(t *kern.Thread, a *kern.Args, do func(vp *Vnode, off, n int64) error) error {
	off, n := a.Int64(2), a.Int64(3)
	if off < 0 || n < 0 || n > math.MaxInt64-off {
		return abi.EINVAL
	}
	return withFile(t, a.Int(0), func(f *kern.File, of *openVnode) error {
		if !f.Writable() {
			return abi.EBADF
		}
		if of.vp.IsDir() {
			return abi.EISDIR
		}
		low, _, err := of.vp.under(t, true)
		if err != nil {
			return err
		}
		defer low.Release(t)
		if err := low.lock(); err != nil {
			return err
		}
		defer low.mu.Unlock()
		if err := do(low, off, n); err != nil {
			return err
		}
		low.touch(Mtime | Ctime)
		low.notify(abi.NOTE_WRITE)
		return nil
	})
}

// posixFallocate is posix_fallocate(2); it returns the error as its value.
func posixFallocate(t *kern.Thread, a *kern.Args) (int64, error) {
	return asValue(space(t, a, func(vp *Vnode, off, n int64) error {
		if err := checkFileSize(t, off+n, 0); err != nil {
			return err
		}
		if al, ok := vp.node.(Allocator); ok {
			return al.Allocate(t, off, n)
		}
		return abi.EOPNOTSUPP
	}))
}

func fdiscard(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, space(t, a, func(vp *Vnode, off, n int64) error {
		if d, ok := vp.node.(Discarder); ok {
			return d.Discard(t, off, n)
		}
		return abi.EOPNOTSUPP
	})
}

// quotactl is __quotactl(2): path, arguments. No file system here has quotas. Errors: EINVAL for an unknown operation, EOPNOTSUPP.
func quotactl(t *kern.Thread, a *kern.Args) (int64, error) {
	var args abi.QuotactlArgs
	if err := t.CopyInStruct(a[1], &args, abi.SizeofQuotactlArgs); err != nil {
		return 0, err
	}
	vp, err := nameiIn(t, abi.AT_FDCWD, a[0], follow)
	if err != nil {
		return 0, err
	}
	vp.Release(t)
	if args.QcOp > abi.QUOTACTL_QUOTAOFF {
		return 0, abi.EINVAL
	}
	return 0, abi.EOPNOTSUPP
}
