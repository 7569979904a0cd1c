package inet

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// h6 is the fixed header of an IPv6 datagram.
func (d *datagram) h6() header.IPv6 { return header.IPv6(d.head[:header.IPv6MinimumSize]) }

// input6 takes an IPv6 datagram from an interface.
func (in *Inet) input6(ifp *ifnet.Interface, p *ifnet.Packet) {
	ifc := in.iface(ifp)
	if ifc == nil || in.halted() || ifc.nd6.has(abi.ND6_IFF_IFDISABLED) {
		p.Release()
		return
	}
	p.Buf.TrimFront(int64(ifp.HdrLen))
	in.ipInput6(ifc, p)
}

// ipInput6 takes a datagram that begins with its header.
func (in *Inet) ipInput6(ifc *iface, p *ifnet.Packet) {
	d := &datagram{ifc: ifc, p: p, cast: p.Flags & ifnet.Multicast}
	in.Stats.IP6.Add(abi.IP6_STAT_TOTAL, 1)
	ifc.nd6.stat.inReceive.Add(1)
	if bad := in.check6(d); bad >= 0 {
		in.Stats.IP6.Add(bad, 1)
		ifc.nd6.stat.inHdrerr.Add(1)
		p.Release()
		return
	}
	in.Stats.IP6.Add(abi.IP6_STAT_NXTHIST+int(d.prot), 1)
	switch {
	case in.isLocal6(d):
		in.deliver6(d)
	case d.dst.IsMulticast():
		in.Stats.IP6.Add(abi.IP6_STAT_NOTMEMBER, 1)
		ifc.nd6.stat.inDiscard.Add(1)
		p.Release()
	case in.conf.forwarding6.Load() == 0:
		in.Stats.IP6.Add(abi.IP6_STAT_CANTFORWARD, 1)
		ifc.nd6.stat.inAddrerr.Add(1)
		p.Release()
	default:
		in.forward6(d)
	}
}

// check6 reads and checks the header: RFC 8200, RFC 4291, 2.5. It returns the counter of what is wrong, -1 for nothing.
func (in *Inet) check6(d *datagram) int {
	if !d.p.Header(d.head[:header.IPv6MinimumSize]) {
		return abi.IP6_STAT_TOOSMALL
	}
	if d.head[0]>>4 != 6 {
		return abi.IP6_STAT_BADVERS
	}
	h := d.h6()
	d.hlen = header.IPv6MinimumSize
	d.src, d.dst, d.prot = fromTCPIP(h.SourceAddress()), fromTCPIP(h.DestinationAddress()), h.NextHeader()
	outside := d.ifc.ifp.Flags()&abi.IFF_LOOPBACK == 0 && d.p.Flags&ifnet.Looped == 0
	switch {
	case d.src.IsMulticast() || d.dst == unspecified6 || d.src.Is4In6() || d.dst.Is4In6():
		return abi.IP6_STAT_BADSCOPE
	case outside && (d.src == loopback6 || d.dst == loopback6 || d.dst.IsInterfaceLocalMulticast()):
		return abi.IP6_STAT_BADSCOPE
	case d.dst.IsMulticast() && d.dst.As16()[1]&15 == 0:
		return abi.IP6_STAT_BADSCOPE
	}
	total := header.IPv6MinimumSize + int(h.PayloadLength())
	if d.p.Len() < total {
		d.ifc.nd6.stat.inTruncated.Add(1)
		return abi.IP6_STAT_TOOSHORT
	}
	d.p.Buf.Truncate(int64(total))
	return -1
}

// isLocal6 says whether a datagram is for this kernel: see isLocal4.
func (in *Inet) isLocal6(d *datagram) bool {
	if d.dst.IsMulticast() {
		d.cast |= ifnet.Multicast
		return d.ifc.groups.member(d.dst)
	}
	ia := in.localAddr(d.dst, d.ifc.ifp.Index)
	if ia == nil {
		return false
	}
	loop := d.ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0
	if !loop && (!in.usable(ia) || ia.flags.Load()&abi.IN6_IFF_TENTATIVE != 0) {
		return false
	}
	d.ia = ia
	return true
}

// extension is what stepping over an extension header came to.
type extension int

