package inpcb_test

import (
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// binder is one socket of a test of bind: which options it has and what it is bound to.
type binder struct {
	opts int // of SO_REUSEADDR and SO_REUSEPORT
	addr string
	v6   int // IPV6_V6ONLY; 0 is the default
}

// Oracle: ip(4), ip6(4), getsockopt(2): SO_REUSEADDR permits what differs in the address, SO_REUSEPORT anything if both have it.
func TestBindRules(t *testing.T) {
	const addr, reusePort = abi.SO_REUSEADDR, abi.SO_REUSEPORT
	for _, c := range []struct {
		what   string
		first  binder
		second binder
		errno  abi.Errno
	}{
		{"same", binder{0, "127.0.0.1:7000", 0}, binder{0, "127.0.0.1:7000", 0}, abi.EADDRINUSE},
		{"another port", binder{0, "127.0.0.1:7000", 0}, binder{0, "127.0.0.1:7001", 0}, 0},
		{"wildcard after address", binder{0, "127.0.0.1:7000", 0}, binder{0, "0.0.0.0:7000", 0}, abi.EADDRINUSE},
		{"address after wildcard", binder{0, "0.0.0.0:7000", 0}, binder{0, "127.0.0.1:7000", 0}, abi.EADDRINUSE},
		{"SO_REUSEADDR, same", binder{addr, "127.0.0.1:7000", 0}, binder{addr, "127.0.0.1:7000", 0}, abi.EADDRINUSE},
		{"SO_REUSEADDR, wildcard after address", binder{0, "127.0.0.1:7000", 0}, binder{addr, "0.0.0.0:7000", 0}, 0},
		{"SO_REUSEADDR, address after wildcard", binder{0, "0.0.0.0:7000", 0}, binder{addr, "127.0.0.1:7000", 0}, 0},
		{"SO_REUSEADDR of the first alone", binder{addr, "0.0.0.0:7000", 0}, binder{0, "127.0.0.1:7000", 0}, abi.EADDRINUSE},
		{"SO_REUSEPORT of both", binder{reusePort, "127.0.0.1:7000", 0}, binder{reusePort, "127.0.0.1:7000", 0}, 0},
		{"SO_REUSEPORT of one", binder{0, "127.0.0.1:7000", 0}, binder{reusePort, "127.0.0.1:7000", 0}, abi.EADDRINUSE},
		{"IPv6, same", binder{0, "[::1]:7000", 0}, binder{0, "[::1]:7000", 0}, abi.EADDRINUSE},
		{"IPv6 alone and IPv4", binder{0, "[::]:7000", 0}, binder{0, "0.0.0.0:7000", 0}, 0},
		{"IPv6 for both and IPv4", binder{0, "[::]:7000", -1}, binder{0, "0.0.0.0:7000", 0}, abi.EADDRINUSE},
		{"IPv4 and IPv6 for both", binder{0, "0.0.0.0:7000", 0}, binder{0, "[::]:7000", -1}, abi.EADDRINUSE},
		{"mapped and IPv4", binder{0, "[::ffff:127.0.0.1]:7000", -1}, binder{0, "127.0.0.1:7000", 0}, abi.EADDRINUSE},
		{"mapped on IPv6 alone", binder{0, "127.0.0.1:7001", 0}, binder{0, "[::ffff:127.0.0.1]:7000", 0}, abi.EINVAL},
	} {
		for _, typ := range []int{abi.SOCK_STREAM, abi.SOCK_DGRAM} {
			t.Run(c.what, func(t *testing.T) {
				h := newHost(t)
				if errno := h.bindWith(typ, c.first); errno != 0 {
					t.Fatalf("first: %v", errno)
				}
				if errno := h.bindWith(typ, c.second); errno != c.errno {
					t.Errorf("type %d: %v, want %v", typ, errno, c.errno)
				}
			})
		}
	}
}

func (h host) bindWith(typ int, b binder) abi.Errno {
	h.t.Helper()
	sa := at(b.addr)
	fd := h.socket(int(sa[1]), typ, 0)
	for _, o := range []int{abi.SO_REUSEADDR, abi.SO_REUSEPORT} {
		if b.opts&o != 0 {
			h.setopt(fd, abi.SOL_SOCKET, o, cint(1))
		}
	}
	if b.v6 != 0 {
		h.setopt(fd, abi.IPPROTO_IPV6, abi.IPV6_V6ONLY, cint(b.v6+1))
	}
	return h.bind(fd, sa)
}

// Oracle: SO_REUSEADDR's use: a server binds its port again while connections of the former one are there, which it may not do without.
func TestBindAfterConnections(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 4)
	client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(client, at("127.0.0.1:8000"))
	h.accept(server)
	h.Close(server)
	if errno := h.bindWith(abi.SOCK_STREAM, binder{0, "127.0.0.1:8000", 0}); errno != abi.EADDRINUSE {
		t.Errorf("without SO_REUSEADDR: %v", errno)
	}
	fd := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.setopt(fd, abi.SOL_SOCKET, abi.SO_REUSEADDR, cint(1))
	if errno := h.bind(fd, at("127.0.0.1:8000")); errno != 0 {
		t.Errorf("with SO_REUSEADDR: %v", errno)
	}
	h.Must(abi.SYS_listen, fd, 1)
}

