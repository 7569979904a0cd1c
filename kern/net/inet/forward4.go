package inet

import (
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// forward4 sends a datagram on that is not for this kernel: RFC 1812, 5. It owns d.p.
func (in *Inet) forward4(d *datagram) {
	h := d.h4()
	if d.cast != 0 || !forwardable4(d) {
		in.Stats.IP.Add(abi.IP_STAT_CANTFORWARD, 1)
		d.p.Release()
		return
	}
	if h.TTL() <= 1 {
		in.icmpError(d, icmpReason{abi.ICMP_TIMXCEED, abi.ICMP_TIMXCEED_INTRANS, 0})
		d.p.Release()
		return
	}
	to, err := in.route4(d.dst, outgoing{})
	if err != nil || to.ifc == nil {
		in.Stats.IP.Add(abi.IP_STAT_CANTFORWARD, 1)
		if err != nil {
			in.icmpError(d, unreachable(err))
		}
		d.p.Release()
		return
	}
	if to.broadcast && in.conf.directedBroadcast.Load() == 0 {
		in.Stats.IP.Add(abi.IP_STAT_CANTFORWARD, 1)
		d.p.Release()
		return
	}
	in.redirect4(d, to)
	in.sendOn4(d, h, to)
}

// forwardable4 says whether a datagram between these addresses may leave its network.
func forwardable4(d *datagram) bool {
	src, dst := d.src.As4(), d.dst.As4()
	experimental := dst[0] >= 240
	return !experimental && dst[0] != 0 && dst[0] != 127 && src[0] != 0 && src[0] != 127 && src[0] < 240
}

// unreachable is what the sender is told when there is no way on.
func unreachable(err error) icmpReason {
	if abi.ToErrno(err) == abi.ENETUNREACH {
		return icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_NET, 0}
	}
	return icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_HOST, 0}
}

// sendOn4 sends the datagram with its time to live less one.
func (in *Inet) sendOn4(d *datagram, h header.IPv4, to hop) {
	mtu := int(to.mtu4())
	if pieceLen(d.p) > mtu && h.Flags()&header.IPv4FlagDontFragment != 0 {
		in.Stats.IP.Add(abi.IP_STAT_CANTFRAG, 1)
		in.icmpError(d, icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_NEEDFRAG, uint32(mtu)})
		d.p.Release()
		return
	}
	quote := d.quoted()
	out := append(header.IPv4(nil), h...)
	out.SetTTL(h.TTL() - 1)
	out.SetChecksum(0)
	out.SetChecksum(^out.CalculateChecksum())
	replaceHead(d.p, d.hlen, out)
	d.p.Flags &= ifnet.ChecksumMissing | ifnet.ChecksumGood
	if err := in.transmit4(d.p, out, to, outgoing{from: d.ifc.ifp}); err != nil {
		in.Stats.IP.Add(abi.IP_STAT_CANTFORWARD, 1)
		in.forwardFailed(d, quote, err, mtu)
		return
	}
	in.Stats.IP.Add(abi.IP_STAT_FORWARD, 1)
}

// quoted keeps so much of the datagram as an ICMP error needs, since the datagram itself is given away.
func (d *datagram) quoted() []byte {
	b := make([]byte, min(d.p.Len(), d.hlen+8))
	d.p.Header(b)
	return b
}

// forwardFailed tells the sender why a datagram could not be sent on.
func (in *Inet) forwardFailed(d *datagram, quote []byte, err error, mtu int) {
	var why icmpReason
	switch abi.ToErrno(err) {
	case abi.EHOSTDOWN, abi.EHOSTUNREACH, abi.ENETDOWN:
		why = icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_HOST, 0}
	case abi.EMSGSIZE:
		why = icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_NEEDFRAG, uint32(mtu)}
	default:
		return
	}
	d.p = ifnet.NewPacket(quote)
	in.icmpError(d, why)
	d.p.Release()
}

// redirect4 tells the sender of a better way, when the datagram leaves where it came in, for a sender in that network (RFC 1812, 5.2.7.2).
func (in *Inet) redirect4(d *datagram, to hop) {
	if in.conf.redirect.Load() == 0 || to.ifc != d.ifc || to.entry == nil || !better(to.entry, d, in) {
		return
	}
	code := uint8(abi.ICMP_REDIRECT_HOST)
	in.Stats.IP.Add(abi.IP_STAT_REDIRECTSENT, 1)
	a := to.addr.As4()
	info := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	in.icmpError(d, icmpReason{abi.ICMP_REDIRECT, code, info})
}

// better says whether the sender could have sent a datagram to the next hop itself: it is in a network of the interface.
func better(e *route.Entry, d *datagram, in *Inet) bool {
	if e.Flags&(abi.RTF_DYNAMIC|abi.RTF_MODIFIED) != 0 || e.Dst.Bits() == 0 && e.Flags&abi.RTF_GATEWAY == 0 {
		return false
	}
	for _, ia := range in.addrsOf(d.ifc.ifp, familyInet) {
		if ia.prefix().Contains(d.src) {
			return true
		}
	}
	return false
}
