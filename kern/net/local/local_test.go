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

// Oracle: the errors of bind(2), connect(2), listen(2), send(2) for unix(4).
func TestErrors(t *testing.T) {
	c := start(t)
	l := c.listen(t, abi.SOCK_STREAM, "/tmp/s", 5)
	fd := c.socket(abi.SOCK_STREAM)
	c.Must(abi.SYS_close, c.Must(abi.SYS_open, "/tmp/file", abi.O_CREAT|abi.O_RDWR, 0o644))
	deaf := c.socket(abi.SOCK_STREAM)
	if errno := c.bind(deaf, "/tmp/deaf"); errno != 0 {
		t.Fatal(errno)
	}
	for path, want := range map[string]abi.Errno{"/tmp/none": abi.ENOENT, "/tmp/file": abi.ENOTSOCK, "/tmp/file/x": abi.ENOTDIR, "": abi.EINVAL,
		"\x00": abi.ENOENT, "/tmp/deaf": abi.ECONNREFUSED, "/tmp": abi.ENOTSOCK} {
		if errno := c.connect(fd, path); errno != want {
			t.Errorf("connect to %q: %v, want %v", path, errno, want)
		}
	}
	for path, want := range map[string]abi.Errno{"/tmp/s": abi.EADDRINUSE, "/tmp/file": abi.EADDRINUSE, "/none/s": abi.ENOENT, "/tmp": abi.EADDRINUSE} {
		if errno := c.bind(fd, path); errno != want {
			t.Errorf("bind to %q: %v, want %v", path, errno, want)
		}
	}
	c.Want(abi.EAFNOSUPPORT, abi.SYS_bind, fd, []byte{16, abi.AF_INET, 1, 2}, 4)
	c.Want(abi.EAFNOSUPPORT, abi.SYS_connect, fd, []byte{16, abi.AF_INET, 1, 2}, 4)
	if errno := c.bind(l, "/tmp/again"); errno != abi.EINVAL {
		t.Errorf("bind twice: %v", errno)
	}
	c.Want(abi.EINVAL, abi.SYS_listen, fd, 1)
	c.Want(abi.EOPNOTSUPP, abi.SYS_listen, c.socket(abi.SOCK_DGRAM), 1)
	if errno := c.connect(c.socket(abi.SOCK_DGRAM), "/tmp/s"); errno != abi.EPROTOTYPE {
		t.Errorf("another type: %v", errno)
	}
	c.want(t, fd, 1, 0, "", abi.ENOTCONN)
	if _, errno := c.send(fd, "x", 0); errno != abi.ENOTCONN {
		t.Errorf("send: %v", errno)
	}
	c.connect(fd, "/tmp/s")
	if errno := c.connect(fd, "/tmp/s"); errno != abi.EISCONN {
		t.Errorf("connect twice: %v", errno)
	}
	if _, errno := c.send(fd, "x", abi.MSG_OOB); errno != abi.EOPNOTSUPP {
		t.Errorf("urgent data: %v", errno)
	}
	c.Want(abi.EPROTONOSUPPORT, abi.SYS___socket30, abi.PF_LOCAL, abi.SOCK_STREAM, 1)
	c.Want(abi.EPROTOTYPE, abi.SYS___socket30, abi.PF_LOCAL, abi.SOCK_RAW, 0)
	c.Want(abi.EOPNOTSUPP, abi.SYS_open, "/tmp/s", abi.O_RDWR)
}

