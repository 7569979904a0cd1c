package tty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Poll says what can be done without waiting: POLLHUP for a line that is not up.
func (l *Line) Poll(_ *kern.File, events int) int {
	tp := l.tp
	tp.Lock()
	defer tp.Unlock()
	if !l.live() || !tp.attached {
		return abi.POLLHUP
	}
	ready := 0
	if tp.readable() > 0 || tp.record {
		ready |= abi.POLLIN | abi.POLLRDNORM
	}
	if len(tp.out) <= tp.low() {
		ready |= abi.POLLOUT | abi.POLLWRNORM
	}
	if !tp.connected() {
		return ready&events | abi.POLLHUP
	}
	return ready & events
}

// Selinfo is where changes of Poll are told.
func (l *Line) Selinfo() *kern.Selinfo { return &l.tp.sel }

// Knote is EVFILT_READ, with the bytes to read for data, and EVFILT_WRITE, with the room. Errors: EINVAL.
func (l *Line) Knote(f *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter != abi.EVFILT_READ && filter != abi.EVFILT_WRITE {
		return nil, nil, abi.EINVAL
	}
	return &l.tp.sel, func(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
		tp := l.tp
		tp.Lock()
		defer tp.Unlock()
		if !l.sendable() {
			return true, 0, 0, abi.EV_EOF
		}
		if filter == abi.EVFILT_READ {
			data = int64(tp.readable())
			return data > 0 || tp.record, data, 0, 0
		}
		return len(tp.out) <= tp.low(), int64(tp.qsize - len(tp.out)), 0, 0
	}, nil
}
