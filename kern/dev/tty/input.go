package tty

import "github.com/rumpctrl/rumpctrl/abi"

// outcome is what became of a character of input.
type outcome int

const (
	// ordinary: nobody has taken it yet.
	ordinary outcome = iota
	// settled: it has been dealt with; with IXANY it lets output go on.
	settled
	// silent: it has been dealt with and does nothing to output.
	silent
	// restart: output goes on.
	restart
	// start: output goes on unless it is stopped.
	start
)

// Input takes a character from the line: it edits, raises signals, stops output, or goes to who reads, as termios(4) has it. For a
// Driver, with the terminal locked. Without CREAD it is dropped.
func (tp *TTY) Input(c byte) {
	if tp.modes.Cflag&abi.CREAD != 0 {
		tp.input(char(c))
	}
}

// Full says whether more input would be lost: for a Driver that can wait, with the terminal locked. A line that is not finished
// counts as room with ICANON: its characters can only be finished by more.
func (tp *TTY) Full() bool {
	if !tp.lflag(abi.ICANON) {
		return tp.queued() >= tp.qsize
	}
	return len(tp.canon) > 0 && tp.queued() >= tp.qsize-1
}

func (tp *TTY) queued() int { return len(tp.raw) + len(tp.canon) }

func (tp *TTY) input(c char) {
	tp.takePending()
	tp.count()
	switch tp.process(c) {
	case silent:
	case start:
		tp.startDriver()
	case settled:
		if tp.stopped && !tp.iflag(abi.IXANY) && tp.modes.Cc[abi.VSTART] != tp.modes.Cc[abi.VSTOP] {
			return
		}
		tp.resume()
	case restart:
		tp.resume()
	}
}

// resume lets output go on.
func (tp *TTY) resume() {
	tp.modes.Lflag &^= abi.FLUSHO
	tp.stopped = false
	tp.startDriver()
}

func (tp *TTY) count() {
	tp.st.in.Add(1)
	if tp.lflag(abi.ICANON) {
		tp.st.cooked.Add(1)
	} else {
		tp.st.rawIn.Add(1)
	}
}

// process is input without what follows for output.
func (tp *TTY) process(c char) outcome {
	const marked = abi.INPCK | abi.PARMRK
	if c == 0377 && tp.modes.Iflag&(abi.ISTRIP|abi.IGNPAR|marked) == marked {
		// With PARMRK this byte introduces errors: a true one is doubled.
		tp.raw = append(tp.raw, 0377|quoted, 0377|quoted)
		tp.wake()
		return settled
	}
	if tp.iflag(abi.IXOFF) {
		tp.holdInput()
	}
	if tp.iflag(abi.ISTRIP) && !tp.reinput {
		c &^= 0200
	}
	if !tp.lflag(abi.EXTPROC) {
		if tp.literal {
			tp.literal = false
			c |= quoted
		}
		if o := tp.special(c); o != ordinary {
			return o
		}
		var keep bool
		if c, keep = tp.translate(c); !keep {
			return settled
		}
		if tp.lflag(abi.ICANON) && tp.edit(c) {
			return settled
		}
	}
	tp.store(c)
	return settled
}

// special acts on the characters that do not depend on ICANON.
func (tp *TTY) special(c char) outcome {
	if tp.lflag(abi.IEXTEN) {
		switch {
		case tp.is(c, abi.VLNEXT):
			tp.quoteNext(c)
			return settled
		case tp.is(c, abi.VDISCARD):
			tp.toggleDiscard(c)
			return start
		}
	}
	if tp.lflag(abi.ISIG) && tp.signalChar(c) {
		return settled
	}
	if !tp.iflag(abi.IXON) {
		return ordinary
	}
	switch {
	case tp.is(c, abi.VSTOP) && !tp.stopped:
		tp.stop()
		return silent
	case tp.is(c, abi.VSTOP) && !tp.is(c, abi.VSTART):
		return silent
	case tp.is(c, abi.VSTOP):
		return settled // the same character stops and starts
	case tp.is(c, abi.VSTART):
		return restart
	}
	return ordinary
}

// stop stops output.
func (tp *TTY) stop() {
	if !tp.stopped {
		tp.stopped = true
		tp.drv.Stop(0)
	}
}

// quoteNext is VLNEXT: the next character is nothing special. It shows as a ^ that the character goes over.
func (tp *TTY) quoteNext(c char) {
	tp.literal = true
	switch {
	case !tp.lflag(abi.ECHO):
	case tp.lflag(abi.ECHOE):
		tp.put('^')
		tp.put('\b')
	default:
		tp.echo(c)
	}
}

