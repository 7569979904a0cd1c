package kern

import (
	"io"
	"sync"
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
}

// Write logs a message. It never fails.
func (b *Msgbuf) Write(p []byte) (int, error) {
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
