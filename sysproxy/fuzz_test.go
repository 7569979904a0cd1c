package sysproxy

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"
)

// pair returns two ends of a connection of the host.
func pair(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// FuzzServerSession sends a server anything, after a handshake and before.
// Afterwards the server has no client and the kernel no process, and another
// client finds all in order.
func FuzzServerSession(f *testing.F) {
	shake := frame(classReq, typeHandshake, 1, shakeGuest, nameBody("fuzz"))
	var space AddressSpace
	c := space.NewCall(sysCopyStr)
	c.Args(c.InString("name"), 100)
	for _, b := range [][]byte{
		nil, shake, append(bytes.Clone(shake), encodeCall(c, true)...),
		bytes.Join([][]byte{shake, syscallFrame(2, sysGetpid), syscallFrame(3, sysSum, 1, 2, 3)}, nil),
		bytes.Join([][]byte{shake, syscallFrame(2, sysCopyIn, 9, 8), frame(classResp, typeCopyIn, 0, 0, words(7))}, nil),
		bytes.Join([][]byte{shake, syscallFrame(2, sysCopyStr, 9, 8), frame(classError, 0, 0, 5, nil)}, nil),
		bytes.Join([][]byte{shake, syscallFrame(2, sysAnon, 90), frame(classResp, typeAnon, 0, 0, words(1<<40))}, nil),
		bytes.Join([][]byte{shake, syscallFrame(2, sysMany, 1, 100, 5), frame(classReq, typePrefork, 3, 0, nil)}, nil),
		bytes.Join([][]byte{shake, frame(classReq, typeHandshake, 3, shakeExec, nameBody("x")), syscallFrame(2, sysRaise, 9)}, nil),
		bytes.Join([][]byte{shake, syscallFrame(2, sysBlock), syscallFrame(3, sysSulk), syscallFrame(4, sysRelease)}, nil),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k := newToyKernel()
		srv, err := NewServer(k, ServerConfig{Log: slog.New(slog.DiscardHandler), MaxBuffered: 1 << 20, Spin: -1})
		if err != nil {
			t.Fatal(err)
		}
		k.raise = srv.Raise
		ours, theirs := pair(t)
		srv.ServeConn(theirs)
		read := make(chan struct{})
		go func() {
			io.Copy(io.Discard, ours)
			close(read)
		}()
		ours.SetDeadline(time.Now().Add(20 * time.Second))
		ours.Write(b)
		ours.(*net.TCPConn).CloseWrite()
		<-read
		ours.Close()
		if !eventually(func() bool { return srv.Stats().Clients == 0 && k.count() == 0 }) {
			t.Fatalf("%d clients and %d processes are left", srv.Stats().Clients, k.count())
		}
	})
}

// FuzzClientSession answers a client anything. The client must not hang, must
// not send what was not lent for reading, nor change what was not lent for
// writing.
func FuzzClientSession(f *testing.F) {
	hello := frame(classResp, typeHandshake, 1, 0, make([]byte, 4))
	answer := appendSysResp(nil, 2, [2]uint64{1, 2}, 0)
	in, out := uint64(1<<32), uint64(1<<32+2*spacePage)
	ask := func(typ uint16, addr, n uint64, data ...byte) []byte {
		return frame(classReq, typ, 5, 0, append(words(n, addr), data...))
	}
	for _, b := range [][]byte{
		nil, []byte(oldBanner), []byte(newBanner),
		append([]byte(oldBanner), hello...),
		bytes.Join([][]byte{[]byte(oldBanner), hello, answer}, nil),
		bytes.Join([][]byte{[]byte(oldBanner), hello, ask(typeCopyIn, in, 64), ask(typeCopyInStr, in, 100), answer}, nil),
		bytes.Join([][]byte{[]byte(newBanner), hello, ask(typeCopyIn, in-64, 64), ask(typeCopyIn, in, 128), answer}, nil),
		bytes.Join([][]byte{[]byte(oldBanner), hello, ask(typeCopyOut, out, 4, 1, 2, 3, 4), ask(typeCopyOut, in, 1, 9), answer}, nil),
		bytes.Join([][]byte{[]byte(oldBanner), hello, frame(classReq, typeAnon, 1, 0, words(100)), frame(classReq, typeRaise, 1, 2, nil)}, nil),
		bytes.Join([][]byte{[]byte(oldBanner), hello, appendError(nil, 2, errTryAgain), appendError(nil, 3, errMalformed)}, nil),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, theirs := pair(t)
		sent := make(chan []byte)
		go func() {
			theirs.Write(b)
			theirs.(*net.TCPConn).CloseWrite()
			all, _ := io.ReadAll(theirs)
			theirs.Close()
			sent <- all
		}()
		m, w := newMine(), newMine()
		hadM, hadW := bytes.Clone(m.all), bytes.Clone(w.all)
		c := newConn(&Locator{URL: "fuzz"}, "x", newOptions([]Option{WithSignals(func(int) {})}))
		if l, err := c.greet(ours, shake{kind: shakeGuest, body: nameBody("x")}); err == nil {
			c.link.Store(l)
			for range 2 {
				call := c.NewCall(1)
				call.Args(call.In(m.b), call.Out(w.b))
				if c.Do(call) != nil {
					break
				}
			}
			c.Close()
		}
		ours.Close()
		copy(hadW[128:192], w.b)
		if !bytes.Equal(m.all, hadM) || !bytes.Equal(w.all, hadW) {
			t.Fatal("memory was changed that was not lent for writing")
		}
		if bytes.Contains(<-sent, []byte("SECRET")) {
			t.Fatal("memory was sent that was not lent")
		}
	})
}
