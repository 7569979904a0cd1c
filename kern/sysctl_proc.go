package kern

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// defaultCorename is what a process's core file would be called.
const defaultCorename = "rumpdump"

// procNodes are proc.curproc and, by number, proc.<pid>.
func procNodes() []SysctlNode {
	const own = permanent | abi.CTLFLAG_ANYWRITE
	nodes := []SysctlNode{
		{Path: "proc.curproc", Num: abi.PROC_CURPROC, Flags: permanent | abi.CTLFLAG_ANYNUMBER},
		{Path: "proc.curproc.corename", Num: abi.PROC_PID_CORENAME, Flags: own, Value: SysctlString(abi.MAXPATHLEN, getCorename, setCorename)},
		{Path: "proc.curproc.rlimit", Num: abi.PROC_PID_LIMIT, Flags: permanent},
	}
	for which, name := range []string{"cputime", "filesize", "datasize", "stacksize", "coredumpsize", "memoryuse", "memorylocked",
		"maxproc", "descriptors", "sbsize", "vmemoryuse", "maxlwp"} {
		dir := "proc.curproc.rlimit." + name
		nodes = append(nodes,
			SysctlNode{Path: dir, Num: int32(which + 1), Flags: permanent},
			SysctlNode{Path: dir + ".soft", Num: abi.PROC_PID_LIMIT_TYPE_SOFT, Flags: own, Value: limitValue(which, softLimit)},
			SysctlNode{Path: dir + ".hard", Num: abi.PROC_PID_LIMIT_TYPE_HARD, Flags: own, Value: limitValue(which, hardLimit)})
	}
	return append(nodes,
		SysctlNode{Path: "proc.curproc.stopfork", Num: abi.PROC_PID_STOPFORK, Flags: own, Value: stopValue()},
		SysctlNode{Path: "proc.curproc.stopexec", Num: abi.PROC_PID_STOPEXEC, Flags: own, Value: stopValue()},
		SysctlNode{Path: "proc.curproc.stopexit", Num: abi.PROC_PID_STOPEXIT, Flags: own, Value: stopValue()})
}

// process is the one that a name below proc is about. Errors: ESRCH.
func (r *SysctlRequest) process() (*Proc, error) {
	pid := r.MIB[1]
	if pid == abi.PROC_CURPROC {
		return r.T.Proc, nil
	}
	if p := r.T.K.Proc(int(pid)); p != nil {
		return p, nil
	}
	return nil, abi.ESRCH
}

// ownProcess is process, for what only the process's user and the superuser may do. Errors: ESRCH, EPERM.
func (r *SysctlRequest) ownProcess() (*Proc, error) {
	p, err := r.process()
	if err != nil {
		return nil, err
	}
	by, of := r.T.Cred(), p.Cred()
	if !by.Root() && (by.Euid != of.Ruid || of.Ruid != of.Svuid) {
		return nil, abi.EPERM
	}
	return p, nil
}

func getCorename(r *SysctlRequest) (string, error) {
	p, err := r.ownProcess()
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.corename, nil
}

// setCorename takes only names that say what the file is: "core", or ending in "/core" or ".core".
func setCorename(r *SysctlRequest, name string) error {
	p, err := r.ownProcess()
	if err != nil {
		return err
	}
	if name != "core" && !strings.HasSuffix(name, "/core") && !strings.HasSuffix(name, ".core") {
		return abi.EINVAL
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.corename = name
	return nil
}

func softLimit(l *abi.Rlimit) *uint64 { return &l.Cur }
func hardLimit(l *abi.Rlimit) *uint64 { return &l.Max }

// limitValue is a limit of the process that the name is about: its soft or its hard part.
func limitValue(which int, part func(*abi.Rlimit) *uint64) *SysctlValue {
	return SysctlQuad(func(r *SysctlRequest) (int64, error) {
		p, err := r.process()
		if err != nil {
			return 0, err
		}
		l := p.Rlimit(which)
		return int64(*part(&l)), nil
	}, func(r *SysctlRequest, v int64) error {
		p, err := r.ownProcess()
		if err != nil {
			return err
		}
		l := p.Rlimit(which)
		*part(&l) = uint64(v)
		return p.SetRlimit(which, l, r.T.Cred())
	})
}

// stopValue is one of the flags that would stop a process where it forks, execs or exits: a rump kernel does not run its
// processes and cannot, so that they are 0 and stay so.
func stopValue() *SysctlValue {
	return SysctlInt(func(r *SysctlRequest) (int32, error) {
		_, err := r.process()
		return 0, err
	}, func(r *SysctlRequest, v int32) error {
		if _, err := r.ownProcess(); err != nil {
			return err
		}
		if v != 0 {
			return abi.EOPNOTSUPP
		}
		return nil
	})
}
