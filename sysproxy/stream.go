package sysproxy

import (
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// readSize is the size of the buffer that a busy connection reads into: the
// longest request of a client of ours fits, so that one read(2) may get it.
const readSize = 128 << 10

// stream is a connection, read through a buffer and written by batches. One
// goroutine at a time may read; writers are serialised here.
type stream struct {
	conn net.Conn
	raw  syscall.RawConn // nil if conn is not a socket of the host (tls)

	// The reader's, see turn.
	pool *bufferPool
	size int     // of buf
	buf  *buffer // nil while an idle connection sleeps
	r, w int     // what was read and not consumed is buf.b[r:w]
	spin spinner
	read rawRead

	partial time.Duration // a longer pause within a frame is an error; 0: none is
	armed   bool          // a read deadline is set

	wmu   sync.Mutex
	write rawWrite      // guarded by wmu
	stall time.Duration // writing nothing for so long is an error; 0: never is
}

func newStream(conn net.Conn, pool *bufferPool, size int, spin time.Duration, readers *wakeful) *stream {
	s := &stream{conn: conn, pool: pool, size: size}
	s.spin = spinner{readers: readers, time: spin, record: spinCredit}
	s.initRaw()
	return s
}

// buffered returns what was read and not consumed.
func (s *stream) buffered() []byte {
	if s.buf == nil {
		return nil
	}
	return s.buf.b[s.r:s.w]
}

// peek returns the next n bytes without consuming them; they are valid until
// the next read. Errors: io.EOF if the connection ended before the first of
// them, io.ErrUnexpectedEOF after.
func (s *stream) peek(n int) ([]byte, error) {
	for s.w-s.r < n {
		s.room(n)
		got, err := s.readInto(nil)
		s.w += got
		if err != nil {
			return nil, s.eof(err)
		}
	}
	return s.buf.b[s.r : s.r+n : s.r+n], nil
}

func (s *stream) eof(err error) error {
	if err == io.EOF && s.w > s.r {
		return io.ErrUnexpectedEOF
	}
	return err
}

// consume drops the next n bytes, which peek has returned.
func (s *stream) consume(n int) { s.r += n }

// room makes place for n bytes from s.r on. A buffer that a call still looks
// at is left to it.
func (s *stream) room(n int) {
	switch {
	case s.buf == nil:
		s.buf = s.pool.get(max(n, s.size))
		s.r, s.w = 0, 0
	case s.r == s.w && !s.buf.shared() && n <= len(s.buf.b):
		s.r, s.w = 0, 0
	case len(s.buf.b)-s.r >= n && s.w < len(s.buf.b):
	case !s.buf.shared() && n <= len(s.buf.b):
		s.w = copy(s.buf.b, s.buf.b[s.r:s.w])
		s.r = 0
	default:
		old, rest := s.buf, s.buf.b[s.r:s.w]
		s.buf = s.pool.get(max(n, s.size))
		s.w = copy(s.buf.b, rest)
		s.r = 0
		old.drop()
	}
}

// readFull fills p.
func (s *stream) readFull(p []byte) error {
	n := copy(p, s.buffered())
	s.r += n
	p = p[n:]
	for len(p) > 0 {
		s.room(1)
		n, err := s.readInto(p)
		if n > len(p) {
			s.w += n - len(p)
			n = len(p)
		}
		p = p[n:]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// discard consumes n bytes.
func (s *stream) discard(n uint64) error {
	for n > 0 {
		if s.r == s.w {
			if _, err := s.peek(1); err != nil {
				return err
			}
		}
		k := min(uint64(s.w-s.r), n)
		s.r += int(k)
		n -= k
	}
	return nil
}

// rest gives the idle reader's buffer back. It keeps one that holds something.
func (s *stream) rest() {
	if s.buf != nil && s.r == s.w && s.raw != nil {
		s.buf.drop()
		s.buf = nil
	}
}

// release gives the buffer back for good.
func (s *stream) release() {
	s.spin.sleep()
	if s.buf != nil {
		s.buf.drop()
		s.buf, s.r, s.w = nil, 0, 0
	}
}

// arm is called before the reader waits: within a frame it does so for a time.
func (s *stream) arm(within bool) {
	if within && s.partial > 0 {
		s.armed = true
		s.conn.SetReadDeadline(time.Now().Add(s.partial))
	}
}

// disarm is called when there was something to read.
func (s *stream) disarm() {
	if s.armed {
		s.armed = false
		s.conn.SetReadDeadline(time.Time{})
	}
}

// readConn is readInto for connections without raw access.
func (s *stream) readConn(p []byte) (int, error) {
	s.arm(p != nil || s.w > s.r)
	defer s.disarm()
	if p == nil {
		p = s.buf.b[s.w:]
	}
	return s.conn.Read(p)
}

// send writes b and resets it. blocked, if not nil, is called before the caller
// waits for the other end to take what is sent.
func (s *stream) send(b *batch, blocked func()) error {
	s.lockWrite(blocked)
	var err error
	if s.raw != nil {
		err = s.writeRaw(b, blocked)
	} else {
		err = s.writeConn(b)
	}
	b.sent.Store(true)
	s.wmu.Unlock()
	b.reset()
	return err
}

// lockWrite waits for other writers.
func (s *stream) lockWrite(blocked func()) {
	free := s.wmu.TryLock()
	// Without raw access nobody can tell beforehand that a write will wait.
	if blocked != nil && (!free || s.raw == nil) {
		blocked()
	}
	if !free {
		s.wmu.Lock()
	}
}

// writeConn writes b where each Write may make a record of its own: what is
// not long goes in one.
func (s *stream) writeConn(b *batch) error {
	if s.stall > 0 {
		s.conn.SetWriteDeadline(time.Now().Add(s.stall))
	}
	if len(b.cuts) == 0 {
		_, err := s.conn.Write(b.buf)
		return err
	}
	if n := b.len(); n <= readSize {
		mem := s.pool.get(n)
		defer mem.drop()
		n = 0
		for _, v := range b.seal() {
			n += copy(mem.b[n:], v)
		}
		_, err := s.conn.Write(mem.b[:n])
		return err
	}
	for _, v := range b.seal() {
		if _, err := s.conn.Write(v); err != nil {
			return err
		}
	}
	return nil
}
