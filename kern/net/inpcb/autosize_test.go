package inpcb_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: tcp(4), net.inet.tcp.{recv,send}buf_{auto,inc,max}, and setsockopt(2): buffers grow with what a connection carries, up to the maximum,
// unless their size was set.
func TestAutosize(t *testing.T) {
	const least, most, stream = 32768, 262144, 8 << 20
	for _, c := range []struct {
		what       string
		sysctl     map[string]int
		rcv, snd   int // by setsockopt; 0 for none
		length     int
		wantR      int
		minS, maxS int
	}{
		{"grow", nil, 0, 0, stream, most, least + 1, most},
		{"too little", nil, 0, 0, 20000, least, least, least},
		{"receive buffer set", nil, 40000, 0, stream, 40000, least, most},
		{"send buffer set", nil, 0, 40000, stream, most, 40000, 40000},
		{"not by itself", map[string]int{"recvbuf_auto": 0, "sendbuf_auto": 0}, 0, 0, stream, least, least, least},
		{"maxima", map[string]int{"recvbuf_max": 70000, "sendbuf_max": 33000}, 0, 0, stream, 70000, 33000, 33000},
		{"maxima below", map[string]int{"recvbuf_max": 1000, "sendbuf_max": 1000}, 0, 0, stream, least, least, least},
		{"a step", map[string]int{"recvbuf_inc": most, "sendbuf_inc": 1 << 30}, 0, 0, stream, most, most, most},
	} {
		t.Run(c.what, func(t *testing.T) {
			h := newHost(t)
			for name, v := range c.sysctl {
				if errno := h.SetSysctl("net.inet.tcp."+name, cint(v)); errno != 0 {
					t.Fatal(name, errno)
				}
			}
			server := h.listen(at("127.0.0.1:8000"), 1)
			if c.rcv != 0 {
				h.setopt(server, abi.SOL_SOCKET, abi.SO_RCVBUF, cint(c.rcv))
			}
			client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
			if c.snd != 0 {
				h.setopt(client, abi.SOL_SOCKET, abi.SO_SNDBUF, cint(c.snd))
			}
			h.connect(client, at("127.0.0.1:8000"))
			conn, _ := h.accept(server)
			go h.send(client, strings.Repeat("x", c.length), 0)
			for left := c.length; left > 0; {
				s, _, errno := h.recv(conn, 1<<16, 0)
				if errno != 0 || s == "" {
					t.Fatalf("%v, with %d bytes to come", errno, left)
				}
				left -= len(s)
			}
			rcv, _ := h.getopt(conn, abi.SOL_SOCKET, abi.SO_RCVBUF)
			snd, _ := h.getopt(client, abi.SOL_SOCKET, abi.SO_SNDBUF)
			if r, s := int(kerntest.Int(rcv)), int(kerntest.Int(snd)); r != c.wantR || s < c.minS || s > c.maxS {
				t.Errorf("receive buffer %d, want %d; send buffer %d, want %d to %d", r, c.wantR, s, c.minS, c.maxS)
			}
		})
	}
}

// Oracle: RFC 9293, 3.8.6.2.1: a window that was closed opens again, also when what the peer waits for is taken in small pieces while the buffer grows.
func TestAutosizeFromStandstill(t *testing.T) {
	a, b := pair(t)
	server := b.listen(at("10.0.0.2:8000"), 1)
	client := a.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	a.connect(client, at("10.0.0.2:8000"))
	conn, _ := b.accept(server)
	const total = 1 << 20
	done := make(chan int)
	go func() {
		n, _ := a.send(client, strings.Repeat("x", total), 0)
		done <- n
	}()
	for n := cint(0); kerntest.Int(n) < 32000; { // the buffer is all but full
		b.poll(conn, abi.POLLIN, -1)
		b.Must(abi.SYS_ioctl, conn, uint64(abi.FIONREAD), n)
	}
	for left := total; left > 0; {
		s, _, errno := b.recv(conn, 700, 0)
		if errno != 0 || s == "" {
			t.Fatalf("%v, with %d bytes to come", errno, left)
		}
		left -= len(s)
	}
	if n := <-done; n != total {
		t.Errorf("sent %d", n)
	}
}

// Oracle: RFC 7323, 2.3: the scale of windows is agreed upon when a connection is made; what recvspace and recvbuf_max are changed to counts.
func TestWindowScale(t *testing.T) {
	const space = 4 << 20
	h := newHost(t)
	if errno := h.SetSysctl("net.inet.tcp.recvspace", cint(space)); errno != 0 {
		t.Fatal(errno)
	}
	server := h.listen(at("127.0.0.1:8000"), 1)
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(client, at("127.0.0.1:8000"))
	conn, _ := h.accept(server)
	go h.send(client, strings.Repeat("x", 2*space), 0)
	n := cint(0)
	for kerntest.Int(n) < space/2 { // a window without the scale is 1 MiB at most
		h.poll(client, abi.POLLOUT, 10)
		h.Must(abi.SYS_ioctl, conn, uint64(abi.FIONREAD), n)
	}
}
