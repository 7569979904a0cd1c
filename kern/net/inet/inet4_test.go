package inet_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// pair are two kernels on a wire, 10.1.1.1 and 10.1.1.2.
func pair(t testing.TB) (a, b *host, w *wire) {
	w = newWire(true)
	a, b = newHost(t), newHost(t)
	a.add4(a.attach(w, "shm0", 1), "10.1.1.1/24")
	b.add4(b.attach(w, "shm0", 2), "10.1.1.2/24")
	return a, b, w
}

// ping4 sends an echo request and waits for the answer.
func (h *host) ping4(src, dst string, n int) []byte {
	h.t.Helper()
	c := h.catch(abi.AF_INET)
	if err := h.in.WriteIP4(ip4(src, dst, abi.IPPROTO_ICMP, 64, echo(7, n)), inet.RawOptions{}); err != nil {
		h.t.Fatalf("ping %s: %v", dst, err)
	}
	return receive(h.t, c, "answer of "+dst, func(b []byte) bool { return b[9] == abi.IPPROTO_ICMP && b[20] == abi.ICMP_ECHOREPLY })
}

// TestPing: transcript net-03-two-kernels: the answers have a time to live of 255; net-02-loopback.
func TestPing(t *testing.T) {
	a, b, _ := pair(t)
	for _, dst := range []string{"10.1.1.2", "10.1.1.1", "127.0.0.1"} {
		r := a.ping4("", dst, 56)
		if r[8] != 255 || !bytes.Equal(r[28:], echo(7, 56)[8:]) {
			t.Errorf("%s answers % x", dst, r)
		}
	}
	b.ping4("10.1.1.2", "10.1.1.1", 0)
}

// TestPingLarge: fragments on the way there and back (RFC 791); transcript net-02 has ping -s 1000, netstack.md ping -s 3000.
func TestPingLarge(t *testing.T) {
	a, b, _ := pair(t)
	const n = 4000
	if r := a.ping4("", "10.1.1.2", n); !bytes.Equal(r[28:], echo(7, n)[8:]) {
		t.Error("the data came back changed")
	}
	if got := b.in.Stats.IP.Load(abi.IP_STAT_REASSEMBLED); got != 1 {
		t.Errorf("%d datagrams reassembled", got)
	}
	if got := a.in.Stats.IP.Load(abi.IP_STAT_OFRAGMENTS); got != 3 {
		t.Errorf("%d fragments sent", got)
	}
}

// TestNoRoute: transcript net-02-loopback, "No route to host".
func TestNoRoute(t *testing.T) {
	h := newHost(t)
	if err := h.in.WriteIP4(ip4("", "10.9.8.7", abi.IPPROTO_ICMP, 64, echo(1, 8)), inet.RawOptions{}); !errors.Is(err, abi.EHOSTUNREACH) {
		t.Errorf("got %v", err)
	}
}

// TestAnnounce: the bytes of the frame that a C kernel sends for its first address are in wire/bus.sample.
func TestAnnounce(t *testing.T) {
	w := newWire(true)
	h := newHost(t)
	h.add4(h.attach(w, "shm0", 1), "1.2.3.4/24")
	want := []byte{
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6,
		0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4,
	}
	w.wait(t, "announcement", func(b []byte) bool { return bytes.HasPrefix(b, want) })
}

