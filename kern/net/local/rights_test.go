package local_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// cmsg is a control message as a client has it.
func cmsg(typ int32, data []byte) []byte {
	b := (&abi.Cmsghdr{Len: uint32(16 + len(data)), Level: abi.SOL_SOCKET, Type: typ}).Append(nil)
	b = append(append(b, 0, 0, 0, 0), data...)
	return append(b, make([]byte, -len(b)&7)...)
}

// pass sends descriptors with a byte.
func (c client) pass(fd int, fds ...int32) abi.Errno {
	return c.sendControl(fd, cmsg(abi.SCM_RIGHTS, kerntest.Ints(fds...)))
}

func (c client) sendControl(fd int, control []byte) abi.Errno {
	iov := kerntest.Struct(&abi.Iovec{Base: c.Mem.Map([]byte{'x'}), Len: 1})
	h := abi.Msghdr{Iov: c.Mem.Map(iov), Iovlen: 1, Control: c.Mem.Map(control), Controllen: uint32(len(control))}
	_, errno := c.Call(abi.SYS_sendmsg, fd, kerntest.Struct(&h), 0)
	return errno
}

// take receives a byte, with the control messages that come with it.
func (c client) take(t *testing.T, fd int) []byte {
	t.Helper()
	control := make([]byte, 256)
	iov := kerntest.Struct(&abi.Iovec{Base: c.Mem.Map(make([]byte, 1)), Len: 1})
	h := abi.Msghdr{Iov: c.Mem.Map(iov), Iovlen: 1, Control: c.Mem.Map(control), Controllen: uint32(len(control))}
	raw := kerntest.Struct(&h)
	c.Must(abi.SYS_recvmsg, fd, raw, 0)
	if err := h.Decode(raw); err != nil {
		t.Fatal(err)
	}
	return control[:h.Controllen]
}

// Only descriptors may be sent, in one message: unp_internalize of sys/kern/uipc_usrreq.c keeps credentials from being forged.
func TestForgedControl(t *testing.T) {
	c := start(t)
	a, _ := c.pair(abi.SOCK_STREAM)
	rights := cmsg(abi.SCM_RIGHTS, kerntest.Ints(0))
	for _, control := range [][]byte{cmsg(abi.SCM_CREDS, make([]byte, 24)), cmsg(99, nil), append(rights, rights...)} {
		if errno := c.sendControl(a, control); errno != abi.EINVAL {
			t.Errorf("% x: %v", control, errno)
		}
	}
}

// A file that is on its way lives on without a descriptor, and is closed when nobody can receive it.
func TestInFlight(t *testing.T) {
	c := start(t)
	for _, typ := range []int{abi.SOCK_STREAM, abi.SOCK_DGRAM, abi.SOCK_SEQPACKET} {
		a, b := c.pair(typ)
		r, w := c.Pipe()
		c.pass(a, int32(w))
		c.Close(w)
		control := c.take(t, b)
		w = int(kerntest.Int(control[16:]))
		c.Write(w, "alive")
		c.pass(a, int32(w))
		c.Close(w)
		if s, errno := c.Read(r, 10); s != "alive" || errno != 0 {
			t.Errorf("%q, %v", s, errno)
		}
		c.Close(b)
		if s, errno := c.Read(r, 10); s != "" || errno != 0 {
			t.Errorf("the pipe still has a writer: %q, %v", s, errno)
		}
		c.Close(a)
	}
}

