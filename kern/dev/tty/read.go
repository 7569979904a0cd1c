package tty

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// reading is a read(2) of a terminal.
type reading struct {
	l        *Line
	t        *kern.Thread
	p        []byte
	nonblock bool

	n       int
	err     error
	timer   time.Duration // how long to wait for more; kern.Forever
	have    int           // how much there was when it was last looked
	expired bool          // the timer of VTIME has run out
}

// Read reads a line, or with ICANON off what VMIN and VTIME ask for (termios(4)); with O_NONBLOCK VTIME is not waited for. 0 is the
// end of input: VEOF, or a line that is not up.
//
// Errors: EAGAIN, EINTR; EIO for a process in the background of an orphaned group. Others in the background get SIGTTIN and wait.
func (l *Line) Read(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r := &reading{l: l, t: t, p: p, nonblock: f.Nonblock()}
	for {
		if err := l.awaitForeground(t, abi.SIGTTIN, always); err != nil {
			return 0, err
		}
		if r.look() {
			return r.n, r.err
		}
		switch err := t.WaitFor(&l.tp.sel, r.timer, r.changed); err {
		case nil:
		case abi.EWOULDBLOCK:
			r.expired = true
		default:
			return 0, err
		}
	}
}

// changed says whether there is something new to look at.
func (r *reading) changed() bool {
	tp := r.l.tp
	tp.Lock()
	defer tp.Unlock()
	tp.takePending()
	return !r.l.live() || !tp.attached || !tp.connected() || tp.record || tp.lflag(abi.ICANON) && len(tp.canon) > 0 ||
		len(tp.raw) > r.have || !tp.lflag(abi.ICANON) && len(tp.raw) >= int(tp.modes.Cc[abi.VMIN]) && len(tp.raw) > 0
}

// look reads if it can, and says whether that ends the call.
func (r *reading) look() bool {
	tp := r.l.tp
	tp.Lock()
	defer tp.Unlock()
	tp.takePending()
	r.have, r.timer = len(tp.raw), kern.Forever
	switch {
	case !r.l.live() || !tp.attached:
		return true // the end of input
	case tp.remote:
		if tp.record {
			r.takeRecord()
			return true
		}
	case tp.lflag(abi.ICANON):
		if len(tp.canon) > 0 && r.take(&tp.canon) {
			return true
		}
	case r.enough():
		r.take(&tp.raw)
		return true
	}
	if !tp.connected() {
		return true
	}
	if r.nonblock {
		r.err = abi.EAGAIN
	}
	return r.nonblock
}

// enough says whether VMIN and VTIME are satisfied, or how long to wait for more. A VTIME with a VMIN begins with each character.
func (r *reading) enough() bool {
	tp := r.l.tp
	least, wait := int(tp.modes.Cc[abi.VMIN]), time.Duration(tp.modes.Cc[abi.VTIME])*time.Second/10
	switch {
	case wait == 0:
		return len(tp.raw) >= least
	case least == 0:
		r.timer = wait
		return len(tp.raw) > 0 || r.expired
	case len(tp.raw) == 0:
		r.expired = false // it was for characters that somebody else has read
		return false
	}
	r.timer = wait
	return len(tp.raw) >= least || r.expired
}

// take moves characters from a queue, with ICANON up to the end of a line. It says false when all that was there was a delayed VDSUSP.
func (r *reading) take(q *[]char) bool {
	tp := r.l.tp
	done := true
	for len(*q) > 0 && r.n < len(r.p) {
		c := (*q)[0]
		*q = (*q)[1:]
		if tp.is(c, abi.VDSUSP) && tp.lflag(abi.IEXTEN) && tp.lflag(abi.ISIG) {
			tp.post(abi.SIGTSTP)
			done = r.n > 0
			break
		}
		if tp.lflag(abi.ICANON) && tp.is(c, abi.VEOF) {
			break
		}
		r.p[r.n] = byte(c)
		r.n++
		if tp.lflag(abi.ICANON) && tp.breaks(c) {
			break
		}
	}
	r.have = len(tp.raw)
	tp.releaseInput()
	tp.drv.Room()
	return done
}

// takeRecord reads from a record of remote mode: it is gone when it has been read to its end.
func (r *reading) takeRecord() {
	tp := r.l.tp
	for len(tp.canon) > 0 && r.n < len(r.p) {
		r.p[r.n] = byte(tp.canon[0])
		tp.canon = tp.canon[1:]
		r.n++
	}
	if len(tp.canon) == 0 {
		tp.record = false
		tp.drv.Room()
	}
}

// readable is how many bytes a read would get, FIONREAD; called locked.
func (tp *TTY) readable() int {
	tp.takePending()
	n := len(tp.canon)
	if !tp.lflag(abi.ICANON) && !tp.remote {
		n += len(tp.raw)
		if n < int(tp.modes.Cc[abi.VMIN]) && tp.modes.Cc[abi.VTIME] == 0 {
			n = 0
		}
	}
	return n
}

// SetRemote is TIOCREMOTE: input comes in records that the driver has edited. For a Driver, with the terminal locked.
func (tp *TTY) SetRemote(on bool) {
	tp.remote = on
	tp.flush(abi.FREAD | abi.FWRITE)
}

// Record gives a record to who reads, and says how much of it there was room for. It does nothing, and says false, while another is
// being read. For a Driver, with the terminal locked.
func (tp *TTY) Record(p []byte) (n int, ok bool) {
	if tp.record {
		return 0, false
	}
	p = p[:min(len(p), tp.qsize)]
	for _, c := range p {
		tp.canon = append(tp.canon, char(c))
	}
	tp.record = true
	tp.wake()
	return len(p), true
}

// HasRecord says whether a record has not been read yet. For a Driver, with the terminal locked.
func (tp *TTY) HasRecord() bool { return tp.record }
