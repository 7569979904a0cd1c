package inet_test

import (
	"bytes"
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// TestIGMP: RFC 2236: a group is reported when it is joined and when it is asked for, with a time to live of 1 and the router alert option, and left with
// a message to all routers. What is sent to it arrives, also from ourselves.
func TestIGMP(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.add4(ifp, "10.1.1.1/24")
	group := tcpip.AddrFrom4([4]byte{224, 5, 6, 7})
	if err := h.in.Stack.JoinGroup(header.IPv4ProtocolNumber, tcpip.NICID(ifp.Index), group); err != nil {
		t.Fatal(err)
	}
	isReport := func(b []byte) bool {
		return len(b) == 14+24+8 && b[23] == abi.IPPROTO_IGMP && b[38] == 0x16 && bytes.Equal(b[30:34], []byte{224, 5, 6, 7})
	}
	r := w.wait(t, "report", isReport)
	if !bytes.Equal(r[:6], []byte{1, 0, 0x5e, 5, 6, 7}) || r[22] != 1 || !bytes.Equal(r[34:38], []byte{148, 4, 0, 0}) || sum(r[38:]) != 0 || sum(r[14:38]) != 0 {
		t.Errorf("report % x", r)
	}
	w.mu.Lock()
	w.seen = nil
	w.mu.Unlock()
	query := ip4("10.1.1.9", "224.0.0.1", abi.IPPROTO_IGMP, 1, []byte{0x11, 1, 0xee, 0xfe, 0, 0, 0, 0})
	s := sum(query[:20])
	query[10], query[11] = byte(s>>8), byte(s)
	w.inject(append([]byte{1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 0x55, 8, 0}, query...))
	w.wait(t, "report after a query", isReport)
	c := h.catch(abi.AF_INET)
	if err := h.in.WriteIP4(ip4("", "224.5.6.7", 99, 1, []byte("data")), inet.RawOptions{If: ifp}); err != nil {
		t.Fatal(err)
	}
	receive(t, c, "our own datagram", func(b []byte) bool { return b[9] == 99 })
	if err := h.in.Stack.LeaveGroup(header.IPv4ProtocolNumber, tcpip.NICID(ifp.Index), group); err != nil {
		t.Fatal(err)
	}
	w.wait(t, "leave", func(b []byte) bool {
		return len(b) == 46 && b[38] == 0x17 && bytes.Equal(b[30:34], []byte{224, 0, 0, 2})
	})
}

// TestMLD: RFC 2710: the group of solicited nodes of an address is reported, with a hop limit of 1 and the router alert option.
func TestMLD(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.fast(ifp, 10)
	h.up(ifp)
	h.add6(ifp, "2001:db8::aabb:ccdd/64")
	group := netip.MustParseAddr("ff02::1:ffbb:ccdd")
	r := w.wait(t, "report", func(b []byte) bool {
		return len(b) == 14+40+8+24 && b[20] == 0 && b[62] == abi.MLD_LISTENER_REPORT && bytes.Equal(b[70:86], group.AsSlice())
	})
	if r[21] != 1 || !bytes.Equal(r[38:54], group.AsSlice()) || !bytes.Equal(r[:6], []byte{0x33, 0x33, 0xff, 0xbb, 0xcc, 0xdd}) {
		t.Errorf("report % x", r)
	}
}

// TestUnreachable6: RFC 4861, 7.2.2: who can not be resolved is reported to the sender, ourselves.
func TestUnreachable6(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.fast(ifp, 5)
	h.up(ifp)
	h.add6(ifp, "2001:db8::1/64")
	h.ready(ifp, "2001:db8::1")
	c := h.catch(abi.AF_INET6)
	if err := h.in.WriteIP6(ip6("2001:db8::1", "2001:db8::99", 99, 64, []byte("data")), inet.RawOptions{}); err != nil {
		t.Fatal(err)
	}
	e := receive(t, c, "unreachable", func(b []byte) bool { return b[6] == abi.IPPROTO_ICMPV6 && b[40] == abi.ICMP6_DST_UNREACH })
	if e[41] != abi.ICMP6_DST_UNREACH_ADDR {
		t.Errorf("code %d", e[41])
	}
}

// TestRedirect: RFC 1122, 3.2.2.2 and RFC 4861, 8: a router that sends a packet back to where it came from tells of the better way, which the sender then goes.
func TestRedirect(t *testing.T) {
	w := newWire(true)
	a, r := newHost(t), newHost(t)
	ai, ri := a.attach(w, "shm0", 1), r.attach(w, "shm0", 2)
	a.add4(ai, "10.1.1.1/24")
	r.add4(ri, "10.1.1.254/24")
	a.gateway("10.9.0.0/16", "10.1.1.254")
	r.gateway("10.9.0.0/16", "10.1.1.253")
	if err := a.in.WriteIP4(ip4("", "10.9.9.9", 99, 64, []byte("data")), inet.RawOptions{}); err != nil {
		t.Fatal(err)
	}
	dst := netip.MustParseAddr("10.9.9.9")
	until(t, "route of the redirect", func() bool {
		e := a.in.Table.Lookup(dst, 0)
		return e != nil && e.Gateway == netip.MustParseAddr("10.1.1.253") && e.Flags&(abi.RTF_DYNAMIC|abi.RTF_HOST) == abi.RTF_DYNAMIC|abi.RTF_HOST
	})
}
