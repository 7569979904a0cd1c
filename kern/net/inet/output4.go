package inet

import (
	"math/rand/v2"
	"net/netip"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// outgoing is what is known of a datagram that is sent, beside its header.
type outgoing struct {
	ifc       *iface           // the interface to leave through; nil: as the routing table says
	from      *ifnet.Interface // where a forwarded packet came from; nil for our own
	segment   ifnet.Segment    // of a TCP segment that is to be cut
	missing   bool             // the transport checksum has not been computed
	noLoop    bool             // we do not want to hear our own multicast: IP_MULTICAST_LOOP off
	direct    bool             // past gateways: MSG_DONTROUTE
	tentative bool             // the source address may be one that is not ready
	minMTU    bool             // IPv6: cut to the least MTU that there is
	dontFrag  bool             // IPv6: not to be cut
}

// segmentOf says how a packet of the stack is to be cut.
func segmentOf(pkt *stack.PacketBuffer, v6 bool) ifnet.Segment {
	g := pkt.GSOOptions
	if g.Type == stack.GSONone || g.MSS == 0 {
		return ifnet.Segment{}
	}
	return ifnet.Segment{Size: g.MSS, HeaderLen: g.L3HdrLen, V6: v6}
}

// write4 puts an IPv4 header in front of a transport protocol's packet and sends it.
func (e *endpoint) write4(src, dst netip.Addr, params stack.NetworkHeaderParams, pkt *stack.PacketBuffer, o outgoing) error {
	h := header.IPv4(pkt.NetworkHeader().Push(header.IPv4MinimumSize))
	if pkt.Size() > 65535 {
		return abi.EMSGSIZE
	}
	f := header.IPv4Fields{
		TOS: params.TOS, TotalLength: uint16(pkt.Size()), TTL: params.TTL, Protocol: uint8(params.Protocol),
		SrcAddr: toTCPIP(src), DstAddr: toTCPIP(dst),
	}
	if pkt.Size() >= minFragSize {
		f.ID = e.in.newID()
	}
	if params.DF && e.in.conf.mtudisc.Load() != 0 {
		f.Flags = header.IPv4FlagDontFragment
	}
	h.Encode(&f)
	h.SetChecksum(^h.CalculateChecksum())
	p := &ifnet.Packet{Buf: pkt.ToBuffer(), Segment: o.segment}
	if o.missing {
		p.Flags |= ifnet.ChecksumMissing
	}
	e.in.Stats.IP.Add(abi.IP_STAT_LOCALOUT, 1)
	return e.in.output4(p, h, o)
}

// minFragSize is the length from which on a datagram may have to be cut on its way, and so needs an identification: IP_MINFRAGSIZE.
const minFragSize = 69

// newID is the identification of a new IPv4 datagram: one more each time, or with net.inet.ip.random_id a random one; never 0.
func (in *Inet) newID() uint16 {
	for {
		id := uint16(in.ipID.Add(1))
		if in.conf.randomID.Load() != 0 {
			id = uint16(rand.Uint32())
		}
		if id != 0 {
			return id
		}
	}
}

// hop is where a datagram goes next.
type hop struct {
	ifc       *iface
	addr      netip.Addr // the next hop
	broadcast bool
	entry     *route.Entry
}

// output4 sends a datagram whose header h is at the beginning of p, of which p has a copy of its own. It owns p.
//
// Errors: EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, EMSGSIZE, EADDRNOTAVAIL, ENOBUFS.
func (in *Inet) output4(p *ifnet.Packet, h header.IPv4, o outgoing) error {
	src, dst := fromTCPIP(h.SourceAddress()), fromTCPIP(h.DestinationAddress())
	to, err := in.route4(dst, o)
	if err != nil || to.ifc == nil {
		p.Release()
		return err
	}
	if ia := in.localAddr(src, 0); ia != nil && !o.tentative && !ia.ready() {
		p.Release()
		return abi.EADDRNOTAVAIL
	}
	switch {
	case dst.IsMulticast():
		if !o.noLoop && to.ifc.groups.member(dst) {
			to.ifc.loop(p, ifnet.Multicast, in.ipInput4)
		}
		if h.TTL() == 0 || to.ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0 {
			p.Release()
			return nil
		}
	case to.broadcast && o.from == nil && to.ifc.ifp.Flags()&abi.IFF_SIMPLEX != 0:
		to.ifc.loop(p, ifnet.Broadcast, in.ipInput4)
	}
	return in.transmit4(p, h, to, o)
}

// transmit4 sends a datagram to its next hop, in pieces where it is longer than the MTU.
func (in *Inet) transmit4(p *ifnet.Packet, h header.IPv4, to hop, o outgoing) error {
	mtu := int(to.mtu4())
	if pieceLen(p) <= mtu {
		err := to.ifc.send(p, to.addr, to.broadcast, o.from)
		if err == abi.EHOSTDOWN && to.entry != nil && to.entry.Flags&abi.RTF_GATEWAY != 0 {
			return abi.EHOSTUNREACH
		}
		return err
	}
	if cutSmaller(p, mtu) {
		return in.transmit4(p, h, to, o)
	}
	return in.fragment4(p, h, mtu, to, o)
}

// cutSmaller has a TCP segment that is yet to be cut be cut so that the pieces fit the MTU. It says whether p is one, and they do.
func cutSmaller(p *ifnet.Packet, mtu int) bool {
	over := pieceLen(p) - mtu
	if over >= int(p.Segment.Size) {
		return false
	}
	p.Segment.Size -= uint16(over)
	return true
}

// pieceLen is how long the datagrams are that a packet becomes: its own length, or that of the segments which it will be cut into.
func pieceLen(p *ifnet.Packet) int {
	if p.Segment.Size == 0 {
		return p.Len()
	}
	const dataOffsetAt = 12
	var b [1]byte
	n := int(p.Segment.HeaderLen)
	if m, _ := p.Buf.ReadAt(b[:], int64(n+dataOffsetAt)); m == 0 {
		return p.Len()
	}
	return min(p.Len(), n+int(b[0]>>4)*4+int(p.Segment.Size))
}

// mtu4 is the largest datagram on the way to the next hop: the route's or the interface's.
func (to *hop) mtu4() uint32 {
	mtu := to.ifc.ifp.MTU()
	if to.entry != nil && to.entry.Metrics.Mtu != 0 && to.entry.Metrics.Mtu < uint64(mtu) {
		return uint32(to.entry.Metrics.Mtu)
	}
	return mtu
}

// route4 finds the next hop to dst. Without an error and an interface the datagram is to be dropped silently (a blackhole route).
//
// Errors: EHOSTUNREACH, ENETUNREACH.
func (in *Inet) route4(dst netip.Addr, o outgoing) (hop, error) {
	if o.ifc != nil {
		return hop{ifc: o.ifc, addr: dst, broadcast: in.isBroadcast(dst, o.ifc)}, nil
	}
	e := in.Table.Lookup(dst, 0)
	if e == nil || e.If == nil {
		in.Stats.IP.Add(abi.IP_STAT_NOROUTE, 1)
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
		to.addr = e.Gateway
	} else {
		to.broadcast = in.isBroadcast(dst, ifc)
	}
	return to, nil
}

// isBroadcast says whether dst reaches all hosts of a network that the interface is on.
func (in *Inet) isBroadcast(dst netip.Addr, ifc *iface) bool {
	if ifc.ifp.Flags()&abi.IFF_BROADCAST == 0 {
		return false
	}
	if dst == broadcast4 {
		return true
	}
	ia := in.addrs.Load().broadcast[dst]
	if ia == nil && in.conf.hostZero.Load() != 0 {
		ia = in.addrs.Load().zero[dst]
	}
	return ia != nil && ia.ifc == ifc && in.localAddr(dst, 0) == nil
}

// fragment4 sends a datagram in pieces.
//
// Errors: EMSGSIZE when it says that it must not be cut, or the MTU is too small to.
func (in *Inet) fragment4(p *ifnet.Packet, h header.IPv4, mtu int, to hop, o outgoing) error {
	defer p.Release()
	hlen := int(h.HeaderLength())
	size := (mtu - hlen) &^ 7
	if h.Flags()&header.IPv4FlagDontFragment != 0 || size < 8 {
		in.Stats.IP.Add(abi.IP_STAT_CANTFRAG, 1)
		return abi.EMSGSIZE
	}
	ifnet.FinishChecksum(p, 0)
	p.Buf.TrimFront(int64(hlen))
	rest := fragmentOptions(h)
	total := p.Len()
	for off := 0; off < total; off += size {
		n := min(size, total-off)
		fh := h
		if off > 0 {
			fh = rest
		}
		b := fragment4Header(fh, h, off, n, off+n < total)
		f := &ifnet.Packet{Buf: buffer.MakeWithView(buffer.NewViewWithData(b))}
		part := p.Buf.Clone()
		part.TrimFront(int64(off))
		part.Truncate(int64(n))
		f.Buf.Merge(&part)
		if err := to.ifc.send(f, to.addr, to.broadcast, o.from); err != nil {
			in.Stats.IP.Add(abi.IP_STAT_ODROPPED, 1)
			return err
		}
		in.Stats.IP.Add(abi.IP_STAT_OFRAGMENTS, 1)
	}
	in.Stats.IP.Add(abi.IP_STAT_FRAGMENTED, 1)
	return nil
}

// fragment4Header is the header of the fragment of n bytes at off of the datagram with the header whole, made after h.
func fragment4Header(h, whole header.IPv4, off, n int, more bool) []byte {
	b := header.IPv4(append([]byte(nil), h...))
	b.SetTotalLength(uint16(len(b) + n))
	flags := whole.Flags()
	if more {
		flags |= header.IPv4FlagMoreFragments
	}
	b.SetFlagsFragmentOffset(flags, whole.FragmentOffset()+uint16(off))
	b.SetChecksum(0)
	b.SetChecksum(^b.CalculateChecksum())
	return b
}

// fragmentOptions is the header for all fragments but the first: with those options alone that are to be copied (RFC 791, 3.1).
func fragmentOptions(h header.IPv4) header.IPv4 {
	b := append(header.IPv4(nil), h[:header.IPv4MinimumSize]...)
	opts := h[header.IPv4MinimumSize:h.HeaderLength()]
	for len(opts) > 0 && opts[0] != abi.IPOPT_EOL {
		n := 1
		if opts[0] != abi.IPOPT_NOP {
			if len(opts) < 2 || int(opts[1]) < 2 || int(opts[1]) > len(opts) {
				break
			}
			n = int(opts[1])
			if opts[0]&0x80 != 0 {
				b = append(b, opts[:n]...)
			}
		}
		opts = opts[n:]
	}
	for len(b)%4 != 0 {
		b = append(b, abi.IPOPT_EOL)
	}
	b.SetHeaderLength(uint8(len(b)))
	return b
}
