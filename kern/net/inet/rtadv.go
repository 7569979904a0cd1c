package inet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// ndLists are what routers have told: the default router list and the prefix list of RFC 4861, 5.1, and routes to hosts, of IPv4 too. All of it under Config.
type ndLists struct {
	routers  []*defRouter
	prefixes []*ndPrefix
	learned  []learnedRoute
	timer    *time.Timer // the next of them to end
}

// maxPrefixRouters bounds the routers that are remembered for a prefix.
const maxPrefixRouters = 16

// defRouter is a router that is willing to be a default router.
type defRouter struct {
	ifc      *iface
	addr     netip.Addr // link-local
	flags    uint8
	lifetime uint16 // in seconds
	expire   time.Time
	route    *route.Entry // the default route through it, when it is the one that is used
}

// ndPrefix is a prefix that a router has advertised.
type ndPrefix struct {
	ifc            *iface
	prefix         netip.Prefix
	onLink, auto   bool
	vltime, pltime uint32
	expire         time.Time // zero for never
	routers        []netip.Addr
	route          *route.Entry
	addr           *ifaddr // made of it
}

// routerAdvert is a router's advertisement: RFC 4861, 4.2.
type routerAdvert struct {
	src                netip.Addr
	chlim, flags       uint8
	lifetime           uint16
	reachable, retrans time.Duration
	mtu                uint32
	mac                macAddr
	linked             bool
	prefixes           []advertised
}

// advertised is a prefix information option: RFC 4861, 4.6.2.
type advertised struct {
	prefix         netip.Prefix
	onLink, auto   bool
	vltime, pltime uint32
}

// parseRA reads an advertisement. ok is false when it is malformed.
func parseRA(src netip.Addr, b []byte) (ra routerAdvert, ok bool) {
	if len(b) < raLen {
		return ra, false
	}
	opts, prefixes, ok := ndOptions(b[raLen:])
	if !ok {
		return ra, false
	}
	ra = routerAdvert{
		src: src, chlim: b[4], flags: b[5], lifetime: binary.BigEndian.Uint16(b[6:]),
		reachable: time.Duration(binary.BigEndian.Uint32(b[8:])) * time.Millisecond,
		retrans:   time.Duration(binary.BigEndian.Uint32(b[12:])) * time.Millisecond,
	}
	if o := opts[abi.ND_OPT_MTU]; len(o) == 8 {
		ra.mtu = binary.BigEndian.Uint32(o[4:])
	}
	ra.mac, ra.linked = linkOption(opts[abi.ND_OPT_SOURCE_LINKADDR])
	for _, o := range prefixes {
		if len(o) != 32 || o[2] > 128 {
			continue
		}
		ra.prefixes = append(ra.prefixes, advertised{
			prefix: netip.PrefixFrom(netip.AddrFrom16([16]byte(o[16:])), int(o[2])).Masked(),
			onLink: o[3]&abi.ND_OPT_PI_FLAG_ONLINK != 0, auto: o[3]&abi.ND_OPT_PI_FLAG_AUTO != 0,
			vltime: binary.BigEndian.Uint32(o[4:]), pltime: binary.BigEndian.Uint32(o[8:]),
		})
	}
	return ra, true
}

// raInput takes a router's advertisement, on interfaces that accept them while we do not route ourselves.
func (in *Inet) raInput(d *datagram, b []byte) {
	if !d.ifc.nd6.has(abi.ND6_IFF_ACCEPT_RTADV) || in.conf.forwarding6.Load() != 0 || in.conf.acceptRtadv.Load() == 0 {
		return
	}
	if !in.validND(d, b, raLen, abi.ICMP6_STAT_BADRA) {
		return
	}
	ra, ok := parseRA(d.src, b)
	if !ok || !linkLocal6(d.src) {
		in.Stats.ICMP6.Add(abi.ICMP6_STAT_BADRA, 1)
		return
	}
	ifc := d.ifc
	in.later.do(func() { in.advertise(ifc, ra) })
}

