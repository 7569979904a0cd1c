package inet_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// ready waits until duplicate address detection of an address has ended.
func (h *host) ready(ifp *ifnet.Interface, addr string) {
	h.t.Helper()
	until(h.t, addr+" usable", func() bool {
		f, err := h.flags6(ifp, addr)
		return err == nil && f&abi.IN6_IFF_NOTREADY == 0
	})
}

// fast has duplicate address detection take no time worth mentioning: the retransmission timer of an interface in milliseconds.
func (h *host) fast(ifp *ifnet.Interface, ms uint32) {
	h.t.Helper()
	r := abi.In6Ndireq{}
	copy(r.Ifname[:], ifp.Name)
	b := r.Append(nil)
	h.ioctl(abi.AF_INET6, abi.SIOCGIFINFO_IN6, b)
	r.Decode(b)
	r.Ndi.Retrans, r.Ndi.Linkmtu = ms, 0
	h.ioctl(abi.AF_INET6, abi.SIOCSIFINFO_IN6, r.Append(nil))
}

// up sets an interface up.
func (h *host) up(ifp *ifnet.Interface) {
	h.t.Helper()
	h.n.Config.Lock()
	defer h.n.Config.Unlock()
	if err := ifp.SetFlags(abi.IFF_UP, 0); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) down(ifp *ifnet.Interface) {
	h.t.Helper()
	h.n.Config.Lock()
	defer h.n.Config.Unlock()
	if err := ifp.SetFlags(0, abi.IFF_UP); err != nil {
		h.t.Fatal(err)
	}
}

// pair6 are two kernels on a wire, 2001:db8::1 and ::2.
func pair6(t testing.TB) (a, b *host, ai, bi *ifnet.Interface, w *wire) {
	w = newWire(true)
	a, b = newHost(t), newHost(t)
	ai, bi = a.attach(w, "shm0", 1), b.attach(w, "shm0", 2)
	for i, h := range []*host{a, b} {
		ifp := []*ifnet.Interface{ai, bi}[i]
		h.fast(ifp, 10)
		h.up(ifp)
		h.add6(ifp, []string{"2001:db8::1/64", "2001:db8::2/64"}[i])
	}
	a.ready(ai, "2001:db8::1")
	b.ready(bi, "2001:db8::2")
	a.ready(ai, "fe80::ff:fe00:1")
	b.ready(bi, "fe80::ff:fe00:2")
	return a, b, ai, bi, w
}

// ping6 sends an echo request and waits for the answer.
func (h *host) ping6(src, dst string, ifp *ifnet.Interface, n int) []byte {
	h.t.Helper()
	c := h.catch(abi.AF_INET6)
	b := append([]byte{abi.ICMP6_ECHO_REQUEST, 0, 0, 0, 0x47, 0x11, 0, 1}, make([]byte, n)...)
	if err := h.in.WriteIP6(ip6(src, dst, abi.IPPROTO_ICMPV6, 64, sum6(src, dst, b)), inet.RawOptions{If: ifp}); err != nil {
		h.t.Fatalf("ping6 %s: %v", dst, err)
	}
	return receive(h.t, c, "answer of "+dst, func(b []byte) bool { return b[40] == abi.ICMP6_ECHO_REPLY })
}

// TestPing6: transcript net-03-two-kernels (hlim=64), global and link-local addresses, in fragments too, and ::1 as in net-02.
func TestPing6(t *testing.T) {
	a, b, ai, _, _ := pair6(t)
	if r := a.ping6("2001:db8::1", "2001:db8::2", nil, 8); r[7] != 64 {
		t.Errorf("hop limit %d", r[7])
	}
	a.ping6("fe80::ff:fe00:1", "fe80::ff:fe00:2", ai, 8)
	a.ping6("fe80::ff:fe00:1", "fe80::ff:fe00:1", ai, 8)
	a.ping6("2001:db8::1", "2001:db8::1", nil, 8)
	a.ping6("::1", "::1", nil, 8)
	if r := a.ping6("2001:db8::1", "2001:db8::2", nil, 4000); len(r) != 40+8+4000 {
		t.Errorf("%d bytes came back", len(r))
	}
	if n := b.in.Stats.IP6.Load(abi.IP6_STAT_REASSEMBLED); n != 1 {
		t.Errorf("%d datagrams reassembled", n)
	}
}

