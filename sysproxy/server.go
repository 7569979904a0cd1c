package sysproxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Server is the server end: it accepts clients and runs their system calls on
// a kernel. All methods may be called concurrently.
type Server struct {
	kernel  Kernel
	cfg     ServerConfig
	banner  string
	buffers bufferPool
	readers *wakeful
	calls   sync.Pool // of *call
	running sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	closing   chan struct{} // closed by Shutdown
	listeners map[Listener]struct{}
	sessions  map[*session]struct{}
	procs     map[Process]*session
	preforks  map[[authSize]byte]*prefork
	stats     Stats // of sessions that are over
}

// NewServer returns a server for k. Errors: the banner does not fit.
func NewServer(k Kernel, cfg ServerConfig) (*Server, error) {
	cfg = cfg.complete()
	line, err := cfg.Banner.line()
	if err != nil {
		return nil, err
	}
	return &Server{
		kernel: k, cfg: cfg, banner: line,
		readers:   newWakeful(),
		closing:   make(chan struct{}),
		listeners: make(map[Listener]struct{}),
		sessions:  make(map[*session]struct{}),
		procs:     make(map[Process]*session),
		preforks:  make(map[[authSize]byte]*prefork),
	}, nil
}

// Banner returns how the server introduces itself.
func (s *Server) Banner() Banner { return s.cfg.Banner }

// ErrServerClosed is what Serve returns after Shutdown.
var ErrServerClosed = errors.New("sysproxy: server closed")

// Serve accepts clients on l until Shutdown is called or accepting fails for
// good, and closes l then.
func (s *Server) Serve(l Listener) error {
	if !s.track(l) {
		l.Close()
		return ErrServerClosed
	}
	defer s.untrack(l)
	var pause time.Duration
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.serve(conn)
		case s.isClosed():
			return ErrServerClosed
		case !passing(err):
			return err
		default:
			pause = acceptPause(pause)
			s.cfg.Log.Warn("cannot accept", "url", l.URL(), "error", err, "pause", pause)
			if !s.wait(pause) {
				return ErrServerClosed
			}
		}
	}
}

// wait waits for d. It returns false if the server is closed before.
func (s *Server) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closing:
		return false
	}
}

func (s *Server) track(l Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) untrack(l Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.listeners[l]; ok {
		delete(s.listeners, l)
		l.Close()
	}
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// serve starts a session for a connection, if there is place for it.
func (s *Server) serve(conn net.Conn) {
	ses := newSession(s, conn)
	s.mu.Lock()
	if s.closed || len(s.sessions) >= s.cfg.MaxClients {
		s.stats.Refused++
		s.mu.Unlock()
		conn.Close()
		return
	}
	s.stats.Accepted++
	s.sessions[ses] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	go ses.run()
}

// ServeConn serves one connection, made by whatever means, in the background.
func (s *Server) ServeConn(conn net.Conn) { s.serve(conn) }

// forget removes a session that is over.
func (s *Server) forget(ses *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := ses.stats.read()
	s.stats.add(&st)
	if ses.violated {
		s.stats.Violations++
	}
	delete(s.sessions, ses)
	if ses.proc != nil && s.procs[ses.proc] == ses {
		delete(s.procs, ses.proc)
	}
	s.running.Done()
}

// adopt notes which session a process belongs to.
func (s *Server) adopt(p Process, ses *session) {
	s.mu.Lock()
	s.procs[p] = ses
	s.mu.Unlock()
}

// Raise sends a signal (NetBSD's number) to the client of a process. It does
// not wait for the client. Errors: ESRCH if p is no client's.
func (s *Server) Raise(p Process, sig int) error {
	s.mu.Lock()
	ses := s.procs[p]
	s.mu.Unlock()
	if ses == nil {
		return abi.ESRCH
	}
	ses.raise(sig)
	return nil
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.stats
	sum.Clients = len(s.sessions)
	for ses := range s.sessions {
		st := ses.stats.read()
		sum.add(&st)
	}
	return sum
}

// Shutdown stops the server: listeners are closed at once, calls that wait are
// told to stop by Memory.Done, all calls in flight are waited for as long as
// ctx allows (but not those that used Memory.Respond), then the connections
// are closed and their processes ended. It returns ctx's error if calls were
// still running when it closed the connections. Do not call it from within a
// system call except in another goroutine.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	for l := range s.listeners {
		delete(s.listeners, l)
		l.Close()
	}
	all := make([]*session, 0, len(s.sessions))
	for ses := range s.sessions {
		all = append(all, ses)
	}
	s.mu.Unlock()

	for _, ses := range all {
		ses.stop()
	}
	for _, ses := range all {
		ses.await(0, ctx.Done())
	}
	for _, ses := range all {
		ses.shut()
	}
	over := make(chan struct{})
	go func() {
		s.running.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
