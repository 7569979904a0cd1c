package socket_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// msg is a struct msghdr under construction; its memory stays mapped for the whole test.
type msg struct {
	n       net
	h       abi.Msghdr
	bufs    [][]byte
	control []byte
	name    []byte
}

// newMsg has buffers of these sizes, room for control messages and for a name.
func (n net) newMsg(control, name int, sizes ...int) *msg {
	m := &msg{n: n, control: make([]byte, control), name: make([]byte, name)}
	var iov []byte
	for _, size := range sizes {
		b := make([]byte, size)
		m.bufs = append(m.bufs, b)
		iov = (&abi.Iovec{Base: n.Mem.Map(b), Len: uint64(size)}).Append(iov)
	}
	m.h = abi.Msghdr{Iov: n.Mem.Map(iov), Iovlen: int32(len(sizes)), Controllen: uint32(control), Namelen: uint32(name)}
	if control > 0 {
		m.h.Control = n.Mem.Map(m.control)
	}
	if name > 0 {
		m.h.Name = n.Mem.Map(m.name)
	}
	return m
}

// call is sendmsg(2) or recvmsg(2); the header is what the kernel left.
func (m *msg) call(num, fd, flags int) (int, abi.Errno) {
	b := kerntest.Struct(&m.h)
	v, errno := m.n.Call(num, fd, b, flags)
	if err := m.h.Decode(b); err != nil {
		panic(err)
	}
	return int(v), errno
}

// cmsg is a control message as a client has it: aligned to 8 bytes.
func cmsg(level, typ int32, data []byte) []byte {
	b := (&abi.Cmsghdr{Len: uint32(16 + len(data)), Level: level, Type: typ}).Append(nil)
	b = append(b, 0, 0, 0, 0)
	b = append(b, data...)
	return append(b, make([]byte, -len(b)&7)...)
}

// Oracle: recvmsg(2), sendmsg(2): buffers scattered and gathered, the sender's name, MSG_TRUNC, MSG_EOR.
func TestMessages(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_DGRAM)
	s := n.newMsg(0, 0, 3, 0, 4)
	copy(s.bufs[0], "abc")
	copy(s.bufs[2], "defg")
	if v, errno := s.call(abi.SYS_sendmsg, a, abi.MSG_EOR); v != 7 || errno != 0 {
		t.Fatalf("sendmsg %d, %v", v, errno)
	}
	r := n.newMsg(64, 2, 2, 3)
	if v, errno := r.call(abi.SYS_recvmsg, b, abi.MSG_PEEK); v != 5 || errno != 0 {
		t.Fatalf("recvmsg %d, %v", v, errno)
	}
	if string(r.bufs[0])+string(r.bufs[1]) != "abcde" || r.h.Flags != abi.MSG_PEEK|abi.MSG_TRUNC|abi.MSG_EOR {
		t.Errorf("%q %q, flags %#x", r.bufs[0], r.bufs[1], r.h.Flags)
	}
	if r.h.Namelen != 2 || !bytes.Equal(r.name, []byte{3, pfMemory}) || r.h.Controllen != 0 {
		t.Errorf("name % x of %d, control of %d", r.name, r.h.Namelen, r.h.Controllen)
	}
	r.call(abi.SYS_recvmsg, b, 0)
	n.want(t, b, 10, abi.MSG_DONTWAIT, "", abi.EAGAIN)
	if v, errno := n.newMsg(0, 0).call(abi.SYS_sendmsg, a, 0); v != 0 || errno != 0 {
		t.Errorf("a datagram of nothing: %d, %v", v, errno)
	}
	n.want(t, b, 10, 0, "", 0)
}

