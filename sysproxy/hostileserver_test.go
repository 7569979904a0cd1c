package sysproxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	oldBanner = "RUMPSP-0.4-NetBSD-7.99.34/amd64\n"
	newBanner = "RUMPSP-0.4-NetBSD-7.99.34/amd64 +prefetch\n"
)

// rawServer serves one connection by a script. What the client sends is
// recorded.
type rawServer struct {
	rawClient // frame, send, read work in both directions
	sent      bytes.Buffer
}

// scripted starts a server that runs script for each connection and closes it
// then. It returns its URL.
func scripted(t testing.TB, script func(s *rawServer)) string {
	t.Helper()
	watchGoroutines(t)
	url := unixURL(t)
	l, err := net.Listen("unix", strings.TrimPrefix(url, "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(30 * time.Second))
			s := &rawServer{}
			s.rawClient = rawClient{t, recorder{conn, &s.sent}}
			script(s)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-over
	})
	return url
}

// recorder keeps what is read.
type recorder struct {
	net.Conn
	w *bytes.Buffer
}

func (r recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.w.Write(p[:n])
	return n, err
}

// next reads a frame, or reports that the client has closed the connection.
func (s *rawServer) next() (header, []byte, bool) {
	b := make([]byte, headerSize)
	if _, err := io.ReadFull(s.conn, b); err != nil {
		return header{}, nil, false
	}
	h, err := decodeHeader(b, 1<<30)
	if err != nil {
		s.t.Error(err)
		return h, nil, false
	}
	body := make([]byte, h.body())
	if _, err := io.ReadFull(s.conn, body); err != nil {
		return h, nil, false
	}
	return h, body, true
}

// greet sends the banner and answers the handshake.
func (s *rawServer) greet(banner string) bool {
	s.conn.Write([]byte(banner))
	h, _, ok := s.next()
	if ok {
		s.conn.Write(frame(classResp, typeHandshake, h.reqno, 0, make([]byte, 4)))
	}
	return ok
}

func TestHostileBanners(t *testing.T) {
	for _, tt := range []struct{ send, text string }{
		{"", "EOF"},
		{"RUMPSP-0.4-Net", "EOF"},
		{strings.Repeat("x", 200), "no banner"},
		{strings.Repeat("x", 200) + "\n", "no banner"},
		{"220 smtp.example.com ESMTP\n", "not a rump kernel's"},
		{"RUMPSP-7.0-NetBSD-9/amd64\n", "unknown version"},
		{"\n", "empty"},
	} {
		url := scripted(t, func(s *rawServer) { s.conn.Write([]byte(tt.send)) })
		_, err := Dial(context.Background(), url, "x")
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%q: %v", tt.send, err)
		}
	}
}

func TestHostileHandshakeAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(n uint64) []byte
		want   error // nil: any
	}{
		{"refused", func(n uint64) []byte { return frame(classError, 0, n, errAuth, nil) }, abi.EPERM},
		{"no memory", func(n uint64) []byte { return frame(classError, 0, n, errNoMem, nil) }, abi.ENOMEM},
		{"strange error", func(n uint64) []byte { return frame(classError, 0, n, 1<<31, nil) }, abi.EINVAL},
		{"error 0", func(n uint64) []byte { return frame(classError, 0, n, 0, nil) }, abi.EINVAL},
		{"errno", func(n uint64) []byte { return frame(classResp, typeHandshake, n, 0, []byte{13, 0, 0, 0}) }, abi.EACCES},
		{"short", func(n uint64) []byte { return frame(classResp, typeHandshake, n, 0, []byte{0, 0}) }, nil},
		{"long", func(n uint64) []byte { return frame(classResp, typeHandshake, n, 0, make([]byte, 24)) }, nil},
		{"other type", func(n uint64) []byte { return frame(classResp, typeSyscall, n, 0, make([]byte, 24)) }, nil},
		{"other number", func(n uint64) []byte { return frame(classResp, typeHandshake, n+1, 0, make([]byte, 4)) }, nil},
		{"nothing", func(n uint64) []byte { return nil }, io.ErrUnexpectedEOF},
		{"half", func(n uint64) []byte { return frame(classResp, typeHandshake, n, 0, make([]byte, 4))[:26] }, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := scripted(t, func(s *rawServer) {
				s.conn.Write([]byte(oldBanner))
				if h, _, ok := s.next(); ok {
					s.conn.Write(tt.answer(h.reqno))
				}
			})
			_, err := Dial(context.Background(), url, "x")
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// TestDialTimeout: a server that says nothing is given up on.
func TestDialTimeout(t *testing.T) {
	url := scripted(t, func(s *rawServer) { s.next() })
	_, err := Dial(context.Background(), url, "x", WithDialTimeout(50*time.Millisecond))
	isErr(t, err, context.DeadlineExceeded)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Dial(ctx, url, "x")
	isErr(t, err, context.Canceled)
}

// TestHostileFramesFromServer: what breaks the protocol ends the connection;
// the call fails and nothing hangs.
func TestHostileFramesFromServer(t *testing.T) {
	resp := func(n uint64, size int) []byte { return frame(classResp, typeSyscall, n, 0, make([]byte, size)) }
	for name, send := range map[string]func(n uint64) []byte{
		"short answer":       func(n uint64) []byte { return resp(n, 23) },
		"long answer":        func(n uint64) []byte { return resp(n, 25) },
		"enormous answer":    func(n uint64) []byte { return words(1<<30, n, 1|typeSyscall<<16) },
		"empty answer":       func(n uint64) []byte { return resp(n, 0) },
		"other answer":       func(n uint64) []byte { return resp(n+1, 24) },
		"wrong type":         func(n uint64) []byte { return frame(classResp, typeCopyIn, n, 0, make([]byte, 24)) },
		"long error":         func(n uint64) []byte { return frame(classError, 0, n, 1, make([]byte, 4)) },
		"class 3":            func(n uint64) []byte { return frame(3, typeSyscall, n, 0, make([]byte, 24)) },
		"short length":       func(n uint64) []byte { return words(10, n, 1) },
		"huge length":        func(n uint64) []byte { return words(1<<63, n, 1) },
		"unknown request":    func(n uint64) []byte { return frame(classReq, 99, n, 0, nil) },
		"call":               func(n uint64) []byte { return syscallFrame(n, 1) },
		"prefork":            func(n uint64) []byte { return frame(classReq, typePrefork, n, 0, nil) },
		"COPYIN of nothing":  func(n uint64) []byte { return frame(classReq, typeCopyIn, n, 0, nil) },
		"COPYIN with data":   func(n uint64) []byte { return frame(classReq, typeCopyIn, n, 0, words(8, 0x1000, 0)) },
		"COPYIN of too much": func(n uint64) []byte { return frame(classReq, typeCopyIn, n, 0, words(1<<62, 0x1000)) },
		"COPYOUT of nothing": func(n uint64) []byte { return frame(classReq, typeCopyOut, n, 0, nil) },
		"COPYOUT too short":  func(n uint64) []byte { return frame(classReq, typeCopyOut, n, 0, words(9, 0x1000, 0)) },
		"COPYOUT too long":   func(n uint64) []byte { return frame(classReq, typeCopyOut, n, 0, words(7, 0x1000, 0)) },
		"COPYOUT endless":    func(n uint64) []byte { return words(1<<30, n, typeCopyOut<<16, 1<<30-40, 0x1000) },
		"ANONMMAP of 4":      func(n uint64) []byte { return frame(classReq, typeAnon, n, 0, make([]byte, 4)) },
		"RAISE with a body":  func(n uint64) []byte { return frame(classReq, typeRaise, n, 2, make([]byte, 4)) },
		"half a frame":       func(n uint64) []byte { return resp(n, 24)[:30] },
		"nothing":            func(n uint64) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			url := scripted(t, func(s *rawServer) {
				if !s.greet(oldBanner) {
					return
				}
				if h, _, ok := s.next(); ok {
					s.conn.Write(send(h.reqno))
				}
				if name != "half a frame" && name != "nothing" {
					io.Copy(io.Discard, s.conn) // until the client goes
				}
			})
			c, err := Dial(context.Background(), url, "x")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			call := c.NewCall(1)
			if err := c.Do(call); err == nil {
				t.Errorf("call: no error, %v", call.Err)
			}
			if err := c.Do(call); err == nil {
				t.Error("second call: no error")
			}
		})
	}
}

