package sysproxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// rawClient speaks to a server byte by byte, well or badly.
type rawClient struct {
	t    testing.TB
	conn net.Conn
}

// rawDial connects and reads the banner.
func rawDial(t testing.TB, url string) *rawClient {
	t.Helper()
	conn, err := net.Dial("unix", strings.TrimPrefix(url, "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	c := &rawClient{t, conn}
	var line []byte
	for !bytes.HasSuffix(line, []byte("\n")) {
		line = append(line, c.read(1)...)
	}
	return c
}

// rawProcess also shakes hands.
func rawProcess(t testing.TB, url, name string) *rawClient {
	t.Helper()
	c := rawDial(t, url)
	c.send(frame(classReq, typeHandshake, 1, shakeGuest, nameBody(name)))
	if h, body := c.frame(); h.class != classResp || h.typ != typeHandshake || h.reqno != 1 || !bytes.Equal(body, make([]byte, 4)) {
		t.Fatalf("handshake: %+v %x", h, body)
	}
	return c
}

func frame(class, typ uint16, reqno uint64, word uint32, body []byte) []byte {
	return append(appendHeader(nil, class, typ, reqno, word, len(body)), body...)
}

func words(v ...uint64) []byte {
	var b []byte
	for _, w := range v {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

func syscallFrame(reqno uint64, num int, args ...uint64) []byte {
	return frame(classReq, typeSyscall, reqno, uint32(num), words(args...))
}

func (c *rawClient) send(b ...[]byte) {
	c.t.Helper()
	if _, err := c.conn.Write(bytes.Join(b, nil)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawClient) read(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c.conn, b); err != nil {
		c.t.Fatalf("reading %d bytes: %v", n, err)
	}
	return b
}

func (c *rawClient) frame() (header, []byte) {
	c.t.Helper()
	h, err := decodeHeader(c.read(headerSize), 1<<30)
	if err != nil {
		c.t.Fatal(err)
	}
	return h, c.read(int(h.body()))
}

// result reads the answer to a system call.
func (c *rawClient) result(reqno uint64) (ret uint64, errno abi.Errno) {
	c.t.Helper()
	h, body := c.frame()
	if h.class != classResp || h.typ != typeSyscall || h.reqno != reqno || len(body) != sysRespSize {
		c.t.Fatalf("answer to call %d: %+v %x", reqno, h, body)
	}
	if !bytes.Equal(body[4:8], make([]byte, 4)) {
		c.t.Errorf("padding is %x", body[4:8])
	}
	return binary.LittleEndian.Uint64(body[8:]), abi.Errno(binary.LittleEndian.Uint32(body))
}

// refused reads an ERROR frame.
func (c *rawClient) refused(reqno uint64, word uint32) {
	c.t.Helper()
	if h, _ := c.frame(); h.class != classError || h.reqno != reqno || h.word != word || h.len != headerSize {
		c.t.Fatalf("%+v, want ERROR %d", h, word)
	}
}

// dropped waits until the server has closed the connection, skipping what it
// sent before.
func (c *rawClient) dropped() {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c.conn); err != nil && !errors.Is(err, net.ErrClosed) && !isReset(err) {
		c.t.Fatalf("connection was not closed: %v", err)
	}
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }

// unharmed checks that a server serves others and that hostile processes are
// gone: only good is left.
func unharmed(t testing.TB, s *toyServer, good *Conn) {
	t.Helper()
	if _, err := do(t, good, sysGetpid); err != 0 {
		t.Errorf("another client: %v", err)
	}
	await(t, "only the good client is left", func() bool { return s.Stats().Clients == 1 && s.k.count() == 1 })
}

// TestHostileHandshakes: what a client may not say first. Each loses its
// connection.
func TestHostileHandshakes(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	good := dial(t, s)
	shake := func(word uint32, body []byte) []byte { return frame(classReq, typeHandshake, 5, word, body) }
	for _, tt := range []struct {
		name string
		send []byte
		word uint32 // of the ERROR frame, 0: none
	}{
		{"call first", syscallFrame(5, sysGetpid), errAuth},
		{"prefork first", frame(classReq, typePrefork, 5, 0, nil), errAuth},
		{"answer first", frame(classResp, typeHandshake, 5, 0, make([]byte, 4)), errAuth},
		{"error first", frame(classError, 0, 5, 1, nil), errAuth},
		{"AUTH", shake(shakeAuth, nameBody("x")), errAuth},
		{"EXEC first", shake(shakeExec, nameBody("x")), errAuth},
		{"unknown kind", shake(77, nameBody("x")), errAuth},
		{"long name", shake(shakeGuest, bytes.Repeat([]byte("x"), 5000)), errMalformed},
		{"FORK without body", shake(shakeFork, nil), errMalformed},
		{"FORK with half a body", shake(shakeFork, make([]byte, 16)), errMalformed},
		{"FORK with too much", shake(shakeFork, make([]byte, 21)), errMalformed},
		{"FORK of nothing", shake(shakeFork, make([]byte, 20)), errPrefork},
		{"cancel of nothing", shake(shakeFork, forkBody(make([]byte, 16), 1)), errPrefork},
		{"short length", words(23, 5, 0), 0},
		{"no length", words(0, 5, 0), 0},
		{"long length", words(1<<20, 5, 0), 0},
		{"huge length", words(1<<63+8, 5, 0), 0},
		{"garbage", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := rawDial(t, s.url)
			c.send(tt.send)
			if tt.word != 0 {
				c.refused(5, tt.word)
			}
			c.dropped()
			unharmed(t, s, good)
		})
	}
	t.Run("vanish", func(t *testing.T) {
		rawDial(t, s.url).conn.Close()
		c := rawDial(t, s.url)
		c.send(shake(shakeGuest, nameBody("x"))[:25])
		c.conn.Close()
		unharmed(t, s, good)
	})
}

// TestOddHandshakes: what a C server crashes on or takes as it is.
func TestOddHandshakes(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	for body, name := range map[string]string{"": "", "\x00": "", "noNUL": "noNUL", "a\x00b\x00": "a"} {
		c := rawDial(t, s.url)
		c.send(frame(classReq, typeHandshake, 1<<63, shakeGuest, []byte(body)))
		if h, b := c.frame(); h.class != classResp || h.reqno != 1<<63 || !bytes.Equal(b, make([]byte, 4)) {
			t.Errorf("%q: %+v", body, h)
		}
		if s.k.find(name) == nil {
			t.Errorf("%q: no process is called %q", body, name)
		}
		c.conn.Close()
		await(t, "it is gone", func() bool { return s.k.count() == 0 })
	}
	s.k.mu.Lock()
	s.k.refuse = abi.EAGAIN
	s.k.mu.Unlock()
	c := rawDial(t, s.url)
	c.send(frame(classReq, typeHandshake, 1, shakeGuest, nameBody("x")))
	if h, b := c.frame(); h.class != classResp || binary.LittleEndian.Uint32(b) != uint32(abi.EAGAIN) {
		t.Errorf("kernel without room: %+v %x", h, b)
	}
	c.dropped()
}

// TestSilence: a client that does not shake hands, or stops within a frame,
// loses its connection; one that is silent between frames does not.
func TestSilence(t *testing.T) {
	s := startServer(t, "", ServerConfig{HandshakeTimeout: 50 * time.Millisecond, FrameTimeout: 50 * time.Millisecond})
	idle := dial(t, s)
	silent := rawDial(t, s.url)
	half := rawDial(t, s.url)
	half.send(words(100)[:7])
	silent.dropped()
	half.dropped()
	for _, f := range [][]byte{
		syscallFrame(2, sysGetpid)[:1],
		syscallFrame(2, sysGetpid)[:23],
		syscallFrame(2, sysSum, 1, 2, 3)[:30],
	} {
		c := rawProcess(t, s.url, "half")
		c.send(f)
		c.dropped()
	}
	c := rawProcess(t, s.url, "half an answer")
	c.send(syscallFrame(2, sysCopyIn, 0x1000, 100))
	h, _ := c.frame()
	c.send(frame(classResp, typeCopyIn, h.reqno, 0, make([]byte, 100))[:60])
	c.dropped()
	unharmed(t, s, idle)
	if v := s.Stats().Violations; v < 4 {
		t.Errorf("%d violations were counted", v)
	}
}

// TestHostileFrames: what breaks the protocol on a running connection.
func TestHostileFrames(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	good := dial(t, s)
	prefetch := func(section ...[]byte) []byte {
		return frame(classReq, typeSyscall, 9, sysSum, append(words(1, 2), bytes.Join(section, nil)...))
	}
	trailer := func(args, count uint32) []byte {
		return words(uint64(args)|uint64(count)<<32, prefetchMagic)
	}
	for name, send := range map[string][]byte{
		"no length":               words(0, 1, 0),
		"short length":            words(23, 1, 0),
		"long request":            words(200<<10, 1, 0),
		"huge request":            words(1<<62, 1, 0),
		"negative length":         words(1<<64-1, 1, 0),
		"class 3":                 frame(3, typeSyscall, 1, 0, nil),
		"class 65535":             frame(65535, 0, 1, 0, nil),
		"answer to nothing":       frame(classResp, typeCopyIn, 0, 0, make([]byte, 8)),
		"huge answer to nothing":  words(1<<60, 0, 1|typeCopyIn<<16),
		"error for nothing":       frame(classError, 0, 77, 1, nil),
		"second GUEST":            frame(classReq, typeHandshake, 2, shakeGuest, nameBody("again")),
		"FORK when running":       frame(classReq, typeHandshake, 2, shakeFork, make([]byte, 20)),
		"unknown handshake":       frame(classReq, typeHandshake, 2, 99, nil),
		"EXEC with a long name":   frame(classReq, typeHandshake, 2, shakeExec, make([]byte, 5000)),
		"prefetch of nothing":     prefetch(trailer(16, 0)),
		"prefetch of too many":    prefetch(trailer(16, maxPrefetched+1)),
		"prefetch before args":    prefetch(trailer(24, 1)),
		"prefetch in an argument": prefetch(words(1<<32, 1, 0), trailer(20, 1)),
		"prefetch too long":       prefetch(words(1<<32, 9, 0), trailer(16, 1)),
		"prefetch endless":        prefetch(words(1<<32, 1<<63, 0), trailer(16, 1)),
		"prefetch of no bytes":    prefetch(words(1<<32, 0), trailer(16, 1)),
		"prefetch without length": prefetch(words(1<<32), trailer(16, 1)),
		"prefetch that wraps":     prefetch(words(1<<64-4, 8, 0), trailer(16, 1)),
		"prefetch that overlaps":  prefetch(words(1<<32, 8, 0, 1<<32+7, 1, 0), trailer(16, 2)),
		"prefetch that descends":  prefetch(words(1<<33, 8, 0, 1<<32, 8, 0), trailer(16, 2)),
		"prefetch of one too few": prefetch(words(1<<32, 8, 0, 1<<33, 8, 0), trailer(16, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			c := rawProcess(t, s.url, "hostile")
			c.send(send)
			c.dropped()
			unharmed(t, s, good)
		})
	}
}

// TestUnknownRequests: frames that are well-formed but mean nothing are refused
// as a C server does, and the connection goes on.
func TestUnknownRequests(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := rawProcess(t, s.url, "x")
	for _, typ := range []uint16{typeCopyIn, typeCopyInStr, typeCopyOut, typeCopyOutStr, typeAnon, typeRaise, 9, 65535} {
		c.send(frame(classReq, typ, 1000+uint64(typ), 0, []byte("whatever")))
		c.refused(1000+uint64(typ), errMalformed)
	}
	c.send(syscallFrame(3, sysGetpid))
	if v, err := c.result(3); v != 1 || err != 0 {
		t.Errorf("getpid: %d, %v", v, err)
	}
}

// TestOddRequests: arguments that are too few, too many, or not whole.
func TestOddRequests(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := rawProcess(t, s.url, "x")
	many := make([]uint64, 1000)
	for i := range many {
		many[i] = 1
	}
	for i, tt := range []struct {
		body []byte
		sum  uint64
	}{
		{nil, 0}, {words(5), 5}, {[]byte{1, 2, 3}, 0}, {append(words(5), 1, 2, 3), 5},
		{words(many...), MaxArgs}, {words(prefetchMagic), prefetchMagic}, {words(1, prefetchMagic+1), prefetchMagic + 2},
	} {
		n := uint64(i + 2)
		c.send(frame(classReq, typeSyscall, n, sysSum, tt.body))
		if v, err := c.result(n); v != tt.sum || err != 0 {
			t.Errorf("%d bytes: %d, %v", len(tt.body), v, err)
		}
	}
	c.send(frame(classReq, typeSyscall, 99, 1<<31, nil))
	if _, err := c.result(99); err != abi.ENOSYS {
		t.Errorf("negative number: %v", err)
	}
}

// TestHostileAnswers: answers to a COPYIN that are not what was asked.
func TestHostileAnswers(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	good := dial(t, s)
	for name, answer := range map[string]func(reqno uint64) []byte{
		"short":       func(n uint64) []byte { return frame(classResp, typeCopyIn, n, 0, make([]byte, 63)) },
		"long":        func(n uint64) []byte { return frame(classResp, typeCopyIn, n, 0, make([]byte, 65)) },
		"empty":       func(n uint64) []byte { return frame(classResp, typeCopyIn, n, 0, nil) },
		"enormous":    func(n uint64) []byte { return words(1<<61, n, 1|typeCopyIn<<16) },
		"wrong type":  func(n uint64) []byte { return frame(classResp, typeAnon, n, 0, make([]byte, 64)) },
		"handshake":   func(n uint64) []byte { return frame(classResp, typeHandshake, n, 0, make([]byte, 64)) },
		"other reqno": func(n uint64) []byte { return frame(classResp, typeCopyIn, n+1, 0, make([]byte, 64)) },
		"long error":  func(n uint64) []byte { return frame(classError, 0, n, 1, make([]byte, 64)) },
		"class 9":     func(n uint64) []byte { return frame(9, typeCopyIn, n, 0, make([]byte, 64)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := rawProcess(t, s.url, "hostile")
			c.send(syscallFrame(2, sysCopyIn, 0x1000, 64))
			h, body := c.frame()
			if h.class != classReq || h.typ != typeCopyIn || !bytes.Equal(body, words(64, 0x1000)) {
				t.Fatalf("%+v %x", h, body)
			}
			c.send(answer(h.reqno))
			c.dropped()
			unharmed(t, s, good)
		})
	}
	t.Run("string too long", func(t *testing.T) {
		c := rawProcess(t, s.url, "hostile")
		c.send(syscallFrame(2, sysCopyStr, 0x1000, 64))
		h, _ := c.frame()
		c.send(frame(classResp, typeCopyIn, h.reqno, 0, make([]byte, 65)))
		c.dropped()
		unharmed(t, s, good)
	})
	t.Run("twice", func(t *testing.T) {
		c := rawProcess(t, s.url, "hostile")
		c.send(syscallFrame(2, sysCopyIn, 0x1000, 64))
		h, _ := c.frame()
		a := frame(classResp, typeCopyIn, h.reqno, 0, make([]byte, 64))
		c.send(a, a)
		c.dropped()
		unharmed(t, s, good)
	})
	t.Run("none", func(t *testing.T) {
		c := rawProcess(t, s.url, "hostile")
		c.send(syscallFrame(2, sysCopyIn, 0x1000, 64))
		c.frame()
		c.conn.Close()
		unharmed(t, s, good)
	})
}

// TestErrorAnswers: a client that answers with an ERROR frame has its call
// fail, where a C server would wait for ever.
func TestErrorAnswers(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := rawProcess(t, s.url, "x")
	for i, tt := range []struct {
		num  int
		want abi.Errno
	}{{sysCopyIn, abi.EFAULT}, {sysCopyStr, abi.EFAULT}, {sysWrite, abi.EFAULT}, {sysAnon, abi.ENOMEM}} {
		n := uint64(i + 2)
		c.send(syscallFrame(n, tt.num, 0x1000, 64))
		h, _ := c.frame()
		c.send(frame(classError, 0, h.reqno, errNoMem, nil))
		if _, err := c.result(n); err != tt.want {
			t.Errorf("call %d: %v", tt.num, err)
		}
	}
	// A string that has no NUL, as a C client sends it.
	c.send(syscallFrame(20, sysCopyStr, 0x1000, 4))
	h, _ := c.frame()
	c.send(frame(classResp, typeCopyIn, h.reqno, 0, []byte("abcd")))
	if _, err := c.result(20); err != abi.ENAMETOOLONG {
		t.Errorf("string without a NUL: %v", err)
	}
	c.send(syscallFrame(21, sysAnon, 0x1000))
	h, _ = c.frame()
	c.send(frame(classResp, typeAnon, h.reqno, 0, words(0)))
	if _, err := c.result(21); err != abi.ENOMEM {
		t.Errorf("ANONMMAP that failed: %v", err)
	}
}

// TestInterleaved: calls in flight wait for COPYINs that are answered in another
// order, while more calls come.
func TestInterleaved(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := rawProcess(t, s.url, "x")
	const n = 5
	var asked []header
	for i := range uint64(n) {
		c.send(syscallFrame(10+i, sysPeek, 0x1000*i, 8))
		h, body := c.frame()
		if h.typ != typeCopyIn || !bytes.Equal(body, words(8, 0x1000*i)) {
			t.Fatalf("%+v %x", h, body)
		}
		asked = append(asked, h)
		c.send(syscallFrame(100+i, sysGetpid))
		if v, err := c.result(100 + i); v != 1 || err != 0 {
			t.Errorf("getpid: %d, %v", v, err)
		}
	}
	for i := n - 1; i >= 0; i-- {
		b := bytes.Repeat([]byte{byte(i)}, 8)
		c.send(frame(classResp, typeCopyIn, asked[i].reqno, 0, b))
		if v, err := c.result(10 + uint64(i)); v != sumBytes(b) || err != 0 {
			t.Errorf("call %d: %d, %v", i, v, err)
		}
	}
}

// TestDribble sends everything a byte at a time.
func TestDribble(t *testing.T) {
	s := startServer(t, "", ServerConfig{})
	c := rawProcess(t, s.url, "x")
	dribble := func(b []byte) {
		for i := range b {
			c.send(b[i : i+1])
		}
	}
	dribble(syscallFrame(2, sysCopyIn, 0x1000, 40))
	h, _ := c.frame()
	dribble(frame(classResp, typeCopyIn, h.reqno, 0, pattern(40)))
	if v, err := c.result(2); v != 40 || err != 0 {
		t.Errorf("%d, %v", v, err)
	}
}

// TestTooManyCalls: calls over the limit are told to try again, and our client
// does when one of its others is done.
func TestTooManyCalls(t *testing.T) {
	s := startServer(t, "", ServerConfig{MaxCalls: 2})
	c := rawProcess(t, s.url, "x")
	c.send(syscallFrame(2, sysBlock), syscallFrame(3, sysSulk), syscallFrame(4, sysGetpid))
	c.refused(4, errTryAgain)
	c.conn.Close()
	await(t, "it is gone", func() bool { return s.k.count() == 0 })

	conn := dial(t, s)
	p := s.k.find(t.Name())
	results := make(chan abi.Errno, 8)
	for range cap(results) {
		go func() {
			_, err := do(t, conn, sysBlock)
			results <- err
		}()
	}
	for range cap(results) {
		p.release <- struct{}{}
		if err := <-results; err != 0 {
			t.Errorf("call: %v", err)
		}
	}
}

// TestDeafClient: one that floods the server with calls and reads no answer is
// bounded, and in no one's way.
func TestDeafClient(t *testing.T) {
	s := startServer(t, "", ServerConfig{MaxBuffered: 1 << 20, WriteTimeout: 100 * time.Millisecond})
	good := dial(t, s)
	t.Run("answers", func(t *testing.T) {
		c := rawProcess(t, s.url, "deaf")
		flood(c, syscallFrame(7, sysMany, 0x1000, 4096, 64))
		unharmed(t, s, good)
	})
	t.Run("refusals", func(t *testing.T) {
		c := rawProcess(t, s.url, "deaf")
		flood(c, frame(classReq, 99, 7, 0, nil))
		unharmed(t, s, good)
	})
	t.Run("one call", func(t *testing.T) {
		c := rawProcess(t, s.url, "deaf")
		c.send(syscallFrame(7, sysMany, 0x1000, 4096, 1<<20))
		unharmed(t, s, good) // WriteTimeout
	})
}

// flood sends a frame again and again until the server has had enough.
func flood(c *rawClient, f []byte) {
	b := bytes.Repeat(f, 1000)
	for {
		if _, err := c.conn.Write(b); err != nil {
			return
		}
	}
}

// TestLentTooMuch: what one client's calls have the server hold is bounded.
func TestLentTooMuch(t *testing.T) {
	s := startServer(t, "", ServerConfig{MaxBuffered: 1 << 20})
	c := dial(t, s)
	big := make([]byte, 2<<20)
	for _, num := range []int{sysWrite, sysRead} {
		call := c.NewCall(num)
		call.Args(call.InOut(big), uint64(len(big)))
		if _, err := done(t, c, call); err != abi.ENOMEM {
			t.Errorf("call %d of 2 MiB: %v", num, err)
		}
		call.Reset(num)
		call.Args(call.InOut(big), 1<<63)
		if _, err := done(t, c, call); err == 0 {
			t.Errorf("call %d of far too much: %v", num, err)
		}
		call.Reset(num)
		call.Args(call.InOut(big), 1<<19)
		if _, err := done(t, c, call); err != 0 {
			t.Errorf("call %d of 512 KiB: %v", num, err)
		}
		call.Free()
	}
}

func TestMaxClients(t *testing.T) {
	s := startServer(t, "", ServerConfig{MaxClients: 2})
	a, b := dial(t, s), dial(t, s)
	if _, err := Dial(t.Context(), s.url, "third"); err == nil {
		t.Error("a third client was let in")
	}
	if s.Stats().Refused == 0 {
		t.Error("nobody was counted as refused")
	}
	a.Close()
	await(t, "one is gone", func() bool { return s.Stats().Clients == 1 })
	dial(t, s)
	do(t, b, sysGetpid)
}
