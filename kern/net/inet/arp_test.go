package inet_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// arpFrame is an ARP packet: op, sender, target.
func arpFrame(dst [6]byte, op byte, mac [6]byte, src string, target string) []byte {
	b := append(dst[:], mac[:]...)
	b = append(b, 8, 6, 0, 1, 8, 0, 6, 4, 0, op)
	b = append(b, mac[:]...)
	b = append(b, netip.MustParseAddr(src).AsSlice()...)
	b = append(b, 0, 0, 0, 0, 0, 0)
	return append(b, netip.MustParseAddr(target).AsSlice()...)
}

var (
	everybody = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	stranger  = [6]byte{2, 0, 0, 0, 0, 0x55}
)

// neighbors are the ARP entries of a kernel, by address.
func (h *host) neighbors(family int) map[string]route.Neighbor {
	h.n.Config.Lock()
	defer h.n.Config.Unlock()
	m := map[string]route.Neighbor{}
	for _, n := range h.in.Neighbors(family) {
		m[n.Addr.String()] = n
	}
	return m
}

// TestARP: transcript net-03-two-kernels: an own address is permanent, a peer's is found out, entries are added and deleted.
func TestARP(t *testing.T) {
	a, _, _ := pair(t)
	a.ping4("", "10.1.1.2", 8)
	m := a.neighbors(abi.AF_INET)
	if n := m["10.1.1.1"]; n.Flags&abi.RTF_STATIC == 0 || n.LinkAddr[5] != 1 {
		t.Errorf("own entry %+v", n)
	}
	if n := m["10.1.1.2"]; n.Flags&abi.RTF_STATIC != 0 || len(n.LinkAddr) != 6 || n.LinkAddr[5] != 2 || n.Expire.IsZero() {
		t.Errorf("peer's entry %+v", n)
	}
	ll := a.in.LLTable(abi.AF_INET)
	ifp := a.n.ByName("shm0")
	a.n.Config.Lock()
	defer a.n.Config.Unlock()
	if err := ll.DeleteNeighbor(ifp, netip.MustParseAddr("10.1.1.2")); err != nil {
		t.Error(err)
	}
	if err := ll.DeleteNeighbor(ifp, netip.MustParseAddr("10.1.1.2")); err != abi.ESRCH {
		t.Errorf("deleted twice: %v", err)
	}
	if err := ll.AddNeighbor(route.Neighbor{If: ifp, Addr: netip.MustParseAddr("10.1.1.77"), LinkAddr: []byte{2, 0, 0, 0, 0, 0x77}}); err != nil {
		t.Error(err)
	}
	if n, err := ll.Neighbor(ifp, netip.MustParseAddr("10.1.1.77")); err != nil || n.Flags&abi.RTF_STATIC == 0 || !n.Expire.IsZero() {
		t.Errorf("static entry %+v, %v", n, err)
	}
}

// TestProxyARP: arp(8), pub: who asks for a published address is told the link-level address of the entry.
func TestProxyARP(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.add4(ifp, "10.1.1.1/24")
	h.n.Config.Lock()
	err := h.in.LLTable(abi.AF_INET).AddNeighbor(route.Neighbor{If: ifp, Addr: netip.MustParseAddr("10.1.1.77"), LinkAddr: []byte{2, 0, 0, 0, 0, 0x77}, Flags: abi.RTF_ANNOUNCE})
	h.n.Config.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	w.inject(arpFrame(everybody, 1, stranger, "10.1.1.55", "10.1.1.77"))
	w.wait(t, "answer for the published address", func(f []byte) bool {
		return f[13] == 6 && f[21] == 2 && bytes.Equal(f[22:28], []byte{2, 0, 0, 0, 0, 0x77}) && bytes.Equal(f[28:32], []byte{10, 1, 1, 77}) && bytes.Equal(f[:6], stranger[:])
	})
}

// TestConflict: RFC 5227: a tentative address that somebody else announces is a duplicate; transcript net-01 has an alias tentative, and detached when
// the interface is down.
func TestConflict(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.add4(ifp, "10.1.1.1/24")
	if f := h.flags4(ifp, "10.1.1.1"); f != 0 {
		t.Errorf("first address has flags %#x", f)
	}
	h.add4(ifp, "10.1.1.5/24")
	if f := h.flags4(ifp, "10.1.1.5"); f != abi.IN_IFF_TENTATIVE {
		t.Errorf("alias has flags %#x", f)
	}
	w.wait(t, "probe", func(f []byte) bool {
		return f[13] == 6 && bytes.Equal(f[28:32], make([]byte, 4)) && bytes.Equal(f[38:42], []byte{10, 1, 1, 5})
	})
	w.inject(arpFrame(everybody, 1, stranger, "10.1.1.5", "10.1.1.5"))
	until(t, "duplicate address", func() bool { return h.flags4(ifp, "10.1.1.5") == abi.IN_IFF_DUPLICATED })
	until(t, "message about it", func() bool { return strings.Contains(string(h.k.Msgbuf.Bytes()), "10.1.1.5") })
	w.inject(arpFrame(everybody, 1, stranger, "10.1.1.1", "10.1.1.1"))
	w.wait(t, "defence of an address in use", func(f []byte) bool {
		return f[13] == 6 && f[21] == 2 && bytes.Equal(f[28:32], []byte{10, 1, 1, 1}) && bytes.Equal(f[:6], stranger[:])
	})
	w.mu.Lock()
	before := len(w.seen)
	w.mu.Unlock()
	ifp.Input(ifnet.NewPacket(arpFrame([6]byte{2, 0, 0, 0, 0, 1}, 2, stranger, "10.1.1.1", "10.1.1.1")))
	w.mu.Lock()
	for _, f := range w.seen[before:] {
		if bytes.Equal(f[28:32], []byte{10, 1, 1, 1}) {
			t.Errorf("an answer is answered: % x", f)
		}
	}
	w.mu.Unlock()
	if f := h.flags4(ifp, "10.1.1.1"); f != 0 {
		t.Errorf("an address in use was given up: %#x", f)
	}
	if err := h.in.WriteIP4(ip4("10.1.1.5", "10.1.1.9", abi.IPPROTO_ICMP, 64, echo(1, 8)), inet.RawOptions{}); err != abi.EADDRNOTAVAIL {
		t.Errorf("sent from a duplicate address: %v", err)
	}
	h.down(ifp)
	for _, a := range []string{"10.1.1.1", "10.1.1.5"} {
		if f := h.flags4(ifp, a); f != abi.IN_IFF_DETACHED {
			t.Errorf("%s has flags %#x", a, f)
		}
	}
}

