package socket_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

const (
	in  = abi.POLLIN | abi.POLLRDNORM
	out = abi.POLLOUT | abi.POLLWRNORM
)

// Oracle: poll(2), and SO_RCVLOWAT and SO_SNDLOWAT of setsockopt(2).
func TestPoll(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	check := func(what string, fd, want int) {
		t.Helper()
		if got := n.poll(fd, in|out); got != want {
			t.Errorf("%s: %#x, want %#x", what, got, want)
		}
	}
	check("a new pair", a, out)
	n.send(a, "xy", 0)
	check("with data", b, in|out)
	n.setopt(b, abi.SO_RCVLOWAT, kerntest.Ints(3))
	check("below the low-water mark", b, out)
	n.send(a, "z", 0)
	check("at the low-water mark", b, in|out)
	n.send(a, strings.Repeat("x", 2100), 0)
	check("with less room than the low-water mark", a, 0)
	n.setopt(a, abi.SO_SNDLOWAT, kerntest.Ints(100))
	check("with more", a, out)
	n.recv(b, 5000, 0)
	n.send(a, "x", 0)
	n.Must(abi.SYS_shutdown, a, abi.SHUT_WR)
	check("at the end, whatever the low-water mark", b, in|out)
	l := n.socket(abi.SOCK_STREAM)
	n.Must(abi.SYS_bind, l, sockaddr(7), 3)
	n.Must(abi.SYS_listen, l, 5)
	check("listening", l, 0)
	n.Must(abi.SYS_connect, n.socket(abi.SOCK_STREAM), sockaddr(7), 3)
	check("with a connection that waits", l, in)
	c := n.socket(abi.SOCK_DGRAM)
	n.d.last().so.SetError(abi.ECONNRESET)
	check("with an error", c, in|out)
	n.want(t, c, 10, abi.MSG_PEEK, "", abi.ECONNRESET)
	n.want(t, c, 10, 0, "", abi.ECONNRESET)
	n.want(t, c, 10, abi.MSG_DONTWAIT, "", abi.EAGAIN)
}

// A recv with SO_RCVLOWAT waits for so many bytes, but for no more than it asks for.
func TestRcvlowat(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	n.setopt(b, abi.SO_RCVLOWAT, kerntest.Ints(4))
	n.send(a, "ab", 0)
	n.want(t, b, 2, 0, "ab", 0)
	done := n.background(b, 10, 0)
	n.send(a, "cd", 0)
	n.send(a, "efg", 0)
	if r := <-done; string(r.buf[:r.v]) != "cdefg" {
		t.Errorf("%q, %v", r.buf[:r.v], r.errno)
	}
}

// poll, select and kqueue wake up when data come and when there is room again.
func TestWakeUps(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	n.send(a, strings.Repeat("x", 4096), 0)
	forever := ^uint64(0)
	set := make([]byte, 32)
	set[b/8] |= 1 << (b % 8)
	kq := int(n.Must(abi.SYS_kqueue))
	change := kerntest.Struct(&abi.Kevent{Ident: uint64(b), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD})
	n.Must(abi.SYS___kevent50, kq, change, 1, nil, 0, nil)
	waits := []func(m *blockMem) (int, []uint64){
		func(m *blockMem) (int, []uint64) {
			p := kerntest.Struct(&abi.Pollfd{Fd: int32(b), Events: abi.POLLIN})
			return abi.SYS_poll, []uint64{m.Map(p), 1, forever}
		},
		func(m *blockMem) (int, []uint64) {
			return abi.SYS___select50, []uint64{uint64(b + 1), m.Map(append([]byte(nil), set...)), 0, 0, 0}
		},
		func(m *blockMem) (int, []uint64) {
			return abi.SYS___kevent50, []uint64{uint64(kq), 0, 0, m.Map(make([]byte, abi.SizeofKevent)), 1, 0}
		},
	}
	for i, wait := range waits {
		n.recv(b, 5000, 0)
		m := &blockMem{blocked: make(chan struct{})}
		num, args := wait(m)
		done := n.await(m, num, args, nil)
		n.send(a, "wake", 0)
		if r := <-done; r.v != 1 || r.errno != 0 {
			t.Errorf("wait %d: %d, %v", i, r.v, r.errno)
		}
	}
	n.send(a, strings.Repeat("x", 4096), abi.MSG_DONTWAIT)
	m := &blockMem{blocked: make(chan struct{})}
	p := kerntest.Struct(&abi.Pollfd{Fd: int32(a), Events: abi.POLLOUT})
	done := n.await(m, abi.SYS_poll, []uint64{m.Map(p), 1, forever}, nil)
	n.recv(b, 5000, 0)
	if r := <-done; r.v != 1 {
		t.Errorf("poll for room: %d, %v", r.v, r.errno)
	}
}

// kevent asks for the event of a filter, which it adds for that.
func (n net) kevent(t *testing.T, fd int, filter uint32) (kev abi.Kevent, active bool) {
	t.Helper()
	kq := int(n.Must(abi.SYS_kqueue))
	defer n.Close(kq)
	ev := kerntest.Struct(&abi.Kevent{Ident: uint64(fd), Filter: filter, Flags: abi.EV_ADD})
	got := make([]byte, abi.SizeofKevent)
	v := n.Must(abi.SYS___kevent50, kq, ev, 1, got, 1, make([]byte, 16))
	if err := kev.Decode(got); err != nil {
		t.Fatal(err)
	}
	return kev, v == 1
}

