package inet_test

import (
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// laddr calls an ioctl of struct if_laddrreq for an address and a peer, and says what it answers.
func (h *host) laddr(cmd, flags uint32, addr netip.Prefix, peer []byte) (got netip.Prefix, to netip.Addr, err error) {
	h.t.Helper()
	r := abi.IfLaddrreq{Flags: flags, Prefixlen: uint32(addr.Bits())}
	copy(r.IflrName[:], "shm0")
	b := r.Append(nil)
	const addrAt, peerAt = 24, 152
	if addr.Addr().IsValid() {
		copy(b[addrAt:], sockaddr.Inet(addr.Addr(), 0, 0))
	}
	copy(b[peerAt:], peer)
	family := abi.AF_INET
	if addr.Addr().Is6() {
		family = abi.AF_INET6
	}
	if err := h.in.Ioctl(h.k.KernelThread(), family, cmd, b); err != nil {
		return got, to, err
	}
	if err := r.Decode(b); err != nil {
		h.t.Fatal(err)
	}
	a, _, _, _ := sockaddr.ParseInet(b[addrAt:peerAt])
	to, _, _, _ = sockaddr.ParseInet(b[peerAt:])
	return netip.PrefixFrom(a, int(r.Prefixlen)), to, nil
}

// TestLaddr: SIOCALIFADDR, SIOCGLIFADDR and SIOCDLIFADDR with struct if_laddrreq of net/if.h, with and without IFLR_PREFIX, and the errors of NetBSD's in_lifaddr_ioctl.
func TestLaddr(t *testing.T) {
	h := newHost(t)
	ifp := h.attach(newWire(false), "shm0", 1)
	p := netip.MustParsePrefix
	const get, add, del, prefix = abi.SIOCGLIFADDR, abi.SIOCALIFADDR, abi.SIOCDLIFADDR, abi.IFLR_PREFIX
	for i, c := range []struct {
		cmd, flags uint32
		addr       netip.Prefix
		peer       []byte
		want       string
		err        error
	}{
		{get, 0, netip.Prefix{}, nil, "", abi.EINVAL}, // -1 bits
		{get, 0, p("0.0.0.0/0"), nil, "", abi.EADDRNOTAVAIL},
		{add, 0, p("10.1.1.1/24"), nil, "10.1.1.1/24", nil},
		{add, 0, p("10.2.1.1/16"), nil, "10.2.1.1/16", nil},
		{add, 0, p("224.0.0.9/16"), nil, "", abi.EINVAL},
		{add, prefix, p("10.3.0.0/16"), nil, "", abi.EINVAL},
		{add, 0, p("10.3.0.1/16"), sockaddr.Inet(netip.IPv6Loopback(), 0, 0), "", abi.EINVAL},
		{get, 0, p("0.0.0.0/0"), nil, "10.1.1.1/24", nil},
		{get, 0, p("10.2.1.1/32"), nil, "10.1.1.1/24", nil}, // the first, whichever is named
		{get, prefix, p("10.2.0.0/16"), nil, "10.2.1.1/16", nil},
		{get, prefix, p("10.2.1.1/16"), nil, "", abi.EINVAL},
		{get, prefix, p("10.4.0.0/16"), nil, "", abi.EADDRNOTAVAIL},
		{del, 0, p("10.2.1.2/16"), nil, "", abi.EADDRNOTAVAIL},
		{del, prefix, p("10.2.0.0/16"), nil, "10.2.0.0/16", nil},
		{get, prefix, p("10.2.0.0/16"), nil, "", abi.EADDRNOTAVAIL},
		{del, 0, p("10.1.1.1/24"), nil, "10.1.1.1/24", nil},
		{get, 0, p("0.0.0.0/0"), nil, "", abi.EADDRNOTAVAIL},
	} {
		got, _, err := h.laddr(c.cmd, c.flags, c.addr, c.peer)
		if err != c.err || err == nil && got.String() != c.want {
			t.Errorf("%d: %s: %s, %v; want %s, %v", i, c.addr, got, err, c.want, c.err)
		}
	}
	for _, a := range ifp.Addrs() {
		if a.Family == abi.AF_INET {
			t.Errorf("%x is left", a.Addr)
		}
	}
}

// TestLaddr6: the same of IPv6, and the errors of NetBSD's in6_lifaddr_ioctl. With IFLR_PREFIX an address that is added has the host's half of the
// link-local address.
func TestLaddr6(t *testing.T) {
	h := newHost(t)
	ifp := h.attach(newWire(false), "shm0", 1)
	p := netip.MustParsePrefix
	const get, add, del, prefix = abi.SIOCGLIFADDR, abi.SIOCALIFADDR, abi.SIOCDLIFADDR, abi.IFLR_PREFIX
	if _, _, err := h.laddr(add, prefix, p("2001:db8:2::/64"), nil); err != abi.EADDRNOTAVAIL {
		t.Errorf("without a link-local address: %v", err)
	}
	for i, c := range []struct {
		cmd, flags uint32
		addr       netip.Prefix
		want       string
		err        error
	}{
		{get, 0, p("::/0"), "", abi.EADDRNOTAVAIL},
		{add, 0, p("fe80::7/64"), "fe80::7/64", nil},
		{add, 0, p("2001:db8:1::1/48"), "2001:db8:1::1/48", nil},
		{add, prefix, p("2001:db8:2::/64"), "2001:db8:2::/64", nil},
		{add, prefix, p("2001:db8:3::/65"), "", abi.EINVAL},
		{add, prefix, p("2001:db8:3::1/64"), "", abi.EINVAL},
		{add, 0, p("ff02::9/64"), "", abi.EINVAL},
		{add, 0, p("2001:db8:3::1/0"), "", abi.EINVAL},
		{get, 0, p("::/0"), "fe80::7/64", nil},
		{get, prefix, p("2001:db8:2::/64"), "2001:db8:2::7/64", nil},
		{get, prefix, p("2001:db8::/32"), "2001:db8:1::1/48", nil},
		{get, prefix, p("2001:db8:1::1/48"), "", abi.EINVAL},
		{get, prefix, p("2001:db8:4::/64"), "", abi.EADDRNOTAVAIL},
		{del, 0, p("2001:db8:2::8/64"), "", abi.EADDRNOTAVAIL},
		{del, prefix, p("2001:db8:2::/64"), "2001:db8:2::/64", nil},
		{get, prefix, p("2001:db8:2::/64"), "", abi.EADDRNOTAVAIL},
		{del, 0, p("2001:db8:1::1/48"), "2001:db8:1::1/48", nil},
		{del, 0, p("fe80::7/64"), "fe80::7/64", nil},
		{get, 0, p("::/0"), "", abi.EADDRNOTAVAIL},
	} {
		got, _, err := h.laddr(c.cmd, c.flags, c.addr, nil)
		if err != c.err || err == nil && got.String() != c.want {
			t.Errorf("%d: %s: %s, %v; want %s, %v", i, c.addr, got, err, c.want, c.err)
		}
	}
	for _, a := range ifp.Addrs() {
		if a.Family == abi.AF_INET6 {
			t.Errorf("%x is left", a.Addr)
		}
	}
}
