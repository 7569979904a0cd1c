package gif

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/netinet"
	"github.com/rumpctrl/rumpctrl/component/net/netinet6"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/component/net/shmif"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
)

// host is a kernel on a bus in memory: 10.0.0.N and 2001:db8::N are its addresses there.
type host struct {
	t    testing.TB
	n    int
	k    *kern.Kernel
	p    *kerntest.P
	sock map[int]int // a socket of each family
}

func newHost(t testing.TB, buses *membus.Buses, n int) *host {
	t.Helper()
	k := kerntest.New(t, rumpnet.Component(), net.Component(), netinet.Component(), netinet6.Component(), shmif.Component(), Component(),
		buses.Component())
	h := &host{t: t, n: n, k: k, p: kerntest.Proc(t, k), sock: map[int]int{}}
	for _, family := range []int{abi.AF_INET, abi.AF_INET6} {
		h.sock[family] = int(h.p.Must(abi.SYS___socket30, family, abi.SOCK_DGRAM, 0))
	}
	for _, name := range []string{"net.inet.ip.dad_count", "net.inet6.ip6.dad_count"} { // addresses are good at once
		if errno := h.p.SetSysctl(name, make([]byte, 4)); errno != 0 {
			t.Fatalf("%s: %v", name, errno)
		}
	}
	h.ioctl(abi.AF_INET, abi.SIOCIFCREATE, ifreq("shmif0"), 0)
	bus := abi.Ifdrv{Len: 8, Data: h.p.Mem.Map([]byte("mem:lan\x00"))}
	copy(bus.Name[:], "shmif0")
	h.ioctl(abi.AF_INET, abi.SIOCSLINKSTR, bus.Append(nil), 0)
	h.address("shmif0", netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), netip.Addr{}, 24)
	h.address("shmif0", netip.MustParseAddr(fmt.Sprint("2001:db8::", n)), netip.Addr{}, 64)
	return h
}

func ifreq(name string) []byte {
	b := make([]byte, abi.SizeofIfreq)
	copy(b, name)
	return b
}

func (h *host) ioctl(family int, cmd uint32, arg []byte, want abi.Errno) {
	h.t.Helper()
	if _, errno := h.p.Call(abi.SYS_ioctl, h.sock[family], uint64(cmd), arg); errno != want {
		h.t.Fatalf("%s: %v, want %v", abi.IoctlName(cmd), errno, want)
	}
}

// address adds an address, with the other end of a point-to-point link where dst is one: SIOCAIFADDR and SIOCAIFADDR_IN6.
func (h *host) address(name string, a, dst netip.Addr, bits int) {
	h.t.Helper()
	at := func(b []byte, off int, sa []byte) { copy(b[off:], sa) }
	if a.Is4() {
		b := make([]byte, abi.SizeofInAliasreq)
		copy(b, name)
		at(b, 16, sockaddr.Inet(a, 0, 0))
		at(b, 32, sockaddr.Inet(dst, 0, 0))
		at(b, 48, sockaddr.Mask(abi.AF_INET, bits))
		h.ioctl(abi.AF_INET, abi.SIOCAIFADDR, b, 0)
		return
	}
	b := make([]byte, abi.SizeofIn6Aliasreq)
	copy(b, name)
	at(b, 16, sockaddr.Inet(a, 0, 0))
	at(b, 16+28, sockaddr.Inet(dst, 0, 0))
	at(b, 16+56, sockaddr.Mask(abi.AF_INET6, bits))
	lifetime := abi.In6Addrlifetime{Vltime: 0xffffffff, Pltime: 0xffffffff}
	at(b, abi.SizeofIn6Aliasreq-abi.SizeofIn6Addrlifetime, lifetime.Append(nil))
	h.ioctl(abi.AF_INET6, abi.SIOCAIFADDR_IN6, b, 0)
}

