package inet

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// write6 puts an IPv6 header in front of a transport protocol's packet and sends it.
func (e *endpoint) write6(src, dst netip.Addr, params stack.NetworkHeaderParams, pkt *stack.PacketBuffer, o outgoing) error {
	if !e.in.v6 {
		return abi.EAFNOSUPPORT
	}
	n := pkt.Size()
	if n > 65535 {
		return abi.EMSGSIZE
	}
	h := header.IPv6(pkt.NetworkHeader().Push(header.IPv6MinimumSize))
	h.Encode(&header.IPv6Fields{
		TrafficClass: params.TOS, PayloadLength: uint16(n), TransportProtocol: params.Protocol, HopLimit: params.TTL,
		SrcAddr: toTCPIP(src), DstAddr: toTCPIP(dst),
	})
	p := &ifnet.Packet{Buf: pkt.ToBuffer(), Segment: o.segment}
	if o.missing {
		p.Flags |= ifnet.ChecksumMissing
	}
	e.in.Stats.IP6.Add(abi.IP6_STAT_LOCALOUT, 1)
	return e.in.output6(p, h, o)
}

// route6 finds the next hop to dst: see route4. A link-local address or group needs an interface.
//
// Errors: EHOSTUNREACH, ENETUNREACH.
func (in *Inet) route6(dst netip.Addr, o outgoing) (hop, error) {
	if o.ifc != nil && (scoped(dst) || o.direct) {
		return hop{ifc: o.ifc, addr: dst}, nil
	}
	e := in.Table.Lookup(dst, 0)
	if e == nil || e.If == nil || scoped(dst) && e.Dst.Bits() == 0 {
		in.Stats.IP6.Add(abi.IP6_STAT_NOROUTE, 1)
		return hop{}, abi.EHOSTUNREACH
	}
	if err := e.Reject(); err != nil {
		return hop{}, err
	}
	e.Use.Add(1)
	if e.Flags&abi.RTF_BLACKHOLE != 0 {
		return hop{}, nil
	}
	ifc := in.iface(e.If)
	if ifc == nil {
		return hop{}, abi.ENETDOWN
	}
	to := hop{ifc: ifc, addr: dst, entry: e}
	if e.Flags&abi.RTF_GATEWAY != 0 {
		if o.direct {
			return hop{}, abi.ENETUNREACH
		}
		to.addr = e.Gateway.WithZone("")
	}
	return to, nil
}

// mtu6 is the largest datagram on the way to the next hop.
func (to *hop) mtu6() int {
	mtu := to.ifc.mtu(true)
	if to.entry != nil && to.entry.Metrics.Mtu != 0 && to.entry.Metrics.Mtu < uint64(mtu) {
		mtu = uint32(to.entry.Metrics.Mtu)
	}
	return int(mtu)
}

// output6 sends a datagram whose header h is at the beginning of p: see output4.
func (in *Inet) output6(p *ifnet.Packet, h header.IPv6, o outgoing) error {
	src, dst := fromTCPIP(h.SourceAddress()), fromTCPIP(h.DestinationAddress())
	to, err := in.route6(dst, o)
	if err != nil || to.ifc == nil {
		p.Release()
		return err
	}
	if ia := in.localAddr(src, to.ifc.ifp.Index); ia != nil && !o.tentative && !ia.ready() {
		p.Release()
		return abi.EADDRNOTAVAIL
	}
	st := &to.ifc.nd6.stat
	st.outRequest.Add(1)
	switch {
	case dst.IsMulticast():
		st.outMcast.Add(1)
		if !o.noLoop && to.ifc.groups.member(dst) {
			to.ifc.loop(p, ifnet.Multicast, in.ipInput6)
		}
		if h.HopLimit() == 0 || dst.IsInterfaceLocalMulticast() || to.ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0 {
			p.Release()
			return nil
		}
	case linkLocal6(dst) && in.localAddr(dst, to.ifc.ifp.Index) != nil:
		to.ifc.loop(p, 0, in.ipInput6)
		p.Release()
		return nil
	}
	mtu := to.mtu6()
	if o.minMTU {
		mtu = min(mtu, header.IPv6MinimumMTU)
	}
	switch {
	case pieceLen(p) <= mtu || cutSmaller(p, mtu):
		return to.ifc.send(p, to.addr, false, o.from)
	case o.dontFrag:
		p.Release()
		return abi.EMSGSIZE
	}
	return in.cut6(p, h, mtu, to)
}

// fragHdrLen is the length of a fragment header.
const fragHdrLen = 8

