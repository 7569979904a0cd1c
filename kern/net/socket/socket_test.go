package socket_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// net is a process on a kernel of the socket layer and the memory domain, with poll(2) and its kin.
type net struct {
	*kerntest.P
	d *memory
}

func start(t testing.TB) net {
	k := kerntest.New(t, &kern.Component{Name: "rumpnet", Syscalls: socket.Syscalls(),
		Attach: socket.Attach})
	return net{kerntest.Proc(t, k), newMemory(k)}
}

// pair is a socketpair.
func (n net) pair(typ int) (a, b int) {
	fds := make([]byte, 8)
	n.Must(abi.SYS_socketpair, pfMemory, typ, 0, fds)
	return int(kerntest.Int(fds)), int(kerntest.Int(fds[4:]))
}

// send and recv are send(2) and recv(2).
func (n net) send(fd int, s string, flags int) (int, abi.Errno) {
	v, errno := n.Call(abi.SYS_sendto, fd, []byte(s), len(s), flags, nil, 0)
	return int(v), errno
}

func (n net) recv(fd, size, flags int) (string, abi.Errno) {
	b := make([]byte, size)
	v, errno := n.Call(abi.SYS_recvfrom, fd, b, size, flags, nil, nil)
	if errno != 0 {
		return "", errno
	}
	return string(b[:v]), 0
}

// want checks what a recv gives.
func (n net) want(t *testing.T, fd, size, flags int, s string, errno abi.Errno) {
	t.Helper()
	if got, e := n.recv(fd, size, flags); got != s || e != errno {
		t.Errorf("recv %q, %v; want %q, %v", got, e, s, errno)
	}
}

// Oracle: recv(2), send(2), socketpair(2).
func TestPair(t *testing.T) {
	n := start(t)
	for _, typ := range []int{abi.SOCK_STREAM, abi.SOCK_DGRAM} {
		a, b := n.pair(typ)
		if c, errno := n.send(a, "hello", 0); c != 5 || errno != 0 {
			t.Fatalf("send %d, %v", c, errno)
		}
		n.want(t, b, 3, abi.MSG_PEEK, "hel", 0)
		n.want(t, b, 100, 0, "hello", 0)
		n.want(t, b, 100, abi.MSG_DONTWAIT, "", abi.EAGAIN)
		n.Write(b, "back")
		if s, errno := n.Read(a, 100); s != "back" || errno != 0 {
			t.Errorf("read %q, %v", s, errno)
		}
	}
}