// TestTentative: transcript net-01-ifconfig: an address is tentative at first, detached when the interface is down.
func TestTentative(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.up(ifp)
	if f, err := h.flags6(ifp, "fe80::ff:fe00:1"); err != nil || f&abi.IN6_IFF_TENTATIVE == 0 {
		t.Errorf("flags %#x, %v", f, err)
	}
	h.down(ifp)
	if f, err := h.flags6(ifp, "fe80::ff:fe00:1"); err != nil || f != abi.IN6_IFF_DETACHED {
		t.Errorf("flags %#x, %v", f, err)
	}
}

// TestDAD6: RFC 4862, 5.4: who solicits the address from :: has it, and so does who advertises it.
func TestDAD6(t *testing.T) {
	a, b, ai, bi, w := pair6(t)
	b.fast(bi, 2000)
	b.add6(bi, "2001:db8::1/64")
	until(t, "duplicate address", func() bool { f, _ := b.flags6(bi, "2001:db8::1"); return f&abi.IN6_IFF_DUPLICATED != 0 })
	w.wait(t, "probe", func(f []byte) bool {
		return len(f) == 14+40+24 && f[54] == abi.ND_NEIGHBOR_SOLICIT && bytes.Equal(f[22:38], make([]byte, 16)) && f[6+5] == 2 && f[6+14+40+17] == 1
	})
	if f, err := a.flags6(ai, "2001:db8::1"); err != nil || f != 0 {
		t.Errorf("who had the address first has flags %#x, %v", f, err)
	}
}