// TestForwarding: three kernels in a row, RFC 1812: the time to live is less by one at each hop, and 1 does not get through.
func TestForwarding(t *testing.T) {
	left, right := newWire(true), newWire(true)
	a, r, b := newHost(t), newHost(t), newHost(t)
	a.add4(a.attach(left, "shm0", 1), "10.1.1.1/24")
	r.add4(r.attach(left, "shm0", 2), "10.1.1.254/24")
	r.add4(r.attach(right, "shm1", 3), "10.2.2.254/24")
	b.add4(b.attach(right, "shm0", 4), "10.2.2.2/24")
	a.gateway("0.0.0.0/0", "10.1.1.254")
	b.gateway("0.0.0.0/0", "10.2.2.254")
	r.sysctl("net.inet.ip.forwarding", 1)
	if got := a.ping4("", "10.2.2.2", 3000); got[8] != 254 {
		t.Errorf("time to live %d", got[8])
	}
	c := a.catch(abi.AF_INET)
	if err := a.in.WriteIP4(ip4("", "10.2.2.2", abi.IPPROTO_ICMP, 1, echo(8, 8)), inet.RawOptions{}); err != nil {
		t.Fatal(err)
	}
	e := receive(t, c, "time exceeded", func(b []byte) bool { return b[20] == abi.ICMP_TIMXCEED })
	if !bytes.Equal(e[12:16], []byte{10, 1, 1, 254}) {
		t.Errorf("time exceeded comes from %v", e[12:16])
	}
	r.n.Config.Lock()
	r.n.ByName("shm1").SetMTU(576)
	r.n.Config.Unlock()
	df := ip4("", "10.2.2.2", abi.IPPROTO_ICMP, 64, echo(9, 1000))
	df[6] = 0x40
	if err := a.in.WriteIP4(df, inet.RawOptions{}); err != nil {
		t.Fatal(err)
	}
	e = receive(t, c, "fragmentation needed", func(b []byte) bool { return b[20] == abi.ICMP_UNREACH })
	if e[21] != abi.ICMP_UNREACH_NEEDFRAG || binary.BigEndian.Uint16(e[26:]) != 576 {
		t.Errorf("unreachable: % x", e[20:28])
	}
	a.ping4("", "10.2.2.2", 1000)
}

var rawOptions inet.RawOptions

// TestForwardSegment: a TCP segment that is yet to be cut is cut for the MTU of the next network, or refused where it must not be (RFC 1191).
func TestForwardSegment(t *testing.T) {
	left, right := newWire(true), newWire(true)
	r := newHost(t)
	in, out := r.attach(left, "shm0", 2), r.attach(right, "shm1", 3)
	r.add4(in, "10.1.1.254/24")
	r.add4(out, "10.2.2.254/24")
	r.n.Config.Lock()
	out.SetMTU(600)
	for addr, ifp := range map[string]*ifnet.Interface{"10.2.2.2": out, "10.1.1.55": in} {
		if err := r.in.LLTable(abi.AF_INET).AddNeighbor(route.Neighbor{If: ifp, Addr: netip.MustParseAddr(addr), LinkAddr: []byte{2, 0, 0, 0, 0, 0x66}}); err != nil {
			t.Fatal(err)
		}
	}
	r.n.Config.Unlock()
	segment := func(df byte) *ifnet.Packet {
		tcp := append([]byte{0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 16, 0xff, 0xff, 0, 0, 0, 0}, make([]byte, 4000)...)
		d := ip4("10.1.1.55", "10.2.2.2", abi.IPPROTO_TCP, 64, tcp)
		d[6] = df
		s := sum(d[:20])
		d[10], d[11] = byte(s>>8), byte(s)
		p := ifnet.NewPacket(append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0x55, 8, 0}, d...))
		p.Flags = ifnet.ChecksumMissing | ifnet.ChecksumGood
		p.Segment = ifnet.Segment{Size: 1460, HeaderLen: 20}
		return p
	}
	in.Input(segment(0x40))
	left.wait(t, "fragmentation needed", func(b []byte) bool { return b[23] == abi.IPPROTO_ICMP && b[34] == abi.ICMP_UNREACH })
	in.Input(segment(0))
	seen := 0
	right.wait(t, "end of the segment", func(b []byte) bool {
		if b[12] != 8 || b[13] != 0 || b[23] != abi.IPPROTO_TCP {
			return false
		}
		n := len(b) - 14
		pseudo := append(bytes.Clone(b[26:34]), 0, 6, byte((n-20)>>8), byte(n-20))
		if n > 600 || sum(b[14:34]) != 0 || sum(append(pseudo, b[34:]...)) != 0 || b[20]&0x3f != 0 {
			t.Errorf("bad segment of %d bytes: % x", n, b[:54])
		}
		seen += n - 40
		return seen == 4000
	})
}
