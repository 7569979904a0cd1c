package sysproxy

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxName bounds the name of a program, with its NUL.
const maxName = 4096

// handshake greets the client and makes it a process. It returns false if
// there is nothing to serve. The caller has the turn.
func (s *session) handshake() bool {
	conn := s.st.conn
	if t := s.srv.cfg.HandshakeTimeout; t > 0 {
		conn.SetDeadline(time.Now().Add(t))
	}
	if c, ok := conn.(interface{ HandshakeContext(context.Context) error }); ok {
		if err := c.HandshakeContext(context.Background()); err != nil {
			s.srv.cfg.Log.Warn("client refused", "client", remote(conn), "error", explainTLS(err))
			return false
		}
	}
	var out batch
	out.buf = append(out.buf, s.srv.banner...)
	if s.st.send(&out, nil) != nil {
		return false
	}
	proc, reqno, err := s.shake()
	if err != nil {
		s.srv.cfg.Log.Warn("client refused", "client", remote(conn), "error", err)
		return false
	}
	if proc == nil {
		return false
	}
	s.proc = proc
	s.srv.adopt(proc, s)
	out.buf = appendHeader(out.buf, classResp, typeHandshake, reqno, 0, shakeRespSize)
	out.buf = binary.LittleEndian.AppendUint32(out.buf, 0)
	if s.st.send(&out, nil) != nil {
		return false
	}
	s.st.stall, s.st.partial = s.srv.cfg.WriteTimeout, s.srv.cfg.FrameTimeout
	return conn.SetDeadline(time.Time{}) == nil
}

// shake reads the client's first request and returns its process and the
// request's number. It returns a nil process if a prefork was cancelled.
func (s *session) shake() (Process, uint64, error) {
	h, body, err := s.request()
	if err != nil {
		return nil, 0, err
	}
	refuse := func(word uint32, why string, args ...any) (Process, uint64, error) {
		var out batch
		out.buf = appendError(out.buf, h.reqno, word)
		_ = s.st.send(&out, nil) // the connection is closed anyway
		return nil, 0, violation(why, args...)
	}
	switch {
	case h.class != classReq || h.typ != typeHandshake:
		return refuse(errAuth, "first frame has class %d, type %d", h.class, h.typ)
	case h.word == shakeGuest && len(body) <= maxName:
		p, err := s.srv.kernel.NewProcess(nameOf(body))
		if err != nil {
			s.answerShake(h.reqno, abi.ToErrno(err))
			return nil, 0, err
		}
		return p, h.reqno, nil
	case h.word == shakeFork && len(body) == shakeForkSize:
		p := s.srv.claim([authSize]byte(body), nil)
		if p == nil {
			return refuse(errPrefork, "no such prefork")
		}
		if binary.LittleEndian.Uint32(body[authSize:]) != 0 {
			p.Exit()
			s.answerShake(h.reqno, 0)
			return nil, 0, nil
		}
		return p, h.reqno, nil
	case h.word == shakeGuest || h.word == shakeFork:
		return refuse(errMalformed, "handshake %d with a body of %d bytes", h.word, len(body))
	}
	return refuse(errAuth, "handshake %d", h.word)
}

// answerShake answers a handshake outside of tasks.
func (s *session) answerShake(reqno uint64, e abi.Errno) {
	var out batch
	out.buf = appendHeader(out.buf, classResp, typeHandshake, reqno, 0, shakeRespSize)
	out.buf = binary.LittleEndian.AppendUint32(out.buf, uint32(e))
	_ = s.st.send(&out, nil) // the connection is closed anyway
}

// nameOf returns the name in the body of a handshake: up to its NUL.
func nameOf(body []byte) string {
	name, _, _ := strings.Cut(string(body), "\x00")
	return name
}

// prefork is a process that was forked and waits for its client.
type prefork struct {
	proc  Process
	owner *session
}

// preforkTask is a PREFORK request.
type preforkTask struct {
	s     *session
	reqno uint64
}

func (t *preforkTask) refuse() uint64 { return t.reqno }

