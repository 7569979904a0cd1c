package inet

import (
	"bytes"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Lengths of messages of neighbour discovery without options, RFC 4861, 4.
const (
	ndMsgLen      = 24 // neighbour solicitation and advertisement
	ndRedirectLen = 40
	raLen         = 16
	// ndHops is the hop limit that all of them have, and must have: they come from a neighbour.
	ndHops = 255
	// ndStaleTime is how long an entry is kept that nobody uses: nd6_gctimer.
	ndStaleTime = 24 * time.Hour
	// maxNDOptions bounds the options of a message: nd6_maxndopt.
	maxNDOptions = 10
)

// ndOptions finds the options of a message: the last of each type, and all of prefix information. ok is false when they are malformed.
func ndOptions(b []byte) (opts map[uint8][]byte, prefixes [][]byte, ok bool) {
	opts = map[uint8][]byte{}
	for n := 0; len(b) > 0; n++ {
		if len(b) < 2 || b[1] == 0 || int(b[1])*8 > len(b) {
			return nil, nil, false
		}
		if n >= maxNDOptions {
			return opts, prefixes, true
		}
		o := b[:int(b[1])*8]
		b = b[len(o):]
		if o[0] == abi.ND_OPT_PREFIX_INFORMATION {
			prefixes = append(prefixes, o)
			continue
		}
		opts[o[0]] = o
	}
	return opts, prefixes, true
}

// linkOption is the Ethernet address in a link-level address option; ok is false without one.
func linkOption(o []byte) (mac macAddr, ok bool) {
	if len(o) != 8 {
		return macAddr{}, false
	}
	return macAddr(o[2:]), true
}

// validND says whether a message of neighbour discovery may be believed: it comes from a neighbour and is as long as it must be. It
// counts those that may not.
func (in *Inet) validND(d *datagram, b []byte, size, bad int) bool {
	if d.h6().HopLimit() != ndHops || b[1] != 0 {
		in.Stats.ICMP6.Add(bad, 1)
		return false
	}
	if len(b) < size {
		in.Stats.ICMP6.Add(abi.ICMP6_STAT_TOOSHORT, 1)
		return false
	}
	return d.ifc.resolves()
}

// nsInput answers a neighbour solicitation: RFC 4861, 7.2.3 and RFC 4862, 5.4.3.
func (in *Inet) nsInput(d *datagram, b []byte) {
	if !in.validND(d, b, ndMsgLen, abi.ICMP6_STAT_BADNS) {
		return
	}
	target := netip.AddrFrom16([16]byte(b[8:]))
	opts, _, ok := ndOptions(b[ndMsgLen:])
	mac, linked := linkOption(opts[abi.ND_OPT_SOURCE_LINKADDR])
	unspec := d.src == unspecified6
	if !ok || target.IsMulticast() || unspec && (linked || d.dst != solicitedNode(target)) {
		in.Stats.ICMP6.Add(abi.ICMP6_STAT_BADNS, 1)
		return
	}
	ifc := d.ifc
	ia := in.localAddr(target, ifc.ifp.Index)
	if ia != nil && ia.ifc != ifc {
		ia = nil
	}
	if ia == nil {
		if proxy, ok := ifc.nd.published(target); ok && !unspec {
			ifc.nd.heardFrom(d.src, mac, linked)
			ifc.sendNA(target, d.src, &proxy, abi.ND_NA_FLAG_SOLICITED)
		}
		return
	}
	if ia.flags.Load()&abi.IN6_IFF_TENTATIVE != 0 {
		if unspec && d.p.Flags&ifnet.Looped == 0 {
			ifc.duplicated(ia, mac)
		}
		return
	}
	if !ia.ready() {
		return
	}
	if unspec {
		ifc.sendNA(target, allNodes, nil, naOverride)
		return
	}
	ifc.nd.heardFrom(d.src, mac, linked)
	ifc.sendNA(target, d.src, nil, naOverride|abi.ND_NA_FLAG_SOLICITED)
}

const naOverride = abi.ND_NA_FLAG_OVERRIDE

// published is the link-level address that we publish for a neighbour.
func (t *neighborTable) published(a netip.Addr) (macAddr, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.entries[a]
	if e == nil || !e.public {
		return macAddr{}, false
	}
	return e.mac, true
}

// heardFrom enters a neighbour that solicited us, with the link-level address that it told: it is not known to be reachable.
func (t *neighborTable) heardFrom(a netip.Addr, mac macAddr, told bool) {
	if !told {
		return
	}
	t.mu.Lock()
	e := t.entries[a]
	if t.closed {
		t.mu.Unlock()
		return
	}
	if e == nil {
		e = t.insert(a)
	}
	var held []heldPacket
	if !e.static && (e.state <= abi.ND6_LLINFO_INCOMPLETE || e.mac != mac) {
		held = t.learned(e, mac)
		t.stale(e)
		if len(held) > 0 {
			t.delay(e)
		}
	}
	t.mu.Unlock()
	t.sendHeld(mac, held)
}

// naInput takes a neighbour advertisement: RFC 4861, 7.2.5.
func (in *Inet) naInput(d *datagram, b []byte) {
	if !in.validND(d, b, ndMsgLen, abi.ICMP6_STAT_BADNA) {
		return
	}
	target := netip.AddrFrom16([16]byte(b[8:]))
	flags := int(b[4])
	opts, _, ok := ndOptions(b[ndMsgLen:])
	if !ok || target.IsMulticast() || d.dst.IsMulticast() && flags&abi.ND_NA_FLAG_SOLICITED != 0 {
		in.Stats.ICMP6.Add(abi.ICMP6_STAT_BADNA, 1)
		return
	}
	mac, linked := linkOption(opts[abi.ND_OPT_TARGET_LINKADDR])
	if ia := in.localAddr(target, d.ifc.ifp.Index); ia != nil && ia.ifc == d.ifc {
		if d.p.Flags&ifnet.Looped != 0 || linked && bytes.Equal(mac[:], d.ifc.ifp.LinkAddr()) {
			return
		}
		if ia.flags.Load()&abi.IN6_IFF_TENTATIVE != 0 {
			d.ifc.duplicated(ia, mac)
			return
		}
		in.logf("nd6_na_input: duplicate IP6 address %s from %s\n", target, net.HardwareAddr(mac[:]))
		return
	}
	lost, held := d.ifc.nd.advertised(target, mac, linked, flags)
	d.ifc.nd.sendHeld(mac, held)
	if lost {
		ifc := d.ifc
		in.later.do(func() { ifc.nd6.lostRouter(ifc, target) })
	}
}

// advertised enters what an advertisement says of a neighbour that is being talked to. lost says that it is no longer a router; held are the packets that
// waited for it.
func (t *neighborTable) advertised(a netip.Addr, mac macAddr, linked bool, flags int) (lost bool, held []heldPacket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[a]
	if e == nil || e.static {
		return false, nil
	}
	solicited, router := flags&abi.ND_NA_FLAG_SOLICITED != 0, flags&abi.ND_NA_FLAG_ROUTER != 0
	if e.state <= abi.ND6_LLINFO_INCOMPLETE {
		if !linked {
			return false, nil
		}
		held = t.learned(e, mac)
		t.stale(e)
		if solicited {
			t.reachable(e)
		}
		e.router = router
		return false, held
	}
	changed := linked && e.mac != mac
	if changed && flags&abi.ND_NA_FLAG_OVERRIDE == 0 {
		if e.state == abi.ND6_LLINFO_REACHABLE {
			t.stale(e)
		}
		return false, nil
	}
	if changed {
		e.mac = mac
		t.stale(e)
	}
	if solicited {
		t.reachable(e)
	}
	lost = e.router && !router
	e.router = router
	return lost, nil
}

// stale makes an entry one that is used but looked after when it is. Called with mu held.
func (t *neighborTable) stale(e *neighbor) {
	e.stop()
	e.state, e.asked, e.expire = abi.ND6_LLINFO_STALE, 0, time.Now().Add(ndStaleTime)
}

// reachable makes an entry one that has just answered. Called with mu held.
func (t *neighborTable) reachable(e *neighbor) {
	e.stop()
	e.state, e.asked, e.expire = abi.ND6_LLINFO_REACHABLE, 0, time.Now().Add(t.ifc.nd6.reachableTime())
}

func (e *neighbor) stop() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// age lets an entry that was reachable long ago be stale. Called with mu held.
func (t *neighborTable) age(e *neighbor, now time.Time) {
	if t.v6 && e.state == abi.ND6_LLINFO_REACHABLE && !e.static && !e.expire.IsZero() && !now.Before(e.expire) {
		t.stale(e)
	}
}

// solicit begins to ask for a neighbour, and says whether to send the first solicitation now. Called with mu held.
func (t *neighborTable) solicit(e *neighbor) bool {
	if e.timer != nil {
		return false
	}
	e.asked, e.expire = 1, time.Time{}
	t.schedule(e, t.ifc.nd6.retransTime())
	return true
}

// delay has a stale neighbour probed when nothing else shows that it is there. Called with mu held.
func (t *neighborTable) delay(e *neighbor) {
	if e.state != abi.ND6_LLINFO_STALE {
		return
	}
	e.state, e.asked, e.expire = abi.ND6_LLINFO_DELAY, 0, time.Time{}
	t.schedule(e, time.Duration(t.ifc.in.conf.ndDelay.Load())*time.Second)
}

// schedule sets an entry's timer. Called with mu held.
func (t *neighborTable) schedule(e *neighbor, wait time.Duration) {
	e.stop()
	var timer *time.Timer
	timer = time.AfterFunc(max(wait, time.Millisecond), func() { t.timeout(e, &timer) })
	e.timer = timer
}

// timeout asks again, or gives up: RFC 4861, 7.3.3.
func (t *neighborTable) timeout(e *neighbor, timer **time.Timer) {
	conf := &t.ifc.in.conf
	t.mu.Lock()
	if t.closed || t.entries[e.addr] != e || e.timer != *timer {
		t.mu.Unlock()
		return
	}
	e.timer = nil
	tries := conf.ndMmaxTries.Load()
	if e.state == abi.ND6_LLINFO_DELAY {
		e.state, e.asked = abi.ND6_LLINFO_PROBE, 0
	}
	probe := e.state == abi.ND6_LLINFO_PROBE
	if probe {
		tries = conf.ndUmaxTries.Load()
	}
	if e.asked < int(tries) {
		e.asked++
		t.schedule(e, t.ifc.nd6.retransTime())
		a, mac := e.addr, e.mac
		t.mu.Unlock()
		if probe {
			t.ifc.askNS(a, &mac)
		} else {
			t.ifc.askNS(a, nil)
		}
		return
	}
	held, router := t.take(e), e.router
	t.drop(e)
	t.mu.Unlock()
	t.unreachable(held)
	if router {
		ifc, a := t.ifc, e.addr
		ifc.in.later.must(func() { ifc.nd6.routerDown(ifc, a) })
	}
}

// unreachable tells the senders of packets that their next hop does not answer.
func (t *neighborTable) unreachable(held []heldPacket) {
	in := t.ifc.in
	for _, h := range held {
		d := &datagram{ifc: t.ifc, p: h.p, hlen: header.IPv6MinimumSize}
		if h.in != nil {
			if ifc := in.iface(h.in); ifc != nil {
				d.ifc = ifc
			}
		}
		if h.p.Header(d.head[:header.IPv6MinimumSize]) {
			d.src, d.dst, d.prot = fromTCPIP(d.h6().SourceAddress()), fromTCPIP(d.h6().DestinationAddress()), d.h6().NextHeader()
			in.icmp6Error(d, icmpReason{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_ADDR, 0})
		}
		h.p.Release()
	}
}

// askNS solicits a neighbour: all of its group, or itself at a link-level address that is to be confirmed.
func (ifc *iface) askNS(a netip.Addr, mac *macAddr) {
	src := ifc.in.source6(a, ifc)
	if src == nil || src.ifc != ifc {
		if src = ifc.in.linkLocalOf(ifc); src == nil {
			return
		}
	}
	dst := solicitedNode(a)
	if mac != nil {
		dst = a
	}
	ifc.in.icmp6Send(header6{src: src.addr, dst: dst, hlim: ndHops}, ifc.ndMessage(abi.ND_NEIGHBOR_SOLICIT, 0, a, abi.ND_OPT_SOURCE_LINKADDR, ifc.ifp.LinkAddr()), ifc)
}

// probeNS asks whether somebody has an address of ours that is tentative.
func (ifc *iface) probeNS(a netip.Addr) {
	ifc.in.icmp6Send(header6{src: unspecified6, dst: solicitedNode(a), hlim: ndHops}, ifc.ndMessage(abi.ND_NEIGHBOR_SOLICIT, 0, a, 0, nil), ifc)
}

// sendNA advertises the link-level address of an address of ours, or mac for one that we publish.
func (ifc *iface) sendNA(a, dst netip.Addr, mac *macAddr, flags int) {
	lladdr := ifc.ifp.LinkAddr()
	if mac != nil {
		lladdr = mac[:]
	}
	if ifc.in.conf.forwarding6.Load() != 0 {
		flags |= abi.ND_NA_FLAG_ROUTER
	}
	src := a
	if mac != nil {
		ll := ifc.in.linkLocalOf(ifc)
		if ll == nil {
			return
		}
		src = ll.addr
	}
	ifc.in.icmp6Send(header6{src: src, dst: dst, hlim: ndHops}, ifc.ndMessage(abi.ND_NEIGHBOR_ADVERT, flags, a, abi.ND_OPT_TARGET_LINKADDR, lladdr), ifc)
}

// ndMessage is a neighbour solicitation or advertisement.
func (ifc *iface) ndMessage(typ uint8, flags int, target netip.Addr, opt uint8, lladdr []byte) []byte {
	b := make([]byte, ndMsgLen, ndMsgLen+8)
	b[0], b[4] = typ, byte(flags)
	t := target.As16()
	copy(b[8:], t[:])
	if opt != 0 {
		b = append(append(b, opt, 1), lladdr...)
	}
	return b
}

// redirectInput takes a better way from our router: RFC 4861, 8.3.
func (in *Inet) redirectInput(d *datagram, b []byte) {
	if in.conf.redirAccept6.Load() == 0 || in.conf.forwarding6.Load() != 0 {
		return
	}
	if !in.validND(d, b, ndRedirectLen, abi.ICMP6_STAT_BADREDIRECT) || !linkLocal6(d.src) {
		return
	}
	target, dst := netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	opts, _, ok := ndOptions(b[ndRedirectLen:])
	if !ok || dst.IsMulticast() || target != dst && !linkLocal6(target) {
		in.Stats.ICMP6.Add(abi.ICMP6_STAT_BADREDIRECT, 1)
		return
	}
	mac, linked := linkOption(opts[abi.ND_OPT_TARGET_LINKADDR])
	ifc, author := d.ifc, d.src
	in.later.do(func() {
		e := in.Table.Lookup(dst, scopeOf(dst, ifc))
		if e == nil || e.Flags&abi.RTF_GATEWAY == 0 || e.Gateway.WithZone("") != author || e.If != ifc.ifp {
			return
		}
		ifc.nd.heardFrom(target, mac, linked)
		in.redirected(ifc, dst, target, author)
	})
}

// rsInput takes the link-level address of a host that solicits routers: RFC 4861, 6.2.6. Advertising is rtadvd's.
func (in *Inet) rsInput(d *datagram, b []byte) {
	if in.conf.forwarding6.Load() == 0 || !in.validND(d, b, icmpHdrLen, abi.ICMP6_STAT_BADRS) || d.src == unspecified6 {
		return
	}
	opts, _, ok := ndOptions(b[icmpHdrLen:])
	if !ok {
		in.Stats.ICMP6.Add(abi.ICMP6_STAT_BADRS, 1)
		return
	}
	mac, linked := linkOption(opts[abi.ND_OPT_SOURCE_LINKADDR])
	d.ifc.nd.heardFrom(d.src, mac, linked)
}