// TestWeakHost: RFC 1122, 3.3.4.2: a packet for an own address is taken on any interface, unless checkinterface says otherwise.
func TestWeakHost(t *testing.T) {
	left, right := newWire(true), newWire(true)
	a, b := newHost(t), newHost(t)
	a.add4(a.attach(left, "shm0", 1), "10.1.1.1/24")
	b.add4(b.attach(left, "shm0", 2), "10.1.1.2/24")
	b.add4(b.attach(right, "shm1", 3), "10.2.2.2/24")
	a.gateway("10.2.2.0/24", "10.1.1.2")
	b.sysctl("net.inet.ip.forwarding", 0)
	a.ping4("", "10.2.2.2", 8)
	b.sysctl("net.inet.ip.checkinterface", 1)
	n := b.in.Stats.IP.Load(abi.IP_STAT_CANTFORWARD)
	if err := a.in.WriteIP4(ip4("", "10.2.2.2", abi.IPPROTO_ICMP, 64, echo(1, 8)), inet.RawOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "refusal", func() bool { return b.in.Stats.IP.Load(abi.IP_STAT_CANTFORWARD) > n })
}

// TestRemoval: an interface that goes takes its addresses and routes along, and an address its routes; another address in the same network gets them.
func TestRemoval(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	ifp := h.attach(w, "shm0", 1)
	h.add4(ifp, "10.1.1.1/24")
	h.add4(ifp, "10.1.1.2/24")
	h.del4(ifp, "10.1.1.1")
	net10 := netip.MustParsePrefix("10.1.1.0/24")
	if e := h.in.Table.Exact(net10, 0); e == nil || e.Addr != ifp.Addrs()[len(ifp.Addrs())-1] {
		t.Errorf("route to the network: %+v", e)
	}
	if e := h.in.Table.Lookup(netip.MustParseAddr("10.1.1.1"), 0); e == nil || e.Flags&abi.RTF_LOCAL != 0 {
		t.Errorf("route to an address that has gone: %+v", e)
	}
	h.n.Config.Lock()
	h.n.Detach(ifp)
	h.n.Config.Unlock()
	for _, e := range h.in.Table.Entries(abi.AF_UNSPEC) {
		if e.If == ifp || e.Addr != nil && e.Addr.If == ifp {
			t.Errorf("route %v is left", e.Dst)
		}
	}
	if _, ok := h.in.LocalAddr(netip.MustParseAddr("10.1.1.2"), 0); ok {
		t.Error("the address is left")
	}
	if _, ok := h.in.Stack.SingleNICInfo(2); ok {
		t.Error("the NIC is left")
	}
	h.attach(w, "shm0", 1)
}

// TestRejecting: transcript net-04-route: "Network is unreachable" of a rejecting route; a blackhole is silent (route(8)).
func TestRejecting(t *testing.T) {
	h := newHost(t)
	lo := h.n.ByName("lo0")
	h.n.Config.Lock()
	for dst, flags := range map[string]uint32{"172.16.0.0/12": abi.RTF_REJECT, "172.16.9.9/32": abi.RTF_REJECT | abi.RTF_HOST, "192.0.2.0/24": abi.RTF_BLACKHOLE} {
		e := &route.Entry{Dst: netip.MustParsePrefix(dst), Flags: abi.RTF_UP | abi.RTF_GATEWAY | flags, Gateway: netip.MustParseAddr("127.0.0.1"), If: lo, Addr: lo.Addrs()[1]}
		if err := h.in.Table.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	h.n.Config.Unlock()
	for dst, want := range map[string]error{"172.16.1.1": abi.ENETUNREACH, "172.16.9.9": abi.EHOSTUNREACH, "192.0.2.1": nil} {
		if err := h.in.WriteIP4(ip4("", dst, abi.IPPROTO_ICMP, 64, echo(1, 8)), inet.RawOptions{}); err != want {
			t.Errorf("%s: %v, want %v", dst, err, want)
		}
	}
}
