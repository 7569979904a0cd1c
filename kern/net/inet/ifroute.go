package inet

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// The routes of addresses are made as route-show of the recorded sessions has them.

// addRoutes makes the routes of an address: to itself through lo0, to its network or peer, and of IPv6 to the groups of its interface. Config
// held.
func (in *Inet) addRoutes(ia *ifaddr) {
	in.addRoute(in.localRoute(ia))
	in.addNetworkRoutes(ia)
}

// addNetworkRoutes makes those to others than itself. Config held.
func (in *Inet) addNetworkRoutes(ia *ifaddr) {
	if e := in.networkRoute(ia); e != nil {
		in.addRoute(e)
	}
	for _, e := range in.groupRoutes(ia) {
		in.addRoute(e)
	}
}

// addRoute enters a route unless there is one to the same prefix.
func (in *Inet) addRoute(e *route.Entry) {
	if in.Table.Add(e) == nil {
		in.Table.Announce(abi.RTM_ADD, e, 0)
	}
}

// loopback is the interface that packets to own addresses leave through, nil without.
func (in *Inet) loopback() *ifnet.Interface {
	for _, ifp := range in.Net.Interfaces() {
		if ifp.Flags()&abi.IFF_LOOPBACK != 0 {
			return ifp
		}
	}
	return nil
}

// localRoute is the route to an address of our own.
func (in *Inet) localRoute(ia *ifaddr) *route.Entry {
	ifp := ia.ifc.ifp
	e := &route.Entry{
		Dst: netip.PrefixFrom(ia.addr, ia.addr.BitLen()), Scope: ia.scope(), Flags: abi.RTF_UP | abi.RTF_HOST, If: ifp, Addr: ia.a,
	}
	if lo := in.loopback(); lo != nil {
		e.If = lo
	}
	if ia.addr != loopback6 {
		e.Flags |= abi.RTF_LOCAL
	}
	switch {
	case ia.ifc.resolves():
		e.Flags |= abi.RTF_LLDATA
	case ifp.Flags()&abi.IFF_LOOPBACK != 0 && !linkLocal6(ia.addr):
		e.Metrics.Mtu = uint64(ifp.MTU())
	}
	return e
}

// networkRoute is the route to the network of an address, or to the peer of a point-to-point link; nil for an address that is
// alone.
func (in *Inet) networkRoute(ia *ifaddr) *route.Entry {
	ifp := ia.ifc.ifp
	loop := ifp.Flags()&abi.IFF_LOOPBACK != 0
	e := &route.Entry{Dst: ia.prefix(), Flags: abi.RTF_UP | abi.RTF_CONNECTED, If: ifp, Addr: ia.a}
	switch {
	case ifp.Flags()&abi.IFF_POINTOPOINT != 0 && ia.dst.IsValid():
		e.Dst, e.Flags = netip.PrefixFrom(ia.dst, ia.dst.BitLen()), abi.RTF_UP|abi.RTF_HOST
	case loop && ia.addr.Is4(), ia.bits == ia.addr.BitLen():
		return nil
	case loop:
		e.Flags = abi.RTF_UP
	}
	e.Scope = scopeOf(e.Dst.Addr(), ia.ifc)
	return e
}

// groupRoutes are the routes to the groups of IPv6 that mean something on an interface alone: ff01::/32 and ff02::/32.
func (in *Inet) groupRoutes(ia *ifaddr) (list []*route.Entry) {
	ifp := ia.ifc.ifp
	if ia.addr.Is4() || ifp.Flags()&abi.IFF_MULTICAST == 0 {
		return nil
	}
	for _, scope := range []byte{1, 2} {
		e := &route.Entry{
			Dst: netip.PrefixFrom(netip.AddrFrom16([16]byte{0xff, scope}), 32), Scope: ifp.Index, Flags: abi.RTF_UP | abi.RTF_CONNECTED, If: ifp, Addr: ia.a,
		}
		if ifp.Flags()&abi.IFF_LOOPBACK != 0 {
			e.Metrics.Mtu = uint64(ifp.MTU())
		}
		list = append(list, e)
	}
	return list
}

// removeRoutes takes the routes of an address away, and those that come from it. Config held.
func (in *Inet) removeRoutes(ia *ifaddr) {
	for _, e := range in.Table.Entries(ia.family()) {
		if e.Addr != ia.a {
			continue
		}
		if _, err := in.Table.Delete(e.Dst, e.Scope); err == nil {
			in.Table.Announce(abi.RTM_DELETE, e, 0)
		}
	}
}

// replaceRoutes lets another address have the routes that one left. Config held.
func (in *Inet) replaceRoutes(gone *ifaddr) {
	for _, ia := range in.addrs.Load().list {
		switch {
		case ia.family() != gone.family():
		case ia.addr == gone.addr && ia.scope() == gone.scope():
			in.addRoutes(ia)
		case ia.ifc == gone.ifc || ia.prefix() == gone.prefix() && ia.scope() == gone.scope():
			in.addNetworkRoutes(ia)
		}
	}
}
