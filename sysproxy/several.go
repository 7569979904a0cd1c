package sysproxy

// Batcher is implemented by a [Transport] on which several calls at once cost less than one after the other.
type Batcher interface {
	// DoAll makes calls that do not depend on each other, in any order, and waits for the end of all. A nil error is as that of
	// Do for each of them; else some may have been made.
	DoAll(calls []*Call) error
}

var _ Batcher = (*Conn)(nil)

// DoAll implements Batcher: the calls leave together, and most of the answers come together.
func (c *Conn) DoAll(calls []*Call) error {
	l := c.link.Load()
	for len(calls) > 0 {
		n := min(len(calls), maxTogether)
		some := calls[:n]
		calls = calls[n:]
		l.calls(some)
		for _, call := range some {
			if call.req.err == nil && call.finish() {
				continue
			}
			if err := c.Do(call); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxTogether is how many requests leave together: their answers must have room on the way, for nobody reads meanwhile.
const maxTogether = 64

// calls makes system calls. How each went is in its request, of which err is set if the connection broke.
func (l *link) calls(calls []*Call) {
	for _, c := range calls {
		c.req.typ = typeSyscall
		c.req.prepare()
	}
	l.mu.Lock()
	if err := l.err; err != nil {
		l.mu.Unlock()
		for _, c := range calls {
			c.req.err = err
		}
		return
	}
	mine := l.turn.take()
	for i, c := range calls {
		l.depart(&c.req)
		if i > 0 || !mine {
			l.turn.join(&c.req.waiter)
		}
	}
	l.mu.Unlock()
	if err := l.sendAll(calls); err != nil {
		l.shut(err)
	}
	for _, c := range calls {
		// The turn comes to the first of those that still wait, and so to this one if it comes to any of them.
		if mine = mine || <-c.req.wake; mine {
			l.read(&c.req)
		}
		mine = false
	}
}

// sendAll writes the requests: the small ones at once.
func (l *link) sendAll(calls []*Call) error {
	for _, c := range calls {
		l.putCall(c)
	}
	first := &calls[0].req.out
	for _, c := range calls[1:] {
		out := &c.req.out
		if len(out.cuts) > 0 || len(first.cuts) > 0 {
			if err := l.st.send(out, nil); err != nil {
				return err
			}
			continue
		}
		first.buf = append(first.buf, out.buf...)
		out.sent.Store(true)
		out.reset()
	}
	return l.st.send(first, nil)
}