// Sockets that hold each other by messages only are collected, whichever descriptor is closed last; a pipe's end among
// the messages tells.
func TestCollect(t *testing.T) {
	for what, build := range map[string]func(c client, w int){
		"a socket in its own queue": func(c client, w int) {
			a, b := c.pair(abi.SOCK_STREAM)
			c.pass(a, int32(b), int32(w))
			c.Close(w)
			c.Close(a)
			c.Close(b)
		},
		"the other order": func(c client, w int) {
			a, b := c.pair(abi.SOCK_STREAM)
			c.pass(a, int32(b), int32(w))
			c.Close(w)
			c.Close(b)
			c.Close(a)
		},
		"a ring of pairs": func(c client, w int) {
			var fds []int
			var pairs [3][2]int
			for i := range pairs {
				a, b := c.pair(abi.SOCK_STREAM)
				pairs[i] = [2]int{a, b}
				fds = append(fds, a, b)
			}
			for i := range pairs {
				next := pairs[(i+1)%len(pairs)]
				c.pass(pairs[i][0], int32(next[0]), int32(next[1]), int32(w))
			}
			c.Close(w)
			for _, fd := range fds {
				c.Close(fd)
			}
		},
		"a listening socket among its connections' messages": func(c client, w int) {
			l := int(c.Must(abi.SYS___socket30, abi.PF_LOCAL, abi.SOCK_STREAM, 0))
			c.bind(l, "/tmp/s")
			c.Must(abi.SYS_listen, l, 5)
			a := c.socket(abi.SOCK_STREAM)
			c.connect(a, "/tmp/s")
			c.pass(a, int32(l), int32(w))
			c.Close(w)
			c.Close(l)
			c.Close(a)
		},
		"the end of the process": func(c client, w int) {
			child := client{c.Fork()}
			a, b := child.pair(abi.SOCK_DGRAM)
			child.pass(a, int32(b), int32(a), int32(w))
			c.Close(w)
			child.Exit()
		},
	} {
		c := start(t)
		r, w := c.Pipe()
		build(c, w)
		if s, errno := c.Read(r, 1); s != "" || errno != 0 {
			t.Errorf("%s: %q, %v", what, s, errno)
		}
		for _, typ := range []int32{abi.SOCK_STREAM, abi.SOCK_DGRAM} {
			if list := c.pcblist(t, typ); len(list) != 0 {
				t.Errorf("%s: %d sockets are left", what, len(list))
			}
		}
	}
}

// What can be reached is not collected: by a message to a socket that is open.
func TestCollectKeepsReachable(t *testing.T) {
	c := start(t)
	a, b := c.pair(abi.SOCK_STREAM)
	p, q := c.pair(abi.SOCK_STREAM)
	r, w := c.Pipe()
	c.pass(p, int32(q), int32(w)) // q's queue holds q itself
	c.pass(a, int32(q))           // and b's holds q too
	c.Close(w)
	c.Close(p)
	c.Close(q)
	control := c.take(t, b)
	q = int(kerntest.Int(control[16:]))
	control = c.take(t, q)
	c.Write(int(kerntest.Int(control[20:])), "kept")
	if s, errno := c.Read(r, 10); s != "kept" || errno != 0 {
		t.Errorf("%q, %v", s, errno)
	}
}

// More files than a kernel has room for may not be on their way: EAGAIN.
func TestTooManyInFlight(t *testing.T) {
	c := start(t)
	a, _ := c.pair(abi.SOCK_STREAM)
	c.Must(abi.SYS_setsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, kerntest.Ints(200000), 4)
	var fds [100]int32
	var errno abi.Errno
	n := 0
	for ; errno == 0 && n < 20; n++ {
		errno = c.pass(a, fds[:]...)
	}
	if errno != abi.EAGAIN || n != 9 {
		t.Errorf("message %d: %v", n, errno)
	}
}

// Oracle: LOCAL_CREDS of unix(4), struct sockcred: with the first bytes of a connection, with every datagram.
func TestCreds(t *testing.T) {
	c := start(t)
	c.Must(abi.SYS_setgroups, 2, kerntest.Ints(5, 7))
	for _, typ := range []int{abi.SOCK_STREAM, abi.SOCK_SEQPACKET, abi.SOCK_DGRAM} {
		a, b := c.pair(typ)
		c.Must(abi.SYS_setsockopt, b, 0, abi.LOCAL_CREDS, kerntest.Ints(1), 4)
		r, _ := c.Pipe()
		c.pass(a, int32(r))
		control := c.take(t, b)
		if len(control) != 24+16+32 || kerntest.Int(control[24:]) != 16+32 || kerntest.Int(control[32:]) != abi.SCM_CREDS {
			t.Fatalf("control % x", control)
		}
		var cred abi.Sockcred
		if err := cred.Decode(control[40:]); err != nil || cred.Pid != int32(c.PID) || cred.Ngroups != 2 || cred.Groups[0] != 5 || cred.Uid != 0 {
			t.Errorf("%+v, %v", cred, err)
		}
		c.send(a, "y", 0)
		if control := c.take(t, b); (len(control) > 0) != (typ == abi.SOCK_DGRAM) {
			t.Errorf("type %d: control % x with the second", typ, control)
		}
	}
	a, b := c.pair(abi.SOCK_DGRAM)
	c.Must(abi.SYS_setsockopt, b, 0, abi.LOCAL_OCREDS, kerntest.Ints(1), 4)
	c.send(a, "y", 0)
	if control := c.take(t, b); len(control) != 48 || kerntest.Int(control) != 16+28 || kerntest.Int(control[8:]) != 4 {
		t.Errorf("old credentials % x", control)
	}
}
