package tty

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

var le = binary.LittleEndian

// request serves an ioctl(2) request; data is its parameter.
type request struct {
	// modifies has a process in the background get SIGTTOU and wait.
	modifies bool
	serve    func(tp *TTY, t *kern.Thread, f *kern.File, data []byte) error
}

// requests are those of tty(4), by number. Modem lines, breaks and flags are for drivers with such: ENOTTY.
var requests = map[uint32]request{
	abi.FIONREAD:   {false, number((*TTY).readable)},
	abi.FIONWRITE:  {false, number(func(tp *TTY) int { return len(tp.out) })},
	abi.FIONSPACE:  {false, number(func(tp *TTY) int { return max(0, tp.qsize-len(tp.out)) })},
	abi.TIOCOUTQ:   {false, number(func(tp *TTY) int { return len(tp.out) })},
	abi.TIOCGQSIZE: {false, number(func(tp *TTY) int { return tp.qsize })},
	abi.TIOCGETD:   {false, number(func(*TTY) int { return abi.TTYDISC })},
	abi.TIOCGLINED: {false, getDiscipline},
	abi.TIOCGETA:   {false, locked(func(tp *TTY, data []byte) error { return tp.modes.Encode(data) })},
	abi.TIOCGWINSZ: {false, locked(func(tp *TTY, data []byte) error { return tp.size.Encode(data) })},
	abi.TIOCEXCL:   {false, locked(func(tp *TTY, _ []byte) error { tp.exclusive = true; return nil })},
	abi.TIOCNXCL:   {false, locked(func(tp *TTY, _ []byte) error { tp.exclusive = false; return nil })},
	abi.TIOCSTOP:   {false, locked(func(tp *TTY, _ []byte) error { tp.stop(); return nil })},
	abi.TIOCSTART:  {true, locked(startOutput)},
	abi.TIOCFLUSH:  {true, locked(flushQueues)},
	abi.TIOCSTAT:   {true, locked(func(tp *TTY, _ []byte) error { tp.report(); return nil })},
	abi.TIOCSWINSZ: {true, locked(setSize)},
	abi.TIOCSQSIZE: {true, locked(func(tp *TTY, data []byte) error { return tp.setQueueSize(int(int32(le.Uint32(data)))) })},
	abi.TIOCSETD:   {true, setDiscipline},
	abi.TIOCSLINED: {true, setNamedDiscipline},
	abi.TIOCDRAIN:  {true, func(tp *TTY, t *kern.Thread, _ *kern.File, _ []byte) error { return tp.drain(t) }},
	abi.TIOCSETA:   {true, setModes(false, false)},
	abi.TIOCSETAW:  {true, setModes(true, false)},
	abi.TIOCSETAF:  {true, setModes(true, true)},
	abi.TIOCSTI:    {true, typeIn},
	abi.TIOCCONS:   {false, showMessages},
	abi.TIOCSCTTY:  {false, func(tp *TTY, t *kern.Thread, _ *kern.File, _ []byte) error { return tp.becomeCtty(t) }},
	abi.TIOCGPGRP:  {false, getForeground},
	abi.TIOCSPGRP:  {false, setForeground},
	abi.TIOCGSID:   {false, getSession},
}

// Ioctl serves the requests of tty(4). Errors: ENOTTY for others, and as each says; EIO when the open has ended.
func (l *Line) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	r, ok := requests[cmd]
	if !ok {
		return abi.ENOTTY
	}
	if r.modifies {
		// An orphaned group has nobody to wait for: it goes on.
		if err := l.awaitForeground(t, abi.SIGTTOU, always); err != nil && err != abi.EIO {
			return err
		}
	}
	l.tp.Lock()
	live := l.live()
	l.tp.Unlock()
	if !live {
		return abi.EIO
	}
	return r.serve(l.tp, t, f, data)
}

// Ioctl serves the requests of tty(4) for a Driver's own side. Errors: ENOTTY for others.
func (tp *TTY) Ioctl(t *kern.Thread, f *kern.File, cmd uint32, data []byte) error {
	r, ok := requests[cmd]
	if !ok {
		return abi.ENOTTY
	}
	return r.serve(tp, t, f, data)
}

// locked serves a request with the terminal locked.
func locked(do func(tp *TTY, data []byte) error) func(*TTY, *kern.Thread, *kern.File, []byte) error {
	return func(tp *TTY, _ *kern.Thread, _ *kern.File, data []byte) error {
		tp.Lock()
		defer tp.Unlock()
		return do(tp, data)
	}
}

// number serves a request for an int.
func number(get func(*TTY) int) func(*TTY, *kern.Thread, *kern.File, []byte) error {
	return locked(func(tp *TTY, data []byte) error {
		le.PutUint32(data, uint32(get(tp)))
		return nil
	})
}

func startOutput(tp *TTY, _ []byte) error {
	if tp.stopped || tp.lflag(abi.FLUSHO) {
		tp.resume()
	}
	return nil
}