// mine is a buffer between two others that are nobody's business.
type mine struct{ all, b []byte }

func newMine() mine {
	all := bytes.Repeat([]byte("SECRET! "), 64)
	copy(all[128:], bytes.Repeat([]byte("lent____"), 8))
	return mine{all, all[128:192]}
}

// TestHostileReader: a server that asks for memory that was not lent for
// reading in this call gets zeroes, or a refusal if it may be refused.
func TestHostileReader(t *testing.T) {
	for _, banner := range []string{oldBanner, newBanner} {
		old := banner == oldBanner
		var stale uint64
		url := scripted(t, func(s *rawServer) {
			if !s.greet(banner) {
				return
			}
			reqno := uint64(0)
			ask := func(typ uint16, addr, n uint64) []byte {
				reqno++
				s.conn.Write(frame(classReq, typ, reqno, 0, words(n, addr)))
				h, body, ok := s.next()
				if !ok || h.reqno != reqno {
					s.t.Errorf("COPYIN of %d at %#x: %+v, %v", n, addr, h, ok)
					return nil
				}
				if h.class == classError {
					if old {
						s.t.Error("a 0.4 server was refused")
					}
					return nil
				}
				if h.class != classResp || h.typ != typeCopyIn || typ == typeCopyIn && uint64(len(body)) != n {
					s.t.Errorf("COPYIN of %d at %#x: %+v", n, addr, h)
				}
				return body
			}
			for {
				h, body, ok := s.next()
				if !ok {
					break
				}
				in := binary.LittleEndian.Uint64(body)
				out := binary.LittleEndian.Uint64(body[8:])
				if !bytes.Equal(ask(typeCopyIn, in, 64), bytes.Repeat([]byte("lent____"), 8)) {
					s.t.Error("what is lent was not given")
				}
				for _, at := range []uint64{in - 8, in - 64, in + 64, in + 65, out, out + 8, 0, 8, 1<<32 - 1, 1<<64 - 8, stale, stale + 8} {
					if at == 0 && stale == 0 {
						continue
					}
					for _, n := range []uint64{1, 8, 64, 4096} {
						for _, typ := range []uint16{typeCopyIn, typeCopyInStr} {
							if b := ask(typ, at, n); len(bytes.Trim(b, "\x00")) != 0 {
								s.t.Errorf("%q at %#x (in %#x out %#x)", b, at, in, out)
							}
						}
					}
				}
				over := ask(typeCopyIn, in+8, 128)
				if !old && over != nil || old && !bytes.Equal(over[:56], bytes.Repeat([]byte("lent____"), 7)) || old && len(bytes.Trim(over[56:], "\x00")) != 0 {
					s.t.Errorf("beyond the end: %q", over)
				}
				stale = in
				s.conn.Write(appendSysResp(nil, h.reqno, [2]uint64{}, 0))
			}
			if bytes.Contains(s.sent.Bytes(), []byte("SECRET")) {
				s.t.Error("memory that was not lent was sent")
			}
		})
		c, err := Dial(context.Background(), url, "x")
		if err != nil {
			t.Fatal(err)
		}
		m, w := newMine(), newMine()
		for range 2 {
			call := c.NewCall(1)
			call.Args(call.In(m.b), call.Out(w.b))
			want(t, c, call, 0)
		}
		c.Close()
	}
}

