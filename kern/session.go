package kern

import "sync"

// Session is a set of process groups with a login name and a controlling terminal in common, setsid(2).
type Session struct {
	sid int

	mu    sync.Mutex
	login string
	ctty  Ctty
}

// Ctty is a session's controlling terminal.
type Ctty interface {
	// LeaderExited is called when the session's leader has exited, after its descriptors are closed: the terminal is hung up.
	LeaderExited(t *Thread)
}

// Session is the session that the process is in.
func (p *Proc) Session() *Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session
}

// ID is the session's number, its leader's pid.
func (s *Session) ID() int { return s.sid }

// Ctty is the controlling terminal; nil without one.
func (s *Session) Ctty() Ctty {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctty
}

// SetCtty gives the session a controlling terminal, unless it has another. It says whether it has this one now.
func (s *Session) SetCtty(c Ctty) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctty == nil {
		s.ctty = c
	}
	return s.ctty == c
}

// DropCtty takes the controlling terminal from the session, if it is c.
func (s *Session) DropCtty(c Ctty) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctty == c {
		s.ctty = nil
	}
}

func (s *Session) loginName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.login
}

// LeadsSession says whether the process is its session's leader.
func (p *Proc) LeadsSession() bool { return p.SID() == p.PID }

// Ctty is the process's controlling terminal: its session's, unless it has given that up. nil without one.
func (p *Proc) Ctty() Ctty {
	p.mu.Lock()
	s, controlled := p.session, p.controlled
	p.mu.Unlock()
	if !controlled {
		return nil
	}
	return s.Ctty()
}

// SetControlled says whether the process has its session's terminal for its own: TIOCSCTTY and TIOCNOTTY of tty(4).
func (p *Proc) SetControlled(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.controlled = on
}

// GroupSession is the session of a process group; nil when the group has no members.
func (k *Kernel) GroupSession(pgid int) *Session {
	k.procs.mu.Lock()
	defer k.procs.mu.Unlock()
	return k.procs.groupSession(pgid)
}

// Orphaned says whether the process's group is orphaned, as POSIX has it: no member's parent is in another group of the session, so that
// nobody would continue a stopped member.
func (p *Proc) Orphaned() bool {
	pt := &p.K.procs
	pt.mu.Lock()
	defer pt.mu.Unlock()
	pgid, s := p.PGID(), p.Session()
	for _, q := range pt.procs {
		if q.PGID() != pgid {
			continue
		}
		if parent := pt.procs[q.PPID()]; parent != nil && parent.PGID() != pgid && parent.Session() == s {
			return false
		}
	}
	return true
}

// endSession hangs up the controlling terminal when the session's leader exits.
func (p *Proc) endSession() {
	if c := p.Session().Ctty(); c != nil && p.LeadsSession() {
		c.LeaderExited(p.internalThread())
	}
}