func (t *preforkTask) run() {
	auth, word := t.s.srv.prefork(t.s)
	var out batch
	if word != 0 {
		out.buf = appendError(out.buf, t.reqno, word)
	} else {
		out.buf = appendHeader(out.buf, classResp, typePrefork, t.reqno, 0, authSize)
		out.buf = append(out.buf, auth[:]...)
	}
	t.s.respond(&out, false)
}

// prefork forks the process of a session and keeps the child under a secret.
// It returns the word of an ERROR frame if it cannot.
func (srv *Server) prefork(s *session) (auth [authSize]byte, word uint32) {
	s.mu.Lock()
	full := s.preforks >= srv.cfg.MaxPreforks
	if !full {
		s.preforks++
	}
	s.mu.Unlock()
	if full {
		return auth, errFork
	}
	p, err := s.proc.Fork()
	if err != nil {
		s.mu.Lock()
		s.preforks--
		s.mu.Unlock()
		if abi.ToErrno(err) == abi.ENOMEM {
			return auth, errNoMem
		}
		return auth, errFork
	}
	rand.Read(auth[:]) // never fails
	srv.mu.Lock()
	srv.preforks[auth] = &prefork{proc: p, owner: s}
	srv.mu.Unlock()
	s.mu.Lock()
	dead := s.dead
	s.mu.Unlock()
	if dead {
		srv.dropPreforks(s) // it may have looked before
	}
	return auth, 0
}

// claim takes a process out of the preforks. With an owner it takes only that
// session's.
func (srv *Server) claim(auth [authSize]byte, owner *session) Process {
	srv.mu.Lock()
	pf := srv.preforks[auth]
	if pf == nil || owner != nil && pf.owner != owner {
		srv.mu.Unlock()
		return nil
	}
	delete(srv.preforks, auth)
	srv.mu.Unlock()
	pf.owner.mu.Lock()
	pf.owner.preforks--
	pf.owner.mu.Unlock()
	return pf.proc
}

// dropPreforks ends the processes that a session forked and nobody claimed.
func (srv *Server) dropPreforks(s *session) {
	var dropped []Process
	srv.mu.Lock()
	for auth, pf := range srv.preforks {
		if pf.owner == s {
			delete(srv.preforks, auth)
			dropped = append(dropped, pf.proc)
		}
	}
	srv.mu.Unlock()
	for _, p := range dropped {
		p.Exit()
	}
}

// cancelTask is a HANDSHAKE/FORK with cancel on the connection that asked for
// the prefork, when there is no other.
type cancelTask struct {
	s     *session
	reqno uint64
	auth  [authSize]byte
}

func (t *cancelTask) refuse() uint64 { return t.reqno }

func (t *cancelTask) run() {
	var out batch
	if p := t.s.srv.claim(t.auth, t.s); p != nil {
		p.Exit()
		out.buf = appendHeader(out.buf, classResp, typeHandshake, t.reqno, 0, shakeRespSize)
		out.buf = binary.LittleEndian.AppendUint32(out.buf, 0)
	} else {
		out.buf = appendError(out.buf, t.reqno, errPrefork)
	}
	t.s.respond(&out, false)
}

// execTask is a HANDSHAKE/EXEC request.
type execTask struct {
	s     *session
	reqno uint64
	name  string
}

func (t *execTask) refuse() uint64 { return t.reqno }

// run waits until the process's other threads have left, which Memory.Done
// tells them to, and then has the kernel do its part. No task was admitted
// since this one.
func (t *execTask) run() {
	s := t.s
	s.mu.Lock()
	s.interrupt()
	if s.running > 1 {
		s.handOver()
	}
	s.mu.Unlock()
	s.await(1, nil)
	err := s.proc.Exec(t.name)
	s.mu.Lock()
	s.inExec = false
	if !s.dead && !s.stopping {
		s.done, s.finished = make(chan struct{}), false
	}
	s.mu.Unlock()
	var out batch
	out.buf = appendHeader(out.buf, classResp, typeHandshake, t.reqno, 0, shakeRespSize)
	out.buf = binary.LittleEndian.AppendUint32(out.buf, uint32(abi.ToErrno(err)))
	s.respond(&out, false)
}