// toggleDiscard is VDISCARD: output is thrown away until it is typed again.
func (tp *TTY) toggleDiscard(c char) {
	if tp.lflag(abi.FLUSHO) {
		tp.modes.Lflag &^= abi.FLUSHO
		return
	}
	tp.flush(abi.FWRITE)
	tp.echo(c)
	if tp.queued() > 0 {
		tp.reprint()
	}
	tp.modes.Lflag |= abi.FLUSHO
}

// signalChars are the characters of ISIG, what they raise and what they empty without NOFLSH.
var signalChars = [...]struct{ cc, sig, flush int }{
	{abi.VINTR, abi.SIGINT, abi.FREAD | abi.FWRITE},
	{abi.VQUIT, abi.SIGQUIT, abi.FREAD | abi.FWRITE},
	{abi.VSUSP, abi.SIGTSTP, abi.FREAD},
}

func (tp *TTY) signalChar(c char) bool {
	for _, s := range signalChars {
		if !tp.is(c, s.cc) {
			continue
		}
		if !tp.lflag(abi.NOFLSH) {
			tp.flush(s.flush)
		}
		tp.echo(c)
		tp.post(s.sig)
		return true
	}
	return false
}

// translate is IGNCR, ICRNL and INLCR; keep is false for what is ignored.
func (tp *TTY) translate(c char) (out char, keep bool) {
	switch {
	case c == '\r' && tp.iflag(abi.IGNCR):
		return c, false
	case c == '\r' && tp.iflag(abi.ICRNL):
		return '\n', true
	case c == '\n' && tp.iflag(abi.INLCR):
		return '\r', true
	}
	return c, true
}

// breaks says whether a character ends a line.
func (tp *TTY) breaks(c char) bool {
	return c == '\n' || tp.is(c, abi.VEOF) || tp.is(c, abi.VEOL) || tp.lflag(abi.IEXTEN) && tp.is(c, abi.VEOL2)
}

// store gives a character to who reads, and echoes it. Where there is no room, IMAXBEL rings the bell; without it all is lost.
func (tp *TTY) store(c char) {
	if tp.queued() >= tp.qsize {
		if !tp.iflag(abi.IMAXBEL) {
			tp.flush(abi.FREAD | abi.FWRITE)
		} else if len(tp.out) < tp.high() {
			tp.put('\a')
		}
		return
	}
	tp.raw = append(tp.raw, c)
	if !tp.lflag(abi.ICANON) {
		tp.wake()
		tp.echo(c)
		return
	}
	switch {
	case tp.breaks(c):
		tp.lineChars = 0
		tp.canon = append(tp.canon, tp.raw...)
		tp.raw = nil
		tp.wake()
	default:
		if tp.lineChars == 0 {
			tp.lineColumn = tp.column
		}
		tp.lineChars++
	}
	if tp.erasing {
		tp.erasing = false
		tp.put('/')
	}
	before := tp.column
	tp.echo(c)
	if tp.is(c, abi.VEOF) && tp.lflag(abi.ECHO) {
		for range min(2, tp.column-before) {
			tp.put('\b')
		}
	}
}

// holdInput is IXOFF: it asks the other side to stop when half of the room is taken by what can be read.
func (tp *TTY) holdInput() {
	if tp.queued() < tp.qsize/2 || tp.blocked || tp.modes.Cc[abi.VSTOP] == abi.POSIX_VDISABLE ||
		tp.lflag(abi.ICANON) && len(tp.canon) == 0 {
		return
	}
	if tp.send(tp.modes.Cc[abi.VSTOP]) {
		tp.blocked = true
		tp.startDriver()
	}
}

// releaseInput undoes holdInput when most has been read.
func (tp *TTY) releaseInput() {
	if !tp.blocked || len(tp.raw) >= tp.qsize/5 || !tp.iflag(abi.IXOFF) || tp.modes.Cc[abi.VSTART] == abi.POSIX_VDISABLE {
		return
	}
	if tp.send(tp.modes.Cc[abi.VSTART]) {
		tp.blocked = false
		tp.startDriver()
	}
}

// takePending looks again at what was typed before ICANON was set: PENDIN.
func (tp *TTY) takePending() {
	if !tp.lflag(abi.PENDIN) {
		return
	}
	tp.modes.Lflag &^= abi.PENDIN
	again := tp.raw
	tp.raw = nil
	tp.reinput = true
	for _, c := range again {
		tp.input(c)
	}
	tp.reinput = false
}