// advertise acts on a router's advertisement: RFC 4861, 6.3.4. Config held.
func (in *Inet) advertise(ifc *iface, ra routerAdvert) {
	if in.iface(ifc.ifp) != ifc {
		return
	}
	ifc.nd6.advertised(&ra)
	in.updateRouter(ifc, &ra)
	for _, p := range ra.prefixes {
		if !p.prefix.Addr().IsMulticast() && !linkLocal6(p.prefix.Addr()) && p.pltime <= p.vltime {
			in.updatePrefix(ifc, p, ra.src)
		}
	}
	ifc.nd.heardFrom(ra.src, ra.mac, ra.linked)
	ifc.nd.setRouter(ra.src)
	in.scheduleND()
}

// advertised takes the parameters of the link over.
func (n *ndInfo) advertised(ra *routerAdvert) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ra.reachable > 0 && ra.reachable <= time.Hour && ra.reachable != n.base {
		n.base, n.reachable = ra.reachable, randomReachable(ra.reachable)
	}
	if ra.retrans > 0 {
		n.retrans = min(ra.retrans, time.Hour)
	}
	n.chlim = max(n.chlim, ra.chlim) // never less: a stranger could keep us from reaching anybody
	if ra.mtu >= minMTU6 {
		n.maxMTU = ra.mtu
	}
}

// setRouter notes that a neighbour is a router.
func (t *neighborTable) setRouter(a netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[a]; e != nil {
		e.router = true
	}
}

// updateRouter enters a router into the default router list, or takes it out. Config held.
func (in *Inet) updateRouter(ifc *iface, ra *routerAdvert) {
	l := &in.nd
	i := slices.IndexFunc(l.routers, func(r *defRouter) bool { return r.ifc == ifc && r.addr == ra.src })
	switch {
	case ra.lifetime == 0:
		if i >= 0 {
			in.removeRouter(l.routers[i])
		}
		return
	case i < 0:
		n := 0
		for _, r := range l.routers {
			if r.ifc == ifc {
				n++
			}
		}
		if n >= int(in.conf.maxIfRouters.Load()) {
			in.Stats.ICMP6.Add(abi.ICMP6_STAT_DROPPED_RAROUTE, 1)
			return
		}
		i = len(l.routers)
		l.routers = append(l.routers, &defRouter{ifc: ifc, addr: ra.src})
	}
	r := l.routers[i]
	r.flags, r.lifetime, r.expire = ra.flags, ra.lifetime, time.Now().Add(time.Duration(ra.lifetime)*time.Second)
	in.selectRouter()
}

// removeRouter takes a router out of the list, with its route. Config held.
func (in *Inet) removeRouter(r *defRouter) {
	in.nd.routers = slices.DeleteFunc(in.nd.routers, func(o *defRouter) bool { return o == r })
	in.dropRoute(&r.route)
	for _, p := range in.nd.prefixes {
		p.routers = slices.DeleteFunc(p.routers, func(a netip.Addr) bool { return a == r.addr && p.ifc == r.ifc })
	}
	in.selectRouter()
}

// dropRoute takes a route of ours away when it is still there. Config held.
func (in *Inet) dropRoute(e **route.Entry) {
	if *e == nil {
		return
	}
	if in.Table.Exact((*e).Dst, (*e).Scope) == *e {
		if old, err := in.Table.Delete((*e).Dst, (*e).Scope); err == nil {
			in.Table.Announce(abi.RTM_DELETE, old, 0)
		}
	}
	*e = nil
}