// Oracle: EVFILT_READ and EVFILT_WRITE of kqueue(2): bytes, room, connections, EV_EOF with the error in fflags.
func TestKqueue(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	if _, active := n.kevent(t, b, abi.EVFILT_READ); active {
		t.Error("active without data")
	}
	n.send(a, "12345", 0)
	if ev, active := n.kevent(t, b, abi.EVFILT_READ); !active || ev.Data != 5 || ev.Flags&abi.EV_EOF != 0 {
		t.Errorf("read: %+v", ev)
	}
	if ev, active := n.kevent(t, a, abi.EVFILT_WRITE); !active || ev.Data != 4096-5 {
		t.Errorf("write: %+v", ev)
	}
	n.Must(abi.SYS_shutdown, a, abi.SHUT_WR)
	if ev, active := n.kevent(t, b, abi.EVFILT_READ); !active || ev.Data != 5 || ev.Flags&abi.EV_EOF == 0 || ev.Fflags != 0 {
		t.Errorf("read at the end: %+v", ev)
	}
	n.d.last().so.SetError(abi.ECONNRESET)
	if ev, _ := n.kevent(t, b, abi.EVFILT_READ); ev.Fflags != uint32(abi.ECONNRESET) {
		t.Errorf("read with an error: %+v", ev)
	}
	if ev, active := n.kevent(t, a, abi.EVFILT_WRITE); !active || ev.Flags&abi.EV_EOF == 0 {
		t.Errorf("write after shutdown: %+v", ev)
	}
	l := n.socket(abi.SOCK_STREAM)
	n.Must(abi.SYS_bind, l, sockaddr(7), 3)
	n.Must(abi.SYS_listen, l, 5)
	for range 3 {
		n.Must(abi.SYS_connect, n.socket(abi.SOCK_STREAM), sockaddr(7), 3)
	}
	if ev, active := n.kevent(t, l, abi.EVFILT_READ); !active || ev.Data != 3 {
		t.Errorf("listening: %+v", ev)
	}
}

// SIGIO goes to the owner of a socket with O_ASYNC when data come: fcntl(2), SIOCSPGRP, TIOCSPGRP.
func TestSigio(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	got := make([]byte, 4)
	n.Must(abi.SYS_ioctl, b, uint32(abi.SIOCSPGRP), kerntest.Ints(int32(n.PID)))
	n.Must(abi.SYS_ioctl, b, uint32(abi.SIOCGPGRP), got)
	if kerntest.Int(got) != int32(n.PID) {
		t.Errorf("owner %d", kerntest.Int(got))
	}
	n.Must(abi.SYS_ioctl, b, uint32(abi.TIOCGPGRP), got)
	if kerntest.Int(got) != -int32(n.PID) {
		t.Errorf("group %d", kerntest.Int(got))
	}
	n.Want(abi.EINVAL, abi.SYS_ioctl, b, uint32(abi.TIOCSPGRP), kerntest.Ints(-5))
	n.Want(abi.ESRCH, abi.SYS_ioctl, b, uint32(abi.TIOCSPGRP), kerntest.Ints(12345))
	n.Must(abi.SYS_fcntl, b, abi.F_SETFL, abi.O_ASYNC)
	n.send(a, "x", 0)
	if s := n.WaitSignals(1); s[0] != abi.SIGIO {
		t.Errorf("signals %v", s)
	}
}

// FIONREAD, FIONWRITE, FIONSPACE; what nobody knows is ENOTTY, and interfaces EOPNOTSUPP where there are none.
func TestIoctls(t *testing.T) {
	n := start(t)
	a, b := n.pair(abi.SOCK_STREAM)
	n.send(a, "12345", 0)
	for _, c := range []struct {
		fd   int
		cmd  uint32
		want int32
	}{{b, abi.FIONREAD, 5}, {a, abi.FIONREAD, 0}, {a, abi.FIONWRITE, 5}, {a, abi.FIONSPACE, 4091}} {
		got := make([]byte, 4)
		n.Must(abi.SYS_ioctl, c.fd, c.cmd, got)
		if kerntest.Int(got) != c.want {
			t.Errorf("ioctl %#x: %d, want %d", c.cmd, kerntest.Int(got), c.want)
		}
	}
	n.Want(abi.EOPNOTSUPP, abi.SYS_ioctl, a, uint32(abi.SIOCGIFFLAGS), make([]byte, 144))
	n.Want(abi.ENOTTY, abi.SYS_ioctl, a, uint32(0x40047801), make([]byte, 4))
	st := make([]byte, abi.SizeofStat)
	n.Must(abi.SYS___fstat50, a, st)
	var s abi.Stat
	if err := s.Decode(st); err != nil || s.Mode != abi.S_IFSOCK || s.Blksize != 4096 {
		t.Errorf("%+v, %v", s, err)
	}
	n.Want(abi.ESPIPE, abi.SYS_lseek, a, 0, 0, 0)
}
