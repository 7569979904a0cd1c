package inet

import (
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// transport hands a whole datagram to the stack's TCP or UDP. It leaves d.p to its owner, without the bytes: they are the stack's, which copies whole
// what it would have to share with us.
func (in *Inet) transport(d *datagram, e *endpoint) {
	pkt := in.stackPacket(d, e)
	defer pkt.DecRef()
	proto := tcpip.TransportProtocolNumber(d.prot)
	if in.Stack.ParsePacketBufferTransport(proto, pkt) != stack.ParsedOK {
		in.countShort(d)
		return
	}
	in.countTransport(d, pkt)
	if d.prot == abi.IPPROTO_TCP {
		if d.cast != 0 {
			return
		}
		pkt.NICID = in.returnNIC(d)
	}
	if e.dispatcher.DeliverTransportPacket(proto, pkt) != stack.TransportPacketDestinationPortUnreachable {
		return
	}
	if d.cast != 0 {
		in.Stats.UDP.Add(abi.UDP_STAT_NOPORTBCAST, 1)
		return
	}
	in.Stats.UDP.Add(abi.UDP_STAT_NOPORT, 1)
	d.p.Buf = pkt.ToBuffer()
	in.portUnreachable(d)
}

// stackPacket is a datagram as the stack has it, its headers parsed. The bytes change hands.
func (in *Inet) stackPacket(d *datagram, e *endpoint) *stack.PacketBuffer {
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: d.p.Buf})
	d.p.Buf = buffer.Buffer{}
	pkt.NetworkProtocolNumber = e.Number()
	pkt.NetworkHeader().Consume(d.hlen)
	pkt.NICID = tcpip.NICID(d.ifc.ifp.Index)
	pkt.RXChecksumValidated = d.p.Flags&ifnet.ChecksumGood != 0
	pkt.NetworkPacketInfo.LocalAddressBroadcast = d.cast&ifnet.Broadcast != 0
	switch {
	case d.cast&ifnet.Broadcast != 0:
		pkt.PktType = tcpip.PacketBroadcast
	case d.cast&ifnet.Multicast != 0:
		pkt.PktType = tcpip.PacketMulticast
	default:
		pkt.PktType = tcpip.PacketHost
	}
	return pkt
}

// returnNIC is the interface that answers to a datagram leave through: the stack looks for a route there. A host with several interfaces
// is not always asked on the one that it answers on.
func (in *Inet) returnNIC(d *datagram) tcpip.NICID {
	if !scoped(d.src) {
		if e := in.Table.Lookup(d.src, 0); e != nil && e.If != nil {
			return tcpip.NICID(e.If.Index)
		}
	}
	return tcpip.NICID(d.ifc.ifp.Index)
}

// portUnreachable answers a UDP datagram that nobody receives.
func (in *Inet) portUnreachable(d *datagram) {
	if d.dst.Is4() {
		in.icmpError(d, icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_PORT, 0})
		return
	}
	in.icmp6Error(d, icmpReason{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_NOPORT, 0})
}

// transportError is what an ICMP message says of a transport protocol's packet, for the stack.
type transportError struct {
	kind      stack.TransportErrorKind
	v6        bool
	typ, code uint8
	info      uint32
}

var _ stack.TransportError = (*transportError)(nil)

// Origin says which ICMP it was.
func (e *transportError) Origin() tcpip.SockErrOrigin {
	if e.v6 {
		return tcpip.SockExtErrorOriginICMP6
	}
	return tcpip.SockExtErrorOriginICMP
}

// Type is the message's.
func (e *transportError) Type() uint8 { return e.typ }

// Code is the message's.
func (e *transportError) Code() uint8 { return e.code }

// Info is the MTU of a packet that was too big.
func (e *transportError) Info() uint32 { return e.info }

// Kind is what endpoints act on.
func (e *transportError) Kind() stack.TransportErrorKind { return e.kind }

// control tells the transport protocol of a packet that we sent what has become of it. d.p is the ICMP message, the packet begins at off.
func (in *Inet) control(d *datagram, off int, te *transportError) {
	buf := d.p.Buf.Clone()
	buf.TrimFront(int64(off))
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buf})
	defer pkt.DecRef()
	e := d.ifc.ep4
	if te.v6 {
		e = d.ifc.ep6
	}
	min := e.MinimumPacketSize()
	hdr, ok := pkt.Data().PullUp(min)
	if !ok {
		return
	}
	src, dst := e.ParseAddresses(hdr)
	proto, hlen := hdr[6], min
	if !te.v6 {
		h := header.IPv4(hdr)
		if proto, hlen = h.Protocol(), int(h.HeaderLength()); hlen < min || h.FragmentOffset() != 0 {
			return
		}
	}
	if _, ok := pkt.NetworkHeader().Consume(hlen); !ok {
		return
	}
	pkt.NetworkProtocolNumber = e.Number()
	pkt.NICID = tcpip.NICID(d.ifc.ifp.Index)
	e.dispatcher.DeliverTransportError(src, dst, e.Number(), tcpip.TransportProtocolNumber(proto), te, pkt)
}
