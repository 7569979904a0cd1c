package tty

import "github.com/rumpctrl/rumpctrl/abi"

// tabWidth is the distance of tab stops.
const tabWidth = 8

// Pending is how many bytes may be taken now: none while output is stopped. For a Driver, with the terminal locked.
func (tp *TTY) Pending() int {
	if tp.stopped {
		return 0
	}
	return len(tp.out)
}

// Take moves output to p and says how much. For a Driver, with the terminal locked.
func (tp *TTY) Take(p []byte) int {
	if tp.stopped {
		return 0
	}
	n := copy(p, tp.out)
	tp.out = tp.out[n:]
	if len(tp.out) <= tp.low() {
		tp.wake()
	}
	return n
}

// Discard throws output away. For a Driver, with the terminal locked.
func (tp *TTY) Discard() {
	tp.out = nil
	tp.wake()
}

// startDriver tells the driver of output, unless it is stopped.
func (tp *TTY) startDriver() {
	if !tp.stopped {
		tp.drv.Start()
	}
}

// send puts a byte into the output queue as it is; it says false when there is no room.
func (tp *TTY) send(c byte) bool {
	if tp.measuring {
		return true
	}
	if len(tp.out) >= tp.high()+slack {
		return false
	}
	tp.st.out.Add(1)
	if !tp.lflag(abi.FLUSHO) {
		tp.out = append(tp.out, c)
	}
	return true
}

// put sends a character with the output processing of OPOST. Where there is no room for it, it is dropped.
func (tp *TTY) put(c byte) {
	if !tp.oflag(abi.OPOST) {
		tp.send(c)
		return
	}
	switch {
	case c == '\t' && tp.oflag(abi.OXTABS) && !tp.lflag(abi.EXTPROC):
		for range tabWidth - tp.column%tabWidth {
			tp.send(' ')
			tp.column++
		}
		return
	case c == abi.CEOT && tp.oflag(abi.ONOEOT):
		return
	case c == '\n' && tp.oflag(abi.ONLCR):
		tp.send('\r')
	case c == '\r' && tp.oflag(abi.OCRNL):
		c = '\n'
	case c == '\r' && tp.oflag(abi.ONOCR) && tp.column == 0:
		return
	}
	tp.send(c)
	tp.advance(c)
}

// advance moves the column as a sent character moves the cursor.
func (tp *TTY) advance(c byte) {
	switch {
	case c == '\b':
		tp.column = max(0, tp.column-1)
	case c == '\n':
		if tp.oflag(abi.ONLCR | abi.ONLRET) {
			tp.column = 0
		}
	case c == '\r':
		tp.column = 0
	case c == '\t':
		tp.column += tabWidth - tp.column%tabWidth
	case !isControl(c):
		tp.column++
	}
}

// echo shows a typed character, control characters as ^X with ECHOCTL.
func (tp *TTY) echo(c char) {
	if !tp.measuring {
		tp.modes.Lflag &^= abi.FLUSHO
	}
	if tp.lflag(abi.EXTPROC) || !tp.lflag(abi.ECHO) && !(tp.lflag(abi.ECHONL) && c == '\n') {
		return
	}
	b := byte(c)
	if b == 0177 || tp.lflag(abi.ECHOCTL) && b < ' ' && c != '\t' && c != '\n' {
		tp.put('^')
		b ^= 0100
	}
	tp.put(b)
}

// Message shows a piece of a kernel's message: TIOCCONS. What there is no room for is dropped; it is in the message buffer.
func (tp *TTY) Message(p []byte) {
	tp.Lock()
	defer tp.Unlock()
	if !tp.connected() || tp.opens == 0 {
		return
	}
	tp.print(p)
}

// print writes the kernel's own text; called locked.
func (tp *TTY) print(p []byte) {
	for _, c := range p {
		if c == '\n' && !tp.oflag(abi.ONLCR) {
			tp.put('\r')
		}
		tp.put(c)
	}
	tp.lineChars = 0 // what is being typed has to be shown again when it is edited
	tp.startDriver()
}

// Connected says whether anybody would see a Message.
func (tp *TTY) Connected() bool {
	tp.Lock()
	defer tp.Unlock()
	return tp.carrier && tp.opens > 0
}
