package inet

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// IGMP is that of RFC 2236, version 2, as NetBSD's, with version 1 where such a router is.
const (
	igmpQuery    = 0x11
	igmpReportV1 = 0x12
	igmpReportV2 = 0x16
	igmpLeave    = 0x17
	igmpLen      = 8
	// routerAlert is the option of RFC 2113.
	routerAlert = 148

	// unsolicited reports are sent twice, within this time of each other.
	reportTimes    = 2
	reportInterval = 10 * time.Second
	// routers of version 1 count as there for so long after a query of theirs.
	igmpV1Time = 400 * time.Second
)

var allRouters4 = netip.AddrFrom4([4]byte{224, 0, 0, 2})

// announce tells routers of a group that the interface has just joined: at once and once again. Called with mu held.
func (l *groupList) announce(g *group) {
	if !l.reported(g.addr) || l.ifc.ifp.Flags()&abi.IFF_UP == 0 {
		return
	}
	g.left = reportTimes
	l.schedule(g, 0)
}

// schedule has a group reported after a time. Called with mu held.
func (l *groupList) schedule(g *group, wait time.Duration) {
	g.stop()
	g.due = time.Now().Add(wait)
	var t *time.Timer
	t = time.AfterFunc(wait, func() { l.report(g, &t) })
	g.timer = t
}

// report is the timer of a group: reports it, and again later while reports are left.
func (l *groupList) report(g *group, t **time.Timer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || g.timer != *t || l.groups[g.addr] != g {
		return
	}
	g.timer, g.last = nil, true
	if g.left > 0 {
		g.left--
	}
	if g.left > 0 {
		l.schedule(g, rand.N(reportInterval))
	}
	if g.addr.Is6() {
		l.ifc.in.loops.do(func() { l.ifc.sendMLD(mldReport, g.addr) })
		return
	}
	typ := byte(igmpReportV2)
	if time.Now().Before(l.v1) {
		typ = igmpReportV1
	}
	l.ifc.in.loops.do(func() { l.ifc.sendIGMP(typ, g.addr, g.addr) })
}

// sendLeave tells routers that nobody here is in a group any more. Called with mu held.
func (l *groupList) sendLeave(a netip.Addr) {
	if a.Is6() {
		l.ifc.in.loops.do(func() { l.ifc.sendMLD(mldDone, a) })
		return
	}
	if time.Now().After(l.v1) {
		l.ifc.in.loops.do(func() { l.ifc.sendIGMP(igmpLeave, a, allRouters4) })
	}
}

// sendIGMP sends a message about a group, with the router alert option.
func (ifc *iface) sendIGMP(typ byte, g, dst netip.Addr) {
	src := unspecified4
	if ia := ifc.in.firstAddr(ifc.ifp, familyInet); ia != nil && ia.ready() {
		src = ia.addr
	}
	b := make([]byte, igmpLen)
	a := g.As4()
	b[0] = typ
	copy(b[4:], a[:])
	binary.BigEndian.PutUint16(b[2:], ^checksum.Checksum(b, 0))
	if typ != igmpLeave {
		ifc.in.Stats.IGMP.Add(abi.IGMP_STAT_SND_REPORTS, 1)
	}
	h := header4{src: src, dst: dst, proto: abi.IPPROTO_IGMP, ttl: 1, options: []byte{routerAlert, 4, 0, 0}}
	ifc.in.send4(h, b, outgoing{ifc: ifc, noLoop: true})
}

// header4 is what a header of ours says.
type header4 struct {
	src, dst        netip.Addr
	proto, ttl, tos uint8
	options         []byte // a multiple of 4 bytes
}

// send4 sends a datagram of our own.
func (in *Inet) send4(h header4, payload []byte, o outgoing) error {
	hlen := header.IPv4MinimumSize + len(h.options)
	b := make([]byte, hlen, hlen+len(payload))
	ip := header.IPv4(b)
	f := header.IPv4Fields{
		TOS: h.tos, TotalLength: uint16(hlen + len(payload)), TTL: h.ttl, Protocol: h.proto,
		SrcAddr: toTCPIP(h.src), DstAddr: toTCPIP(h.dst),
	}
	if hlen+len(payload) >= minFragSize {
		f.ID = in.newID()
	}
	ip.Encode(&f)
	ip.SetHeaderLength(uint8(hlen))
	copy(b[header.IPv4MinimumSize:], h.options)
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	in.Stats.IP.Add(abi.IP_STAT_LOCALOUT, 1)
	return in.output4(ifnet.NewPacket(append(b, payload...)), append(header.IPv4(nil), b...), o)
}

// igmpInput acts on an IGMP message that came in on the interface.
func (l *groupList) igmpInput(d *datagram) {
	st := &l.ifc.in.Stats.IGMP
	st.Add(abi.IGMP_STAT_RCV_TOTAL, 1)
	b := make([]byte, igmpLen)
	if n, _ := d.p.Buf.ReadAt(b, int64(d.hlen)); n < igmpLen {
		st.Add(abi.IGMP_STAT_RCV_TOOSHORT, 1)
		return
	}
	if d.p.Buf.Checksum(d.hlen) != 0xffff {
		st.Add(abi.IGMP_STAT_RCV_BADSUM, 1)
		return
	}
	g := netip.AddrFrom4([4]byte(b[4:]))
	switch b[0] {
	case igmpQuery:
		st.Add(abi.IGMP_STAT_RCV_QUERIES, 1)
		if !d.dst.IsMulticast() || g != unspecified4 && !g.IsMulticast() {
			st.Add(abi.IGMP_STAT_RCV_BADQUERIES, 1)
			return
		}
		l.query(g, g == unspecified4, time.Duration(b[1])*100*time.Millisecond, b[1] == 0)
	case igmpReportV1, igmpReportV2:
		st.Add(abi.IGMP_STAT_RCV_REPORTS, 1)
		if !g.IsMulticast() || g != d.dst {
			st.Add(abi.IGMP_STAT_RCV_BADREPORTS, 1)
			return
		}
		if l.heard(g) {
			st.Add(abi.IGMP_STAT_RCV_OURREPORTS, 1)
		}
	}
}

// query has the groups of a query reported within a time.
func (l *groupList) query(which netip.Addr, all bool, within time.Duration, v1 bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v1 && which.Is4() {
		l.v1, within = time.Now().Add(igmpV1Time), reportInterval
	}
	for _, g := range l.groups {
		if g.addr.Is4() != which.Is4() || !all && g.addr != which || !l.reported(g.addr) || l.closed {
			continue
		}
		wait := rand.N(max(within, time.Millisecond))
		if g.timer == nil || time.Now().Add(wait).Before(g.due) {
			l.schedule(g, wait)
		}
	}
}

// heard drops a report of our own that another member has made. It says whether we are in the group.
func (l *groupList) heard(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[a]
	if g == nil {
		return false
	}
	g.stop()
	g.left, g.last = 0, false
	return true
}