// selectRouter sees to it that one router has the default route, unless somebody has set another: the first of the list that is not known to be
// dead. Config held.
func (in *Inet) selectRouter() {
	var best *defRouter
	for _, r := range in.nd.routers {
		if r.route != nil && !r.ifc.nd.dead(r.addr) {
			return
		}
		if best == nil && !r.ifc.nd.dead(r.addr) {
			best = r
		}
	}
	if best == nil {
		return
	}
	for _, r := range in.nd.routers {
		in.dropRoute(&r.route)
	}
	src := in.linkLocalOf(best.ifc)
	e := &route.Entry{
		Dst: netip.PrefixFrom(unspecified6, 0), Flags: abi.RTF_UP | abi.RTF_GATEWAY, Gateway: best.addr, GatewayScope: best.ifc.ifp.Index, If: best.ifc.ifp,
	}
	if src != nil {
		e.Addr = src.a
	}
	if in.Table.Add(e) == nil {
		best.route = e
		in.Table.Announce(abi.RTM_ADD, e, 0)
	}
}

// dead says whether a neighbour is known not to answer.
func (t *neighborTable) dead(a netip.Addr) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.entries[a]
	return e != nil && e.state <= abi.ND6_LLINFO_INCOMPLETE && e.asked > 1
}

// lostRouter takes a neighbour out of the default router list that says it is no router any more. Config held.
func (n *ndInfo) lostRouter(ifc *iface, a netip.Addr) {
	for _, r := range ifc.in.nd.routers {
		if r.ifc == ifc && r.addr == a {
			ifc.in.removeRouter(r)
			return
		}
	}
}

// routerDown lets another router have the default route when one does not answer: it stays in the list, behind the others. Config held.
func (n *ndInfo) routerDown(ifc *iface, a netip.Addr) {
	l := &ifc.in.nd
	for i, r := range l.routers {
		if r.ifc == ifc && r.addr == a && len(l.routers) > 1 {
			l.routers = append(slices.Delete(l.routers, i, i+1), r)
			ifc.in.dropRoute(&r.route)
			ifc.in.selectRouter()
			return
		}
	}
}

// updatePrefix enters a prefix of an advertisement, with its route and the address that is made of it, or changes them. Config held.
func (in *Inet) updatePrefix(ifc *iface, a advertised, router netip.Addr) {
	l := &in.nd
	i := slices.IndexFunc(l.prefixes, func(p *ndPrefix) bool { return p.ifc == ifc && p.prefix == a.prefix })
	if i < 0 {
		n := 0
		for _, p := range l.prefixes {
			if p.ifc == ifc {
				n++
			}
		}
		if a.vltime == 0 || !a.onLink && !a.auto || n >= int(in.conf.maxIfPrefixes.Load()) {
			return
		}
		i = len(l.prefixes)
		l.prefixes = append(l.prefixes, &ndPrefix{ifc: ifc, prefix: a.prefix, vltime: a.vltime, pltime: a.pltime, expire: expiry(a.vltime)})
	}
	p := l.prefixes[i]
	if !slices.Contains(p.routers, router) && len(p.routers) < maxPrefixRouters {
		p.routers = append(p.routers, router)
	}
	p.onLink, p.auto = p.onLink || a.onLink, p.auto || a.auto
	if a.onLink {
		p.vltime, p.pltime, p.expire = a.vltime, a.pltime, expiry(a.vltime)
		if a.vltime == 0 {
			in.removePrefix(p)
			return
		}
		in.prefixRoute(p)
	}
	if a.auto && a.prefix.Bits() == 64 {
		in.autoconfigure(p, a)
	}
}

// expiry is the end of a lifetime in seconds; zero for never.
func expiry(seconds uint32) time.Time {
	if seconds == abi.ND6_INFINITE_LIFETIME {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(seconds) * time.Second)
}

// prefixRoute makes the route to a prefix that is on the link. Config held.
func (in *Inet) prefixRoute(p *ndPrefix) {
	src := in.linkLocalOf(p.ifc)
	if p.route != nil || src == nil {
		return
	}
	e := &route.Entry{
		Dst: p.prefix, Flags: abi.RTF_UP | abi.RTF_CONNECTED, If: p.ifc.ifp, Addr: src.a,
	}
	if in.Table.Add(e) == nil {
		p.route = e
		in.Table.Announce(abi.RTM_ADD, e, 0)
	}
}