const (
	extGone  extension = iota // the datagram was taken
	extNext                   // on to the next header
	extUpper                  // no extension header: the protocol's
)

// deliver6 hands a datagram that is for this kernel to its protocol, whole: past its extension headers.
func (in *Inet) deliver6(d *datagram) {
	d.ifc.nd6.stat.inDeliver.Add(1)
	if ia := d.ia; ia != nil {
		ia.a.Ipackets.Add(1)
		ia.a.Ibytes.Add(uint64(d.p.Len()))
	}
	nextAt := 6
	for n := 0; ; n++ {
		if n > int(in.conf.hdrNest.Load()) {
			in.Stats.IP6.Add(abi.IP6_STAT_TOOMANYHDR, 1)
			d.p.Release()
			return
		}
		var what extension
		if d, nextAt, what = in.step6(d, nextAt, n == 0); what != extNext {
			if what == extGone {
				return
			}
			break
		}
	}
	in.Stats.IP6.Add(abi.IP6_STAT_DELIVERED, 1)
	switch d.prot {
	case abi.IPPROTO_TCP, abi.IPPROTO_UDP:
		in.transport(d, d.ifc.ep6)
	case abi.IPPROTO_ICMPV6:
		in.icmp6Input(d)
	case abi.IPPROTO_NONE:
		in.rawInput(d)
	default:
		if !in.rawInput(d) {
			in.icmp6Error(d, icmpReason{abi.ICMP6_PARAM_PROB, abi.ICMP6_PARAMPROB_NEXTHEADER, uint32(nextAt)})
		}
	}
	d.p.Release()
}

// step6 steps over the extension header that d.prot says is at d.hlen. nextAt is where that was said.
func (in *Inet) step6(d *datagram, nextAt int, first bool) (*datagram, int, extension) {
	switch d.prot {
	case abi.IPPROTO_HOPOPTS:
		if !first {
			return in.badHeader(d, abi.ICMP6_PARAMPROB_NEXTHEADER, nextAt)
		}
		return in.options6(d)
	case abi.IPPROTO_DSTOPTS:
		return in.options6(d)
	case abi.IPPROTO_ROUTING:
		return in.routing6(d)
	case abi.IPPROTO_FRAGMENT:
		return in.fragment6(d, nextAt)
	}
	return d, nextAt, extUpper
}

// badHeader tells the sender of a header that can not be processed, and takes the datagram.
func (in *Inet) badHeader(d *datagram, code uint8, at int) (*datagram, int, extension) {
	in.Stats.IP6.Add(abi.IP6_STAT_BADOPTIONS, 1)
	in.icmp6Error(d, icmpReason{abi.ICMP6_PARAM_PROB, code, uint32(at)})
	d.p.Release()
	return nil, 0, extGone
}

// short takes a datagram that ends within its headers.
func (in *Inet) short(d *datagram) (*datagram, int, extension) {
	in.Stats.IP6.Add(abi.IP6_STAT_TOOSHORT, 1)
	d.p.Release()
	return nil, 0, extGone
}

// header reads an extension header whose length is in its second byte; nil when the datagram is too short for it.
func (d *datagram) header() []byte {
	var h [2]byte
	if n, _ := d.p.Buf.ReadAt(h[:], int64(d.hlen)); n < len(h) {
		return nil
	}
	b := make([]byte, (int(h[1])+1)*8)
	if n, _ := d.p.Buf.ReadAt(b, int64(d.hlen)); n < len(b) {
		return nil
	}
	return b
}

// options6 looks at the options of a header. What an unknown one's type says is done: RFC 8200, 4.2.
func (in *Inet) options6(d *datagram) (*datagram, int, extension) {
	b := d.header()
	if b == nil {
		return in.short(d)
	}
	for i := 2; i < len(b); {
		if b[i] == abi.IP6OPT_PAD1 {
			i++
			continue
		}
		if i+1 >= len(b) || i+2+int(b[i+1]) > len(b) {
			return in.badHeader(d, abi.ICMP6_PARAMPROB_HEADER, d.hlen+i)
		}
		if b[i] != abi.IP6OPT_PADN && b[i] != abi.IP6OPT_ROUTER_ALERT {
			switch b[i] >> 6 {
			case 1:
				d.p.Release()
				return nil, 0, extGone
			case 2:
				return in.badOption(d, d.hlen+i)
			case 3:
				if d.cast != 0 {
					d.p.Release()
					return nil, 0, extGone
				}
				return in.badOption(d, d.hlen+i)
			}
		}
		i += 2 + int(b[i+1])
	}
	at := d.hlen
	d.prot = b[0]
	d.hlen += len(b)
	return d, at, extNext
}

