package inet

import (
	"net/netip"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// ioctls6 are those of IPv6, as inet6(4), ifconfig(8) and ndp(8) of NetBSD use them.
var ioctls6 = map[uint32]ioctlRow{
	abi.SIOCGIFADDR_IN6:      {f: getAddr6(func(ia *ifaddr, r *abi.In6Ifreq) { r.SetAddr(sockaddr6(ia.addr, ia.scope())) })},
	abi.SIOCGIFNETMASK_IN6:   {f: getAddr6(func(ia *ifaddr, r *abi.In6Ifreq) { r.SetAddr(mask6(ia.bits)) })},
	abi.SIOCGIFDSTADDR_IN6:   {f: withFlag(abi.IFF_POINTOPOINT, getAddr6(getDst6))},
	abi.SIOCGIFAFLAG_IN6:     {f: getAddr6(func(ia *ifaddr, r *abi.In6Ifreq) { r.SetFlags6(int32(ia.flags.Load())) })},
	abi.SIOCGIFALIFETIME_IN6: {f: getAddr6(func(ia *ifaddr, r *abi.In6Ifreq) { r.SetLifetime(ia.abiLifetime()) })},
	abi.SIOCGIFSTAT_IN6:      {f: getStat6(func(ifc *iface, r *abi.In6Ifreq) { r.SetStat(ifc.nd6.stat.abi()) })},
	abi.SIOCGIFSTAT_ICMP6:    {f: getStat6(func(ifc *iface, r *abi.In6Ifreq) { r.SetIcmp6stat(ifc.nd6.istat.abi()) })},
	abi.SIOCAIFADDR_IN6:      {f: addAddr6, set: true},
	abi.SIOCDIFADDR_IN6:      {f: deleteAddr6, set: true},
	abi.SIOCSIFADDR_IN6:      {f: refuse6, set: true},
	abi.SIOCGIFINFO_IN6:      {f: getInfo6},
	abi.SIOCSIFINFO_IN6:      {f: setInfo6, set: true},
	abi.SIOCSIFINFO_FLAGS:    {f: setInfoFlags6, set: true},
	abi.SIOCGNBRINFO_IN6:     {f: getNeighbor6},
	abi.SIOCGDEFIFACE_IN6:    {f: getDefIface6},
	abi.SIOCGDRLST_IN6:       {f: getRouters6},
	abi.SIOCSNDFLUSH_IN6:     {f: resetRouters6, set: true},
	abi.SIOCSPFXFLUSH_IN6:    {f: flushPrefixes6, set: true},
	abi.SIOCSRTRFLUSH_IN6:    {f: flushRouters6, set: true},
	abi.SIOCGLIFADDR:         {f: laddr(familyInet6, false, getLaddr)},
	abi.SIOCALIFADDR:         {f: laddr(familyInet6, true, addLaddr6), set: true},
	abi.SIOCDLIFADDR:         {f: laddr(familyInet6, true, deleteLaddr), set: true},
}

// sockaddr6 is a struct sockaddr_in6 with the scope in its own field.
func sockaddr6(a netip.Addr, scope uint16) (s abi.SockaddrIn6) {
	s.Decode(sockaddr.Inet(a, 0, uint32(scope)))
	return s
}

func mask6(bits int) (s abi.SockaddrIn6) {
	s.Len, s.Family = abi.SizeofSockaddrIn6, familyInet6
	copy(s.Addr.Addr[:], maskBytes(bits, 16))
	return s
}

// parseAddr6 is the address of a struct sockaddr_in6, without its scope. Errors: EAFNOSUPPORT.
func parseAddr6(s abi.SockaddrIn6) (netip.Addr, error) {
	if s.Family != familyInet6 {
		return netip.Addr{}, abi.EAFNOSUPPORT
	}
	a, _, err := route.ParseSockaddr(s.Append(nil))
	return a, err
}

// find6 is the address of an interface that a request names. Errors: EADDRNOTAVAIL, EAFNOSUPPORT.
func (ifc *iface) find6(s abi.SockaddrIn6) (*ifaddr, error) {
	a, err := parseAddr6(s)
	if err != nil {
		return nil, abi.EADDRNOTAVAIL
	}
	for _, ia := range ifc.in.addrsOf(ifc.ifp, familyInet6) {
		if ia.addr == a {
			return ia, nil
		}
	}
	return nil, abi.EADDRNOTAVAIL
}

// getAddr6 serves ioctls that ask about an address.
func getAddr6(part func(ia *ifaddr, r *abi.In6Ifreq)) ioctlFunc {
	return func(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
		var r abi.In6Ifreq
		if r.Decode(data) != nil {
			return abi.EINVAL
		}
		ia, err := ifc.find6(r.Addr())
		if err != nil {
			return err
		}
		embedded(&r, ia)
		part(ia, &r)
		return r.Encode(data)
	}
}

// embedded puts the scope into the address of a request, where the kernel keeps it: what an answer does not write over shows that.
func embedded(r *abi.In6Ifreq, ia *ifaddr) {
	s := r.Addr()
	s.Decode(route.Sockaddr(ia.addr, ia.scope()))
	r.SetAddr(s)
}

func getDst6(ia *ifaddr, r *abi.In6Ifreq) { r.SetDstaddr(sockaddr6(ia.dst, scopeOf(ia.dst, ia.ifc))) }

// getStat6 serves ioctls that ask about an interface's counters.
func getStat6(part func(ifc *iface, r *abi.In6Ifreq)) ioctlFunc {
	return func(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
		var r abi.In6Ifreq
		if r.Decode(data) != nil {
			return abi.EINVAL
		}
		part(ifc, &r)
		return r.Encode(data)
	}
}

// refuse6 is for ioctls that IPv4 has and IPv6 has not.
func refuse6(*Inet, *kern.Thread, *iface, []byte) error { return abi.EINVAL }

// settable6 are the flags that SIOCAIFADDR_IN6 may set.
const settable6 = abi.IN6_IFF_ANYCAST | abi.IN6_IFF_AUTOCONF | abi.IN6_IFF_TEMPORARY | abi.IN6_IFF_NODAD

// addAddr6 is SIOCAIFADDR_IN6: adds an address, or changes the lifetime and flags of one.
func addAddr6(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.In6Aliasreq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	a, err := parseAddr6(r.Addr)
	if err != nil {
		return err
	}
	old, _ := ifc.find6(r.Addr)
	n, err := ifc.request6(a, &r, old)
	if err != nil {
		return err
	}
	switch {
	case n == nil:
		return nil
	case old == nil:
		err = in.addAddr(n)
		old = n
	case old.bits != n.bits || old.dst != n.dst:
		in.removeAddr(old)
		err = in.addAddr(n)
		old = n
	default:
		old.setFlags(uint32(r.Flags)&settable6, settable6&^uint32(r.Flags))
		ifc.notifyAddr(old)
	}
	if err == nil {
		old.setLifetime(r.Lifetime.Vltime, r.Lifetime.Pltime)
	}
	return err
}

// request6 is the address that a request is for; nil for one whose lifetime is over already and that is not there.
//
// Errors: EINVAL, EAFNOSUPPORT.
func (ifc *iface) request6(a netip.Addr, r *abi.In6Aliasreq, old *ifaddr) (*ifaddr, error) {
	bits := 0
	if old != nil {
		bits = old.bits
	}
	if r.Prefixmask.Len != 0 {
		n, ok := maskBits(r.Prefixmask.Addr.Addr[:])
		if !ok || n == 0 || old != nil && old.bits != n {
			return nil, abi.EINVAL
		}
		bits = n
	}
	if bits == 0 || a == unspecified6 || a.IsMulticast() || a.Is4In6() {
		return nil, abi.EINVAL
	}
	n := ifc.newAddr6(a, bits)
	if r.Dstaddr.Family == familyInet6 {
		if ifc.ifp.Flags()&(abi.IFF_POINTOPOINT|abi.IFF_LOOPBACK) == 0 || bits != 128 {
			return nil, abi.EINVAL
		}
		dst, err := parseAddr6(r.Dstaddr)
		if err != nil {
			return nil, err
		}
		n.dst = dst
	}
	lt := &r.Lifetime
	if lt.Pltime > lt.Vltime {
		return nil, abi.EINVAL
	}
	if lt.Vltime == 0 && old == nil {
		return nil, nil
	}
	n.flags.Store(uint32(r.Flags) & settable6)
	return n, nil
}

// deleteAddr6 is SIOCDIFADDR_IN6.
func deleteAddr6(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.In6Ifreq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	ia, err := ifc.find6(r.Addr())
	if err != nil {
		return err
	}
	in.removeAddr(ia)
	return nil
}

// getInfo6 is SIOCGIFINFO_IN6.
func getInfo6(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.In6Ndireq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	mtu := ifc.mtu(true)
	n := &ifc.nd6
	n.mu.Lock()
	r.Ndi = abi.NdIfinfo{
		Linkmtu: mtu, Maxmtu: ifc.ifp.MTU(), Basereachable: uint32(n.base / time.Millisecond), Reachable: uint32(n.reachable / time.Second),
		Retrans: uint32(n.retrans / time.Millisecond), Flags: n.flags.Load(), Chlim: n.chlim, Initialized: 1,
	}
	n.mu.Unlock()
	return r.Encode(data)
}

// setInfo6 is SIOCSIFINFO_IN6: those of the settings that are not 0.
func setInfo6(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.In6Ndireq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	if m := r.Ndi.Linkmtu; m != 0 && (m < minMTU6 || m > ifc.ifp.MTU()) {
		return abi.EINVAL
	}
	n := &ifc.nd6
	n.mu.Lock()
	if m := r.Ndi.Linkmtu; m != 0 {
		n.maxMTU = m
	}
	if ms := r.Ndi.Basereachable; ms != 0 {
		n.base = time.Duration(ms) * time.Millisecond
		n.reachable = randomReachable(n.base)
	}
	if ms := r.Ndi.Retrans; ms != 0 {
		n.retrans = time.Duration(ms) * time.Millisecond
	}
	if r.Ndi.Chlim != 0 {
		n.chlim = r.Ndi.Chlim
	}
	n.mu.Unlock()
	return setInfoFlags6(nil, nil, ifc, data)
}

// setInfoFlags6 is SIOCSIFINFO_FLAGS: ND6_IFF_*. An interface that is disabled gives its IPv6 addresses up for as long; one that comes to have a
// link-local address by itself gets it.
func setInfoFlags6(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.In6Ndireq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	old := ifc.nd6.flags.Swap(r.Ndi.Flags)
	disabled := r.Ndi.Flags&abi.ND6_IFF_IFDISABLED != 0
	switch {
	case disabled && old&abi.ND6_IFF_IFDISABLED == 0:
		for _, ia := range ifc.in.addrsOf(ifc.ifp, familyInet6) {
			ia.stopDAD()
			ia.setFlags(abi.IN6_IFF_DETACHED, abi.IN6_IFF_TENTATIVE)
		}
	case !disabled && ifc.on && ifc.in.v6:
		ifc.up6()
	}
	return nil
}

// getNeighbor6 is SIOCGNBRINFO_IN6. Errors: EINVAL for a neighbour that is not known.
func getNeighbor6(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.In6Nbrinfo
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	a, _, err := route.ParseSockaddr((&abi.SockaddrIn6{Len: abi.SizeofSockaddrIn6, Family: familyInet6, Addr: r.Addr}).Append(nil))
	if err != nil {
		return abi.EINVAL
	}
	if ia := in.localAddr(a, ifc.ifp.Index); ia != nil && ia.ifc == ifc {
		r.State, r.Asked, r.Expire, r.Isrouter = abi.ND6_LLINFO_REACHABLE, 0, 0, in.conf.forwarding6.Load()
		return r.Encode(data)
	}
	t := &ifc.nd
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[a]
	if e == nil {
		return abi.EINVAL
	}
	t.age(e, time.Now())
	r.State, r.Asked, r.Isrouter = int32(e.state), int64(e.asked), 0
	if e.router {
		r.Isrouter = 1
	}
	r.Expire = int32(in.wallSeconds(e.expire))
	return r.Encode(data)
}

// getRouters6 is SIOCGDRLST_IN6: the first ten default routers.
func getRouters6(in *Inet, _ *kern.Thread, _ *iface, data []byte) error {
	var r abi.In6Drlist
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	for i := range r.Defrouter {
		r.Defrouter[i] = [len(r.Defrouter[i])]byte{}
		if i < len(in.nd.routers) {
			d := in.nd.routers[i]
			b := r.Defrouter[i][:]
			a := d.addr.As16()
			copy(b, a[:])
			b[16] = d.flags
			le.PutUint16(b[18:], d.lifetime)
			le.PutUint64(b[24:], uint64(in.wallSeconds(d.expire)))
			le.PutUint16(b[32:], d.ifc.ifp.Index)
		}
	}
	return r.Encode(data)
}

// resetRouters6 is SIOCSNDFLUSH_IN6, whose name says something else than it does: the default route is taken anew from the list of
// routers.
func resetRouters6(in *Inet, _ *kern.Thread, _ *iface, _ []byte) error {
	for _, r := range in.nd.routers {
		in.dropRoute(&r.route)
	}
	in.selectRouter()
	return nil
}

// getDefIface6 is SIOCGDEFIFACE_IN6: there is no default interface; a scope is always said.
func getDefIface6(_ *Inet, _ *kern.Thread, _ *iface, data []byte) error {
	if len(data) < abi.IFNAMSIZ+8 {
		return abi.EINVAL
	}
	le.PutUint64(data[abi.IFNAMSIZ:], 0)
	return nil
}

// flushPrefixes6 is SIOCSPFXFLUSH_IN6: forgets all prefixes of routers, and the addresses made of them.
func flushPrefixes6(in *Inet, _ *kern.Thread, _ *iface, _ []byte) error {
	for len(in.nd.prefixes) > 0 {
		p := in.nd.prefixes[0]
		in.removePrefix(p)
		if p.addr != nil && in.localAddr(p.addr.addr, 0) == p.addr {
			in.removeAddr(p.addr)
		}
	}
	in.scheduleND()
	return nil
}

// flushRouters6 is SIOCSRTRFLUSH_IN6: forgets all default routers.
func flushRouters6(in *Inet, _ *kern.Thread, _ *iface, _ []byte) error {
	for len(in.nd.routers) > 0 {
		in.removeRouter(in.nd.routers[0])
	}
	in.scheduleND()
	return nil
}