// A socket's node has the umask's permissions, stays when the socket is closed, and must be writable to connect: unix(4).
func TestNode(t *testing.T) {
	c := start(t)
	c.Must(abi.SYS_umask, 0o027)
	l := c.listen(t, abi.SOCK_STREAM, "/tmp/s", 5)
	st := make([]byte, abi.SizeofStat)
	c.Must(abi.SYS___stat50, "/tmp/s", st)
	var s abi.Stat
	if err := s.Decode(st); err != nil || s.Mode != abi.S_IFSOCK|0o750 {
		t.Errorf("mode %o, %v", s.Mode, err)
	}
	user := client{c.Fork()}
	user.Must(abi.SYS_setuid, 1000)
	if errno := user.connect(user.socket(abi.SOCK_STREAM), "/tmp/s"); errno != abi.EACCES {
		t.Errorf("connect without permission: %v", errno)
	}
	c.Must(abi.SYS_symlink, "s", "/tmp/link")
	if errno := c.connect(c.socket(abi.SOCK_STREAM), "/tmp/link"); errno != 0 {
		t.Errorf("connect through a link: %v", errno)
	}
	user.Exit()
	c.Close(l)
	if errno := c.connect(c.socket(abi.SOCK_STREAM), "/tmp/s"); errno != abi.ECONNREFUSED {
		t.Errorf("connect to a closed socket: %v", errno)
	}
	if errno := c.bind(c.socket(abi.SOCK_STREAM), "/tmp/s"); errno != abi.EADDRINUSE {
		t.Errorf("bind over a closed socket's node: %v", errno)
	}
}

// The backlog: half as many again as listen(2) says may wait, and one; the rest is refused: sonewconn of sys/kern/uipc_socket2.c.
func TestBacklog(t *testing.T) {
	c := start(t)
	l := c.listen(t, abi.SOCK_STREAM, "/tmp/s", 2)
	for i := range 5 {
		want := abi.Errno(0)
		if i > 3 {
			want = abi.ECONNREFUSED
		}
		if errno := c.connect(c.socket(abi.SOCK_STREAM), "/tmp/s"); errno != want {
			t.Errorf("connection %d: %v, want %v", i, errno, want)
		}
	}
	c.accept(l)
	last := c.socket(abi.SOCK_STREAM)
	if errno := c.connect(last, "/tmp/s"); errno != 0 {
		t.Errorf("after accept: %v", errno)
	}
	c.Close(l)
	c.want(t, last, 1, 0, "", 0)
	if _, errno := c.send(last, "x", abi.MSG_NOSIGNAL); errno != abi.EPIPE {
		t.Errorf("send: %v", errno)
	}
}

// Datagrams: to an address and connected, the sender's name, ECONNRESET when the receiver goes, ENOBUFS when it does not receive.
func TestDatagrams(t *testing.T) {
	c := start(t)
	a, b := c.socket(abi.SOCK_DGRAM), c.socket(abi.SOCK_DGRAM)
	c.bind(a, "/tmp/a")
	c.bind(b, "/tmp/b")
	to := sun("/tmp/a")
	c.Must(abi.SYS_sendto, b, []byte("hello"), 5, 0, to, len(to))
	from, size, buf := make([]byte, 20), kerntest.Ints(20), make([]byte, 20)
	if v := c.Must(abi.SYS_recvfrom, a, buf, 20, 0, from, size); string(buf[:v]) != "hello" || string(from[2:kerntest.Int(size)]) != "/tmp/b" {
		t.Errorf("%q from %q", buf[:v], from[:kerntest.Int(size)])
	}
	if _, errno := c.send(b, "x", 0); errno != abi.EDESTADDRREQ {
		t.Errorf("send to nobody: %v", errno)
	}
	c.connect(b, "/tmp/a")
	c.Want(abi.EISCONN, abi.SYS_sendto, b, []byte("x"), 1, 0, to, len(to))
	if _, errno := c.send(b, strings.Repeat("x", 2561), 0); errno != abi.EMSGSIZE {
		t.Errorf("too long: %v", errno)
	}
	var errno abi.Errno
	for sent := 0; errno == 0; sent++ {
		if _, errno = c.send(b, strings.Repeat("x", 1000), 0); sent > 10 {
			t.Fatal("no end of room")
		}
	}
	lost := make([]byte, 4)
	c.Must(abi.SYS_getsockopt, a, abi.SOL_SOCKET, abi.SO_OVERFLOWED, lost, kerntest.Ints(4))
	if errno != abi.ENOBUFS || kerntest.Int(lost) != 1 {
		t.Errorf("no room: %v, %d lost", errno, kerntest.Int(lost))
	}
	c.Close(a)
	if _, errno := c.send(b, "x", 0); errno != abi.ECONNRESET {
		t.Errorf("send to a closed socket: %v", errno)
	}
	if _, errno := c.send(b, "x", 0); errno != abi.EDESTADDRREQ {
		t.Errorf("send again: %v", errno)
	}
}