// badOption tells the sender of an option that is unknown here: a sender to a group too.
func (in *Inet) badOption(d *datagram, at int) (*datagram, int, extension) {
	d.cast = 0
	return in.badHeader(d, abi.ICMP6_PARAMPROB_OPTION, at)
}

// routing6 steps over a routing header, which must have come to its end: routes that senders prescribe are not followed (RFC 5095).
func (in *Inet) routing6(d *datagram) (*datagram, int, extension) {
	b := d.header()
	if b == nil {
		return in.short(d)
	}
	if b[3] != 0 {
		return in.badHeader(d, abi.ICMP6_PARAMPROB_HEADER, d.hlen+2)
	}
	at := d.hlen
	d.prot = b[0]
	d.hlen += len(b)
	return d, at, extNext
}

// fragment6 takes a fragment, and goes on with the whole datagram when it was the last that lacked.
func (in *Inet) fragment6(d *datagram, nextAt int) (*datagram, int, extension) {
	var b [8]byte
	if n, _ := d.p.Buf.ReadAt(b[:], int64(d.hlen)); n < len(b) {
		return in.short(d)
	}
	in.Stats.IP6.Add(abi.IP6_STAT_FRAGMENTS, 1)
	d.ifc.nd6.stat.reassReqd.Add(1)
	at, word := d.hlen, binary.BigEndian.Uint16(b[2:])
	off, more := int(word&^7), word&1 != 0
	d.hlen += len(b)
	n := d.p.Len() - d.hlen
	switch {
	case more && n%8 != 0:
		return in.badHeader(d, abi.ICMP6_PARAMPROB_HEADER, 4)
	case n == 0 || off+n+at-header.IPv6MinimumSize > 65535:
		return in.badHeader(d, abi.ICMP6_PARAMPROB_HEADER, at+2)
	}
	if off == 0 && !more {
		return unfragment6(d, at, nextAt, b[0]), nextAt, extNext
	}
	key := fragmentKey{src: d.src, dst: d.dst, id: binary.BigEndian.Uint32(b[4:]), scope: scopeOf(d.src, d.ifc) | scopeOf(d.dst, d.ifc)}
	whole := in.frags6.insert(key, d, off, n, more)
	if whole == nil {
		return nil, 0, extGone
	}
	in.Stats.IP6.Add(abi.IP6_STAT_REASSEMBLED, 1)
	d.ifc.nd6.stat.reassOk.Add(1)
	// The first fragment may have been another than d: its fragment header says where its payload begins and what that is.
	at = whole.hlen - len(b)
	whole.p.Buf.ReadAt(b[:1], int64(at))
	nextAt = lastNextHeader(whole, at)
	return unfragment6(whole, at, nextAt, b[0]), nextAt, extNext
}

// lastNextHeader finds where the header in front of that at an offset says what follows it.
func lastNextHeader(d *datagram, at int) int {
	pos, nextAt := header.IPv6MinimumSize, 6
	var h [2]byte
	for pos < at {
		if n, _ := d.p.Buf.ReadAt(h[:], int64(pos)); n < len(h) {
			break
		}
		nextAt = pos
		pos += (int(h[1]) + 1) * 8
	}
	return nextAt
}

// unfragment6 takes the fragment header at an offset out of a datagram whose headers up to the payload are d.hlen bytes.
func unfragment6(d *datagram, at, nextAt int, proto uint8) *datagram {
	head := make([]byte, at)
	d.p.Header(head)
	head[nextAt] = proto
	h := header.IPv6(head)
	h.SetPayloadLength(uint16(d.p.Len() - d.hlen + at - header.IPv6MinimumSize))
	replaceHead(d.p, d.hlen, head)
	copy(d.head[:header.IPv6MinimumSize], head)
	d.hlen, d.prot = at, proto
	return d
}
