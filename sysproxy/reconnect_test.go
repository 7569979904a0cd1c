package sysproxy

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// flaky is a server that answers calls as their number says: 1 with the number
// of the connection, 2 by closing it.
func flaky(t *testing.T, names *sync.Map) string {
	var conns atomic.Uint64
	return scripted(t, func(s *rawServer) {
		n := conns.Add(1)
		s.conn.Write([]byte(oldBanner))
		h, body, ok := s.next()
		if !ok {
			return
		}
		names.Store(n, nameOf(body))
		s.conn.Write(frame(classResp, typeHandshake, h.reqno, 0, make([]byte, 4)))
		for {
			h, _, ok := s.next()
			if !ok || h.typ == typeSyscall && h.word == 2 {
				return
			}
			if h.typ == typeHandshake {
				s.conn.Write(frame(classResp, typeHandshake, h.reqno, 0, make([]byte, 4)))
				continue
			}
			s.conn.Write(appendSysResp(nil, h.reqno, [2]uint64{n}, 0))
		}
	})
}

func TestNoReconnect(t *testing.T) {
	var names sync.Map
	c, err := Dial(context.Background(), flaky(t, &names), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Do(c.NewCall(2)); err == nil {
		t.Error("a call without an answer succeeded")
	}
	if err := c.Do(c.NewCall(1)); err == nil {
		t.Error("a call without a connection succeeded")
	}
}

// TestReconnect: a lost connection is replaced, by a new process under the
// present name, and the call is made again.
func TestReconnect(t *testing.T) {
	var names sync.Map
	for _, policy := range []time.Duration{ReconnectForever, ReconnectOnce, time.Minute} {
		c, err := Dial(context.Background(), flaky(t, &names), "first", WithReconnect(policy))
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := do(t, c, 1); n != 1 {
			t.Errorf("connection %d", n)
		}
		if err := c.Exec("second"); err != nil {
			t.Fatal(err)
		}
		c.link.Load().st.conn.Close()
		if n, _ := do(t, c, 1); n != 2 {
			t.Errorf("connection %d", n)
		}
		if name, _ := names.Load(uint64(2)); name != "second" {
			t.Errorf("reconnected as %v", name)
		}
		c.Close()
		if err := c.Do(c.NewCall(1)); err == nil {
			t.Error("a call after Close succeeded")
		}
	}
}

// TestReconnectGivesUp: for a time, and then not; and a server that comes back
// in that time is found.
func TestReconnectGivesUp(t *testing.T) {
	url := unixURL(t)
	watchGoroutines(t)
	serve := func() (*Server, Listener) {
		srv, err := NewServer(newToyKernel(), ServerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := Listen(url)
		if err != nil {
			t.Fatal(err)
		}
		go srv.Serve(l)
		return srv, l
	}
	srv, _ := serve()
	var mu sync.Mutex
	var log []string
	logged := make(chan struct{}, 100)
	logf := func(format string, args ...any) {
		mu.Lock()
		log = append(log, fmt.Sprintf(format, args...))
		mu.Unlock()
		logged <- struct{}{}
	}
	c, err := Dial(context.Background(), url, "x", WithReconnect(time.Minute), WithLog(logf))
	if err != nil {
		t.Fatal(err)
	}
	short, err := Dial(context.Background(), url, "x", WithReconnect(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	srv.Shutdown(context.Background())
	if err := short.Do(short.NewCall(sysGetpid)); err == nil {
		t.Error("a call without a server succeeded")
	}
	short.Close()
	result := make(chan error)
	go func() { result <- c.Do(c.NewCall(sysGetpid)) }()
	<-logged // it tries
	srv, _ = serve()
	if err := <-result; err != nil {
		t.Error(err)
	}
	srv.Shutdown(context.Background())
	mu.Lock()
	if s := strings.Join(log, "\n"); s != "rump_sp: connection to kernel lost, trying to reconnect ...\nrump_sp: reconnected!" {
		t.Errorf("log: %s", s)
	}
	mu.Unlock()

	// Close ends the trying.
	go func() { result <- c.Do(c.NewCall(sysGetpid)) }()
	<-logged
	<-logged
	c.Close()
	if err := <-result; err == nil {
		t.Error("a call succeeded after Close")
	}
	isErr(t, c.Do(c.NewCall(sysGetpid)), net.ErrClosed)
}
