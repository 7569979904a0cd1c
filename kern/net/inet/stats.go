package inet

import (
	"encoding/binary"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Counters are an array of statistics, as sysctl net.inet.ip.stats and the like have them: indexed by the constants IP_STAT_*, ...
type Counters struct {
	c []atomic.Uint64
}

// Add adds n to a counter.
func (c *Counters) Add(i int, n uint64) { c.c[i].Add(n) }

// Load is a counter's value.
func (c *Counters) Load(i int) uint64 { return c.c[i].Load() }

// Bytes are all counters as the system call has them.
func (c *Counters) Bytes() []byte {
	b := make([]byte, 0, 8*len(c.c))
	for i := range c.c {
		b = binary.LittleEndian.AppendUint64(b, c.c[i].Load())
	}
	return b
}

// Stats are the counters of the internet protocols.
type Stats struct {
	IP, ICMP, IGMP, ARP, UDP, TCP Counters
	IP6, ICMP6, UDP6, Raw6        Counters
}

func (s *Stats) init() {
	for c, n := range map[*Counters]int{
		&s.IP: abi.IP_NSTATS, &s.ICMP: abi.ICMP_NSTATS, &s.IGMP: abi.IGMP_NSTATS, &s.ARP: abi.ARP_NSTATS, &s.UDP: abi.UDP_NSTATS, &s.TCP: abi.TCP_NSTATS,
		&s.IP6: abi.IP6_NSTATS, &s.ICMP6: abi.ICMP6_NSTATS, &s.UDP6: abi.UDP6_NSTATS, &s.Raw6: abi.RIP6_NSTATS,
	} {
		c.c = make([]atomic.Uint64, n)
	}
}

// countTransport counts a datagram that TCP or UDP gets.
func (in *Inet) countTransport(d *datagram, pkt *stack.PacketBuffer) {
	if d.prot != abi.IPPROTO_UDP {
		return
	}
	s, received, badLength := &in.Stats.UDP, abi.UDP_STAT_IPACKETS, abi.UDP_STAT_BADLEN
	if d.dst.Is6() {
		s, received, badLength = &in.Stats.UDP6, abi.UDP6_STAT_IPACKETS, abi.UDP6_STAT_BADLEN
	}
	s.Add(received, 1)
	if h := header.UDP(pkt.TransportHeader().Slice()); int(h.Length()) > pkt.Data().Size()+header.UDPMinimumSize {
		s.Add(badLength, 1)
	}
}

// countShort counts a datagram that is too short for its protocol's header.
func (in *Inet) countShort(d *datagram) {
	switch {
	case d.prot == abi.IPPROTO_TCP:
		in.Stats.TCP.Add(abi.TCP_STAT_RCVSHORT, 1)
	case d.dst.Is6():
		in.Stats.UDP6.Add(abi.UDP6_STAT_HDROPS, 1)
	default:
		in.Stats.UDP.Add(abi.UDP_STAT_HDROPS, 1)
	}
}

// refreshTCP takes over what the stack counts of TCP.
func (in *Inet) refreshTCP() {
	s := in.Stack.Stats().TCP
	for i, n := range map[int]uint64{
		abi.TCP_STAT_CONNATTEMPT:   s.ActiveConnectionOpenings.Value(),
		abi.TCP_STAT_ACCEPTS:       s.PassiveConnectionOpenings.Value(),
		abi.TCP_STAT_CONNECTS:      s.ActiveConnectionOpenings.Value() + s.PassiveConnectionOpenings.Value() - min(s.FailedConnectionAttempts.Value(), s.ActiveConnectionOpenings.Value()),
		abi.TCP_STAT_DROPS:         s.EstablishedResets.Value(),
		abi.TCP_STAT_CONNDROPS:     s.FailedConnectionAttempts.Value(),
		abi.TCP_STAT_CLOSED:        s.EstablishedClosed.Value(),
		abi.TCP_STAT_TIMEOUTDROP:   s.EstablishedTimedout.Value(),
		abi.TCP_STAT_REXMTTIMEO:    s.Timeouts.Value(),
		abi.TCP_STAT_SNDREXMITPACK: s.Retransmits.Value(),
		abi.TCP_STAT_SNDTOTAL:      s.SegmentsSent.Value(),
		abi.TCP_STAT_RCVTOTAL:      s.ValidSegmentsReceived.Value() + s.InvalidSegmentsReceived.Value(),
		abi.TCP_STAT_RCVBADSUM:     s.ChecksumErrors.Value(),
		abi.TCP_STAT_SC_OVERFLOWED: s.ListenOverflowSynDrop.Value(),
	} {
		in.Stats.TCP.c[i].Store(n)
	}
}