// TestHostileWriter: a server that writes where nothing was lent for writing in
// this call writes nothing.
func TestHostileWriter(t *testing.T) {
	var stale uint64
	evil := bytes.Repeat([]byte{0xee}, 256)
	url := scripted(t, func(s *rawServer) {
		if !s.greet(oldBanner) {
			return
		}
		put := func(typ uint16, addr uint64, b []byte) {
			s.conn.Write(frame(classReq, typ, 1, 0, append(words(uint64(len(b)), addr), b...)))
		}
		for {
			h, body, ok := s.next()
			if !ok {
				return
			}
			in := binary.LittleEndian.Uint64(body)
			out := binary.LittleEndian.Uint64(body[8:])
			for _, at := range []uint64{in, in + 8, out - 1, out + 1, out + 64, out - 64, 0, 1<<64 - 8, stale} {
				put(typeCopyOut, at, evil[:64])
				put(typeCopyOutStr, at, evil[:64])
			}
			put(typeCopyOut, out, evil[:65])
			put(typeCopyOut, out, evil[:0])
			put(typeCopyOut, out+8, []byte("written"))
			stale = out
			s.conn.Write(appendSysResp(nil, h.reqno, [2]uint64{}, 0))
		}
	})
	c, err := Dial(context.Background(), url, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, w := newMine(), newMine()
	hadM, hadW := bytes.Clone(m.all), bytes.Clone(w.all)
	copy(hadW[136:], "written")
	for range 2 {
		call := c.NewCall(1)
		call.Args(call.In(m.b), call.Out(w.b))
		want(t, c, call, 0)
		if !bytes.Equal(m.all, hadM) || !bytes.Equal(w.all, hadW) {
			t.Fatalf("memory was changed:\n%q\n%q", m.all, w.all)
		}
		call = c.NewCall(1)
		call.Args(call.In(nil), call.Out(nil))
		want(t, c, call, 0)
		if !bytes.Equal(w.all, hadW) {
			t.Fatalf("memory of an earlier call was changed:\n%q", w.all)
		}
	}
}

// TestHostileAnon: a server that wants memory gets what the limit allows.
func TestHostileAnon(t *testing.T) {
	url := scripted(t, func(s *rawServer) {
		if !s.greet(oldBanner) {
			return
		}
		h, _, _ := s.next()
		anon := func(n uint64) uint64 {
			s.conn.Write(frame(classReq, typeAnon, 5, 0, words(n)))
			h, b, ok := s.next()
			if !ok || h.class != classResp || h.typ != typeAnon || h.reqno != 5 || len(b) != 8 {
				s.t.Errorf("%+v %x %v", h, b, ok)
				return 0
			}
			return binary.LittleEndian.Uint64(b)
		}
		for _, n := range []uint64{0, 1 << 20, 1 << 40, 1<<64 - 1, 1001} {
			if at := anon(n); at != 0 {
				s.t.Errorf("%d bytes at %#x", n, at)
			}
		}
		a, b := anon(600), anon(400)
		if a == 0 || b == 0 || anon(1) != 0 {
			s.t.Errorf("%#x %#x", a, b)
		}
		s.conn.Write(appendSysResp(nil, h.reqno, [2]uint64{a, b}, 0))
	})
	c, err := Dial(context.Background(), url, "x", WithMaxAnon(1000))
	if err != nil {
		t.Fatal(err)
	}
	call := c.NewCall(1)
	if err := c.Do(call); err != nil {
		t.Fatal(err)
	}
	if b, ok := c.Mapped(call.Ret[0], 600); !ok || len(b) != 600 {
		t.Error("memory is not there")
	}
	if _, ok := c.Mapped(call.Ret[0], 601); ok {
		t.Error("more memory is there")
	}
	c.Close()
	if _, ok := c.Mapped(call.Ret[0], 1); ok {
		t.Error("memory is there after Close")
	}
}

// TestCloseUnblocks: a server that never answers holds nobody once the
// connection is closed.
func TestCloseUnblocks(t *testing.T) {
	url := scripted(t, func(s *rawServer) {
		if s.greet(oldBanner) {
			io.Copy(io.Discard, s.conn)
		}
	})
	c, err := Dial(context.Background(), url, "x")
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 5)
	for range cap(errs) {
		go func() { errs <- c.Do(c.NewCall(1)) }()
	}
	await(t, "all are under way", func() bool {
		l := c.link.Load()
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.flights) == cap(errs)
	})
	c.Close()
	for range cap(errs) {
		isErr(t, <-errs, net.ErrClosed)
	}
}

// TestTryAgainAlone: a server that has no room although nothing else is under
// way gives EAGAIN.
func TestTryAgainAlone(t *testing.T) {
	url := scripted(t, func(s *rawServer) {
		if !s.greet(oldBanner) {
			return
		}
		for {
			h, _, ok := s.next()
			if !ok {
				return
			}
			s.conn.Write(appendError(nil, h.reqno, errTryAgain))
		}
	})
	c, err := Dial(context.Background(), url, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := do(t, c, 1); err != abi.EAGAIN {
		t.Errorf("%v", err)
	}
}
