package kern

import (
	"io"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// msgbufSize is the size of the message buffer in bytes, kern.msgbufsize.
const msgbufSize = 16352

// Msgbuf is the kernel's message buffer: the last msgbufSize bytes that were logged.
type Msgbuf struct {
	tee io.Writer

	mu   sync.Mutex
	ring [msgbufSize]byte
	next int  // where the next byte goes
	full bool // the ring has wrapped

	consoleMu sync.Mutex
	console   MessageConsole // nil for none
}

// MessageConsole is a terminal that shows the kernel's messages, TIOCCONS of tty(4).
type MessageConsole interface {
	// Message shows a piece of a message. It must not wait, and must not log.
	Message(p []byte)
	// Connected says whether anybody would see it.
	Connected() bool
}

// SetConsole has a terminal show what is logged from now on. Errors: EBUSY when another does, and is connected.
func (b *Msgbuf) SetConsole(c MessageConsole) error {
	b.consoleMu.Lock()
	old := b.console
	b.consoleMu.Unlock()
	// Terminals drop themselves with their own lock held: they are asked without this one.
	if old != nil && old != c && old.Connected() {
		return abi.EBUSY
	}
	b.consoleMu.Lock()
	defer b.consoleMu.Unlock()
	if b.console != old {
		return abi.EBUSY
	}
	b.console = c
	return nil
}

// DropConsole takes a terminal away that SetConsole has set, if it is still that one.
func (b *Msgbuf) DropConsole(c MessageConsole) {
	b.consoleMu.Lock()
	defer b.consoleMu.Unlock()
	if b.console == c {
		b.console = nil
	}
}

// show gives a message to the terminal that shows them.
func (b *Msgbuf) show(p []byte) {
	b.consoleMu.Lock()
	c := b.console
	b.consoleMu.Unlock()
	if c != nil {
		c.Message(p)
	}
}

// Write logs a message. It never fails.
func (b *Msgbuf) Write(p []byte) (int, error) {
	defer b.show(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tee != nil {
		b.tee.Write(p)
	}
	rest := p
	if len(rest) > msgbufSize {
		rest = rest[len(rest)-msgbufSize:]
	}
	for len(rest) > 0 {
		n := copy(b.ring[b.next:], rest)
		rest = rest[n:]
		if b.next += n; b.next == msgbufSize {
			b.next, b.full = 0, true
		}
	}
	return len(p), nil
}

// Bytes is a copy of what the buffer holds, oldest first.
func (b *Msgbuf) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.full {
		return append([]byte(nil), b.ring[:b.next]...)
	}
	return append(append([]byte(nil), b.ring[b.next:]...), b.ring[:b.next]...)
}