// Oracle: ip(4), IP_PORTRANGE; sysctl(7), net.inet.ip.anonportmin and lowportmin: 49152-65535, and 600-1023 for root alone.
func TestPorts(t *testing.T) {
	h := newHost(t)
	user := host{h.Fork(), h.k, t}
	user.Must(abi.SYS_setuid, 1000)
	for _, c := range []struct {
		what     string
		h        host
		port     uint16
		low      bool
		min, max uint16
		errno    abi.Errno
	}{
		{"anonymous", user, 0, false, 49152, 65535, 0},
		{"low, root", h, 0, true, 600, 1023, 0},
		{"low, user", user, 0, true, 0, 0, abi.EACCES},
		{"1023, root", h, 1023, false, 1023, 1023, 0},
		{"1023, user", user, 1023, false, 0, 0, abi.EACCES},
		{"1024, user", user, 1024, false, 1024, 1024, 0},
	} {
		for _, family := range []struct {
			addr        string
			level, name int
		}{{"0.0.0.0", abi.IPPROTO_IP, abi.IP_PORTRANGE}, {"::", abi.IPPROTO_IPV6, abi.IPV6_PORTRANGE}} {
			t.Run(c.what+" "+family.addr, func(t *testing.T) {
				sa := port(family.addr, c.port)
				fd := c.h.socket(int(sa[1]), abi.SOCK_DGRAM, 0)
				defer c.h.Close(fd)
				if c.low {
					c.h.setopt(fd, family.level, family.name, cint(abi.IP_PORTRANGE_LOW))
				}
				if errno := c.h.bind(fd, sa); errno != c.errno {
					t.Fatalf("%v, want %v", errno, c.errno)
				}
				if got := c.h.local(fd).Port(); c.errno == 0 && (got < c.min || got > c.max) {
					t.Errorf("port %d", got)
				}
			})
		}
	}
	if _, errno := user.Call(abi.SYS___socket30, abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP); errno != abi.EACCES {
		t.Errorf("a raw socket of a user: %v", errno)
	}
}

// Oracle: in_pcbbind of NetBSD: two users do not share a port, whatever their options.
func TestBindUsers(t *testing.T) {
	h := newHost(t)
	a, b := host{h.Fork(), h.k, t}, host{h.Fork(), h.k, t}
	a.Must(abi.SYS_setuid, 1000)
	b.Must(abi.SYS_setuid, 1001)
	if errno := a.bindWith(abi.SOCK_DGRAM, binder{abi.SO_REUSEPORT, "127.0.0.1:7000", 0}); errno != 0 {
		t.Fatal(errno)
	}
	if errno := b.bindWith(abi.SOCK_DGRAM, binder{abi.SO_REUSEPORT, "127.0.0.1:7000", 0}); errno != abi.EADDRINUSE {
		t.Errorf("another user: %v", errno)
	}
	if errno := a.bindWith(abi.SOCK_DGRAM, binder{abi.SO_REUSEPORT, "127.0.0.1:7000", 0}); errno != 0 {
		t.Errorf("the same user: %v", errno)
	}
}

// Connections in TIME_WAIT within the host give up their ports when there is no other.
func TestPortsRecycled(t *testing.T) {
	h := newHost(t)
	if errno := h.SetSysctl("net.inet.ip.anonportmin", cint(65530)); errno != 0 {
		t.Fatal(errno)
	}
	server := h.listen(at("127.0.0.1:8000"), 5)
	for i := range 50 {
		client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		if errno := h.connect(client, at("127.0.0.1:8000")); errno != 0 {
			t.Fatalf("connection %d: %v", i, errno)
		}
		if got := h.local(client).Port(); got < 65530 {
			t.Errorf("port %d", got)
		}
		conn, _ := h.accept(server)
		h.Close(client)
		h.want(conn, 1, 0, "", 0)
		h.Close(conn)
		for h.closing() {
			h.poll(server, abi.POLLIN, 1)
		}
	}
}

// closing says whether a TCP connection is there that is neither listening nor in TIME_WAIT.
func (h host) closing() bool {
	return slices.ContainsFunc(h.pcbs("net.inet.tcp"), func(p abi.KinfoPcb) bool {
		return p.Tstate != abi.TCPS_LISTEN && p.Tstate != abi.TCPS_TIME_WAIT
	})
}

// When all ports are taken there is none: EAGAIN.
func TestPortsExhausted(t *testing.T) {
	h := newHost(t)
	limit := abi.Rlimit{Cur: 1000, Max: 1000}
	h.Must(abi.SYS_setrlimit, abi.RLIMIT_NOFILE, limit.Append(nil))
	last := abi.Errno(0)
	for range 1023 - 600 + 2 {
		fd := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
		h.setopt(fd, abi.IPPROTO_IP, abi.IP_PORTRANGE, kerntest.Ints(abi.IP_PORTRANGE_LOW))
		last = h.bind(fd, at("0.0.0.0:0"))
	}
	if last != abi.EAGAIN {
		t.Errorf("%v, want EAGAIN", last)
	}
}
