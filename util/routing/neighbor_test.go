package routing

import (
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// entry is a message about 10.1.1.9 as NET_RT_FLAGS has it; change makes it another.
func entry(change func(*Message)) *Message {
	m := &Message{Header: abi.RtMsghdr{Type: abi.RTM_GET, Flags: abi.RTF_HOST | abi.RTF_LLDATA}}
	m.Addrs[abi.RTAX_DST] = sockaddr.Inet(netip.MustParseAddr("10.1.1.9"), 0, 0)
	m.Addrs[abi.RTAX_GATEWAY] = (&sockaddr.Link{Index: 2, Type: abi.IFT_ETHER, Addr: []byte{2, 0, 0, 0, 0, 9}}).Append(nil)
	if change != nil {
		change(m)
	}
	return m
}

// Oracle: arp(4), and struct sockaddr_inarp: how entries say what they are.
func TestNeighbor(t *testing.T) {
	a := netip.MustParseAddr("10.1.1.9")
	n, ok := neighbor(entry(nil))
	if !ok || n.Addr != a || n.Link.Index != 2 || !n.Ethernet() || !n.Resolved(a) || n.Proxy() {
		t.Errorf("%+v, %v", n, ok)
	}
	n, _ = neighbor(entry(func(m *Message) { m.Addrs[abi.RTAX_DST][sinOtherAt] = abi.SIN_PROXY }))
	if !n.Proxy() {
		t.Error("not a proxy's")
	}
	n, _ = neighbor(entry(func(m *Message) { m.Header.Flags |= abi.RTF_GATEWAY }))
	if n.Resolved(a) || n.Resolved(netip.MustParseAddr("10.1.1.8")) {
		t.Error("resolved behind a gateway")
	}
	for _, c := range []struct {
		mask           []byte
		published, odd bool
	}{
		{nil, false, false}, {TrimMask(sockaddr.Mask(abi.AF_INET, 32)), true, false}, {sockaddr.Mask(abi.AF_INET, 24), false, true},
	} {
		n, _ := neighbor(entry(func(m *Message) { m.Addrs[abi.RTAX_NETMASK] = c.mask }))
		if published, odd := n.Published(); published != c.published || odd != c.odd {
			t.Errorf("% x: %v, %v", c.mask, published, odd)
		}
	}
	if _, ok := neighbor(entry(func(m *Message) { m.Addrs[abi.RTAX_GATEWAY] = nil })); ok {
		t.Error("an entry without a link-level address")
	}
}

// FuzzNeighbor: whatever a kernel lists is an entry or none.
func FuzzNeighbor(f *testing.F) {
	f.Add(entry(nil).Append(nil))
	f.Fuzz(func(_ *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if n, ok := neighbor(m); ok {
			n.Proxy()
			n.Published()
			n.Ethernet()
			n.Resolved(n.Addr)
		}
	})
}
