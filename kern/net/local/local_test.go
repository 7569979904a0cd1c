package local_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	localnet "github.com/rumpctrl/rumpctrl/component/net/local"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/rumpvfs"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// client is a process on a kernel with local sockets.
type client struct{ *kerntest.P }

func start(t testing.TB) client {
	return client{kerntest.Proc(t, kerntest.New(t, rumpvfs.Component(), rumpnet.Component(), localnet.Component()))}
}

// sun is a struct sockaddr_un.
func sun(path string) []byte {
	return append([]byte{byte(2 + len(path)), abi.AF_LOCAL}, path...)
}

func (c client) socket(typ int) int { return int(c.Must(abi.SYS___socket30, abi.PF_LOCAL, typ, 0)) }

func (c client) pair(typ int) (a, b int) {
	fds := make([]byte, 8)
	c.Must(abi.SYS_socketpair, abi.PF_LOCAL, typ, 0, fds)
	return int(kerntest.Int(fds)), int(kerntest.Int(fds[4:]))
}

func (c client) bind(fd int, path string) abi.Errno {
	_, errno := c.Call(abi.SYS_bind, fd, sun(path), 2+len(path))
	return errno
}

func (c client) connect(fd int, path string) abi.Errno {
	_, errno := c.Call(abi.SYS_connect, fd, sun(path), 2+len(path))
	return errno
}

// listen makes a socket that listens at a path.
func (c client) listen(t testing.TB, typ int, path string, backlog int) int {
	t.Helper()
	fd := c.socket(typ)
	if errno := c.bind(fd, path); errno != 0 {
		t.Fatalf("bind %s: %v", path, errno)
	}
	c.Must(abi.SYS_listen, fd, backlog)
	return fd
}

// accept takes a connection, and its peer's address.
func (c client) accept(fd int) (int, string) {
	name, n := make([]byte, 106), kerntest.Ints(106)
	v := c.Must(abi.SYS_accept, fd, name, n)
	return int(v), string(name[:kerntest.Int(n)])
}

func (c client) send(fd int, s string, flags int) (int, abi.Errno) {
	v, errno := c.Call(abi.SYS_sendto, fd, []byte(s), len(s), flags, nil, 0)
	return int(v), errno
}

func (c client) recv(fd, size, flags int) (string, abi.Errno) {
	b := make([]byte, size)
	v, errno := c.Call(abi.SYS_recvfrom, fd, b, size, flags, nil, nil)
	if errno != 0 {
		return "", errno
	}
	return string(b[:v]), 0
}

func (c client) want(t *testing.T, fd, size, flags int, s string, errno abi.Errno) {
	t.Helper()
	if got, e := c.recv(fd, size, flags); got != s || e != errno {
		t.Errorf("recv %q, %v; want %q, %v", got, e, s, errno)
	}
}

// Oracle: unix(4), connect(2), accept(2).
func TestConnect(t *testing.T) {
	for _, typ := range []int{abi.SOCK_STREAM, abi.SOCK_SEQPACKET} {
		c := start(t)
		l := c.listen(t, typ, "/tmp/s", 5)
		a := c.socket(typ)
		if errno := c.connect(a, "/tmp/s"); errno != 0 {
			t.Fatal(errno)
		}
		c.send(a, "early", 0)
		b, name := c.accept(l)
		if name != "\x02\x01" {
			t.Errorf("peer %q", name)
		}
		c.want(t, b, 100, 0, "early", 0)
		c.send(b, "back", 0)
		c.want(t, a, 100, 0, "back", 0)
		c.Close(b)
		c.want(t, a, 100, 0, "", 0)
		if _, errno := c.send(a, "x", abi.MSG_NOSIGNAL); errno != abi.EPIPE {
			t.Errorf("send to nobody: %v", errno)
		}
	}
}

// A transfer larger than all buffers, to a receiver that asks for all of it.
func TestLargeTransfer(t *testing.T) {
	c := start(t)
	a, b := c.pair(abi.SOCK_STREAM)
	want := strings.Repeat("0123456789abcdef", 1<<14)
	got := make(chan string)
	go func() {
		s, _ := c.recv(b, len(want), abi.MSG_WAITALL)
		got <- s
	}()
	if n, errno := c.send(a, want, 0); n != len(want) || errno != 0 {
		t.Fatalf("send %d, %v", n, errno)
	}
	if s := <-got; s != want {
		t.Errorf("%d bytes arrived", len(s))
	}
}
