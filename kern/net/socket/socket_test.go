package socket_test

import (
	"strings"
	"sync"
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

// blockMem is memory that tells when the call has begun to wait.
type blockMem struct {
	kerntest.Memory
	blocked chan struct{}
	once    sync.Once
}

func (m *blockMem) Block() { m.once.Do(func() { close(m.blocked) }) }

// result is what a call in the background gave.
type result struct {
	v     int64
	errno abi.Errno
	buf   []byte
}

// background makes recv(fd, size, flags), and returns when that has begun to wait.
func (n net) background(fd, size, flags int) chan result {
	m := &blockMem{blocked: make(chan struct{})}
	buf := make([]byte, size)
	args := []uint64{uint64(fd), m.Map(buf), uint64(size), uint64(flags), 0, 0}
	return n.await(m, abi.SYS_recvfrom, args, buf)
}

func (n net) await(m *blockMem, num int, args []uint64, buf []byte) chan result {
	done := make(chan result, 1)
	go func() {
		ret, errno := n.Syscall(m, num, args)
		done <- result{int64(ret[0]), errno, buf}
		m.Block()
	}()
	<-m.blocked
	return done
}

// Oracle: recv(2) with MSG_WAITALL: all of it, or what came before the end, a timeout or a signal.
func TestWaitall(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	done := n.background(b, 10, abi.MSG_WAITALL)
	for _, s := range []string{"abc", "defg", "hijkl"} {
		if _, errno := n.send(a, s, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	if r := <-done; string(r.buf[:r.v]) != "abcdefghij" {
		t.Errorf("%q, %v", r.buf[:r.v], r.errno)
	}
	n.want(t, b, 10, 0, "kl", 0)
	done = n.background(b, 10, abi.MSG_WAITALL)
	n.send(a, "end", 0)
	n.Must(abi.SYS_shutdown, a, abi.SHUT_WR)
	if r := <-done; string(r.buf[:r.v]) != "end" || r.errno != 0 {
		t.Errorf("%q, %v", r.buf[:r.v], r.errno)
	}
	n.want(t, b, 10, abi.MSG_WAITALL, "", 0)
}

// A send that is larger than the buffer waits for the receiver; one that does not wait sends a part.
func TestPartialSend(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	if v, errno := n.send(a, strings.Repeat("x", 10000), abi.MSG_DONTWAIT); v != 4096 || errno != 0 {
		t.Errorf("sent %d, %v", v, errno)
	}
	if _, errno := n.send(a, "y", abi.MSG_DONTWAIT); errno != abi.EAGAIN {
		t.Errorf("send to a full buffer: %v", errno)
	}
	m := &blockMem{blocked: make(chan struct{})}
	data := []byte(strings.Repeat("z", 9000))
	done := n.await(m, abi.SYS_sendto, []uint64{uint64(a), m.Map(data), uint64(len(data)), 0, 0, 0}, nil)
	got := 0
	for got < 4096+9000 {
		s, errno := n.recv(b, 1000, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		got += len(s)
	}
	if r := <-done; r.v != 9000 || r.errno != 0 {
		t.Errorf("sent %d, %v", r.v, r.errno)
	}
}

// SO_RCVTIMEO and SO_SNDTIMEO end a wait with EWOULDBLOCK, or with what has been moved: setsockopt(2).
func TestTimeouts(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	tv := kerntest.Struct(&abi.Timeval{Usec: 20000})
	n.Must(abi.SYS_setsockopt, b, abi.SOL_SOCKET, abi.SO_RCVTIMEO, tv, len(tv))
	n.Must(abi.SYS_setsockopt, a, abi.SOL_SOCKET, abi.SO_SNDTIMEO, tv, len(tv))
	n.want(t, b, 10, 0, "", abi.EAGAIN)
	n.send(a, "part", 0)
	n.want(t, b, 10, abi.MSG_WAITALL, "part", 0)
	if v, errno := n.send(a, strings.Repeat("x", 5000), 0); v != 4096 || errno != 0 {
		t.Errorf("sent %d, %v", v, errno)
	}
	if _, errno := n.send(a, "x", 0); errno != abi.EAGAIN {
		t.Errorf("send: %v", errno)
	}
}

// A client that vanishes ends its waits, and the socket lives on for those who share it.
func TestVanishedClient(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	child := net{n.Fork(), n.d}
	for _, fd := range []int{a, b} {
		done := child.background(fd, 100, 0)
		if fd == b {
			child.Exit()
			if r := <-done; r.errno != abi.EINTR {
				t.Errorf("recv: %v", r.errno)
			}
		} else {
			n.send(b, "to a", 0)
			<-done
		}
	}
	n.send(a, "still here", 0)
	n.want(t, b, 100, 0, "still here", 0)
}

// close(2) of a descriptor that another thread waits at ends that wait with EBADF; not of another descriptor of the socket.
func TestCloseWakes(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	dup := int(n.Must(abi.SYS_dup, b))
	done := n.background(b, 10, 0)
	n.Close(dup)
	n.send(a, "one", 0)
	if r := <-done; r.v != 3 || r.errno != 0 {
		t.Errorf("recv %d, %v", r.v, r.errno)
	}
	done = n.background(b, 10, 0)
	n.Close(b)
	if r := <-done; r.errno != abi.EBADF {
		t.Errorf("recv: %v", r.errno)
	}
}

// Oracle: connect(2), accept(2), getpeername(2).
func TestConnectAccept(t *testing.T) {
	n := start(t)
	l := n.socket(abi.SOCK_STREAM)
	n.Want(abi.EINVAL, abi.SYS_accept, l, nil, nil)
	n.Must(abi.SYS_bind, l, sockaddr(7), 3)
	n.Must(abi.SYS_listen, l, 5)
	n.Want(abi.EOPNOTSUPP, abi.SYS_connect, l, sockaddr(7), 3)
	c := n.socket(abi.SOCK_STREAM)
	n.Want(abi.ENOTCONN, abi.SYS_getpeername, c, make([]byte, 16), kerntest.Ints(16))
	n.Want(abi.ECONNREFUSED, abi.SYS_connect, c, sockaddr(9), 3)
	n.Must(abi.SYS_connect, c, sockaddr(7), 3)
	name, size := make([]byte, 16), kerntest.Ints(2)
	s := int(n.Must(abi.SYS_accept, l, name, size))
	if kerntest.Int(size) != 2 || name[1] != pfMemory || name[2] != 0 {
		t.Errorf("address % x of %d", name, kerntest.Int(size))
	}
	if v := n.option(s, abi.SO_ACCEPTCONN); v != 0 {
		t.Error("an accepted socket listens")
	}
	n.send(c, "hello", 0)
	n.want(t, s, 10, 0, "hello", 0)
	size = kerntest.Ints(16)
	n.Must(abi.SYS_getpeername, c, name, size)
	if kerntest.Int(size) != 3 || name[2] != 7 {
		t.Errorf("peer % x", name[:3])
	}
	n.Must(abi.SYS_fcntl, l, abi.F_SETFL, abi.O_NONBLOCK)
	n.Want(abi.EAGAIN, abi.SYS_accept, l, nil, nil)
}

// paccept(2) sets flags and does not inherit O_NONBLOCK; accept(2) does.
func TestPaccept(t *testing.T) {
	n := start(t)
	l := n.socket(abi.SOCK_STREAM)
	n.Must(abi.SYS_bind, l, sockaddr(7), 3)
	n.Must(abi.SYS_listen, l, 5)
	n.Must(abi.SYS_fcntl, l, abi.F_SETFL, abi.O_NONBLOCK)
	for range 3 {
		n.Must(abi.SYS_connect, n.socket(abi.SOCK_STREAM), sockaddr(7), 3)
	}
	mask := make([]byte, abi.SizeofSigset)
	for _, c := range []struct {
		fd    int64
		flags uint32
		exec  int64
	}{
		{n.Must(abi.SYS_accept, l, nil, nil), abi.O_NONBLOCK, 0},
		{n.Must(abi.SYS_paccept, l, nil, nil, mask, 0), 0, 0},
		{n.Must(abi.SYS_paccept, l, nil, nil, nil, uint32(abi.SOCK_CLOEXEC|abi.SOCK_NOSIGPIPE)), abi.O_NOSIGPIPE, abi.FD_CLOEXEC},
	} {
		got := uint32(n.Must(abi.SYS_fcntl, c.fd, abi.F_GETFL)) & (abi.O_NONBLOCK | abi.O_NOSIGPIPE)
		if got != c.flags || n.Must(abi.SYS_fcntl, c.fd, abi.F_GETFD) != c.exec {
			t.Errorf("flags %#x, want %#x", got, c.flags)
		}
	}
	n.Want(abi.EFAULT, abi.SYS_paccept, l, nil, nil, 1, 0)
}

// Without a descriptor left accept(2) is EMFILE, and the connection goes on waiting.
func TestAcceptNoDescriptor(t *testing.T) {
	n := start(t)
	l := n.socket(abi.SOCK_STREAM)
	n.Must(abi.SYS_bind, l, sockaddr(7), 3)
	n.Must(abi.SYS_listen, l, 5)
	c := n.socket(abi.SOCK_STREAM)
	n.Must(abi.SYS_connect, c, sockaddr(7), 3)
	limit := abi.Rlimit{Cur: uint64(c) + 1, Max: 1000}
	n.Must(abi.SYS_setrlimit, abi.RLIMIT_NOFILE, kerntest.Struct(&limit))
	n.Want(abi.EMFILE, abi.SYS_accept, l, nil, nil)
	limit.Cur++
	n.Must(abi.SYS_setrlimit, abi.RLIMIT_NOFILE, kerntest.Struct(&limit))
	n.Must(abi.SYS_accept, l, nil, nil)
}

// A connect that takes its time waits for the end, or is EINPROGRESS, EALREADY, and its error in SO_ERROR: connect(2).
func TestSlowConnect(t *testing.T) {
	n := start(t)
	l := n.socket(abi.SOCK_STREAM)
	n.Must(abi.SYS_bind, l, sockaddr(7), 3)
	n.Must(abi.SYS_listen, l, 5)
	n.d.slow = true
	for _, want := range []abi.Errno{0, abi.ECONNREFUSED} {
		c := n.socket(abi.SOCK_STREAM)
		m := &blockMem{blocked: make(chan struct{})}
		done := n.await(m, abi.SYS_connect, []uint64{uint64(c), m.Map(sockaddr(7)), 3}, nil)
		e := n.d.last()
		if want == 0 {
			n.Must(abi.SYS_accept, l, nil, nil)
			e.finish(nil)
		} else {
			e.finish(want)
		}
		if r := <-done; r.errno != want {
			t.Errorf("connect: %v, want %v", r.errno, want)
		}
		n.Close(c)
	}
	c := int(n.Must(abi.SYS___socket30, pfMemory, uint32(abi.SOCK_STREAM|abi.SOCK_NONBLOCK), 0))
	n.Want(abi.EINPROGRESS, abi.SYS_connect, c, sockaddr(7), 3)
	n.Want(abi.EALREADY, abi.SYS_connect, c, sockaddr(7), 3)
	n.d.last().finish(abi.ETIMEDOUT)
	if v := n.option(c, abi.SO_ERROR); v != int32(abi.ETIMEDOUT) {
		t.Errorf("SO_ERROR %d", v)
	}
	if v := n.option(c, abi.SO_ERROR); v != 0 {
		t.Errorf("SO_ERROR again %d", v)
	}
}

// SIGPIPE is raised for a send to nobody, unless MSG_NOSIGNAL, SO_NOSIGPIPE or SOCK_NOSIGPIPE say otherwise: send(2), setsockopt(2).
func TestSigpipe(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	n.Close(b)
	n.send(a, "x", 0)
	n.Write(a, "x")
	if s := n.Signals(); len(s) != 2 || s[0] != abi.SIGPIPE {
		t.Errorf("signals %v", s)
	}
	if _, errno := n.send(a, "x", abi.MSG_NOSIGNAL); errno != abi.EPIPE {
		t.Error(errno)
	}
	n.Must(abi.SYS_setsockopt, a, abi.SOL_SOCKET, abi.SO_NOSIGPIPE, kerntest.Ints(1), 4)
	n.send(a, "x", 0)
	n.Write(a, "x")
	if n.option(a, abi.SO_NOSIGPIPE) != 1 || n.Must(abi.SYS_fcntl, a, abi.F_GETFL)&abi.O_NOSIGPIPE == 0 {
		t.Error("SO_NOSIGPIPE is not O_NOSIGPIPE")
	}
	if s := n.Signals(); len(s) != 2 {
		t.Errorf("signals %v", s)
	}
}

// Urgent data, and the mark: recv(2), send(2) with MSG_OOB, SIOCATMARK.
func TestUrgent(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	mark := make([]byte, 4)
	n.Must(abi.SYS_ioctl, b, abi.SIOCATMARK, mark)
	if kerntest.Int(mark) != 0 {
		t.Error("at the mark before anything was sent")
	}
	n.want(t, b, 1, abi.MSG_OOB, "", abi.EINVAL)
	n.send(a, "!", abi.MSG_OOB)
	n.Must(abi.SYS_ioctl, b, abi.SIOCATMARK, mark)
	if kerntest.Int(mark) != 1 {
		t.Error("not at the mark")
	}
	if got := n.poll(b, abi.POLLPRI|abi.POLLIN); got != abi.POLLPRI {
		t.Errorf("poll %#x", got)
	}
	n.want(t, b, 1, abi.MSG_OOB|abi.MSG_PEEK, "!", 0)
	n.want(t, b, 1, abi.MSG_OOB, "!", 0)
}

// shutdown(2): its directions, and its errors.
func TestShutdown(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	n.Want(abi.EINVAL, abi.SYS_shutdown, a, 3)
	n.Want(abi.EINVAL, abi.SYS_shutdown, a, -1)
	n.send(a, "last", 0)
	n.Must(abi.SYS_shutdown, a, abi.SHUT_WR)
	n.want(t, b, 10, 0, "last", 0)
	n.want(t, b, 10, 0, "", 0)
	n.send(b, "dropped", 0)
	n.Must(abi.SYS_shutdown, a, abi.SHUT_RD)
	n.want(t, a, 10, 0, "", 0)
	n.Want(abi.ENOTSOCK, abi.SYS_shutdown, 0, 0)
	n.Want(abi.EBADF, abi.SYS_shutdown, 99, 0)
}

// What no domain or no protocol knows: socket(2), socketpair(2).
func TestSocketErrors(t *testing.T) {
	n := start(t)
	n.Want(abi.EAFNOSUPPORT, abi.SYS___socket30, 99, abi.SOCK_STREAM, 0)
	n.Want(abi.EPROTOTYPE, abi.SYS___socket30, pfMemory, abi.SOCK_RAW, 0)
	n.Want(abi.EPROTONOSUPPORT, abi.SYS___socket30, pfMemory, abi.SOCK_STREAM, 6)
	n.Want(abi.EFAULT, abi.SYS_socketpair, pfMemory, abi.SOCK_STREAM, 0, 8)
	before := n.Must(abi.SYS___socket30, pfMemory, abi.SOCK_STREAM, 0)
	if next := n.Must(abi.SYS_dup, 0); next != before+1 {
		t.Errorf("a failed socketpair has left descriptors: %d after %d", next, before)
	}
	for num, args := range map[int][]any{
		abi.SYS_bind: {0, sockaddr(1), 3}, abi.SYS_listen: {0, 1}, abi.SYS_accept: {0, nil, nil}, abi.SYS_connect: {0, sockaddr(1), 3},
		abi.SYS_getsockname: {0, nil, nil}, abi.SYS_sendto: {0, []byte{1}, 1, 0, nil, 0}, abi.SYS_recvfrom: {0, []byte{1}, 1, 0, nil, nil},
		abi.SYS_setsockopt: {0, 1, 1, []byte{1}, 1}, abi.SYS_sendmmsg: {0, nil, 1, 0}, abi.SYS_recvmmsg: {0, nil, 1, 0, nil},
	} {
		n.Want(abi.ENOTSOCK, num, args...)
		args[0] = 77
		n.Want(abi.EBADF, num, args...)
	}
}

func (n net) socket(typ int) int { return int(n.Must(abi.SYS___socket30, pfMemory, typ, 0)) }

// option is an option's value that is an int.
func (n net) option(fd, name int) int32 {
	b, size := make([]byte, 4), kerntest.Ints(4)
	n.Must(abi.SYS_getsockopt, fd, abi.SOL_SOCKET, name, b, size)
	return kerntest.Int(b)
}

// poll is poll(2) of a descriptor, without waiting.
func (n net) poll(fd, events int) int {
	p := kerntest.Struct(&abi.Pollfd{Fd: int32(fd), Events: int16(events)})
	n.Must(abi.SYS_poll, p, 1, 0)
	var got abi.Pollfd
	if err := got.Decode(p); err != nil {
		panic(err)
	}
	return int(uint16(got.Revents))
}
