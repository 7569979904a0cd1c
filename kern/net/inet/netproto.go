package inet

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// protocol is a network protocol of the stack: IPv4 or IPv6, as transport endpoints see them.
type protocol struct {
	in *Inet
	v6 bool
}

var _ stack.NetworkProtocol = (*protocol)(nil)

func (in *Inet) newProtocol4(*stack.Stack) stack.NetworkProtocol { return &protocol{in: in} }
func (in *Inet) newProtocol6(*stack.Stack) stack.NetworkProtocol { return &protocol{in: in, v6: true} }

// Number is the protocol's ethertype.
func (p *protocol) Number() tcpip.NetworkProtocolNumber {
	if p.v6 {
		return header.IPv6ProtocolNumber
	}
	return header.IPv4ProtocolNumber
}

// MinimumPacketSize is the length of a header without options.
func (p *protocol) MinimumPacketSize() int {
	if p.v6 {
		return header.IPv6MinimumSize
	}
	return header.IPv4MinimumSize
}

// ParseAddresses takes the addresses out of a header.
func (p *protocol) ParseAddresses(b []byte) (src, dst tcpip.Address) {
	if p.v6 {
		h := header.IPv6(b)
		return h.SourceAddress(), h.DestinationAddress()
	}
	h := header.IPv4(b)
	return h.SourceAddress(), h.DestinationAddress()
}

// NewEndpoint makes the protocol's end at an interface, whose NIC is being made.
func (p *protocol) NewEndpoint(nic stack.NetworkInterface, d stack.TransportDispatcher) stack.NetworkEndpoint {
	ifc := (*p.in.ifaces.Load())[uint16(nic.ID())]
	e := &endpoint{protocol: p, ifc: ifc, nic: nic, dispatcher: d}
	if p.v6 {
		ifc.ep6 = e
	} else {
		ifc.ep4 = e
	}
	return e
}

// SetOption takes none: the protocol's settings are sysctl's.
func (p *protocol) SetOption(tcpip.SettableNetworkProtocolOption) tcpip.Error {
	return &tcpip.ErrUnknownProtocolOption{}
}

// Option tells the default time to live.
func (p *protocol) Option(o tcpip.GettableNetworkProtocolOption) tcpip.Error {
	if ttl, ok := o.(*tcpip.DefaultTTLOption); ok {
		*ttl = tcpip.DefaultTTLOption(p.defaultTTL())
		return nil
	}
	return &tcpip.ErrUnknownProtocolOption{}
}

func (p *protocol) defaultTTL() uint8 {
	if p.v6 {
		return uint8(p.in.conf.hlim6.Load())
	}
	return uint8(p.in.conf.ttl.Load())
}

// Close has nothing to stop.
func (p *protocol) Close() {}

// Wait has nothing to wait for.
func (p *protocol) Wait() {}

// Parse is not used: packets come into the stack parsed.
func (p *protocol) Parse(*stack.PacketBuffer) (tcpip.TransportProtocolNumber, bool, bool) {
	return 0, false, false
}

// endpoint is a protocol's end at an interface: what a route of the stack leads out through. Its addresses are the kernel's; see
// netaddr.go.
type endpoint struct {
	*protocol
	ifc        *iface
	nic        stack.NetworkInterface
	dispatcher stack.TransportDispatcher
}

var (
	_ stack.NetworkEndpoint          = (*endpoint)(nil)
	_ stack.AddressableEndpoint      = (*endpoint)(nil)
	_ stack.GroupAddressableEndpoint = (*endpoint)(nil)
)

// Enable does nothing: whether packets pass is the interface's IFF_UP.
func (e *endpoint) Enable() tcpip.Error { return nil }

// Enabled is true: see Enable.
func (e *endpoint) Enabled() bool { return true }

// Disable does nothing.
func (e *endpoint) Disable() {}

// DefaultTTL is sysctl net.inet.ip.ttl or net.inet6.ip6.hlim.
func (e *endpoint) DefaultTTL() uint8 {
	if e.v6 {
		return e.ifc.hopLimit()
	}
	return e.defaultTTL()
}

// MTU is the largest payload of a datagram without options.
func (e *endpoint) MTU() uint32 {
	mtu := e.ifc.mtu(e.v6)
	if h := e.EndpointHeaderSize(); mtu > h {
		return mtu - h
	}
	return 0
}

// EndpointHeaderSize is the length of a header without options.
func (e *endpoint) EndpointHeaderSize() uint32 { return uint32(e.MinimumPacketSize()) }

// MaxHeaderLength is the room that transport protocols leave in front of their header.
func (e *endpoint) MaxHeaderLength() uint16 {
	return e.nic.MaxHeaderLength() + header.IPv4MaximumHeaderSize
}

// WriteHeaderIncludedPacket is not for the stack's endpoints: see Inet.WriteIP4 and WriteIP6.
func (e *endpoint) WriteHeaderIncludedPacket(*stack.Route, *stack.PacketBuffer) tcpip.Error {
	return &tcpip.ErrNotSupported{}
}

// HandlePacket is not called: packets do not come in through the NIC.
func (e *endpoint) HandlePacket(*stack.PacketBuffer) {}

// Close has nothing to free.
func (e *endpoint) Close() {}

// NetworkProtocolNumber is the protocol's ethertype.
func (e *endpoint) NetworkProtocolNumber() tcpip.NetworkProtocolNumber { return e.Number() }

// Stats are the kernel's, not the NIC's.
func (e *endpoint) Stats() stack.NetworkEndpointStats { return noStats{} }

type noStats struct{}

func (noStats) IsNetworkEndpointStats() {}

// WritePacket makes a datagram of a transport protocol's packet and sends it. The route says the addresses; where it goes the
// routing table says anew, unless the destination has only a meaning on the route's interface.
func (e *endpoint) WritePacket(r *stack.Route, params stack.NetworkHeaderParams, pkt *stack.PacketBuffer) tcpip.Error {
	o := outgoing{segment: segmentOf(pkt, e.v6), missing: params.Protocol == header.TCPProtocolNumber || params.Protocol == header.UDPProtocolNumber}
	o.noLoop = r.Loop()&stack.PacketLoop == 0
	src, dst := fromTCPIP(r.LocalAddress()), fromTCPIP(r.RemoteAddress())
	pkt.NetworkProtocolNumber = e.Number()
	if scoped(dst) {
		o.ifc = e.ifc
	}
	if e.v6 {
		return tcpipError(e.write6(src, dst, params, pkt, o))
	}
	return tcpipError(e.write4(src, dst, params, pkt, o))
}
