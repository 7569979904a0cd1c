package sysproxy

import "encoding/binary"

// header reads the header of a frame. The caller has the turn.
func (s *session) header() (header, error) {
	b, err := s.st.peek(headerSize)
	if err != nil {
		return header{}, err
	}
	// An answer to COPYIN is as long as was asked, other frames are bounded.
	h, err := decodeHeader(b, 1<<62)
	if err != nil {
		return h, err
	}
	if h.class != classResp && h.len > uint64(s.srv.cfg.MaxFrame) {
		return h, violation("request of %d bytes, more than %d", h.len, s.srv.cfg.MaxFrame)
	}
	return h, nil
}

// request reads a whole frame. The body is valid until the next read, or while
// somebody holds the stream's buffer. The caller has the turn.
func (s *session) request() (header, []byte, error) {
	h, err := s.header()
	if err != nil {
		return h, nil, err
	}
	if h.len > uint64(s.srv.cfg.MaxFrame) {
		return h, nil, violation("frame of %d bytes, more than %d", h.len, s.srv.cfg.MaxFrame)
	}
	b, err := s.st.peek(int(h.len))
	if err != nil {
		return h, nil, err
	}
	s.st.consume(len(b))
	return h, b[headerSize:], nil
}

// whole tells whether a whole request has been read but not consumed. The caller has the turn.
func (s *session) whole() bool {
	b := s.st.buffered()
	if len(b) < headerSize {
		return false
	}
	h, err := decodeHeader(b, 1<<62)
	return err == nil && h.class == classReq && h.len <= uint64(len(b))
}

// frame reads one frame. It returns a task if the frame asks for one, and
// deals with others itself. The caller has the turn.
func (s *session) frame() (task, error) {
	h, err := s.header()
	if err != nil {
		return nil, err
	}
	switch h.class {
	case classReq:
	case classResp, classError:
		return nil, s.answer(h)
	default:
		return nil, violation("frame of class %d", h.class)
	}
	h, body, err := s.request()
	if err != nil {
		return nil, err
	}
	switch h.typ {
	case typeSyscall:
		return s.newCall(h, body)
	case typePrefork:
		return &preforkTask{s: s, reqno: h.reqno}, nil
	case typeHandshake:
		return s.reshake(h, body)
	}
	// Harmless, and perhaps of a later version: C servers go on, too.
	s.mu.Lock()
	s.notify(appendError(nil, h.reqno, errMalformed))
	s.mu.Unlock()
	return nil, nil
}

// reshake reads a handshake on a running connection: EXEC, or the cancellation
// of a prefork.
func (s *session) reshake(h header, body []byte) (task, error) {
	switch {
	case h.word == shakeExec && len(body) <= maxName:
		return &execTask{s: s, reqno: h.reqno, name: nameOf(body)}, nil
	case h.word == shakeFork && len(body) == shakeForkSize && binary.LittleEndian.Uint32(body[authSize:]) != 0:
		return &cancelTask{s: s, reqno: h.reqno, auth: [authSize]byte(body)}, nil
	}
	return nil, violation("handshake %d with a body of %d bytes by a running process", h.word, len(body))
}

// copyWait is a request to the client that waits for its answer.
type copyWait struct {
	waiter
	reqno  uint64
	typ    uint16
	dst    []byte // where the answer goes
	n      int    // its length
	faulty bool   // the client refuses
	failed bool   // the session is over
	done   bool
}

// ask sends what c has to send, the request w at its end, and waits for the
// answer. It returns false if the session is over. Meanwhile other requests of
// the client are read, and given to others.
func (s *session) ask(c *call, w *copyWait) bool {
	s.mu.Lock()
	if s.dead {
		s.mu.Unlock()
		return false
	}
	s.asked = append(s.asked, w)
	s.mu.Unlock()
	// The turn is taken only after this: somebody must be able to read while
	// the client is slow to take the request.
	c.flush()
	s.mu.Lock()
	over := w.done || w.failed
	mine := !over && s.turn.take()
	if !over && !mine {
		s.turn.join(&w.waiter)
	}
	s.mu.Unlock()
	if !over && !mine {
		mine = <-w.wake
	}
	if mine {
		s.read(w)
	}
	return !w.failed
}

// read reads frames until w is answered or the session is over. The caller has
// the turn, and has given it up when read returns.
func (s *session) read(w *copyWait) {
	for !w.done {
		if s.overdue() {
			go s.sendLate() // who reads must not wait for the client to read
		}
		t, err := s.frame()
		if err != nil {
			s.fail(err)
			return
		}
		if t != nil {
			s.spawn(t)
		}
	}
	s.mu.Lock()
	s.turn.pass()
	s.mu.Unlock()
}

// answer takes the client's answer to a COPYIN, COPYINSTR or ANONMMAP.
func (s *session) answer(h header) error {
	s.st.consume(headerSize)
	w := s.awaited(h.reqno)
	if w == nil {
		return violation("answer to request %d, which was not made", h.reqno)
	}
	n := h.body()
	if h.class == classError {
		if n != 0 {
			return violation("ERROR of %d bytes", h.len)
		}
		w.faulty = true
	} else if !w.fits(h.typ, n) {
		return violation("answer of type %d with %d bytes to a request of type %d for %d", h.typ, n, w.typ, len(w.dst))
	} else if err := s.st.readFull(w.dst[:n]); err != nil {
		return err
	}
	w.n = int(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.asked {
		if a == w {
			last := len(s.asked) - 1
			s.asked[i], s.asked[last] = s.asked[last], nil
			s.asked = s.asked[:last]
			break
		}
	}
	w.done = true
	s.turn.answered(&w.waiter)
	return nil
}

// fits tells whether an answer has the right type and length.
func (w *copyWait) fits(typ uint16, n uint64) bool {
	switch w.typ {
	case typeCopyInStr:
		return (typ == typeCopyIn || typ == typeCopyInStr) && n <= uint64(len(w.dst))
	default:
		return typ == w.typ && n == uint64(len(w.dst))
	}
}

// awaited returns the request with a number, or nil.
func (s *session) awaited(reqno uint64) *copyWait {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.asked {
		if w.reqno == reqno {
			return w
		}
	}
	return nil
}