// A datagram socket that connects again leaves the first; with AF_UNSPEC it is alone: connect(2).
func TestDatagramReconnect(t *testing.T) {
	c := start(t)
	for _, name := range []string{"/tmp/a", "/tmp/b"} {
		c.bind(c.socket(abi.SOCK_DGRAM), name)
	}
	d := c.socket(abi.SOCK_DGRAM)
	name, size := make([]byte, 20), kerntest.Ints(20)
	for _, to := range []string{"/tmp/a", "/tmp/b"} {
		c.connect(d, to)
		c.Must(abi.SYS_getpeername, d, name, size)
		if string(name[2:8]) != to {
			t.Errorf("peer %q", name)
		}
	}
	c.Want(abi.EAFNOSUPPORT, abi.SYS_connect, d, []byte{3, 0, 0}, 3)
	c.Want(abi.ENOTCONN, abi.SYS_getpeername, d, name, size)
}

// Records keep their boundaries and wait for room: SOCK_SEQPACKET of socket(2).
func TestSeqpacket(t *testing.T) {
	c := start(t)
	a, b := c.pair(abi.SOCK_SEQPACKET)
	c.send(a, "first record", abi.MSG_EOR)
	c.send(a, "second", 0)
	c.want(t, b, 5, 0, "first", 0)
	c.want(t, b, 20, 0, "second", 0)
	big := strings.Repeat("x", 4096)
	if n, errno := c.send(a, big, 0); n != 4096 || errno != 0 {
		t.Errorf("a record as long as the buffer: %d, %v", n, errno)
	}
	if _, errno := c.send(a, "x", abi.MSG_DONTWAIT); errno != abi.EAGAIN {
		t.Errorf("no room: %v", errno)
	}
	if _, errno := c.send(a, big+"x", 0); errno != abi.EMSGSIZE {
		t.Errorf("too long: %v", errno)
	}
	done := make(chan int)
	go func() {
		n, _ := c.send(a, "waits", 0)
		done <- n
	}()
	c.want(t, b, 5000, 0, big, 0)
	c.want(t, b, 5000, 0, "waits", 0)
	if n := <-done; n != 5 {
		t.Errorf("sent %d", n)
	}
}

// With LOCAL_CONNWAIT at either end, connect(2) returns when the connection has been accepted; it is refused when the listener goes.
func TestConnwait(t *testing.T) {
	c := start(t)
	l := c.listen(t, abi.SOCK_STREAM, "/tmp/s", 5)
	c.Must(abi.SYS_setsockopt, l, 0, abi.LOCAL_CONNWAIT, kerntest.Ints(1), 4)
	result := make(chan abi.Errno)
	fd := c.socket(abi.SOCK_STREAM)
	go func() { result <- c.connect(fd, "/tmp/s") }()
	c.accept(l)
	if errno := <-result; errno != 0 {
		t.Errorf("connect: %v", errno)
	}
	fd = int(c.Must(abi.SYS___socket30, abi.PF_LOCAL, uint32(abi.SOCK_STREAM|abi.SOCK_NONBLOCK), 0))
	if errno := c.connect(fd, "/tmp/s"); errno != abi.EINPROGRESS {
		t.Errorf("connect: %v", errno)
	}
	if errno := c.connect(fd, "/tmp/s"); errno != abi.EALREADY {
		t.Errorf("connect again: %v", errno)
	}
	if _, errno := c.send(fd, "x", 0); errno != abi.ENOTCONN {
		t.Errorf("send: %v", errno)
	}
	c.Close(l)
	got := make([]byte, 4)
	c.Must(abi.SYS_getsockopt, fd, abi.SOL_SOCKET, abi.SO_ERROR, got, kerntest.Ints(4))
	if kerntest.Int(got) != int32(abi.ECONNREFUSED) {
		t.Errorf("SO_ERROR %d", kerntest.Int(got))
	}
}

