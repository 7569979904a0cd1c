package inet_test

import (
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// sink is an interface that counts what is sent.
type sink struct{ n int }

func (s *sink) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	for _, p := range pkts {
		s.n++
		p.Release()
	}
	return nil
}

func (s *sink) Start(ifp *ifnet.Interface) error { ifp.SetRunning(true); return nil }
func (s *sink) Stop(*ifnet.Interface)            {}

// benchForward measures the way of a datagram of size bytes through one kernel: from an interface's Input to another's Transmit.
func benchForward(b *testing.B, v6 bool, size int) {
	h := newHost(b)
	in := h.attach(newWire(false), "shm0", 2)
	h.fast(in, 1)
	h.add4(in, "10.1.1.254/24")
	h.add6(in, "2001:db8:1::ff/64")
	s := &sink{}
	out := &ifnet.Interface{Name: "shm1", Prefix: "shm", Unit: 1, Type: abi.IFT_ETHER, HdrLen: ifnet.EtherHdrLen, Driver: s}
	h.n.Config.Lock()
	if err := h.n.Attach(out, []byte{2, 0, 0, 0, 0, 3}, 1500, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST); err != nil {
		b.Fatal(err)
	}
	h.n.Config.Unlock()
	h.add4(out, "10.2.2.254/24")
	h.add6(out, "2001:db8:2::ff/64")
	h.sysctl("net.inet6.ip6.forwarding", 1)
	h.n.Config.Lock()
	for addr, family := range map[string]int{"10.2.2.2": abi.AF_INET, "2001:db8:2::2": abi.AF_INET6} {
		n := route.Neighbor{If: out, Addr: netip.MustParseAddr(addr), LinkAddr: []byte{2, 0, 0, 0, 0, 0x66}}
		if err := h.in.LLTable(family).AddNeighbor(n); err != nil {
			b.Fatal(err)
		}
	}
	h.n.Config.Unlock()
	frame := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0x55}, 8, 0)
	if v6 {
		frame = append(append(frame[:12], 0x86, 0xdd), ip6("2001:db8:1::55", "2001:db8:2::2", abi.IPPROTO_UDP, 64, make([]byte, size-40))...)
	} else {
		d := ip4("10.1.1.55", "10.2.2.2", abi.IPPROTO_UDP, 64, make([]byte, size-20))
		c := sum(d[:20])
		d[10], d[11] = byte(c>>8), byte(c)
		frame = append(frame, d...)
	}
	s.n = 0
	b.ReportAllocs()
	b.SetBytes(int64(size))
	b.ResetTimer()
	for b.Loop() {
		in.Input(ifnet.NewPacket(frame))
	}
	b.StopTimer()
	if s.n < b.N {
		b.Fatalf("%d of %d came out", s.n, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	b.ReportMetric(float64(b.N)*float64(size)*8/b.Elapsed().Seconds()/1e9, "Gbit/s")
}

func BenchmarkForward(b *testing.B) {
	b.Run("v4-64", func(b *testing.B) { benchForward(b, false, 64) })
	b.Run("v4-1500", func(b *testing.B) { benchForward(b, false, 1500) })
	b.Run("v6-64", func(b *testing.B) { benchForward(b, true, 64) })
	b.Run("v6-1500", func(b *testing.B) { benchForward(b, true, 1500) })
}
