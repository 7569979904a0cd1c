package socket_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

func (n net) setopt(fd, name int, val []byte) abi.Errno {
	_, errno := n.Call(abi.SYS_setsockopt, fd, abi.SOL_SOCKET, name, val, len(val))
	return errno
}

// Oracle: setsockopt(2) and the limits of sys/kern/uipc_socket.c: what is taken, what getsockopt(2) then says.
func TestOptions(t *testing.T) {
	n := start(t)
	a, _ := n.pair(abi.SOCK_STREAM)
	tv := func(sec int64, usec int32) []byte { return kerntest.Struct(&abi.Timeval{Sec: sec, Usec: usec}) }
	linger := func(on, sec int32) []byte { return kerntest.Ints(on, sec) }
	one, zero := kerntest.Ints(1), kerntest.Ints(0)
	for _, c := range []struct {
		name  int
		set   []byte
		errno abi.Errno
		get   []byte
	}{
		{abi.SO_REUSEADDR, kerntest.Ints(77), 0, one}, {abi.SO_REUSEADDR, zero, 0, zero},
		{abi.SO_REUSEPORT, one, 0, one}, {abi.SO_KEEPALIVE, one, 0, one}, {abi.SO_DONTROUTE, one, 0, one},
		{abi.SO_BROADCAST, one, 0, one}, {abi.SO_USELOOPBACK, one, 0, one}, {abi.SO_OOBINLINE, one, 0, one},
		{abi.SO_TIMESTAMP, one, 0, one}, {0x0400, one, 0, one}, {abi.SO_DEBUG, one, 0, one},
		{abi.SO_BROADCAST, []byte{1}, abi.EINVAL, one}, {abi.SO_BROADCAST, make([]byte, 8), abi.EINVAL, one},
		{abi.SO_LINGER, linger(1, 30), 0, linger(1, 30)}, {abi.SO_LINGER, linger(0, 5), 0, linger(0, 5)},
		{abi.SO_LINGER, linger(1, -1), abi.EDOM, linger(0, 5)}, {abi.SO_LINGER, linger(1, 65536), abi.EDOM, linger(0, 5)},
		{abi.SO_LINGER, one, abi.EINVAL, linger(0, 5)},
		{abi.SO_SNDBUF, kerntest.Ints(10000), 0, kerntest.Ints(10000)}, {abi.SO_SNDBUF, zero, abi.EINVAL, kerntest.Ints(10000)},
		{abi.SO_SNDBUF, kerntest.Ints(-1), abi.EINVAL, nil}, {abi.SO_SNDBUF, kerntest.Ints(209716), abi.ENOBUFS, kerntest.Ints(10000)},
		{abi.SO_RCVBUF, kerntest.Ints(209715), 0, kerntest.Ints(209715)}, {abi.SO_RCVBUF, kerntest.Ints(5000), 0, nil},
		{abi.SO_SNDLOWAT, kerntest.Ints(99999), 0, kerntest.Ints(10000)}, {abi.SO_SNDLOWAT, zero, abi.EINVAL, nil},
		{abi.SO_RCVLOWAT, kerntest.Ints(99999), 0, kerntest.Ints(5000)}, {abi.SO_RCVLOWAT, one, 0, one},
		{abi.SO_SNDTIMEO, tv(2, 345678), 0, tv(2, 340000)}, {abi.SO_RCVTIMEO, tv(0, 1), 0, tv(0, 10000)},
		{abi.SO_RCVTIMEO, tv(0, 0), 0, tv(0, 0)}, {abi.SO_RCVTIMEO, tv(-1, 0), abi.EDOM, tv(0, 0)},
		{abi.SO_RCVTIMEO, tv(0, 1000000), abi.EDOM, nil}, {abi.SO_RCVTIMEO, tv(math.MaxInt32/100+1, 0), abi.EDOM, nil},
		{0x1005, tv(7, 0), 0, tv(7, 0)}, {abi.SO_SNDTIMEO, one, abi.EINVAL, tv(7, 0)}, {0x1006, tv(3, 0), 0, tv(3, 0)},
		{abi.SO_TYPE, one, abi.ENOPROTOOPT, kerntest.Ints(abi.SOCK_STREAM)}, {abi.SO_ERROR, one, abi.ENOPROTOOPT, zero},
		{abi.SO_ACCEPTCONN, one, abi.ENOPROTOOPT, zero}, {abi.SO_OVERFLOWED, one, abi.ENOPROTOOPT, zero},
	} {
		if errno := n.setopt(a, c.name, c.set); errno != c.errno {
			t.Errorf("option %#x = % x: %v, want %v", c.name, c.set, errno, c.errno)
		}
		if c.get == nil {
			continue
		}
		b, size := make([]byte, 32), kerntest.Ints(32)
		n.Must(abi.SYS_getsockopt, a, abi.SOL_SOCKET, c.name, b, size)
		if got := b[:kerntest.Int(size)]; !bytes.Equal(got, c.get) {
			t.Errorf("option %#x is % x, want % x", c.name, got, c.get)
		}
	}
	for _, name := range []int{abi.SO_ACCEPTFILTER, abi.SO_NOHEADER, 0x7777} {
		if errno := n.setopt(a, name, kerntest.Ints(1)); errno != abi.ENOPROTOOPT {
			t.Errorf("option %#x: %v", name, errno)
		}
		n.Want(abi.ENOPROTOOPT, abi.SYS_getsockopt, a, abi.SOL_SOCKET, name, make([]byte, 4), kerntest.Ints(4))
	}
	n.Want(abi.ENOPROTOOPT, abi.SYS_setsockopt, a, 6, 1, kerntest.Ints(1), 4)
	n.Want(abi.ENOPROTOOPT, abi.SYS_getsockopt, a, 6, 1, make([]byte, 4), kerntest.Ints(4))
}

