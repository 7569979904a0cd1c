package inet

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// forward6 sends a datagram on that is not for this kernel: RFC 8200. It owns d.p.
func (in *Inet) forward6(d *datagram) {
	st := &in.Stats.IP6
	if d.cast != 0 || d.src == unspecified6 || d.dst == loopback6 || d.src == loopback6 {
		st.Add(abi.IP6_STAT_CANTFORWARD, 1)
		d.p.Release()
		return
	}
	if d.h6().HopLimit() <= 1 {
		in.icmp6Error(d, icmpReason{abi.ICMP6_TIME_EXCEEDED, abi.ICMP6_TIME_EXCEED_TRANSIT, 0})
		d.p.Release()
		return
	}
	to, err := in.route6(d.dst, outgoing{})
	if linkLocal6(d.dst) {
		err = abi.EHOSTUNREACH
	}
	if err != nil || to.ifc == nil {
		st.Add(abi.IP6_STAT_CANTFORWARD, 1)
		if err != nil {
			in.icmp6Error(d, icmpReason{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_NOROUTE, 0})
		}
		d.p.Release()
		return
	}
	if linkLocal6(d.src) && to.ifc != d.ifc {
		st.Add(abi.IP6_STAT_BADSCOPE, 1)
		in.icmp6Error(d, icmpReason{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_BEYONDSCOPE, 0})
		d.p.Release()
		return
	}
	if mtu := to.mtu6(); pieceLen(d.p) > mtu {
		in.icmp6Error(d, icmpReason{abi.ICMP6_PACKET_TOO_BIG, 0, uint32(mtu)})
		d.ifc.nd6.stat.inToobig.Add(1)
		d.p.Release()
		return
	}
	if to.ifc == d.ifc && in.conf.redirect6.Load() != 0 && to.entry.Flags&(abi.RTF_DYNAMIC|abi.RTF_MODIFIED) == 0 {
		in.sendRedirect6(d, to)
	}
	in.sendOn6(d, to)
}

// sendOn6 sends the datagram with its hop limit less one. A next hop that does not answer is found out later: see neighborTable.unreachable.
func (in *Inet) sendOn6(d *datagram, to hop) {
	if !to.ifc.ifp.Up() {
		in.Stats.IP6.Add(abi.IP6_STAT_CANTFORWARD, 1)
		in.icmp6Error(d, icmpReason{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_ADDR, 0})
		d.p.Release()
		return
	}
	h := append(header.IPv6(nil), d.h6()...)
	h.SetHopLimit(h.HopLimit() - 1)
	replaceHead(d.p, len(h), h)
	d.p.Flags &= ifnet.ChecksumMissing | ifnet.ChecksumGood
	if err := to.ifc.send(d.p, to.addr, false, d.ifc.ifp); err != nil {
		in.Stats.IP6.Add(abi.IP6_STAT_CANTFORWARD, 1)
		return
	}
	in.Stats.IP6.Add(abi.IP6_STAT_FORWARD, 1)
	to.ifc.nd6.stat.outForward.Add(1)
}

// sendRedirect6 tells the sender of a better way (RFC 4861, 8.2), when it is a neighbour.
func (in *Inet) sendRedirect6(d *datagram, to hop) {
	if in.onLinkAddr(d.ifc, d.src) == nil {
		return
	}
	target := to.addr
	if target != d.dst && !linkLocal6(target) {
		return
	}
	src := in.linkLocalOf(d.ifc)
	if src == nil || !in.errs6.allow(int(in.conf.icmp6ErrLimit.Load())) {
		return
	}
	b := make([]byte, 40, minMTU6)
	b[0] = abi.ND_REDIRECT
	t, dst := target.As16(), d.dst.As16()
	copy(b[8:], t[:])
	copy(b[24:], dst[:])
	now := time.Now()
	if mac, ok := d.ifc.nd.lookup(target, now); ok {
		b = append(b, abi.ND_OPT_TARGET_LINKADDR, 1)
		b = append(b, mac[:]...)
	}
	n := min(d.p.Len(), minMTU6-header.IPv6MinimumSize-len(b)-8) &^ 7
	opt := make([]byte, 8+n)
	opt[0], opt[1] = abi.ND_OPT_REDIRECTED_HEADER, byte(len(opt)/8)
	d.p.Header(opt[8:])
	b = append(b, opt...)
	in.Stats.IP6.Add(abi.IP6_STAT_REDIRECTSENT, 1)
	in.icmp6Send(header6{src: src.addr, dst: d.src, hlim: maxTTL}, b, d.ifc)
}
