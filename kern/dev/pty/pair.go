package pty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/dev/tty"
)

// pair is a pseudo terminal; once made it stays. What it keeps besides the terminal is guarded by the terminal's lock.
type pair struct {
	ps    *Ptys
	index int
	tty   *tty.TTY
	sel   kern.Selinfo // announces changes to those on the master's side

	packet  bool // TIOCPKT: what is read begins with a byte of control
	control bool // TIOCUCNTL: so it does, with requests of the user's own
	news    byte // TIOCPKT_* for the next read in packet mode
	request byte // the number of the user's request for the next read
	told    bool // the master has been told that output is stopped
	noStop  bool // the master has been told that ^S and ^Q are not for it
}

var _ tty.Driver = (*pair)(nil)

func (pt *pair) busy() bool {
	pt.tty.Lock()
	defer pt.tty.Unlock()
	return pt.tty.Attached()
}

// Start says that there is output, or that it goes on.
func (pt *pair) Start() {
	if pt.told {
		pt.told = false
		pt.news = abi.TIOCPKT_START
	}
	pt.sel.Notify(0)
}

// Stop says that output is stopped or that queues were emptied; the bits of both are those of TIOCPKT_FLUSHREAD and TIOCPKT_FLUSHWRITE.
func (pt *pair) Stop(flushed int) {
	pt.told = flushed == 0
	if pt.told {
		flushed = abi.TIOCPKT_STOP
	}
	pt.news |= byte(flushed)
	pt.sel.Notify(0)
}

// Room says that there may be room for input.
func (pt *pair) Room() { pt.sel.Notify(0) }

// tell adds to what the master reads next in packet mode; called with the terminal locked.
func (pt *pair) tell(news, not byte) {
	pt.news = pt.news&^not | news
	pt.sel.Notify(0)
}

// slaves is the driver of the terminals.
type slaves struct{ ps *Ptys }

// Open opens a terminal; without O_NONBLOCK it waits for its master. Errors: ENXIO, EBUSY, EINTR.
func (s slaves) Open(t *kern.Thread, dev uint64, fflags uint32) (kern.Ops, error) {
	pt, err := s.ps.pair(kern.Minor(dev))
	if err != nil {
		return nil, err
	}
	line, err := pt.tty.Open(t, fflags)
	if err != nil {
		return nil, err
	}
	return &slave{line, pt}, nil
}

// slave is an open terminal.
type slave struct {
	*tty.Line
	pt *pair
}

var (
	_ kern.Reader      = (*slave)(nil)
	_ kern.Writer      = (*slave)(nil)
	_ kern.Poller      = (*slave)(nil)
	_ kern.KnoteFilter = (*slave)(nil)
	_ kern.Revoker     = (*slave)(nil)
	_ kern.Ioctler     = (*slave)(nil)
)

// Ioctl serves the requests of tty(4) and what pty(4) adds.
func (s *slave) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	return s.pt.ioctl(t, cmd, data, func() error { return s.Line.Ioctl(t, f, cmd, data) })
}
