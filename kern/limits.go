package kern

import (
	"math"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// maxFiles bounds what a process's limit of descriptors can be raised to.
	maxFiles = 1772
	// maxUserProc bounds the limit of processes of one user.
	maxUserProc = 532
	// maxUserLWP bounds the limit of threads of one user.
	maxUserLWP = 2048
	// maxStack bounds the limit of the stack, in bytes.
	maxStack = 128 << 20
	// physMem is the memory that hw.physmem shows where Config.MemLimit sets none.
	physMem  = 512 << 20
	pageSize = 4096
)

// defaultLimits are those of a new process: the original's.
func defaultLimits() [abi.RLIM_NLIMITS]abi.Rlimit {
	var l [abi.RLIM_NLIMITS]abi.Rlimit
	for i := range l {
		l[i] = abi.Rlimit{Cur: abi.RLIM_INFINITY, Max: abi.RLIM_INFINITY}
	}
	l[abi.RLIMIT_STACK] = abi.Rlimit{Cur: 4 << 20, Max: maxStack}
	l[abi.RLIMIT_MEMLOCK] = abi.Rlimit{Cur: physMem / 3, Max: physMem}
	l[abi.RLIMIT_NPROC] = abi.Rlimit{Cur: 160, Max: maxUserProc}
	l[abi.RLIMIT_NOFILE] = abi.Rlimit{Cur: 128, Max: maxFiles}
	l[abi.RLIMIT_NTHR] = abi.Rlimit{Cur: 160, Max: maxUserLWP}
	return l
}

// limitCeiling bounds what even the superuser can set.
func limitCeiling(which int) uint64 {
	switch which {
	case abi.RLIMIT_STACK:
		return maxStack
	case abi.RLIMIT_NOFILE:
		return maxFiles
	case abi.RLIMIT_NPROC:
		return maxUserProc
	case abi.RLIMIT_NTHR:
		return maxUserLWP
	}
	return math.MaxUint64
}

// limitSyscalls are getrlimit(2) and setrlimit(2).
func limitSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS_getrlimit, sysGetrlimit},
		{abi.SYS_setrlimit, sysSetrlimit},
	}
}

// Rlimit is the process's limit on resource which, one of abi.RLIMIT_*.
func (p *Proc) Rlimit(which int) abi.Rlimit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limits[which]
}

// SetRlimit sets the process's limit on resource which, as the credentials by allow. Values above what the kernel
// can give are lowered to that.
//
// Errors: EINVAL for a resource that is not there, or a soft limit above the hard one; EPERM for raising the hard
// limit without being the superuser.
func (p *Proc) SetRlimit(which int, l abi.Rlimit, by *Cred) error {
	if which < 0 || which >= abi.RLIM_NLIMITS {
		return abi.EINVAL
	}
	if l.Cur > l.Max {
		return abi.EINVAL
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if l == p.limits[which] {
		return nil
	}
	if l.Max > p.limits[which].Max && !by.Root() {
		return abi.EPERM
	}
	top := limitCeiling(which)
	p.limits[which] = abi.Rlimit{Cur: min(l.Cur, top), Max: min(l.Max, top)}
	return nil
}

func sysGetrlimit(t *Thread, a *Args) (int64, error) {
	which := a.Int(0)
	if which < 0 || which >= abi.RLIM_NLIMITS {
		return 0, abi.EINVAL
	}
	l := t.Rlimit(which)
	return 0, t.CopyOutStruct(a[1], &l, abi.SizeofRlimit)
}

func sysSetrlimit(t *Thread, a *Args) (int64, error) {
	var l abi.Rlimit
	if err := t.CopyInStruct(a[1], &l, abi.SizeofRlimit); err != nil {
		return 0, err
	}
	return 0, t.SetRlimit(a.Int(0), l, t.Cred())
}
