//go:build unix

package sysproxy

import (
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// rawRead is one read under way.
type rawRead struct {
	try func(fd uintptr) bool // stream.tryRead
	p   []byte
	n   int
	err error
}

// rawWrite is one write under way.
type rawWrite struct {
	try     func(fd uintptr) bool // stream.tryWrite
	vecs    [][]byte
	blocked func()
	armed   bool // a write deadline is set
	err     error
}

func (s *stream) initRaw() {
	sc, ok := s.conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	s.raw = raw
	s.read.try = s.tryRead
	s.write.try = s.tryWrite
}

// readInto reads into p and, from where it is full, into the buffer, which has
// room. With a nil p it reads into the buffer alone, and may let go of it
// while it waits. It returns the number of bytes for both.
func (s *stream) readInto(p []byte) (int, error) {
	if s.raw == nil {
		return s.readConn(p)
	}
	s.read.p, s.read.n, s.read.err = p, 0, nil
	err := s.raw.Read(s.read.try)
	s.spin.end()
	s.disarm()
	s.read.p = nil
	if s.read.err != nil {
		err = s.read.err
	}
	return s.read.n, err
}

// tryRead reads once. It returns false to be called again when there is
// something to read.
func (s *stream) tryRead(fd uintptr) bool {
	s.spin.wake()
	for {
		if s.buf == nil {
			s.room(1)
		}
		n, err := readv(int(fd), s.read.p, s.buf.b[s.w:])
		switch {
		case n > 0:
			s.read.n = n
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			if s.spin.again() {
				continue
			}
			s.arm(s.read.p != nil || s.w > s.r)
			if s.read.p == nil {
				s.rest()
			}
			s.spin.sleep()
			return false
		case err == nil:
			s.read.err = io.EOF
		default:
			s.read.err = err
		}
		return true
	}
}

func (s *stream) writeRaw(b *batch, blocked func()) error {
	s.write.vecs, s.write.blocked, s.write.err = b.seal(), blocked, nil
	err := s.raw.Write(s.write.try)
	if s.write.armed {
		s.write.armed = false
		s.conn.SetWriteDeadline(time.Time{})
	}
	s.write.vecs, s.write.blocked = nil, nil
	if s.write.err != nil {
		err = s.write.err
	}
	return err
}

// tryWrite writes as much as it can. It returns false to be called again when
// more can be written.
func (s *stream) tryWrite(fd uintptr) bool {
	for len(s.write.vecs) > 0 {
		n, err := writev(int(fd), s.write.vecs)
		if n > 0 {
			s.write.vecs = advance(s.write.vecs, n)
			continue
		}
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			s.writeBlocked()
			return false
		}
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		s.write.err = err
		return true
	}
	return true
}

// writeBlocked is called when the other end must read before more can be
// written.
func (s *stream) writeBlocked() {
	if s.stall > 0 {
		s.write.armed = true
		s.conn.SetWriteDeadline(time.Now().Add(s.stall))
	}
	if s.write.blocked != nil {
		s.write.blocked()
	}
}

// advance drops the first n bytes of v.
func advance(v [][]byte, n int) [][]byte {
	for len(v) > 0 && n >= len(v[0]) {
		n -= len(v[0])
		v = v[1:]
	}
	if n > 0 {
		v[0] = v[0][n:]
	}
	return v
}
