package inpcb_test

import (
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	rumpnetnet "github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/netinet"
	"github.com/rumpctrl/rumpctrl/component/net/netinet6"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/net/shmif"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
)

// host is a process on a kernel with IPv4 and IPv6.
type host struct {
	*kerntest.P
	k *kern.Kernel
	t testing.TB
}

// newHost boots a kernel with lo0 alone.
func newHost(t testing.TB, more ...*kern.Component) host {
	t.Helper()
	list := append([]*kern.Component{rumpnet.Component()}, more...)
	list = append(list, rumpnetnet.Component(), netinet.Component(), netinet6.Component(), shmif.Component())
	k := kerntest.New(t, list...)
	return host{kerntest.Proc(t, k), k, t}
}

// pair boots two kernels on an Ethernet: 10.0.0.1 and fd00::1, 10.0.0.2 and fd00::2.
func pair(t testing.TB) (a, b host) {
	t.Helper()
	var buses membus.Buses
	a, b = newHost(t, buses.Component()), newHost(t, buses.Component())
	a.configure("10.0.0.1", "fd00::1")
	b.configure("10.0.0.2", "fd00::2")
	return a, b
}

// configure brings shmif0 up on the bus with addresses.
func (h host) configure(v4, v6 string) {
	h.t.Helper()
	for _, name := range []string{"net.inet.ip.dad_count", "net.inet6.ip6.dad_count"} {
		if errno := h.SetSysctl(name, cint(0)); errno != 0 {
			h.t.Fatal(name, errno)
		}
	}
	fd := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	defer h.Close(fd)
	name := make([]byte, abi.SizeofIfreq)
	copy(name, "shmif0")
	h.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCIFCREATE), name)
	bus := []byte("mem:lan\x00")
	link := abi.Ifdrv{Len: uint64(len(bus)), Data: h.Mem.Map(bus)}
	copy(link.Name[:], "shmif0")
	h.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCSLINKSTR), link.Append(nil))
	name[abi.IFNAMSIZ], name[abi.IFNAMSIZ+1] = abi.IFF_UP, 0
	h.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCSIFFLAGS), name)
	req := make([]byte, abi.SizeofInAliasreq)
	copy(req, "shmif0")
	copy(req[16:], sockaddr.Inet(netip.MustParseAddr(v4), 0, 0))
	copy(req[48:], sockaddr.Mask(abi.AF_INET, 24))
	h.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCAIFADDR), req)
	fd6 := h.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	defer h.Close(fd6)
	req6 := make([]byte, abi.SizeofIn6Aliasreq)
	var r abi.In6Aliasreq
	copy(r.Name[:], "shmif0")
	must(h.t, r.Addr.Decode(sockaddr.Inet(netip.MustParseAddr(v6), 0, 0)))
	must(h.t, r.Prefixmask.Decode(sockaddr.Mask(abi.AF_INET6, 64)))
	r.Lifetime.Vltime, r.Lifetime.Pltime = abi.ND6_INFINITE_LIFETIME, abi.ND6_INFINITE_LIFETIME
	must(h.t, r.Encode(req6))
	h.Must(abi.SYS_ioctl, fd6, uint64(abi.SIOCAIFADDR_IN6), req6)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at is a struct sockaddr of "ADDRESS:PORT"; its length is its own.
func at(addr string) []byte {
	a := netip.MustParseAddrPort(addr)
	return sockaddr.Inet(a.Addr().WithZone(""), a.Port(), 0)
}

// port is at with another port.
func port(addr string, n uint16) []byte {
	return sockaddr.Inet(netip.MustParseAddr(addr), n, 0)
}

func (h host) socket(family, typ, proto int) int {
	h.t.Helper()
	return int(h.Must(abi.SYS___socket30, family, typ, proto))
}

func (h host) bind(fd int, sa []byte) abi.Errno {
	_, errno := h.Call(abi.SYS_bind, fd, sa, len(sa))
	return errno
}

func (h host) connect(fd int, sa []byte) abi.Errno {
	_, errno := h.Call(abi.SYS_connect, fd, sa, len(sa))
	return errno
}

