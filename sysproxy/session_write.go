package sysproxy

// send writes what a task has to send. While the client is slow to read,
// somebody else reads what it sends, else both ends could wait for each other.
func (s *session) send(b *batch) {
	if s.st.send(b, s.blockFn) != nil {
		s.st.conn.Close() // the reader sees that
	}
}

// maxLate is how much of answers is gathered before it is sent.
const maxLate = 16 << 10

// respond sends the answer of a task, which is over then. A small one waits for the next if the client has sent another request
// already and nobody has begun to read it: who does will send it. more says that a request was there when the task began.
func (s *session) respond(b *batch, more bool) {
	s.answering.Add(1)
	if b.len() == 0 || more && s.putOff(b) {
		return
	}
	s.sendLate()
	s.send(b)
}

// putOff has an answer wait for the next, and tells whether it may.
func (s *session) putOff(b *batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn.held || s.stopping || len(b.cuts) > 0 || s.late.len()+b.len() > maxLate {
		return false
	}
	s.late.buf = append(s.late.buf, b.buf...)
	s.lateness.Store(true)
	b.reset()
	return true
}

// overdue tells whether answers wait that no next one will come for. The caller has the turn.
func (s *session) overdue() bool { return s.lateness.Load() && !s.whole() }

// sendLate sends the answers that waited, if there are any. The caller has not the turn.
func (s *session) sendLate() {
	if !s.lateness.Load() {
		return
	}
	s.mu.Lock()
	out := s.late
	if s.late = s.spare; s.late == nil {
		s.late = new(batch)
	}
	s.spare = nil
	s.lateness.Store(false)
	s.mu.Unlock()
	s.send(out)
	s.mu.Lock()
	s.spare = out
	s.mu.Unlock()
}

// notify queues a frame that belongs to no task, without waiting for the
// client. A client that reads nothing loses its connection. s.mu is held.
func (s *session) notify(frame []byte) {
	if s.dead {
		return
	}
	if len(s.control)+len(frame) > s.srv.cfg.MaxBuffered {
		s.st.conn.Close() // the reader sees that
		return
	}
	s.control = append(s.control, frame...)
	if !s.sending {
		s.sending = true
		go s.sendControl()
	}
}

// sendControl sends what notify queued until there is nothing more.
func (s *session) sendControl() {
	var out batch
	for {
		s.mu.Lock()
		out.buf, s.control = s.control, out.buf[:0]
		if len(out.buf) == 0 || s.dead {
			s.sending = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.send(&out)
	}
}

// raise sends a signal to the client.
func (s *session) raise(sig int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notify(appendHeader(nil, classReq, typeRaise, s.number(), uint32(sig), 0))
}