// tunnel sets the ends of a gif interface.
func (h *host) tunnel(name string, src, dst netip.Addr, want abi.Errno) {
	h.t.Helper()
	cmd, size := uint32(abi.SIOCSIFPHYADDR), abi.SizeofInAliasreq
	if src.Is6() {
		cmd, size = abi.SIOCSIFPHYADDR_IN6, abi.SizeofIn6Aliasreq
	}
	b := make([]byte, size)
	copy(b, name)
	s, d := sockaddr.Inet(src, 0, 0), sockaddr.Inet(dst, 0, 0)
	copy(b[abi.IFNAMSIZ:], s)
	copy(b[abi.IFNAMSIZ+len(s):], d)
	h.ioctl(abi.AF_INET, cmd, b, want)
}

func (h *host) up(name string) {
	h.t.Helper()
	req := ifreq(name)
	req[abi.IFNAMSIZ] = abi.IFF_UP
	h.ioctl(abi.AF_INET, abi.SIOCSIFFLAGS, req, 0)
}

// exchange sends a datagram from one host's inner address to the other's and back.
func exchange(t testing.TB, a, b *host, from, to netip.Addr, size int) {
	t.Helper()
	family := abi.AF_INET
	if from.Is6() {
		family = abi.AF_INET6
	}
	bind := func(h *host, addr netip.Addr) (fd int, sa []byte) {
		fd = int(h.p.Must(abi.SYS___socket30, family, abi.SOCK_DGRAM, 0))
		sa = sockaddr.Inet(addr, 7777, 0)
		h.p.Must(abi.SYS_bind, fd, sa, len(sa))
		return fd, sa
	}
	fa, sa := bind(a, from)
	fb, sb := bind(b, to)
	defer a.p.Close(fa)
	defer b.p.Close(fb)
	msg := bytes.Repeat([]byte("through the tunnel "), size/19+1)[:size]
	a.p.Must(abi.SYS_sendto, fa, msg, len(msg), 0, sb, len(sb))
	got := make([]byte, size+1)
	if n := b.p.Must(abi.SYS_recvfrom, fb, got, len(got), 0, nil, nil); !bytes.Equal(got[:n], msg) {
		t.Errorf("%v got %d bytes", to, n)
	}
	b.p.Must(abi.SYS_sendto, fb, msg, len(msg), 0, sa, len(sa))
	if n := a.p.Must(abi.SYS_recvfrom, fa, got, len(got), 0, nil, nil); !bytes.Equal(got[:n], msg) {
		t.Errorf("%v got %d bytes", from, n)
	}
}

// outside and inside are the addresses of host n.
func outside(v6 bool, n int) netip.Addr {
	if v6 {
		return netip.MustParseAddr(fmt.Sprint("2001:db8::", n))
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})
}

func inside(v6 bool, n int) netip.Addr {
	if v6 {
		return netip.MustParseAddr(fmt.Sprint("fd00::", n))
	}
	return netip.AddrFrom4([4]byte{192, 168, 7, byte(n)})
}

// TestTunnel has datagrams of both families pass through tunnels of both: RFC 2893, RFC 2473. Large ones go in fragments, inside and outside.
func TestTunnel(t *testing.T) {
	for _, outer6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("over6=%v", outer6), func(t *testing.T) {
			var buses membus.Buses
			hosts := []*host{newHost(t, &buses, 1), newHost(t, &buses, 2)}
			for i, h := range hosts {
				me, other := i+1, 2-i
				h.ioctl(abi.AF_INET, abi.SIOCIFCREATE, ifreq("gif0"), 0)
				h.tunnel("gif0", outside(outer6, me), outside(outer6, other), 0)
				h.up("gif0")
				h.address("gif0", inside(false, me), inside(false, other), 32)
				h.address("gif0", inside(true, me), inside(true, other), 128)
			}
			for _, inner6 := range []bool{false, true} {
				for _, size := range []int{10, 1200, 5000} {
					exchange(t, hosts[0], hosts[1], inside(inner6, 1), inside(inner6, 2), size)
				}
			}
			gif := ifnet.Of(hosts[0].k).ByName("gif0")
			if in, out := gif.Stats.Ipackets.Load(), gif.Stats.Opackets.Load(); in < 6 || out < 6 {
				t.Errorf("gif0 counted %d and %d packets", in, out)
			}
			if f := gif.Flags(); f != abi.IFF_UP|abi.IFF_POINTOPOINT|abi.IFF_RUNNING|abi.IFF_MULTICAST || gif.MTU() != 1280 {
				t.Errorf("flags %#x, MTU %d", f, gif.MTU())
			}
		})
	}
}

