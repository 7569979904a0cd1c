package inpcb

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
)

// HandlePacket takes a datagram from the stack that is for the socket's addresses and ports.
func (p *udp) HandlePacket(id stack.TransportEndpointID, pkt *stack.PacketBuffer) {
	h := header.UDP(pkt.TransportHeader().Slice())
	net := pkt.Network()
	lengthOK, sumOK := header.UDPValid(h, func() uint16 { return pkt.Data().Checksum() }, uint16(pkt.Data().Size()),
		pkt.NetworkProtocolNumber, net.SourceAddress(), net.DestinationAddress(), pkt.RXChecksumValidated)
	switch {
	case !lengthOK: // which has been counted
		return
	case !sumOK:
		p.ts.countUDP(pkt, abi.UDP_STAT_BADSUM)
		return
	}
	a := arrivalOf(pkt)
	p.opt.mu.Lock()
	least := p.opt.minTTL
	p.opt.mu.Unlock()
	if a.dst.Is4() && a.ttl < least {
		return
	}
	size := int(h.Length()) - header.UDPMinimumSize
	data, ok := pkt.Data().PullUp(size)
	if !ok {
		return
	}
	from := fromFull(p.v6, tcpip.FullAddress{NIC: pkt.NICID, Addr: id.RemoteAddress, Port: h.SourcePort()})
	if err := p.q.Append(from.sockaddr(), data, p.control(&a), castFlags(pkt, a.dst)); err != nil {
		p.ts.countUDP(pkt, abi.UDP_STAT_FULLSOCK)
	}
}

// arrivalOf reads a received packet's header.
func arrivalOf(pkt *stack.PacketBuffer) arrival {
	net := pkt.Network()
	a := arrival{src: ipOf(net.SourceAddress()), dst: ipOf(net.DestinationAddress()), index: uint16(pkt.NICID)}
	a.tclass, _ = net.TOS()
	if pkt.NetworkProtocolNumber == header.IPv4ProtocolNumber {
		a.ttl = header.IPv4(pkt.NetworkHeader().Slice()).TTL()
	} else {
		a.ttl = header.IPv6(pkt.NetworkHeader().Slice()).HopLimit()
	}
	return a
}

// ipOf is an address of the stack's.
func ipOf(a tcpip.Address) netip.Addr {
	ip, _ := netip.AddrFromSlice(a.AsSlice())
	return ip
}

// castFlags says whether a packet was to all or to a group.
func castFlags(pkt *stack.PacketBuffer, dst netip.Addr) int {
	switch {
	case pkt.NetworkPacketInfo.LocalAddressBroadcast:
		return abi.MSG_BCAST
	case dst.IsMulticast():
		return abi.MSG_MCAST
	}
	return 0
}

// udp6Stats are the counters of net.inet6.udp6.stats by those of net.inet.udp.stats: they are in another order.
var udp6Stats = map[int]int{
	abi.UDP_STAT_HDROPS: abi.UDP6_STAT_HDROPS, abi.UDP_STAT_BADSUM: abi.UDP6_STAT_BADSUM, abi.UDP_STAT_BADLEN: abi.UDP6_STAT_BADLEN,
	abi.UDP_STAT_NOPORT: abi.UDP6_STAT_NOPORT, abi.UDP_STAT_NOPORTBCAST: abi.UDP6_STAT_NOPORTMCAST, abi.UDP_STAT_FULLSOCK: abi.UDP6_STAT_FULLSOCK,
}

// countUDP counts what became of a datagram that came in.
func (ts *Tables) countUDP(pkt *stack.PacketBuffer, stat int) {
	if pkt.NetworkProtocolNumber == header.IPv4ProtocolNumber {
		ts.in.Stats.UDP.Add(stat, 1)
	} else {
		ts.in.Stats.UDP6.Add(udp6Stats[stat], 1)
	}
}

// countSent counts a datagram that was sent.
func (ts *Tables) countSent(dst netip.Addr) {
	if dst.Is4() {
		ts.in.Stats.UDP.Add(abi.UDP_STAT_OPACKETS, 1)
	} else {
		ts.in.Stats.UDP6.Add(abi.UDP6_STAT_OPACKETS, 1)
	}
}

// HandleError takes what ICMP says of a datagram that the socket sent. Only connected sockets are told; and on IPv6 not that something was too
// big, since it will be cut the next time.
func (p *udp) HandleError(e stack.TransportError, pkt *stack.PacketBuffer) {
	if _, _, st := p.names(); st != connected {
		return
	}
	if pkt.NetworkProtocolNumber == header.IPv6ProtocolNumber && e.Kind() == stack.PacketTooBigTransportError {
		return
	}
	if errno, ok := controlErrnos[e.Kind()]; ok {
		p.so.SetError(errno)
	}
}

// Abort is called when the stack is torn down: the kernel halts, and closes the socket's descriptors itself.
func (p *udp) Abort() {}

// Wait has nothing to wait for.
func (p *udp) Wait() {}