// Oracle: LOCAL_PEEREID of unix(4): who connected, and who bound what was connected to.
func TestPeereid(t *testing.T) {
	c := start(t)
	l := c.listen(t, abi.SOCK_STREAM, "/tmp/s", 5)
	c.Must(abi.SYS_chmod, "/tmp/s", 0o777)
	user := client{c.Fork()}
	user.Must(abi.SYS_setgid, 20)
	user.Must(abi.SYS_setuid, 1000)
	fd := user.socket(abi.SOCK_STREAM)
	user.connect(fd, "/tmp/s")
	s, _ := c.accept(l)
	id := func(c client, fd int) (u abi.Unpcbid) {
		b := make([]byte, abi.SizeofUnpcbid)
		c.Must(abi.SYS_getsockopt, fd, 0, abi.LOCAL_PEEREID, b, kerntest.Ints(abi.SizeofUnpcbid))
		if err := u.Decode(b); err != nil {
			t.Fatal(err)
		}
		return u
	}
	if got := id(c, s); got != (abi.Unpcbid{Pid: int32(user.PID), Euid: 1000, Egid: 20}) {
		t.Errorf("who connected: %+v", got)
	}
	if got := id(user, fd); got.Pid != int32(c.PID) || got.Euid != 0 {
		t.Errorf("who bound: %+v", got)
	}
	c.Want(abi.EINVAL, abi.SYS_getsockopt, l, 0, abi.LOCAL_PEEREID, make([]byte, 12), kerntest.Ints(12))
	c.Want(abi.ENOPROTOOPT, abi.SYS_setsockopt, l, 0, abi.LOCAL_PEEREID, kerntest.Ints(1), 4)
	c.Want(abi.ENOPROTOOPT, abi.SYS_setsockopt, l, 0, 99, kerntest.Ints(1), 4)
	c.Want(abi.EINVAL, abi.SYS_setsockopt, l, 0, abi.LOCAL_CREDS, []byte{1}, 1)
}

// pcblist is net.local.<type>.pcblist, as sockstat(1) asks for it.
func (c client) pcblist(t *testing.T, typ int32) []abi.KinfoPcb {
	name := map[int32]string{abi.SOCK_STREAM: "stream", abi.SOCK_DGRAM: "dgram", abi.SOCK_SEQPACKET: "seqpacket"}[typ]
	mib, err := c.K.Sysctl().MIB("net.local." + name + ".pcblist")
	if err != nil {
		t.Fatal(err)
	}
	b, errno := c.SysctlMIB(append(mib, abi.PCB_ALL, 0, abi.SizeofKinfoPcb, 1<<30)...)
	if errno != 0 || len(b)%abi.SizeofKinfoPcb != 0 {
		t.Fatalf("%d bytes, %v", len(b), errno)
	}
	list := make([]abi.KinfoPcb, len(b)/abi.SizeofKinfoPcb)
	for i := range list {
		if err := list[i].Decode(b[i*abi.SizeofKinfoPcb:]); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// Oracle: struct kinfo_pcb, and what sysctl_dounpcb of sys/kern/uipc_domain.c fills in.
func TestPcblist(t *testing.T) {
	c := start(t)
	l := c.listen(t, abi.SOCK_STREAM, "/tmp/s", 5)
	fd := c.socket(abi.SOCK_STREAM)
	c.connect(fd, "/tmp/s")
	s, _ := c.accept(l)
	c.send(s, "12345", 0)
	c.socket(abi.SOCK_DGRAM)
	list := c.pcblist(t, abi.SOCK_STREAM)
	if len(list) != 3 || len(c.pcblist(t, abi.SOCK_DGRAM)) != 1 || len(c.pcblist(t, abi.SOCK_SEQPACKET)) != 0 {
		t.Fatalf("%d streams", len(list))
	}
	if p := &list[0]; abi.CString(p.S[2:]) != "/tmp/s" || p.Vnode == 0 || p.Conn != 0 || p.Family != abi.AF_LOCAL {
		t.Errorf("listening: %+v", p)
	}
	if p := &list[1]; p.Rcvq != 5 || abi.CString(p.D[2:]) != "/tmp/s" || p.S[0] != 2 || p.Conn != list[2].Pcbaddr || p.Sostate != 2 {
		t.Errorf("connected: %+v", p)
	}
	mib, _ := c.K.Sysctl().MIB("net.local.stream.pcblist")
	if _, errno := c.SysctlMIB(append(mib, 0, 0, 100, 1)...); errno != abi.EINVAL {
		t.Errorf("another size: %v", errno)
	}
}
