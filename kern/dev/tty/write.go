package tty

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Write sends bytes with output processing; it waits for room.
//
// Errors: EIO for a line that is not up; EAGAIN; EINTR. With TOSTOP a process in the background gets SIGTTOU and waits, or EIO if its
// group is orphaned.
func (l *Line) Write(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	tp := l.tp
	done := 0
	for {
		if err := l.awaitForeground(t, abi.SIGTTOU, func() bool { return tp.lflag(abi.TOSTOP) }); err != nil {
			return done, err
		}
		n, err := l.fill(p[done:])
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
		if f.Nonblock() {
			return done, abi.EAGAIN
		}
		if err := t.WaitFor(&tp.sel, kern.Forever, l.writable); err != nil {
			return done, err
		}
	}
}

// writable says whether a write would not have to wait for room.
func (l *Line) writable() bool {
	l.tp.Lock()
	defer l.tp.Unlock()
	return !l.sendable() || len(l.tp.out) <= l.tp.low() || l.tp.lflag(abi.FLUSHO)
}

// sendable says whether what is written could arrive; called locked.
func (l *Line) sendable() bool { return l.live() && l.tp.attached && l.tp.connected() }

// fill sends as much as there is room for. Errors: EIO.
func (l *Line) fill(p []byte) (int, error) {
	tp := l.tp
	tp.Lock()
	defer tp.Unlock()
	if !l.sendable() {
		return 0, abi.EIO
	}
	n := 0
	for ; n < len(p) && len(tp.out) < tp.high(); n++ {
		if tp.lflag(abi.FLUSHO) {
			n = len(p)
			break
		}
		tp.put(p[n])
	}
	if n > 0 {
		tp.lineChars = 0
		tp.startDriver()
	}
	return n, nil
}

// drain waits until all output has been taken, or cannot be any more: TIOCDRAIN. Errors: EINTR.
func (tp *TTY) drain(t *kern.Thread) error {
	tp.Lock()
	gen := tp.gen
	tp.Unlock()
	return t.WaitFor(&tp.sel, kern.Forever, func() bool {
		tp.Lock()
		defer tp.Unlock()
		return len(tp.out) == 0 || tp.gen != gen || !tp.attached || !tp.connected()
	})
}