// removePrefix takes a prefix out of the list, with its route. Its address ends by its own lifetime. Config held.
func (in *Inet) removePrefix(p *ndPrefix) {
	in.nd.prefixes = slices.DeleteFunc(in.nd.prefixes, func(o *ndPrefix) bool { return o == p })
	in.dropRoute(&p.route)
}

// autoconfigure makes an address of a prefix, or changes its lifetime: RFC 4862, 5.5.3. Config held.
func (in *Inet) autoconfigure(p *ndPrefix, a advertised) {
	addr := p.ifc.interfaceID().on(a.prefix)
	if ia := in.localAddr(addr, 0); ia != nil {
		if ia.ifc == p.ifc && ia.flags.Load()&abi.IN6_IFF_AUTOCONF != 0 {
			p.addr = ia
			ia.setLifetime(shortened(ia.left(), a.vltime), a.pltime)
		}
		return
	}
	if a.vltime == 0 || p.ifc.autoconfigured() >= int(in.conf.maxIfPrefixes.Load()) {
		return
	}
	ia := p.ifc.newAddr6(addr, a.prefix.Bits())
	ia.flags.Store(abi.IN6_IFF_AUTOCONF)
	if in.addAddr(ia) == nil {
		p.addr = ia
		ia.setLifetime(a.vltime, a.pltime)
	}
}

// autoconfigured is how many addresses of the interface were made of prefixes. They may outlast those: what bounds the prefixes bounds them too.
func (ifc *iface) autoconfigured() (n int) {
	for _, ia := range ifc.in.addrsOf(ifc.ifp, familyInet6) {
		if ia.flags.Load()&abi.IN6_IFF_AUTOCONF != 0 {
			n++
		}
	}
	return n
}

// shortened is the lifetime that an advertisement gives an address which has left seconds to live: it does not fall below two hours at
// a stranger's word (RFC 4862, 5.5.3 (e)).
func shortened(left, told uint32) uint32 {
	const twoHours = 2 * 60 * 60
	switch {
	case told > twoHours || told > left:
		return told
	case left <= twoHours:
		return left
	}
	return twoHours
}

// scheduleND sets the timer for the next of them to end. Config held.
func (in *Inet) scheduleND() {
	l := &in.nd
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, r := range l.routers {
		sooner(r.expire)
	}
	for _, p := range l.prefixes {
		sooner(p.expire)
	}
	for _, r := range l.learned {
		sooner(r.expire)
	}
	if !next.IsZero() && !in.halted() {
		l.timer = time.AfterFunc(time.Until(next), func() { in.later.must(in.expireND) })
	}
}

// expireND takes away routers, prefixes and learned routes that have ended. Config held.
func (in *Inet) expireND() {
	now := time.Now()
	over := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	for _, r := range slices.Clone(in.nd.routers) {
		if over(r.expire) {
			in.removeRouter(r)
		}
	}
	for _, p := range slices.Clone(in.nd.prefixes) {
		if over(p.expire) {
			in.removePrefix(p)
		}
	}
	in.forgetLearned(func(l learnedRoute) bool { return over(l.expire) })
	in.scheduleND()
}

// forgetND forgets the routers, prefixes and learned routes of an interface. Config held.
func (in *Inet) forgetND(ifc *iface) {
	for _, r := range slices.Clone(in.nd.routers) {
		if r.ifc == ifc {
			in.removeRouter(r)
		}
	}
	for _, p := range slices.Clone(in.nd.prefixes) {
		if p.ifc == ifc {
			in.removePrefix(p)
		}
	}
	in.forgetLearned(func(l learnedRoute) bool { return l.e.If == ifc.ifp })
	in.scheduleND()
}
