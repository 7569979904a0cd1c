package vfs

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// ktraceSyscalls are the calls that trace processes to a file. What they do then is package kern's.
func ktraceSyscalls() []kern.Syscall {
	return []kern.Syscall{
		{Num: abi.SYS_ktrace, Handler: ktrace},
		{Num: abi.SYS_fktrace, Handler: fktrace},
	}
}

// ktrace is ktrace(2). Records are appended to the file, which must be there.
//
// Errors: EACCES for what is no regular file; those of open(2) for reading and writing; those of [kern.Thread.Ktrace].
func ktrace(t *kern.Thread, a *kern.Args) (int64, error) {
	ops, facs, pid := a.Uint(1), a.Uint(2), a.Int(3)
	if ops&abi.KTROP_MASK == abi.KTROP_CLEAR {
		return 0, t.Ktrace(nil, ops, facs, pid, nil)
	}
	f, err := openTrace(t, a[0])
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	return 0, t.Ktrace(f, ops, facs, pid, sameFile(f))
}

// openTrace opens the file that a trace goes to.
func openTrace(t *kern.Thread, path uint64) (*kern.File, error) {
	name, err := t.Mem.CopyInStr(path, abi.PATH_MAX)
	if err != nil {
		return nil, err
	}
	v := Of(t.K)
	lk, err := v.begin(t, abi.AT_FDCWD, name)
	if err != nil {
		return nil, err
	}
	const fflags = abi.FREAD | abi.FWRITE | abi.O_APPEND
	vp, err := lk.existing(follow)
	if err == nil {
		err = lk.mayOpen(vp, fflags)
	}
	lk.end()
	if err == nil && vp.typ != abi.S_IFREG {
		err = abi.EACCES
	}
	if err != nil {
		if vp != nil {
			vp.Release(t)
		}
		return nil, err
	}
	return v.openFile(t, vp, fflags)
}

// fktrace is fktrace(2): to a file that is open for writing, which may be a pipe.
//
// Errors: EBADF; those of [kern.Thread.Ktrace].
func fktrace(t *kern.Thread, a *kern.Args) (int64, error) {
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	if !f.Writable() {
		return 0, abi.EBADF
	}
	return 0, t.Ktrace(f, a.Uint(1), a.Uint(2), a.Int(3), sameFile(f))
}

// sameFile says of open files whether they are of the same vnode as f, or the same pipe end.
func sameFile(f *kern.File) func(*kern.File) bool {
	vp := VnodeOf(f)
	return func(g *kern.File) bool { return g.Ops == f.Ops || vp != nil && VnodeOf(g) == vp }
}
