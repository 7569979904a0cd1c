package routing_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/routing"
)

// Oracle: the transcript net-04 and route(8)'s way of writing networks.
func TestNames(t *testing.T) {
	n := routing.Namer{Numeric: true, Interfaces: map[int]string{2: "shmif0"}}
	in := func(s string) []byte { return sockaddr.Inet(netip.MustParseAddr(s), 0, 0) }
	for _, c := range []struct {
		addr string
		ones int
		want string
	}{
		{"10.1.1.0", 24, "10.1.1/24"}, {"0.0.0.0", 0, "default"}, {"10.0.0.0", 8, "10/8"}, {"10.1.1.16", 28, "10.1.1.16/28"},
		{"172.16.0.0", 12, "172.16/12"}, {"2001:db8::", 32, "2001:db8::/32"}, {"::", 0, "default"},
	} {
		sa := in(c.addr)
		if got := n.Net(sa, sockaddr.Mask(sockaddr.Family(sa), c.ones)); got != c.want {
			t.Errorf("%s/%d is %q, want %q", c.addr, c.ones, got, c.want)
		}
	}
	local := in("fe80::1")
	sockaddr.EmbedScope(local, 2)
	for _, c := range []struct {
		sa   []byte
		want string
	}{
		{in("10.1.1.1"), "10.1.1.1"}, {in("0.0.0.0"), "default"}, {nil, "default"}, {local, "fe80::1%shmif0"},
		{(&sockaddr.Link{Index: 2}).Append(nil), "link#2"}, {(&sockaddr.Link{Index: 1, Name: "lo0"}).Append(nil), "lo0"},
		{(&sockaddr.Link{Addr: []byte{2, 0, 0, 0, 0, 1}}).Append(nil), "02:00:00:00:00:01"}, {[]byte{4, 99, 1, 2}, "(99) 01 02"},
	} {
		if got := n.Host(c.sa); got != c.want {
			t.Errorf("% x is %q, want %q", c.sa, got, c.want)
		}
	}
}

// Oracle: wire session route-show: the kernel's masks, cut after their last byte.
func TestTrimMask(t *testing.T) {
	if got, want := routing.TrimMask(sockaddr.Mask(abi.AF_INET, 24)), []byte{7, 2, 0, 0, 255, 255, 255}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}

// FuzzParse: a message that is read is written again as the same.
func FuzzParse(f *testing.F) {
	m := routing.Message{}
	m.Addrs[0] = sockaddr.Inet(netip.MustParseAddr("10.1.1.1"), 0, 0)
	f.Add(m.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := routing.Parse(b)
		if err != nil {
			return
		}
		n := routing.Namer{Numeric: true}
		for _, sa := range m.Addrs {
			n.Host(sa)
			n.Net(sa, m.Addrs[abi.RTAX_NETMASK])
			n.Mask(sa, abi.AF_INET6)
		}
	})
}