// Hostile lengths are refused, not believed: sockargs and do_sys_sendmsg of sys/kern/uipc_syscalls.c.
func TestHostileLengths(t *testing.T) {
	n := start(t)
	one := func(h abi.Msghdr) abi.Msghdr {
		h.Iov = n.Mem.Map(kerntest.Struct(&abi.Iovec{Base: n.Mem.Map(make([]byte, 8)), Len: 8}))
		h.Iovlen = 1
		return h
	}
	iov := func(lens ...uint64) abi.Msghdr {
		var raw []byte
		for _, l := range lens {
			raw = (&abi.Iovec{Base: 8, Len: l}).Append(raw)
		}
		return abi.Msghdr{Iov: n.Mem.Map(raw), Iovlen: int32(len(lens))}
	}
	buf := n.Mem.Map(make([]byte, 8192))
	for what, c := range map[string]struct {
		h    abi.Msghdr
		send abi.Errno
		recv abi.Errno
	}{
		"negative count of buffers":   {abi.Msghdr{Iov: buf, Iovlen: -1}, abi.EMSGSIZE, abi.EMSGSIZE},
		"too many buffers":            {abi.Msghdr{Iov: buf, Iovlen: 1025}, abi.EMSGSIZE, abi.EMSGSIZE},
		"buffers nowhere":             {abi.Msghdr{Iov: 8, Iovlen: 2}, abi.EFAULT, abi.EFAULT},
		"a buffer of half the memory": {iov(math.MaxInt64 + 1), abi.EINVAL, abi.EINVAL},
		"buffers of too much in sum":  {iov(math.MaxInt64, 1), abi.EINVAL, abi.EINVAL},
		"a buffer nowhere":            {iov(100), abi.EFAULT, abi.EFAULT},
		"a buffer larger than all":    {iov(1 << 40), abi.EMSGSIZE, abi.EFAULT},
		"a name too long":             {one(abi.Msghdr{Name: buf, Namelen: 256}), abi.EINVAL, 0},
		"a name too short":            {one(abi.Msghdr{Name: buf, Namelen: 2}), abi.EINVAL, 0},
		"a name nowhere":              {one(abi.Msghdr{Name: 8, Namelen: 16}), abi.EFAULT, abi.EFAULT},
		"a negative name":             {one(abi.Msghdr{Name: buf, Namelen: math.MaxUint32}), abi.EINVAL, abi.EINVAL},
		"control too short":           {one(abi.Msghdr{Control: buf, Controllen: 15}), abi.EINVAL, 0},
		"control too long":            {one(abi.Msghdr{Control: buf, Controllen: 4097}), abi.EINVAL, 0},
		"control without a length":    {one(abi.Msghdr{Control: buf, Controllen: 16}), abi.EINVAL, 0},
		"control nowhere":             {one(abi.Msghdr{Control: 8, Controllen: 16}), abi.EFAULT, 0},
	} {
		a, b := n.pair(abi.SOCK_DGRAM)
		if v, errno := n.Call(abi.SYS_sendmsg, a, kerntest.Struct(&c.h), 0); errno != c.send {
			t.Errorf("%s: sent %d, %v; want %v", what, v, errno, c.send)
		}
		n.send(b, "again", 0)
		if v, errno := n.Call(abi.SYS_recvmsg, a, kerntest.Struct(&c.h), abi.MSG_DONTWAIT); errno != c.recv {
			t.Errorf("%s: received %d, %v; want %v", what, v, errno, c.recv)
		}
		n.Close(a)
		n.Close(b)
	}
	a, _ := n.pair(abi.SOCK_DGRAM)
	n.Want(abi.EFAULT, abi.SYS_sendmsg, a, 8, 0)
	n.Want(abi.EFAULT, abi.SYS_recvmsg, a, 8, 0)
	n.Want(abi.EINVAL, abi.SYS_sendto, a, []byte{1}, uint64(math.MaxUint64), 0, nil, 0)
	n.Want(abi.EINVAL, abi.SYS_recvfrom, a, []byte{1}, uint64(math.MaxUint64), 0, nil, nil)
	n.Want(abi.EMSGSIZE, abi.SYS_sendto, a, make([]byte, 5000), 5000, 0, nil, 0)
}

