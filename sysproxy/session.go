package sysproxy

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
)

// session is the server's end of one connection.
//
// The goroutine that has the turn reads. When it reads a system call, it gives
// up the turn, runs the call, and takes the turn again if it is still free;
// so a client with one thread is served by one goroutine. The turn is free only
// while some goroutine runs a task; that goroutine, or a new one if the call
// blocks, takes it again.
type session struct {
	srv   *Server
	st    *stream
	proc  Process // set by the handshake
	stats counters

	mu       sync.Mutex
	turn     turn
	asked    []*copyWait   // requests to the client that wait for their answer
	running  int           // tasks begun and not ended
	changed  chan struct{} // closed when a task ends, nil if nobody waits
	done     chan struct{} // Memory.Done of calls that begin now
	finished bool          // done is closed
	inExec   bool
	stopping bool // no more calls: Shutdown
	dead     bool // the connection is over, nobody reads any more
	violated bool
	preforks int

	late    *batch // answers that wait for the next: see respond
	spare   *batch // to be late's next
	control []byte // ERROR and RAISE frames to be sent
	sending bool   // somebody sends them

	lastReq   atomic.Uint64 // how many requests the client was sent
	blockFn   func()        // block
	lateness  atomic.Bool   // there is something in late
	answering atomic.Int32  // tasks that only have to send their answer
	buffering atomic.Int64  // bytes held for the client
}

// counters are a session's part of Stats.
type counters struct {
	calls, copyIns, prefetched, copyOuts, handedOver atomic.Uint64
}

func (c *counters) read() Stats {
	return Stats{
		Calls:      c.calls.Load(),
		CopyIns:    c.copyIns.Load(),
		Prefetched: c.prefetched.Load(),
		CopyOuts:   c.copyOuts.Load(),
		HandedOver: c.handedOver.Load(),
	}
}

func newSession(srv *Server, conn net.Conn) *session {
	s := &session{srv: srv, done: make(chan struct{}), late: new(batch)}
	s.st = newStream(conn, &srv.buffers, readSize, srv.cfg.Spin, srv.readers)
	s.blockFn = s.block
	s.turn.held = true // by run
	return s
}

// run is the session's first goroutine.
func (s *session) run() {
	if s.handshake() {
		s.lead()
	} else {
		s.fail(nil)
	}
}

// task is what a client asked for: a system call, a prefork or an exec.
type task interface {
	// run does it and calls session.respond once.
	run()

	// refuse frees a task that is not to run, and returns the number of its
	// request.
	refuse() (reqno uint64)
}

// lead reads and runs what the client asks for, until somebody else has the
// turn. The caller has the turn.
func (s *session) lead() {
	for {
		if s.overdue() && !s.catchUp() {
			return
		}
		t, err := s.frame()
		if err != nil {
			s.fail(err)
			return
		}
		if t == nil {
			continue
		}
		if c, ok := t.(*call); ok {
			c.more = s.whole()
		}
		s.mu.Lock()
		admitted := s.admit(t)
		if admitted {
			s.turn.pass()
		}
		s.mu.Unlock()
		if !admitted {
			continue
		}
		t.run()
		if !s.end() {
			return
		}
	}
}

// catchUp sends the answers that waited, without the turn, which the caller had. It returns true if it has it again.
func (s *session) catchUp() bool {
	s.mu.Lock()
	s.turn.pass()
	s.mu.Unlock()
	s.sendLate()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turn.take()
}

// admit counts a task as begun, or refuses it. s.mu is held.
func (s *session) admit(t task) bool {
	var word uint32
	switch {
	case s.stopping:
		t.refuse()
		return false
	case s.inExec:
		word = errInExec
	case s.full():
		word = errTryAgain
	default:
		s.running++
		switch t := t.(type) {
		case *call:
			t.done = s.done
		case *execTask:
			s.inExec = true
		}
		return true
	}
	s.notify(appendError(nil, t.refuse(), word))
	return false
}

// full tells whether the client has as many calls in flight as it may. Calls
// that are being answered do not count: the client may have the answer. It
// may also leave it unread, so there is a limit to them, too. s.mu is held.
func (s *session) full() bool {
	limit := s.srv.cfg.MaxCalls
	return s.running-int(s.answering.Load()) >= limit || s.running >= 2*limit ||
		s.buffering.Load() > int64(s.srv.cfg.MaxBuffered)
}

// spawn runs a task on a new goroutine, because the one that read it waits for
// something else.
func (s *session) spawn(t task) {
	s.mu.Lock()
	admitted := s.admit(t)
	s.mu.Unlock()
	if !admitted {
		return
	}
	go func() {
		t.run()
		if s.end() {
			s.lead()
		}
	}()
}

// handOver finds a reader if there is none. s.mu is held.
func (s *session) handOver() {
	if s.turn.take() {
		s.stats.handedOver.Add(1)
		go s.lead()
	}
}

// block is called by a task that is about to wait.
func (s *session) block() {
	s.mu.Lock()
	s.handOver()
	s.mu.Unlock()
}

// number returns the number of the next request to the client.
func (s *session) number() uint64 { return s.lastReq.Add(1) - 1 }

// end notes that a task is over and returns true if the caller has the turn now.
func (s *session) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answering.Add(-1)
	s.ended()
	return s.turn.take()
}

// ended counts a task as over. s.mu is held.
func (s *session) ended() {
	s.running--
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// await waits until at most n tasks run. It returns false if stop came first;
// a nil stop never comes.
func (s *session) await(n int, stop <-chan struct{}) bool {
	for {
		s.mu.Lock()
		if s.running <= n {
			s.mu.Unlock()
			return true
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-stop:
			return false
		}
	}
}

// interrupt tells the calls in flight to stop waiting. s.mu is held.
func (s *session) interrupt() {
	if !s.finished {
		s.finished = true
		close(s.done)
	}
}

// fail ends the session. The caller has the turn, which is nobody's from then
// on. A nil error is one that needs no mention.
func (s *session) fail(err error) {
	var pe *ProtocolError
	s.mu.Lock()
	s.dead = true
	s.violated = errors.As(err, &pe) || errors.Is(err, os.ErrDeadlineExceeded)
	s.interrupt()
	for _, w := range s.asked {
		w.failed = true
		s.turn.answered(&w.waiter)
	}
	s.asked = nil
	s.mu.Unlock()
	if s.violated {
		s.srv.cfg.Log.Warn("client dropped", "client", remote(s.st.conn), "error", err)
	}
	s.st.conn.Close()
	s.st.release()
	go s.bury()
}

// bury frees what a dead session had.
func (s *session) bury() {
	s.srv.dropPreforks(s)
	if s.proc != nil {
		s.proc.Exit()
	}
	s.await(0, nil)
	s.srv.forget(s)
}

// shut closes the connection. Its reader sees that and ends the session.
func (s *session) shut() {
	s.sendLate()
	s.mu.Lock()
	s.handOver()
	s.mu.Unlock()
	s.st.conn.Close()
}

// stop refuses further calls and tells those in flight to stop waiting.
func (s *session) stop() {
	s.mu.Lock()
	s.stopping = true
	s.interrupt()
	s.mu.Unlock()
}

// remote names the client.
func remote(c net.Conn) string {
	if a := c.RemoteAddr(); a != nil && a.String() != "" {
		return a.String()
	}
	return "local"
}