// TestConfigure: the ioctls of gif(4) and their errors.
func TestConfigure(t *testing.T) {
	var buses membus.Buses
	h := newHost(t, &buses, 1)
	for _, name := range []string{"gif0", "gif1"} {
		h.ioctl(abi.AF_INET, abi.SIOCIFCREATE, ifreq(name), 0)
	}
	a, b, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::2")
	req := make([]byte, abi.SizeofIfLaddrreq)
	copy(req, "gif0")
	h.ioctl(abi.AF_INET, abi.SIOCGLIFPHYADDR, req, abi.EADDRNOTAVAIL)
	h.ioctl(abi.AF_INET, abi.SIOCGIFPSRCADDR, ifreq("gif0"), abi.EADDRNOTAVAIL)
	h.tunnel("gif0", a, netip.IPv4Unspecified(), abi.EADDRNOTAVAIL)
	h.tunnel("gif0", a, netip.MustParseAddr("224.0.0.1"), abi.EADDRNOTAVAIL)
	h.tunnel("gif0", a, b, 0)
	h.tunnel("gif1", a, b, abi.EADDRNOTAVAIL)
	h.tunnel("gif0", a, b, 0) // again is no other
	mixed := make([]byte, abi.SizeofIfLaddrreq)
	copy(mixed, "gif1")
	copy(mixed[laddrAt:], sockaddr.Inet(a, 0, 0))
	copy(mixed[laddrAt+abi.SizeofSockaddrStorage:], sockaddr.Inet(six, 0, 0))
	h.ioctl(abi.AF_INET, abi.SIOCSLIFPHYADDR, mixed, abi.EINVAL)
	clear(mixed[laddrAt:])
	h.ioctl(abi.AF_INET, abi.SIOCSLIFPHYADDR, mixed, abi.EAFNOSUPPORT)
	copy(mixed[laddrAt:], sockaddr.Inet(six.Next(), 0, 0))
	copy(mixed[laddrAt+abi.SizeofSockaddrStorage:], sockaddr.Inet(six, 0, 0))
	h.ioctl(abi.AF_INET, abi.SIOCSLIFPHYADDR, mixed, 0)
	for _, c := range []struct {
		name string
		cmd  uint32
		size int
		want netip.Addr
	}{
		{"gif0", abi.SIOCGIFPSRCADDR, abi.SizeofIfreq, a}, {"gif0", abi.SIOCGIFPDSTADDR, abi.SizeofIfreq, b},
		{"gif1", abi.SIOCGIFPSRCADDR_IN6, abi.IOCParmLen(abi.SIOCGIFPSRCADDR_IN6), six.Next()},
		{"gif1", abi.SIOCGIFPDSTADDR_IN6, abi.IOCParmLen(abi.SIOCGIFPDSTADDR_IN6), six},
	} {
		arg := make([]byte, c.size)
		copy(arg, c.name)
		h.ioctl(abi.AF_INET, c.cmd, arg, 0)
		if got, _, _, _ := sockaddr.ParseInet(arg[abi.IFNAMSIZ:]); got != c.want {
			t.Errorf("%s of %s: %v, want %v", abi.IoctlName(c.cmd), c.name, got, c.want)
		}
	}
	h.ioctl(abi.AF_INET, abi.SIOCGLIFPHYADDR, req, 0)
	if got, _, _, _ := sockaddr.ParseInet(req[laddrAt+abi.SizeofSockaddrStorage:]); got != b {
		t.Errorf("SIOCGLIFPHYADDR: %v", got)
	}
	mtu := func(v int32) []byte {
		r := abi.Ifreq{}
		copy(r.Name[:], "gif0")
		r.SetMtu(v)
		return r.Append(nil)
	}
	h.ioctl(abi.AF_INET, abi.SIOCSIFMTU, mtu(1279), abi.EINVAL)
	h.ioctl(abi.AF_INET, abi.SIOCSIFMTU, mtu(8193), abi.EINVAL)
	h.ioctl(abi.AF_INET, abi.SIOCSIFMTU, mtu(1480), 0)
	h.ioctl(abi.AF_INET, abi.SIOCDIFPHYADDR, ifreq("gif0"), 0)
	h.ioctl(abi.AF_INET, abi.SIOCGIFPSRCADDR, ifreq("gif0"), abi.EADDRNOTAVAIL)
	h.up("gif0")
	if f := ifnet.Of(h.k).ByName("gif0").Flags(); f&abi.IFF_RUNNING != 0 {
		t.Errorf("flags %#x without a tunnel", f)
	}
}