// Addresses of 4.3BSD have their family in the first byte and no length: bind(2) and its kin put them right.
func TestOldAddresses(t *testing.T) {
	n := start(t)
	a := n.socket(abi.SOCK_DGRAM)
	n.Must(abi.SYS_bind, a, []byte{pfMemory, 0, 5}, 3)
	b := n.socket(abi.SOCK_DGRAM)
	n.Must(abi.SYS_sendto, b, []byte("hi"), 2, 0, []byte{99, pfMemory, 5}, 3)
	from, size := make([]byte, 8), kerntest.Ints(8)
	buf := make([]byte, 8)
	if v := n.Must(abi.SYS_recvfrom, a, buf, 8, 0, from, size); v != 2 || kerntest.Int(size) != 3 || from[0] != 3 {
		t.Errorf("%d bytes from % x of %d", v, from, kerntest.Int(size))
	}
	for _, c := range []struct {
		addr []byte
		n    int
		want abi.Errno
	}{{make([]byte, 300), 256, abi.EINVAL}, {[]byte{2, 0}, 2, abi.EINVAL}, {nil, 0, abi.EINVAL}, {nil, 16, abi.EFAULT}, {sockaddr(5), 3, abi.EADDRINUSE}} {
		n.Want(c.want, abi.SYS_bind, b, c.addr, c.n)
	}
	n.Want(abi.EINVAL, abi.SYS_getsockname, a, from, kerntest.Ints(-1))
	n.Want(abi.EFAULT, abi.SYS_getsockname, a, from, nil)
	n.Must(abi.SYS_getsockname, a, nil, nil)
}

// Oracle: sendmmsg(2), recvmmsg(2): how many messages, each one's length; an error after the first is kept for the next call.
func TestManyMessages(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_DGRAM)
	vec := func(texts ...string) []byte {
		var raw []byte
		for _, s := range texts {
			m := n.newMsg(0, 0, len(s))
			copy(m.bufs[0], s)
			raw = (&abi.Mmsghdr{Hdr: m.h}).Append(raw)
		}
		return raw
	}
	length := func(raw []byte, i int) uint32 {
		var m abi.Mmsghdr
		if err := m.Decode(raw[i*abi.SizeofMmsghdr:]); err != nil {
			t.Fatal(err)
		}
		return m.Len
	}
	out := vec("one", "three", "")
	if v := n.Must(abi.SYS_sendmmsg, a, out, 3, 0); v != 3 || length(out, 1) != 5 || length(out, 2) != 0 {
		t.Errorf("sent %d", v)
	}
	in := vec("......", "....", "....", "....")
	if v := n.Must(abi.SYS_recvmmsg, b, in, 4, abi.MSG_WAITFORONE, nil); v != 3 || length(in, 0) != 3 || length(in, 1) != 4 {
		t.Errorf("received %d", v)
	}
	n.Want(abi.EAGAIN, abi.SYS_recvmmsg, b, in, 4, abi.MSG_DONTWAIT, nil)
	n.Want(abi.EFAULT, abi.SYS_sendmmsg, a, 8, 1, 0)
	if v := n.Must(abi.SYS_sendmmsg, a, vec("x"), 2, 0); v != 1 {
		t.Errorf("sent %d", v)
	}
	n.want(t, a, 1, abi.MSG_DONTWAIT, "", abi.EFAULT)
	n.Want(abi.EINVAL, abi.SYS_recvmmsg, b, in, 1, 0, kerntest.Struct(&abi.Timespec{Nsec: -1}))
	n.send(a, "y", 0)
	if v := n.Must(abi.SYS_recvmmsg, b, in, 4, 0, kerntest.Struct(&abi.Timespec{})); v != 1 {
		t.Errorf("received %d by the end of the timeout", v)
	}
	if v := n.Must(abi.SYS_sendmmsg, a, out, 0, 0); v != 0 {
		t.Errorf("sent %d of none", v)
	}
}

