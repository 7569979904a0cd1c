package tty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// CttyMajor is the major number of /dev/tty.
const CttyMajor = 1

// Ctty is the driver of /dev/tty: the controlling terminal of the process that opens it.
type Ctty struct{}

var _ kern.Device = Ctty{}

// Open opens the controlling terminal; it counts as one of the terminal's opens. Errors: ENXIO without one.
func (Ctty) Open(t *kern.Thread, _ uint64, _ uint32) (kern.Ops, error) {
	tp, ok := t.Ctty().(*TTY)
	if !ok {
		return nil, abi.ENXIO
	}
	tp.Lock()
	defer tp.Unlock()
	if tp.opens == 0 {
		return nil, abi.ENXIO
	}
	tp.opens++
	return &cttyLine{Line{tp, tp.gen}}, nil
}

// cttyLine is an open of /dev/tty. It is of no use to a process that has another terminal, or none any more.
type cttyLine struct{ Line }

var (
	_ kern.Reader  = (*cttyLine)(nil)
	_ kern.Writer  = (*cttyLine)(nil)
	_ kern.Ioctler = (*cttyLine)(nil)
	_ kern.Poller  = (*cttyLine)(nil)
	_ kern.Revoker = (*cttyLine)(nil)
)

// Read reads the terminal. Errors: EIO when it is not the process's any more.
func (l *cttyLine) Read(t *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	if !l.tp.controls(t.Proc) {
		return 0, abi.EIO
	}
	return l.Line.Read(t, f, p, off)
}

// Write writes to the terminal. Errors: EIO when it is not the process's any more.
func (l *cttyLine) Write(t *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	if !l.tp.controls(t.Proc) {
		return 0, abi.EIO
	}
	return l.Line.Write(t, f, p, off)
}

// Ioctl serves the requests of tty(4), and TIOCNOTTY, by which another than the session's leader gives its controlling terminal up.
//
// Errors: EIO when it is not the process's any more; EINVAL for TIOCSCTTY, and for TIOCNOTTY of the leader.
func (l *cttyLine) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	switch {
	case !l.tp.controls(t.Proc):
		return abi.EIO
	case cmd == abi.TIOCSCTTY, cmd == abi.TIOCNOTTY && t.LeadsSession():
		return abi.EINVAL
	case cmd == abi.TIOCNOTTY:
		t.SetControlled(false)
		return nil
	}
	return l.Line.Ioctl(t, f, cmd, data)
}

// Revoke of /dev/tty itself ends this open alone.
func (l *cttyLine) Revoke(*kern.Thread) {}
