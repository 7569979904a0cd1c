package inet

import (
	"net/netip"
	"slices"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// learnedRoute is a route to a host that others told of: the MTU of a path, an ICMP redirect. It is one of ours for a while.
type learnedRoute struct {
	e      *route.Entry
	was    *route.Entry // the operator's route to the host, which comes back afterwards; nil without
	expire time.Time    // zero for never
}

// maxLearned4 bounds those of IPv4; those of IPv6 net.inet6.ip6.maxdynroutes does.
const maxLearned4 = 4096

// learn enters a route to a host for a while, for ever with d 0, in the place of old, the route that led there up to now. It says whether there was room. Config held.
func (in *Inet) learn(old, e *route.Entry, d time.Duration) bool {
	limit := maxLearned4
	if e.Dst.Addr().Is6() {
		limit = int(in.conf.maxDynRoutes.Load())
	}
	l := learnedRoute{e: e}
	if d > 0 {
		l.expire = time.Now().Add(d)
	}
	known := slices.IndexFunc(in.nd.learned, func(l learnedRoute) bool { return l.e == old })
	switch {
	case known >= 0:
		l.was = in.nd.learned[known].was
	case in.learnedRoutes(e.Dst.Addr().Is6()) >= limit:
		return false
	case old.Flags&abi.RTF_HOST != 0:
		l.was = old
	}
	e.Flags |= abi.RTF_UP | abi.RTF_HOST | abi.RTF_DYNAMIC
	if l.was != nil {
		e.Flags = e.Flags&^abi.RTF_DYNAMIC | abi.RTF_MODIFIED | l.was.Flags&abi.RTF_STATIC
	}
	in.Table.Replace(e) // routeChanged forgets what was learned before
	in.nd.learned = append(in.nd.learned, l)
	in.scheduleND()
	return true
}

// learnedRoutes is how many of them a family has.
func (in *Inet) learnedRoutes(v6 bool) (n int) {
	for _, l := range in.nd.learned {
		if l.e.Dst.Addr().Is6() == v6 {
			n++
		}
	}
	return n
}

// forgetLearned ends the routes that were learned and that over says it of. Config held.
func (in *Inet) forgetLearned(over func(l learnedRoute) bool) {
	for _, l := range slices.Clone(in.nd.learned) {
		if !over(l) {
			continue
		}
		if l.was != nil {
			in.Table.Replace(l.was)
			continue
		}
		in.dropRoute(&l.e)
	}
}

// unlearn notes that a route has left the table. Config held.
func (in *Inet) unlearn(e *route.Entry) {
	if e.Flags&(abi.RTF_DYNAMIC|abi.RTF_MODIFIED) != 0 {
		in.nd.learned = slices.DeleteFunc(in.nd.learned, func(l learnedRoute) bool { return l.e == e })
	}
}

// redirectTime is how long a redirect is followed; 0 for ever.
func (in *Inet) redirectTime(v6 bool) time.Duration {
	v := in.conf.redirTimeout
	if v6 {
		v = in.conf.redirTimeout6
	}
	return time.Duration(v.Load()) * time.Second
}

// redirected follows a router's word that datagrams to a host are to go by gw, or, when that is the host itself, that it is a neighbour. Config held.
func (in *Inet) redirected(ifc *iface, dst, gw, author netip.Addr) {
	scope := scopeOf(dst, ifc)
	old := in.Table.Lookup(dst, scope)
	if old == nil || old.Flags&abi.RTF_GATEWAY == 0 || old.Gateway.WithZone("") != author || old.If != ifc.ifp || in.localAddr(gw, ifc.ifp.Index) != nil {
		return
	}
	e := &route.Entry{Dst: netip.PrefixFrom(dst, dst.BitLen()), Scope: scope, If: ifc.ifp, Addr: old.Addr}
	if neighbor := dst.Is6() && gw == dst; !neighbor {
		ia := in.onLinkAddr(ifc, gw)
		if ia == nil {
			return
		}
		e.Flags, e.Gateway, e.GatewayScope, e.Addr = abi.RTF_GATEWAY, gw, scopeOf(gw, ifc), ia.a
	}
	if in.learn(old, e, in.redirectTime(dst.Is6())) {
		in.Table.Redirected(dst, gw, author, scope, e.Flags, 0)
	}
}
