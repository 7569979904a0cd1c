package inet_test

import (
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestLifetime: RFC 4862, 5.5.4: an address is deprecated when its preferred lifetime ends and goes when its valid one does.
func TestLifetime(t *testing.T) {
	h := newHost(t)
	ifp := h.attach(newWire(false), "shm0", 1)
	h.fast(ifp, 1)
	h.up(ifp)
	add := func(addr string, vltime, pltime uint32) error {
		r := abi.In6Aliasreq{Lifetime: abi.In6Addrlifetime{Vltime: vltime, Pltime: pltime}}
		copy(r.Name[:], ifp.Name)
		r.Addr.Decode(sockaddr.Inet(netip.MustParseAddr(addr), 0, 0))
		r.Prefixmask.Decode(sockaddr.Mask(abi.AF_INET6, 64))
		r.Prefixmask.Len = abi.SizeofSockaddrIn6
		return h.in.Ioctl(h.k.KernelThread(), abi.AF_INET6, abi.SIOCAIFADDR_IN6, r.Append(nil))
	}
	for _, c := range []struct {
		vltime, pltime uint32
		want           error
	}{{10, 20, abi.EINVAL}, {0, 0, nil}, {3600, 0, nil}} {
		if err := add("2001:db8::1", c.vltime, c.pltime); err != c.want {
			t.Errorf("lifetimes %d and %d: %v, want %v", c.vltime, c.pltime, err, c.want)
		}
		if _, err := h.flags6(ifp, "2001:db8::1"); (err == nil) != (c.vltime == 3600) {
			t.Errorf("lifetimes %d and %d: %v", c.vltime, c.pltime, err)
		}
	}
	if f, _ := h.flags6(ifp, "2001:db8::1"); f&abi.IN6_IFF_DEPRECATED == 0 {
		t.Errorf("flags %#x", f)
	}
	if err := add("2001:db8::2", 1, 1); err != nil {
		t.Fatal(err)
	}
	until(t, "end of the address", func() bool { _, err := h.flags6(ifp, "2001:db8::2"); return err == abi.EADDRNOTAVAIL })
	if e := h.in.Table.Lookup(netip.MustParseAddr("2001:db8::2"), 0); e == nil || e.Flags&abi.RTF_LOCAL != 0 {
		t.Errorf("route %+v", e)
	}
}

// TestLists: what ndp(8), -p and -r, is told: sysctl(7), nd6_prlist and nd6_drlist: in6_prefix with the routers after it, in6_defrouter.
func TestLists(t *testing.T) {
	w := newWire(false)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.fast(ifp, 1)
	h.sysctl("net.inet6.ip6.accept_rtadv", 1)
	h.up(ifp)
	h.ready(ifp, "fe80::ff:fe00:1")
	w.inject(advert("fe80::99", 1800, "2001:db8:7::/64", 3600, 1800))
	w.inject(advert("fe80::9a", 600, "2001:db8:7::/64", 3600, 1800))
	p := kerntest.Proc(t, h.k)
	until(t, "two routers", func() bool {
		b, _ := p.Sysctl("net.inet6.icmp6.nd6_drlist")
		return len(b) == 2*abi.SizeofIn6Defrouter
	})
	b, errno := p.Sysctl("net.inet6.icmp6.nd6_drlist")
	var r abi.In6Defrouter
	if errno != 0 || r.Decode(b) != nil || r.Rtlifetime != 1800 || r.IfIndex != ifp.Index || r.Rtaddr.ScopeId != uint32(ifp.Index) || r.Expire == 0 {
		t.Errorf("router %+v, %v", r, errno)
	}
	b, errno = p.Sysctl("net.inet6.icmp6.nd6_prlist")
	found := false
	for len(b) >= abi.SizeofIn6Prefix {
		var x abi.In6Prefix
		x.Decode(b)
		b = b[abi.SizeofIn6Prefix+int(x.Advrtrs)*abi.SizeofSockaddrIn6:]
		if netip.AddrFrom16(x.Prefix.Addr.Addr) == netip.MustParseAddr("2001:db8:7::") {
			found = x.Prefixlen == 64 && x.Vltime == 3600 && x.Advrtrs == 2 && x.Flags == 1 && x.Refcnt == 1
		}
	}
	if !found || errno != 0 || len(b) != 0 {
		t.Errorf("the prefix is not there, %v", errno)
	}
	var l abi.In6Drlist
	copy(l.Ifname[:], ifp.Name)
	raw := l.Append(nil)
	h.ioctl(abi.AF_INET6, abi.SIOCGDRLST_IN6, raw)
	if l.Decode(raw); l.Defrouter[1][0] != 0xfe || l.Defrouter[1][15] != 0x9a || l.Defrouter[2][0] != 0 {
		t.Errorf("list of routers % x", l.Defrouter[:3])
	}
	h.ioctl(abi.AF_INET6, abi.SIOCSRTRFLUSH_IN6, raw)
	h.ioctl(abi.AF_INET6, abi.SIOCSPFXFLUSH_IN6, raw)
	if b, _ := p.Sysctl("net.inet6.icmp6.nd6_drlist"); len(b) != 0 {
		t.Errorf("%d bytes of routers after the flush", len(b))
	}
	if _, err := h.flags6(ifp, "2001:db8:7:0:0:ff:fe00:1"); err != abi.EADDRNOTAVAIL {
		t.Errorf("the address made of the prefix: %v", err)
	}
}

// TestDeadRouter: RFC 4861, 6.3.6: a default router that does not answer gives its place to the next.
func TestDeadRouter(t *testing.T) {
	w := newWire(false)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.fast(ifp, 1)
	h.sysctl("net.inet6.ip6.accept_rtadv", 1)
	h.sysctl("net.inet6.icmp6.nd6_delay", 0)
	h.up(ifp)
	h.ready(ifp, "fe80::ff:fe00:1")
	w.inject(advert("fe80::99", 1800, "2001:db8:7::/64", 3600, 1800))
	dst := netip.MustParseAddr("2001:4860::1")
	gateway := func() string {
		if e := h.in.Table.Lookup(dst, 0); e != nil {
			return e.Gateway.String()
		}
		return ""
	}
	until(t, "first router", func() bool { return gateway() == "fe80::99" })
	w.inject(advert("fe80::9a", 1800, "2001:db8:7::/64", 3600, 1800))
	h.ready(ifp, "2001:db8:7:0:0:ff:fe00:1")
	until(t, "second router", func() bool {
		b, _ := kerntest.Proc(t, h.k).Sysctl("net.inet6.icmp6.nd6_drlist")
		return len(b) == 2*abi.SizeofIn6Defrouter
	})
	if g := gateway(); g != "fe80::99" {
		t.Errorf("default router %s", g)
	}
	h.in.WriteIP6(ip6("2001:db8:7:0:0:ff:fe00:1", dst.String(), 99, 64, []byte("data")), rawOptions)
	until(t, "change of routers", func() bool { return gateway() == "fe80::9a" })
}
