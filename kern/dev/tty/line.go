package tty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Line is an open of a terminal: the kern.Ops that a driver's Open gives. It ends with Close, and with the terminal's hangup.
type Line struct {
	tp  *TTY
	gen uint64 // of the terminal when it was opened
}

var (
	_ kern.Ops         = (*Line)(nil)
	_ kern.Reader      = (*Line)(nil)
	_ kern.Writer      = (*Line)(nil)
	_ kern.Ioctler     = (*Line)(nil)
	_ kern.Poller      = (*Line)(nil)
	_ kern.KnoteFilter = (*Line)(nil)
	_ kern.Revoker     = (*Line)(nil)
)

// live says whether the open has not ended; called with the terminal locked.
func (l *Line) live() bool { return l.gen == l.tp.gen }

// Open opens the terminal: the first one sets its modes anew. Without O_NONBLOCK it waits for the line to be up.
//
// Errors: EBUSY for a terminal that somebody has for himself (TIOCEXCL), unless the superuser asks; EINTR.
func (tp *TTY) Open(t *kern.Thread, fflags uint32) (*Line, error) {
	try := func() (up bool) {
		tp.Lock()
		defer tp.Unlock()
		if tp.attached {
			tp.carrier = true
		}
		return tp.carrier
	}
	if err := tp.mayOpen(t); err != nil {
		return nil, err
	}
	if !try() && fflags&abi.O_NONBLOCK == 0 {
		if err := t.WaitFor(&tp.sel, kern.Forever, try); err != nil {
			return nil, err
		}
	}
	tp.Lock()
	defer tp.Unlock()
	if tp.exclusive && tp.opens > 0 && !t.Cred().Root() {
		return nil, abi.EBUSY
	}
	if tp.opens == 0 {
		tp.reset()
	}
	tp.opens++
	tp.drv.Room()
	tp.startDriver()
	return &Line{tp, tp.gen}, nil
}

func (tp *TTY) mayOpen(t *kern.Thread) error {
	tp.Lock()
	defer tp.Unlock()
	if tp.exclusive && tp.opens > 0 && !t.Cred().Root() {
		return abi.EBUSY
	}
	return nil
}

// Opened says whether the terminal is open. For a Driver, with the terminal locked.
func (tp *TTY) Opened() bool { return tp.opens > 0 }

// Up says whether the line is up: a Driver whose line is not up is at the end of what it reads. With the terminal locked.
func (tp *TTY) Up() bool { return tp.carrier }

// Attached says whether somebody is behind the driver. For a Driver, with the terminal locked.
func (tp *TTY) Attached() bool { return tp.attached }

// Attach says that somebody is behind the driver: the line is up. For a Driver, with the terminal locked.
func (tp *TTY) Attach() {
	tp.attached, tp.carrier = true, true
	tp.modes.Lflag &^= abi.EXTPROC
	tp.remote = false
	if tp.opens == 0 {
		tp.size = abi.Winsize{}
		tp.out = nil
	}
	tp.wake()
}

// Detach says that nobody is behind the driver any more: the terminal hangs up, its session's leader gets SIGHUP. For a Driver, with the
// terminal locked.
func (tp *TTY) Detach() {
	tp.attached, tp.carrier = false, false
	if tp.opens > 0 && !tp.connected() {
		tp.postLeader(abi.SIGHUP)
		tp.flush(abi.FREAD | abi.FWRITE)
	}
	tp.wake()
}

// Close ends an open. With the last one the terminal loses its session, its state and what was typed. What was written stays
// for the driver: the original waits up to five seconds for somebody to take it.
func (l *Line) Close(*kern.Thread, *kern.File) error {
	l.tp.Lock()
	defer l.tp.Unlock()
	if !l.live() {
		return nil
	}
	if l.tp.opens--; l.tp.opens == 0 {
		l.tp.end()
	}
	return nil
}

// Revoke ends all opens.
func (l *Line) Revoke(*kern.Thread) {
	l.tp.Lock()
	defer l.tp.Unlock()
	if l.live() {
		l.tp.end()
	}
}

// end ends all opens; called locked.
func (tp *TTY) end() {
	tp.gen++
	tp.opens = 0
	tp.flush(abi.FREAD)
	tp.stopped, tp.exclusive, tp.blocked, tp.carrier = false, false, false, false
	if tp.session != nil {
		tp.session.DropCtty(tp)
		tp.session = nil
	}
	tp.pgid = 0
	tp.k.Msgbuf.DropConsole(tp)
	tp.startDriver()
	tp.wake()
}

// LeaderExited is called when the leader of the session that the terminal controls has exited: the foreground gets SIGHUP, and the
// terminal is revoked.
func (tp *TTY) LeaderExited(t *kern.Thread) {
	tp.Lock()
	defer tp.Unlock()
	if tp.session == t.Session() {
		tp.post(abi.SIGHUP)
		tp.end()
	}
}
