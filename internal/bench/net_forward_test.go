package bench

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/rump"
)

// The networks on both sides of the router.
var (
	westHost, westRouter = netip.MustParsePrefix("10.1.1.2/24"), netip.MustParsePrefix("10.1.1.1/24")
	eastHost, eastRouter = netip.MustParsePrefix("10.2.2.2/24"), netip.MustParsePrefix("10.2.2.1/24")
	beyond               = netip.MustParsePrefix("10.3.3.0/24")
)

// BenchmarkNetForward sends through a kernel that forwards between two buses in memory: datagrams of a size, as fast as the far end counts
// them, and a TCP connection, at MTU 1500 with segments cut and uncut.
func BenchmarkNetForward(b *testing.B) {
	for _, size := range []int{64, 1500} {
		b.Run(fmt.Sprintf("packets-%d", size), func(b *testing.B) { benchForwardPackets(b, size) })
	}
	for _, l := range links[:2] {
		b.Run("tcp-"+l.name, func(b *testing.B) {
			west, _, east := l.routed(b)
			check(b, east.p.AddRoute(netip.PrefixFrom(netip.IPv4Unspecified(), 0), eastRouter.Addr()))
			benchCalled(b, west.p, eastHost.Addr().String())
		})
	}
}

// routed is two kernels with a router between them. The one in the east does not know the way back.
func (l link) routed(b *testing.B) (west, router, east *netNode) {
	b.Helper()
	buses := new(rump.Buses)
	west, router, east = netNodeOf(b, buses), netNodeOf(b, buses), netNodeOf(b, buses)
	check(b, west.join("shmif0", "mem:west", westHost, l.mtu, l.plain))
	check(b, router.join("shmif0", "mem:west", westRouter, l.mtu, l.plain))
	check(b, router.join("shmif1", "mem:east", eastRouter, l.mtu, l.plain))
	check(b, east.join("shmif0", "mem:east", eastHost, l.mtu, l.plain))
	check(b, router.p.Sysctl().SetInt64("net.inet.ip.forwarding", 1))
	check(b, west.p.AddRoute(netip.PrefixFrom(netip.IPv4Unspecified(), 0), westRouter.Addr()))
	return west, router, east
}

// counter is a tap that counts what comes in, and wakes who waits for each burst to be there.
type counter struct {
	seen  atomic.Int64
	burst int64
	done  chan struct{}
}

func (c *counter) Tap(_ *ifnet.Interface, p *ifnet.Packet, out bool) {
	if !out && p.Flags&(ifnet.Broadcast|ifnet.Multicast) == 0 && c.seen.Add(1)%c.burst == 0 {
		c.done <- struct{}{}
	}
}

// benchForwardPackets sends frames from the west's interface. They are for a network beyond the east, which drops them when they have been counted.
func benchForwardPackets(b *testing.B, size int) {
	const burst, window = 32, 8
	west, router, east := links[0].routed(b)
	check(b, router.p.AddRoute(beyond, eastHost.Addr()))
	check(b, west.p.AddRoute(beyond, westRouter.Addr()))
	from := west.ifp("shmif0")
	frame := ifnet.NewPacket(datagram(router.ifp("shmif0").LinkAddr(), from.LinkAddr(), size))
	resolve(b, router)
	c := &counter{burst: burst, done: make(chan struct{}, window)}
	east.ifp("shmif0").AddTap(c)
	b.SetBytes(burst * int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		pkts := make([]*ifnet.Packet, burst)
		for j := range pkts {
			pkts[j] = frame.Clone()
		}
		if err := from.Output(pkts...); err != nil {
			b.Fatal(err)
		}
		if i >= window {
			<-c.done
		}
	}
	for range min(b.N, window) {
		<-c.done
	}
	b.StopTimer()
	gbits(b, burst*size)
	b.ReportMetric(float64(b.N)*burst/b.Elapsed().Seconds(), "packets/s")
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/burst, "ns/packet")
}

// resolve has the router learn the east's Ethernet address.
func resolve(b *testing.B, router *netNode) {
	b.Helper()
	b.StopTimer()
	s := router.p.Sys()
	fd, err := s.Socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP)
	check(b, err)
	defer s.Close(fd)
	ping(b, s, fd, eastHost, 1)
	b.StartTimer()
}

// datagram is a frame with an IPv4 datagram of a size, for a host beyond the east.
func datagram(dst, src []byte, size int) []byte {
	f := append(append(append([]byte{}, dst...), src...), 8, 0)
	h := make([]byte, size)
	h[0], h[8], h[9] = 0x45, 64, abi.IPPROTO_UDP
	binary.BigEndian.PutUint16(h[2:], uint16(size))
	copy(h[12:], westHost.Addr().AsSlice())
	copy(h[16:], beyond.Addr().Next().AsSlice())
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(h[i:]))
	}
	binary.BigEndian.PutUint16(h[10:], ^uint16(sum>>16+sum))
	return append(f, h...)
}
