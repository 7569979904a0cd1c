package sysproxy

// send writes what a task has to send. While the client is slow to read,
// somebody else reads what it sends, else both ends could wait for each other.
func (s *session) send(b *batch) {
	if s.st.send(b, s.blockFn) != nil {
		s.st.conn.Close() // the reader sees that
	}
}

// respond sends the answer of a task, which is over then.
func (s *session) respond(b *batch) {
	s.answering.Add(1)
	if b.len() > 0 {
		s.send(b)
	}
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