// TestNested: a tunnel whose other end lies behind a tunnel passes nothing, and does not loop.
func TestNested(t *testing.T) {
	var buses membus.Buses
	h := newHost(t, &buses, 1)
	h.ioctl(abi.AF_INET, abi.SIOCIFCREATE, ifreq("gif0"), 0)
	h.tunnel("gif0", outside(false, 1), inside(false, 2), 0)
	h.up("gif0")
	h.address("gif0", inside(false, 1), inside(false, 2), 32)
	fd := int(h.p.Must(abi.SYS___socket30, abi.AF_INET, abi.SOCK_DGRAM, 0))
	to := sockaddr.Inet(inside(false, 2), 7777, 0)
	h.p.Call(abi.SYS_sendto, fd, []byte("x"), 1, 0, to, len(to))
	if n := ifnet.Of(h.k).ByName("gif0").Stats.Oerrors.Load(); n == 0 { // more where IPv6 has something to say on the new interface
		t.Error("no error was counted")
	}
}

// TestCongestion: what gif(4)'s link1 does with marks of congestion, by RFC 3168, section 9.1.
func TestCongestion(t *testing.T) {
	for _, c := range []struct {
		ecn         bool
		inner, want byte
	}{{false, 0xb8, 0xb8}, {false, 0xbb, 0xbb}, {true, 0xbb, 0xba}, {true, 0xb9, 0xb9}, {true, 0xb8, 0xb8}} {
		if got := ingress(c.inner, c.ecn); got != c.want {
			t.Errorf("ingress of %#x, %v: %#x, want %#x", c.inner, c.ecn, got, c.want)
		}
	}
	v4 := []byte{0x45, 0xb9, 0, 20, 1, 2, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
	v6 := append([]byte{0x6b, 0x91, 2, 3}, make([]byte, 36)...)
	for _, c := range []struct {
		packet []byte
		outer  byte
		want   byte
		ok     bool
	}{{v4, 0xb9, 0xb9, true}, {v4, 0xbb, 0xbb, true}, {v6, 0xb9, 0xb9, true}, {v6, 0xbb, 0xbb, true}, {[]byte{0x45, 0xb8}, 0xbb, 0xb8, false}} {
		p := ifnet.NewPacket(c.packet)
		sum := checksum(p)
		ok := egress(p, c.outer)
		if got := trafficClass(p); got != c.want || ok != c.ok || p.Len() != len(c.packet) || checksum(p) != sum {
			t.Errorf("egress of %x, outer %#x: %#x, %v, %d bytes, checksum %#x and before %#x", c.packet[:2], c.outer, got, ok, p.Len(), checksum(p), sum)
		}
	}
}

// checksum sums an IPv4 header up, checksum included: it stays the same when the checksum follows a change. 0 for others.
func checksum(p *ifnet.Packet) uint16 {
	b := p.Buf.Clone()
	flat := b.Flatten()
	if flat[0]>>4 != 4 || len(flat) < ipv4Len {
		return 0
	}
	sum := uint32(0)
	for i := 0; i < ipv4Len; i += 2 {
		sum += uint32(flat[i])<<8 | uint32(flat[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}
