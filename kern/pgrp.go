package kern

import "github.com/rumpctrl/rumpctrl/abi"

// pgrpSyscalls are the calls on process groups, sessions and login names.
func pgrpSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS_getpgrp, func(t *Thread, _ *Args) (int64, error) { return int64(t.PGID()), nil }},
		{abi.SYS_getpgid, sysGetpgid},
		{abi.SYS_setpgid, sysSetpgid},
		{abi.SYS_getsid, sysGetsid},
		{abi.SYS_setsid, sysSetsid},
		{abi.SYS___getlogin, sysGetlogin},
		{abi.SYS___setlogin, sysSetlogin},
	}
}

// PGID is the number of the process's group.
func (p *Proc) PGID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pgid
}

// SID is the number of the process's session: its leader's pid.
func (p *Proc) SID() int { return p.Session().sid }

// join moves the process to a group and a session; called with the process table locked. In another session than its own it has
// no controlling terminal.
func (pt *proctab) join(p *Proc, pgid int, s *Session) {
	p.mu.Lock()
	oldGroup, oldSession := p.pgid, p.session.sid
	if p.session != s {
		p.controlled = false
	}
	p.pgid, p.session = pgid, s
	p.mu.Unlock()
	pt.groups.add(pgid, +1)
	pt.sessions.add(s.sid, +1)
	pt.groups.add(oldGroup, -1)
	pt.sessions.add(oldSession, -1)
}

// groupSession is the session of a process group; nil when the group has no members. Called with the process
// table locked.
func (pt *proctab) groupSession(pgid int) *Session {
	if pt.groups[pgid] == 0 {
		return nil
	}
	for _, p := range pt.procs {
		if p.PGID() == pgid {
			return p.Session()
		}
	}
	return nil
}

// Group lists the processes of a group; none when it does not exist.
func (k *Kernel) Group(pgid int) []*Proc {
	var members []*Proc
	for _, p := range k.Procs() {
		if p.PGID() == pgid {
			members = append(members, p)
		}
	}
	return members
}

// byPID is the process of a pid, or the caller's for 0. Errors: ESRCH.
func (t *Thread) byPID(pid int) (*Proc, error) {
	if pid == 0 {
		return t.Proc, nil
	}
	if p := t.K.Proc(pid); p != nil {
		return p, nil
	}
	return nil, abi.ESRCH
}

func sysGetpgid(t *Thread, a *Args) (int64, error) {
	p, err := t.byPID(a.Int(0))
	if err != nil {
		return 0, err
	}
	return int64(p.PGID()), nil
}

func sysGetsid(t *Thread, a *Args) (int64, error) {
	p, err := t.byPID(a.Int(0))
	if err != nil {
		return 0, err
	}
	return int64(p.SID()), nil
}

// sysSetpgid puts the caller or a child of it that has not called exec into a group of the session, or a new one
// with the process's own number; setpgid(2).
func sysSetpgid(t *Thread, a *Args) (int64, error) {
	pid, pgid := a.Int(0), a.Int(1)
	if pgid < 0 {
		return 0, abi.EINVAL
	}
	if pid == 0 {
		pid = t.PID
	}
	if pgid == 0 {
		pgid = pid
	}
	return 0, t.K.procs.setpgid(t.Proc, pid, pgid)
}

func (pt *proctab) setpgid(caller *Proc, pid, pgid int) error {
	pt.mu.Lock()
	defer pt.mu.Unlock()
	p := pt.procs[pid]
	if p == nil {
		return abi.ESRCH
	}
	own := caller.Session()
	if p != caller {
		p.mu.Lock()
		child, same, execed := p.ppid == caller.PID, p.session == own, p.execed
		p.mu.Unlock()
		switch {
		case !child:
			return abi.ESRCH
		case !same:
			return abi.EPERM
		case execed:
			return abi.EACCES
		}
	}
	if own.sid == pid {
		return abi.EPERM
	}
	if s := pt.groupSession(pgid); s != own && (s != nil || pgid != pid) {
		return abi.EPERM
	}
	pt.join(p, pgid, own)
	p.Sel.Notify(0) // for those who wait for it to come to the foreground
	return nil
}

// sysSetsid makes the caller the leader of a new session and a new group; setsid(2).
func sysSetsid(t *Thread, _ *Args) (int64, error) {
	pt := &t.K.procs
	pt.mu.Lock()
	defer pt.mu.Unlock()
	if pt.groups[t.PID] > 0 {
		return 0, abi.EPERM
	}
	s := &Session{sid: t.PID, login: t.Session().loginName()}
	pt.join(t.Proc, t.PID, s)
	return int64(t.PID), nil
}

func sysGetlogin(t *Thread, a *Args) (int64, error) {
	var b [abi.MAXLOGNAME]byte
	copy(b[:], t.Session().loginName())
	return 0, t.Mem.CopyOut(a[0], b[:min(a[1], uint64(len(b)))])
}

func sysSetlogin(t *Thread, a *Args) (int64, error) {
	if !t.Cred().Root() {
		return 0, abi.EPERM
	}
	name, err := t.Mem.CopyInStr(a[0], abi.MAXLOGNAME+1)
	if err == abi.ENAMETOOLONG {
		return 0, abi.EINVAL
	}
	if err != nil {
		return 0, err
	}
	s := t.Session()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login = string(name)
	return 0, nil
}