// Descriptors are passed: unix(4), SCM_RIGHTS; what has no room is closed, with MSG_CTRUNC.
func TestRights(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	r, w := n.Pipe()
	pass := func(fds ...int32) {
		t.Helper()
		s := n.newMsg(0, 0, 1)
		s.control = cmsg(abi.SOL_SOCKET, abi.SCM_RIGHTS, kerntest.Ints(fds...))
		s.h.Control, s.h.Controllen = n.Mem.Map(s.control), uint32(len(s.control))
		if _, errno := s.call(abi.SYS_sendmsg, a, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	pass(int32(r))
	m := n.newMsg(64, 0, 8)
	if v, errno := m.call(abi.SYS_recvmsg, b, abi.MSG_CMSG_CLOEXEC); v != 1 || errno != 0 || m.h.Controllen != 24 || m.h.Flags != abi.MSG_CMSG_CLOEXEC {
		t.Fatalf("%d, %v, control of %d, flags %#x", v, errno, m.h.Controllen, m.h.Flags)
	}
	got := int(kerntest.Int(m.control[16:]))
	if !bytes.Equal(m.control[:16], cmsg(abi.SOL_SOCKET, abi.SCM_RIGHTS, make([]byte, 4))[:16]) {
		t.Errorf("control % x", m.control[:24])
	}
	n.Write(w, "through")
	if s, errno := n.Read(got, 10); s != "through" || errno != 0 {
		t.Errorf("%q, %v", s, errno)
	}
	if n.Must(abi.SYS_fcntl, got, abi.F_GETFD) != abi.FD_CLOEXEC {
		t.Error("no close-on-exec")
	}
	n.Close(got)
	n.Close(r)
	pass(int32(w))
	n.Close(w)
	m = n.newMsg(16, 0, 8)
	if v, errno := m.call(abi.SYS_recvmsg, b, 0); v != 1 || errno != 0 || m.h.Flags&abi.MSG_CTRUNC == 0 || m.h.Controllen != 0 {
		t.Errorf("%d, %v, control of %d, flags %#x", v, errno, m.h.Controllen, m.h.Flags)
	}
	s := n.newMsg(0, 0, 1)
	for _, fds := range [][]int32{{99}, {0, -1}, {int32(n.Must(abi.SYS_kqueue))}} {
		s.control = cmsg(abi.SOL_SOCKET, abi.SCM_RIGHTS, kerntest.Ints(fds...))
		s.h.Control, s.h.Controllen = n.Mem.Map(s.control), uint32(len(s.control))
		if _, errno := s.call(abi.SYS_sendmsg, a, 0); errno != abi.EBADF {
			t.Errorf("passing %v: %v", fds, errno)
		}
	}
}

// Control messages that the receiver has no descriptors for end in EMSGSIZE, and the files are closed.
func TestRightsWithoutDescriptors(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	r, w := n.Pipe()
	s := n.newMsg(0, 0, 1)
	s.control = cmsg(abi.SOL_SOCKET, abi.SCM_RIGHTS, kerntest.Ints(int32(w), int32(w)))
	s.h.Control, s.h.Controllen = n.Mem.Map(s.control), uint32(len(s.control))
	s.call(abi.SYS_sendmsg, a, 0)
	n.Close(w)
	limit := abi.Rlimit{Cur: uint64(w) + 1, Max: 100} // one is free
	n.Must(abi.SYS_setrlimit, abi.RLIMIT_NOFILE, kerntest.Struct(&limit))
	m := n.newMsg(64, 0, 8)
	if _, errno := m.call(abi.SYS_recvmsg, b, 0); errno != abi.EMSGSIZE {
		t.Errorf("recvmsg: %v", errno)
	}
	if s, errno := n.Read(r, 10); s != "" || errno != 0 {
		t.Errorf("the pipe still has a writer: %q, %v", s, errno)
	}
}
