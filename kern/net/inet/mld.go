package inet

import (
	"encoding/binary"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// MLD is that of RFC 2710, version 1, as NetBSD's.
const (
	mldReport = abi.MLD_LISTENER_REPORT
	mldDone   = abi.MLD_LISTENER_DONE
)

// mldInput acts on a query or on a report of another member.
func (in *Inet) mldInput(d *datagram, b []byte) {
	if len(b) < abi.MLD_MINLEN || !linkLocal6(d.src) && d.src != unspecified6 {
		return
	}
	l := &d.ifc.groups
	g := netip.AddrFrom16([16]byte(b[8:]))
	if b[0] == abi.MLD_LISTENER_REPORT {
		if g.IsMulticast() && d.p.Flags&ifnet.Looped == 0 {
			l.heard(g)
		}
		return
	}
	if g == unspecified6 || g.IsMulticast() {
		l.query(g, g == unspecified6, time.Duration(binary.BigEndian.Uint16(b[4:]))*time.Millisecond, false)
	}
}

// sendMLD sends a message about a group, with the router alert option.
func (ifc *iface) sendMLD(typ byte, g netip.Addr) {
	src := unspecified6
	if ia := ifc.in.linkLocalOf(ifc); ia != nil && ia.ready() {
		src = ia.addr
	}
	dst := g
	if typ == mldDone {
		dst = allRouters
	}
	b := make([]byte, abi.MLD_MINLEN)
	a := g.As16()
	b[0] = typ
	copy(b[8:], a[:])
	sum := header.PseudoHeaderChecksum(header.ICMPv6ProtocolNumber, toTCPIP(src), toTCPIP(dst), uint16(len(b)))
	binary.BigEndian.PutUint16(b[2:], ^checksum.Checksum(b, sum))
	ifc.in.Stats.ICMP6.Add(abi.ICMP6_STAT_OUTHIST+int(typ), 1)
	ifc.nd6.istat.count(typ, 0, true)
	hop := []byte{abi.IPPROTO_ICMPV6, 0, abi.IP6OPT_ROUTER_ALERT, 2, 0, 0, abi.IP6OPT_PADN, 0}
	ifc.in.send6(header6{src: src, dst: dst, proto: abi.IPPROTO_HOPOPTS, hlim: 1}, append(hop, b...), outgoing{ifc: ifc, noLoop: true})
}

// joinSolicited has the interface receive the solicitations for an address.
func (ifc *iface) joinSolicited(a netip.Addr) { ifc.groups.join(solicitedNode(a)) }

// leaveSolicited undoes it.
func (ifc *iface) leaveSolicited(a netip.Addr) { ifc.groups.leave(solicitedNode(a)) }