// A value is cut to the room there is; without a place for it only the option is looked up. Lengths of strangers are refused: getsockopt(2).
func TestOptionLengths(t *testing.T) {
	n := start(t)
	a, _ := n.pair(abi.SOCK_STREAM)
	b, size := []byte{9, 9, 9, 9}, kerntest.Ints(2)
	n.Must(abi.SYS_getsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, b, size)
	if !bytes.Equal(b, []byte{0, 16, 9, 9}) || kerntest.Int(size) != 2 {
		t.Errorf("value % x of %d", b, kerntest.Int(size))
	}
	n.Must(abi.SYS_getsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, nil, nil)
	n.Want(abi.EFAULT, abi.SYS_getsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, b, nil)
	n.Want(abi.EFAULT, abi.SYS_getsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, 8, kerntest.Ints(4))
	n.Want(abi.EINVAL, abi.SYS_setsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, b, 2049)
	n.Want(abi.EINVAL, abi.SYS_setsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, nil, 4)
	n.Want(abi.EFAULT, abi.SYS_setsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, 8, 4)
	n.Want(abi.EINVAL, abi.SYS_setsockopt, a, abi.SOL_SOCKET, abi.SO_SNDBUF, nil, 0)
}

// The protocol is told of an option, and may refuse it: then it stays what it was.
func TestOptionWatcher(t *testing.T) {
	n := start(t)
	a := n.socket(abi.SOCK_STREAM)
	e := n.d.last()
	n.setopt(a, abi.SO_RCVBUF, kerntest.Ints(7000))
	n.setopt(a, abi.SO_KEEPALIVE, kerntest.Ints(5))
	if e.watched[abi.SO_RCVBUF] != 7000 || e.watched[abi.SO_KEEPALIVE] != 5 {
		t.Errorf("told %v", e.watched)
	}
	for name, val := range map[int]int32{abi.SO_RCVBUF: 7000, abi.SO_KEEPALIVE: 1, abi.SO_SNDBUF: 4096} {
		e.refuse = name
		if errno := n.setopt(a, name, kerntest.Ints(0x2000)); name != abi.SO_KEEPALIVE && errno != abi.EOPNOTSUPP {
			t.Errorf("option %#x: %v", name, errno)
		}
		if v := n.option(a, name); v != val {
			t.Errorf("option %#x is %d, want %d", name, v, val)
		}
	}
	e.refuse = abi.SO_KEEPALIVE
	if errno := n.setopt(a, abi.SO_KEEPALIVE, kerntest.Ints(0)); errno != abi.EOPNOTSUPP || n.option(a, abi.SO_KEEPALIVE) != 1 {
		t.Errorf("%v", errno)
	}
}

// Buffers count against the user's RLIMIT_SBSIZE, kern.uidinfo.sbsize says how much: setrlimit(2).
func TestSbsize(t *testing.T) {
	n := start(t)
	used := func() int64 {
		b, _ := n.Sysctl("kern.uidinfo.sbsize")
		return int64(kerntest.Int(b))
	}
	a, b := n.pair(abi.SOCK_STREAM)
	if used() != 4*4096 {
		t.Errorf("%d bytes for four buffers", used())
	}
	limit := abi.Rlimit{Cur: 20000, Max: 20000}
	n.Must(abi.SYS_setrlimit, abi.RLIMIT_SBSIZE, kerntest.Struct(&limit))
	if errno := n.setopt(a, abi.SO_RCVBUF, kerntest.Ints(8000)); errno != abi.ENOBUFS {
		t.Errorf("past the limit: %v", errno)
	}
	if errno := n.setopt(a, abi.SO_RCVBUF, kerntest.Ints(5000)); errno != 0 {
		t.Errorf("within the limit: %v", errno)
	}
	n.Want(abi.ENOBUFS, abi.SYS___socket30, pfMemory, abi.SOCK_STREAM, 0)
	n.Close(a)
	n.Close(b)
	if used() != 0 {
		t.Errorf("%d bytes for none", used())
	}
}

// Oracle: a rump kernel's sysctl: kern.mbuf, kern.sbmax, kern.somaxkva.
func TestSysctl(t *testing.T) {
	n := start(t)
	for name, want := range map[string]int32{"kern.mbuf.msize": 512, "kern.mbuf.mclbytes": 2048, "kern.mbuf.nmbclusters": 16384,
		"kern.mbuf.mblowat": 16, "kern.mbuf.mcllowat": 8, "kern.sbmax": 262144, "kern.somaxkva": 16777216} {
		if b, errno := n.Sysctl(name); errno != 0 || kerntest.Int(b) != want {
			t.Errorf("%s: % x, %v; want %d", name, b, errno, want)
		}
	}
	if b, errno := n.Sysctl("kern.mbuf.stats"); errno != 0 || len(b) != 568 {
		t.Errorf("stats of %d bytes, %v", len(b), errno)
	}
	if errno := n.SetSysctl("kern.sbmax", kerntest.Ints(1000)); errno != abi.EINVAL {
		t.Errorf("kern.sbmax: %v", errno)
	}
	if errno := n.SetSysctl("kern.sbmax", kerntest.Ints(1<<20)); errno != 0 {
		t.Errorf("kern.sbmax: %v", errno)
	}
	if errno := n.setopt(n.socket(abi.SOCK_STREAM), abi.SO_SNDBUF, kerntest.Ints(500000)); errno != 0 {
		t.Errorf("SO_SNDBUF below kern.sbmax: %v", errno)
	}
}
