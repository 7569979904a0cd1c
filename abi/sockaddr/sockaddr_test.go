package sockaddr_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// Oracle: wire session ping, which sends to 127.0.0.1 with the bytes below, and the layouts of package abi.
func TestInet(t *testing.T) {
	lo := netip.MustParseAddr("127.0.0.1")
	if got, want := sockaddr.Inet(lo, 0, 0), []byte{16, 2, 0, 0, 0x7f, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("127.0.0.1: % x, want % x", got, want)
	}
	for _, c := range []struct {
		addr  string
		port  uint16
		scope uint32
		size  int
	}{
		{"1.2.3.4", 80, 0, abi.SizeofSockaddrIn},
		{"2001:db8::1", 65535, 0, abi.SizeofSockaddrIn6},
		{"fe80::1", 1, 7, abi.SizeofSockaddrIn6},
		{"::ffff:1.2.3.4", 1, 0, abi.SizeofSockaddrIn6},
	} {
		a := netip.MustParseAddr(c.addr)
		sa := sockaddr.Inet(a, c.port, c.scope)
		got, port, scope, ok := sockaddr.ParseInet(sa)
		if len(sa) != c.size || int(sa[0]) != c.size || !ok || got != a || port != c.port || scope != c.scope {
			t.Errorf("%v: % x is %v %d %d %v", c, sa, got, port, scope, ok)
		}
	}
	if sockaddr.Inet(netip.Addr{}, 0, 0) != nil {
		t.Error("the zero address has a sockaddr")
	}
	for _, sa := range [][]byte{nil, {0}, {8, abi.AF_LINK, 0, 0, 0, 0, 0, 0}} {
		if _, _, _, ok := sockaddr.ParseInet(sa); ok {
			t.Errorf("% x is an internet address", sa)
		}
	}
	var sin6 abi.SockaddrIn6
	if err := sin6.Decode(sockaddr.Inet(netip.MustParseAddr("fe80::1"), 1, 7)); err != nil || sin6.ScopeId != 7 || sin6.Port != abi.Htons(1) {
		t.Errorf("%+v %v", sin6, err)
	}
}

// Oracle: the KAME convention: a scope stands in the second 16 bits of link-local addresses inside the kernel.
func TestScope(t *testing.T) {
	sa := sockaddr.Inet(netip.MustParseAddr("fe80::1"), 0, 0)
	sockaddr.EmbedScope(sa, 0x102)
	if sa[10] != 1 || sa[11] != 2 {
		t.Errorf("% x", sa)
	}
	if a, _, scope, _ := sockaddr.ParseInet(sa); a != netip.MustParseAddr("fe80::1") || scope != 0x102 {
		t.Errorf("%v %#x", a, scope)
	}
	global := sockaddr.Inet(netip.MustParseAddr("2001:db8::1"), 0, 0)
	want := bytes.Clone(global)
	if sockaddr.EmbedScope(global, 3); !bytes.Equal(global, want) {
		t.Errorf("a global address has a scope: % x", global)
	}
}

// Oracle: RFC 4632; the kernel's masks are cut after their last byte that is not zero.
func TestMask(t *testing.T) {
	for _, family := range []int{abi.AF_INET, abi.AF_INET6} {
		width := map[int]int{abi.AF_INET: 32, abi.AF_INET6: 128}[family]
		for n := range width + 1 {
			sa := sockaddr.Mask(family, n)
			if got, ok := sockaddr.MaskBits(sa, family); !ok || got != n {
				t.Errorf("family %d: %d bits are %d, %v", family, n, got, ok)
			}
		}
	}
	for _, c := range []struct {
		sa   []byte
		ones int
		ok   bool
	}{
		{[]byte{0}, 0, true},
		{[]byte{7, 0, 0, 0, 255, 255, 255, 0}, 24, true},
		{[]byte{7, 0, 0, 0, 255, 255, 240, 9}, 20, true},
		{[]byte{8, 0, 0, 0, 255, 0, 255, 0}, 8, false},
		{nil, 0, true},
	} {
		if ones, ok := sockaddr.MaskBits(c.sa, abi.AF_INET); ones != c.ones || ok != c.ok {
			t.Errorf("% x: %d %v", c.sa, ones, ok)
		}
	}
}

// Oracle: link_addr(3), unix(4).
func TestLinkAndUnix(t *testing.T) {
	for _, l := range []sockaddr.Link{
		{Index: 2, Type: abi.IFT_ETHER, Name: "shmif0", Addr: []byte{0xb2, 0xa0, 1, 2, 3, 4}},
		{Index: 1, Type: abi.IFT_LOOP, Name: "lo0"},
		{Name: "averylongname15", Addr: make([]byte, 20)},
	} {
		sa := l.Append(nil)
		got, ok := sockaddr.ParseLink(sa)
		if !ok || got.Name != l.Name || got.Index != l.Index || got.Type != l.Type || !bytes.Equal(got.Addr, l.Addr) || int(sa[0]) != len(sa) {
			t.Errorf("%+v: % x is %+v %v", l, sa, got, ok)
		}
	}
	if _, ok := sockaddr.ParseLink([]byte{20, abi.AF_LINK, 0, 0, 0, 200, 200, 0, 0, 0}); ok {
		t.Error("a name past the end is taken")
	}
	sa, ok := sockaddr.Unix("/tmp/s")
	if path, is := sockaddr.ParseUnix(sa); !ok || !is || path != "/tmp/s" {
		t.Errorf("%q %v %v", path, ok, is)
	}
	if _, ok := sockaddr.Unix(string(make([]byte, 104))); ok {
		t.Error("a path of 104 bytes fits")
	}
}

// FuzzParse: what comes from a peer is read without a panic and, where it is whole, means the same when written again.
func FuzzParse(f *testing.F) {
	f.Add(sockaddr.Inet(netip.MustParseAddr("fe80::1"), 80, 3))
	f.Add((&sockaddr.Link{Index: 1, Name: "lo0"}).Append(nil))
	f.Fuzz(func(t *testing.T, sa []byte) {
		if a, port, scope, ok := sockaddr.ParseInet(sa); ok {
			b, p, s, _ := sockaddr.ParseInet(sockaddr.Inet(a, port, scope))
			if b != a || p != port || a.Is6() && s != scope {
				t.Errorf("% x: %v %d %d, again %v %d %d", sa, a, port, scope, b, p, s)
			}
		}
		if l, ok := sockaddr.ParseLink(sa); ok && len(l.Name)+len(l.Addr) < 200 {
			if got, ok := sockaddr.ParseLink(l.Append(nil)); !ok || got.Name != l.Name || !bytes.Equal(got.Addr, l.Addr) {
				t.Errorf("% x: %+v, again %+v", sa, l, got)
			}
		}
		sockaddr.ParseUnix(sa)
		sockaddr.MaskBits(sa, abi.AF_INET)
		sockaddr.MaskBits(sa, abi.AF_INET6)
		sockaddr.EmbedScope(bytes.Clone(sa), 1)
	})
}