// flushQueues is TIOCFLUSH: FREAD and FWRITE, 0 for both.
func flushQueues(tp *TTY, data []byte) error {
	which := int(le.Uint32(data)) & (abi.FREAD | abi.FWRITE)
	if le.Uint32(data) == 0 {
		which = abi.FREAD | abi.FWRITE
	}
	tp.flush(which)
	return nil
}

// setSize is TIOCSWINSZ; the foreground hears of changes.
func setSize(tp *TTY, data []byte) error {
	var size abi.Winsize
	if err := size.Decode(data); err != nil {
		return err
	}
	if size != tp.size {
		tp.size = size
		tp.post(abi.SIGWINCH)
	}
	return nil
}

// discipline is the name of the only line discipline.
const discipline = "termios"

func getDiscipline(_ *TTY, _ *kern.Thread, _ *kern.File, data []byte) error {
	clear(data)
	copy(data, discipline)
	return nil
}

// setDiscipline is TIOCSETD. Errors: ENXIO for another discipline.
func setDiscipline(_ *TTY, _ *kern.Thread, _ *kern.File, data []byte) error {
	if le.Uint32(data) != abi.TTYDISC {
		return abi.ENXIO
	}
	return nil
}

func setNamedDiscipline(_ *TTY, _ *kern.Thread, _ *kern.File, data []byte) error {
	if abi.CString(data) != discipline {
		return abi.ENXIO
	}
	return nil
}

// setModes is TIOCSETA, and TIOCSETAW and TIOCSETAF, which first wait until output has drained; the last also throws input away.
func setModes(drain, flush bool) func(*TTY, *kern.Thread, *kern.File, []byte) error {
	return func(tp *TTY, t *kern.Thread, _ *kern.File, data []byte) error {
		var m abi.Termios
		if err := m.Decode(data); err != nil {
			return err
		}
		if drain {
			if err := tp.drain(t); err != nil {
				return err
			}
		}
		tp.Lock()
		defer tp.Unlock()
		if flush {
			tp.flush(abi.FREAD)
		}
		tp.setModes(&m)
		return nil
	}
}

// setModes changes the modes; a speed of 0 hangs up. EXTPROC and PENDIN are the terminal's own. Called locked.
func (tp *TTY) setModes(m *abi.Termios) {
	const own = abi.EXTPROC | abi.PENDIN
	if m.Cflag&abi.CIGNORE == 0 {
		tp.modes.Cflag, tp.modes.Ispeed, tp.modes.Ospeed = m.Cflag, m.Ispeed, m.Ospeed
		if m.Ospeed == abi.B0 {
			tp.postLeader(abi.SIGHUP)
		}
	}
	if turns := (m.Lflag ^ tp.modes.Lflag) & abi.ICANON; turns != 0 {
		if m.Lflag&abi.ICANON != 0 {
			tp.modes.Lflag |= abi.PENDIN
		} else {
			tp.raw, tp.canon = append(tp.canon, tp.raw...), nil
			tp.modes.Lflag &^= abi.PENDIN
		}
	}
	tp.modes.Iflag, tp.modes.Oflag, tp.modes.Cc = m.Iflag, m.Oflag, m.Cc
	tp.modes.Lflag = m.Lflag&^own | tp.modes.Lflag&own
	tp.wake()
	tp.drv.Room()
}

// typeIn is TIOCSTI: a character as if it had been typed. Errors: for other users than the superuser EPERM if the terminal is not open
// for reading, EACCES if it is not their controlling one.
func typeIn(tp *TTY, t *kern.Thread, f *kern.File, data []byte) error {
	if !t.Cred().Root() {
		switch {
		case !f.Readable():
			return abi.EPERM
		case !tp.controls(t.Proc):
			return abi.EACCES
		}
	}
	tp.Lock()
	defer tp.Unlock()
	tp.Input(data[0])
	return nil
}

// showMessages is TIOCCONS: the terminal shows the kernel's messages, or not any more. The original asks for the right to read
// /dev/console, which is the superuser's.
//
// Errors: EACCES, EBUSY.
func showMessages(tp *TTY, t *kern.Thread, _ *kern.File, data []byte) error {
	if le.Uint32(data) == 0 {
		t.K.Msgbuf.DropConsole(tp)
		return nil
	}
	if !t.Cred().Root() {
		return abi.EACCES
	}
	return t.K.Msgbuf.SetConsole(tp)
}

// getForeground is TIOCGPGRP. Errors: ENOTTY for another than the controlling terminal.
func getForeground(tp *TTY, t *kern.Thread, _ *kern.File, data []byte) error {
	if !tp.controls(t.Proc) {
		return abi.ENOTTY
	}
	le.PutUint32(data, uint32(tp.foreground(t)))
	return nil
}

func setForeground(tp *TTY, t *kern.Thread, _ *kern.File, data []byte) error {
	return tp.setForeground(t, int(int32(le.Uint32(data))))
}

// getSession is TIOCGSID. Errors: ENOTTY for another than the controlling terminal.
func getSession(tp *TTY, t *kern.Thread, _ *kern.File, data []byte) error {
	if !tp.controls(t.Proc) {
		return abi.ENOTTY
	}
	le.PutUint32(data, uint32(t.SID()))
	return nil
}