// listen makes a TCP socket that listens at an address.
func (h host) listen(sa []byte, backlog int) int {
	h.t.Helper()
	fd := h.socket(int(sa[1]), abi.SOCK_STREAM, 0)
	if errno := h.bind(fd, sa); errno != 0 {
		h.t.Fatalf("bind: %v", errno)
	}
	h.Must(abi.SYS_listen, fd, backlog)
	return fd
}

// accept takes a connection, and its peer's address.
func (h host) accept(fd int) (int, netip.AddrPort) {
	h.t.Helper()
	sa, n := make([]byte, 128), kerntest.Ints(128)
	c := h.Must(abi.SYS_accept, fd, sa, n)
	return int(c), addrPort(sa[:kerntest.Int(n)])
}

func addrPort(sa []byte) netip.AddrPort {
	a, p, _, _ := sockaddr.ParseInet(sa)
	return netip.AddrPortFrom(a, p)
}

// name is getsockname or getpeername.
func (h host) name(call, fd int) (netip.AddrPort, abi.Errno) {
	sa, n := make([]byte, 128), kerntest.Ints(128)
	if _, errno := h.Call(call, fd, sa, n); errno != 0 {
		return netip.AddrPort{}, errno
	}
	return addrPort(sa[:kerntest.Int(n)]), 0
}

// local is the socket's own address.
func (h host) local(fd int) netip.AddrPort {
	h.t.Helper()
	a, errno := h.name(abi.SYS_getsockname, fd)
	if errno != 0 {
		h.t.Fatalf("getsockname: %v", errno)
	}
	return a
}

func (h host) setopt(fd, level, name int, val []byte) abi.Errno {
	_, errno := h.Call(abi.SYS_setsockopt, fd, level, name, val, len(val))
	return errno
}

func (h host) getopt(fd, level, name int) ([]byte, abi.Errno) {
	b, n := make([]byte, 256), kerntest.Ints(256)
	if _, errno := h.Call(abi.SYS_getsockopt, fd, level, name, b, n); errno != 0 {
		return nil, errno
	}
	return b[:kerntest.Int(n)], 0
}

// soError is SO_ERROR.
func (h host) soError(fd int) abi.Errno {
	h.t.Helper()
	b, errno := h.getopt(fd, abi.SOL_SOCKET, abi.SO_ERROR)
	if errno != 0 {
		h.t.Fatalf("SO_ERROR: %v", errno)
	}
	return abi.Errno(kerntest.Int(b))
}

func (h host) send(fd int, s string, flags int) (int, abi.Errno) {
	v, errno := h.Call(abi.SYS_sendto, fd, []byte(s), len(s), flags, nil, 0)
	return int(v), errno
}

func (h host) sendto(fd int, s string, sa []byte) abi.Errno {
	_, errno := h.Call(abi.SYS_sendto, fd, []byte(s), len(s), 0, sa, len(sa))
	return errno
}

// recv receives at most size bytes, and the sender's address.
func (h host) recv(fd, size, flags int) (string, netip.AddrPort, abi.Errno) {
	b, sa, n := make([]byte, size), make([]byte, 128), kerntest.Ints(128)
	v, errno := h.Call(abi.SYS_recvfrom, fd, b, size, flags, sa, n)
	if errno != 0 {
		return "", netip.AddrPort{}, errno
	}
	return string(b[:v]), addrPort(sa[:kerntest.Int(n)]), 0
}

// want receives, and compares.
func (h host) want(fd, size, flags int, s string, errno abi.Errno) {
	h.t.Helper()
	if got, _, e := h.recv(fd, size, flags); got != s || e != errno {
		h.t.Errorf("recv %q, %v; want %q, %v", got, e, s, errno)
	}
}

// nonblock sets O_NONBLOCK.
func (h host) nonblock(fd int) {
	h.t.Helper()
	h.Must(abi.SYS_fcntl, fd, abi.F_SETFL, abi.O_NONBLOCK)
}

// poll waits for events.
func (h host) poll(fd, events, timeout int) int {
	h.t.Helper()
	p := abi.Pollfd{Fd: int32(fd), Events: int16(events)}
	b := p.Append(nil)
	h.Must(abi.SYS_poll, b, 1, timeout)
	must(h.t, p.Decode(b))
	return int(p.Revents)
}

func cint(v int) []byte { return kerntest.Ints(int32(v)) }