// TestForwarding6: three kernels in a row: the hop limit, time exceeded, and packet too big, RFC 4443.
func TestForwarding6(t *testing.T) {
	left, right := newWire(true), newWire(true)
	a, r, b := newHost(t), newHost(t), newHost(t)
	ifps := map[*host][]*ifnet.Interface{
		a: {a.attach(left, "shm0", 1)}, r: {r.attach(left, "shm0", 2), r.attach(right, "shm1", 3)}, b: {b.attach(right, "shm0", 4)},
	}
	for h, list := range ifps {
		for _, ifp := range list {
			h.fast(ifp, 10)
			h.up(ifp)
		}
	}
	for _, c := range []struct {
		h    *host
		i    int
		addr string
	}{{a, 0, "2001:db8:1::1/64"}, {r, 0, "2001:db8:1::ff/64"}, {r, 1, "2001:db8:2::ff/64"}, {b, 0, "2001:db8:2::2/64"}} {
		c.h.add6(ifps[c.h][c.i], c.addr)
		c.h.ready(ifps[c.h][c.i], netip.MustParsePrefix(c.addr).Addr().String())
	}
	a.gateway("::/0", "2001:db8:1::ff")
	b.gateway("::/0", "2001:db8:2::ff")
	r.sysctl("net.inet6.ip6.forwarding", 1)
	if got := a.ping6("2001:db8:1::1", "2001:db8:2::2", nil, 3000); got[7] != 63 {
		t.Errorf("hop limit %d", got[7])
	}
	c := a.catch(abi.AF_INET6)
	send := func(hlim byte, n int) {
		b := append([]byte{abi.ICMP6_ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 0}, make([]byte, n)...)
		if err := a.in.WriteIP6(ip6("2001:db8:1::1", "2001:db8:2::2", abi.IPPROTO_ICMPV6, hlim, sum6("2001:db8:1::1", "2001:db8:2::2", b)), inet.RawOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	send(1, 8)
	receive(t, c, "time exceeded", func(b []byte) bool { return b[40] == abi.ICMP6_TIME_EXCEEDED })
	r.n.Config.Lock()
	r.n.ByName("shm1").SetMTU(1280)
	r.n.Config.Unlock()
	send(64, 1400)
	big := receive(t, c, "packet too big", func(b []byte) bool { return b[40] == abi.ICMP6_PACKET_TOO_BIG })
	if mtu := binary.BigEndian.Uint32(big[44:]); mtu != 1280 {
		t.Errorf("MTU %d", mtu)
	}
	dst := netip.MustParseAddr("2001:db8:2::2")
	until(t, "path's MTU", func() bool {
		e := a.in.Table.Lookup(dst, 0)
		return e != nil && e.Metrics.Mtu == 1280 && e.Flags&abi.RTF_DYNAMIC != 0
	})
	a.ping6("2001:db8:1::1", "2001:db8:2::2", nil, 1400)
	if len(big) != 1280 {
		t.Errorf("the error is %d bytes long", len(big))
	}
}

// advert is a router's advertisement with a prefix: RFC 4861, 4.2 and 4.6.
func advert(src string, lifetime uint16, prefix string, vltime, pltime uint32) []byte {
	p := netip.MustParsePrefix(prefix)
	b := make([]byte, 16)
	b[0], b[4] = abi.ND_ROUTER_ADVERT, 96
	binary.BigEndian.PutUint16(b[6:], lifetime)
	b = append(b, abi.ND_OPT_SOURCE_LINKADDR, 1, 2, 0, 0, 0, 0, 0x99)
	b = append(b, abi.ND_OPT_MTU, 1, 0, 0, 0, 0, 0x05, 0x78) // 1400
	b = append(b, abi.ND_OPT_PREFIX_INFORMATION, 4, byte(p.Bits()), abi.ND_OPT_PI_FLAG_ONLINK|abi.ND_OPT_PI_FLAG_AUTO)
	b = binary.BigEndian.AppendUint32(b, vltime)
	b = binary.BigEndian.AppendUint32(b, pltime)
	b = append(b, 0, 0, 0, 0)
	b = append(b, p.Addr().AsSlice()...)
	frame := append([]byte{0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x99}, 0x86, 0xdd)
	return append(frame, ip6(src, "ff02::1", abi.IPPROTO_ICMPV6, 255, sum6(src, "ff02::1", b))...)
}

// TestRouterAdvertisement: RFC 4861, 6.3.4 and RFC 4862, 5.5.3: default route, prefix route, address, MTU and hop limit; all of it goes when the
// router says that it goes.
func TestRouterAdvertisement(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.fast(ifp, 10)
	h.sysctl("net.inet6.ip6.accept_rtadv", 1)
	h.up(ifp)
	h.ready(ifp, "fe80::ff:fe00:1")
	const router = "fe80::99"
	w.inject(advert(router, 1800, "2001:db8:7::/64", 3600, 1800))
	const addr = "2001:db8:7:0:0:ff:fe00:1"
	h.ready(ifp, addr)
	if f, _ := h.flags6(ifp, addr); f != abi.IN6_IFF_AUTOCONF {
		t.Errorf("flags %#x", f)
	}
	e := h.in.Table.Lookup(netip.MustParseAddr("2001:4860::1"), 0)
	if e == nil || e.Gateway != netip.MustParseAddr(router) || e.If != ifp {
		t.Errorf("default route %+v", e)
	}
	if src, ok := h.in.SourceFor(netip.MustParseAddr("2001:4860::1"), nil); !ok || src != netip.MustParseAddr(addr) {
		t.Errorf("source %v", src)
	}
	var r abi.In6Ndireq
	copy(r.Ifname[:], ifp.Name)
	b := r.Append(nil)
	h.ioctl(abi.AF_INET6, abi.SIOCGIFINFO_IN6, b)
	if r.Decode(b); r.Ndi.Linkmtu != 1400 || r.Ndi.Chlim != 96 {
		t.Errorf("MTU %d, hop limit %d", r.Ndi.Linkmtu, r.Ndi.Chlim)
	}
	var l abi.In6Ifreq
	copy(l.Name[:], ifp.Name)
	copy(l.Ifru[:], sockaddr.Inet(netip.MustParseAddr(addr), 0, 0))
	b = l.Append(nil)
	h.ioctl(abi.AF_INET6, abi.SIOCGIFALIFETIME_IN6, b)
	if l.Decode(b); l.Lifetime().Vltime != 3600 || l.Lifetime().Pltime != 1800 {
		t.Errorf("lifetime %+v", l.Lifetime())
	}
	w.inject(advert(router, 0, "2001:db8:7::/64", 3600, 0))
	until(t, "end of the default route", func() bool { return h.in.Table.Lookup(netip.MustParseAddr("2001:4860::1"), 0) == nil })
	until(t, "deprecation", func() bool { f, _ := h.flags6(ifp, addr); return f&abi.IN6_IFF_DEPRECATED != 0 })
}