// cut6 sends a datagram of our own in pieces. Only the fixed header is in all of them: what we send has no others that would have to be.
func (in *Inet) cut6(p *ifnet.Packet, h header.IPv6, mtu int, to hop) error {
	defer p.Release()
	const hlen = header.IPv6MinimumSize
	size := (mtu - hlen - fragHdrLen) &^ 7
	if size < 8 {
		in.Stats.IP6.Add(abi.IP6_STAT_CANTFRAG, 1)
		return abi.EMSGSIZE
	}
	ifnet.FinishChecksum(p, 0)
	p.Buf.TrimFront(hlen)
	id, total := in.ipID.Add(1), p.Len()
	for off := 0; off < total; off += size {
		n := min(size, total-off)
		b := append(header.IPv6(nil), h[:hlen]...)
		b.SetPayloadLength(uint16(n + fragHdrLen))
		b.SetNextHeader(abi.IPPROTO_FRAGMENT)
		word := uint16(off)
		if off+n < total {
			word |= 1
		}
		b = append(b, h.NextHeader(), 0)
		b = binary.BigEndian.AppendUint16(b, word)
		b = binary.BigEndian.AppendUint32(b, id)
		f := &ifnet.Packet{Buf: buffer.MakeWithView(buffer.NewViewWithData(b))}
		part := p.Buf.Clone()
		part.TrimFront(int64(off))
		part.Truncate(int64(n))
		f.Buf.Merge(&part)
		if err := to.ifc.send(f, to.addr, false, nil); err != nil {
			in.Stats.IP6.Add(abi.IP6_STAT_ODROPPED, 1)
			to.ifc.nd6.stat.outFragfail.Add(1)
			return err
		}
		in.Stats.IP6.Add(abi.IP6_STAT_OFRAGMENTS, 1)
		to.ifc.nd6.stat.outFragcreat.Add(1)
	}
	in.Stats.IP6.Add(abi.IP6_STAT_FRAGMENTED, 1)
	to.ifc.nd6.stat.outFragok.Add(1)
	return nil
}

// header6 is what a header of ours says.
type header6 struct {
	src, dst        netip.Addr
	proto, hlim, tc uint8
}

// send6 sends a datagram of our own.
func (in *Inet) send6(h header6, payload []byte, o outgoing) error {
	b := make([]byte, header.IPv6MinimumSize, header.IPv6MinimumSize+len(payload))
	header.IPv6(b).Encode(&header.IPv6Fields{
		TrafficClass: h.tc, PayloadLength: uint16(len(payload)), TransportProtocol: 0, HopLimit: h.hlim,
		SrcAddr: toTCPIP(h.src), DstAddr: toTCPIP(h.dst),
	})
	b[6] = h.proto
	in.Stats.IP6.Add(abi.IP6_STAT_LOCALOUT, 1)
	return in.output6(ifnet.NewPacket(append(b, payload...)), append(header.IPv6(nil), b...), o)
}

// WriteIP6 sends a datagram that begins with its IPv6 header (extension headers may follow), whatever its protocol, cut to fragments where it is
// longer than the MTU. The payload length is that of b; a source address of :: is filled in. b is not kept.
//
// Errors: those of WriteIP4.
func (in *Inet) WriteIP6(b []byte, opt RawOptions) error {
	switch {
	case !in.v6:
		return abi.EAFNOSUPPORT
	case len(b) < header.IPv6MinimumSize || b[0]>>4 != 6:
		return abi.EINVAL
	case len(b)-header.IPv6MinimumSize > 65535:
		return abi.EMSGSIZE
	}
	p := ifnet.NewPacket(b)
	h := append(header.IPv6(nil), b[:header.IPv6MinimumSize]...)
	h.SetPayloadLength(uint16(len(b) - header.IPv6MinimumSize))
	o := outgoing{noLoop: opt.NoLoop, direct: opt.Direct, minMTU: opt.MinMTU, dontFrag: opt.DontFragment}
	dst := fromTCPIP(h.DestinationAddress())
	if opt.If != nil && (scoped(dst) || opt.Direct) {
		o.ifc = in.iface(opt.If)
	}
	if fromTCPIP(h.SourceAddress()) == unspecified6 {
		to, err := in.route6(dst, o)
		if err != nil {
			p.Release()
			return err
		}
		if to.ifc != nil {
			if ia := in.source6(dst, to.ifc); ia != nil {
				h.SetSourceAddress(toTCPIP(ia.addr))
			}
		}
	}
	replaceHead(p, len(h), h)
	in.Stats.IP6.Add(abi.IP6_STAT_LOCALOUT, 1)
	return in.output6(p, h, o)
}
