package inet

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// addAddr gives an interface an address: sets it up, makes its routes, tells the neighbours. Config held.
//
// Errors: those of the driver's start.
func (in *Inet) addAddr(ia *ifaddr) error {
	ifc := ia.ifc
	running := ifc.ifp.Up()
	ia.a = in.newAddr(ia)
	in.insertAddr(ia)
	ifc.ifp.AddAddr(ia.a)
	if ifc.ifp.LinkState() == abi.LINK_STATE_DOWN {
		ia.setFlags(abi.IN6_IFF_DETACHED, 0)
	}
	if ifc.ifp.Flags()&abi.IFF_UP == 0 {
		if err := ifc.ifp.SetFlags(abi.IFF_UP, 0); err != nil {
			in.removeAddr(ia)
			return err
		}
	}
	in.addRoutes(ia)
	if ia.addr.Is4() && ifc.ifp.Flags()&abi.IFF_MULTICAST != 0 {
		ifc.groups.join(allSystems)
	}
	if ia.addr.Is6() {
		ifc.joinSolicited(ia.addr)
	}
	if ifc.on {
		ifc.addrAdded(ia, running)
	}
	return nil
}

// addrAdded makes an address known to the neighbours of an interface that is up: by duplicate address detection when the interface was running
// before, by an announcement at once otherwise (if_do_dad of NetBSD).
func (ifc *iface) addrAdded(ia *ifaddr, running bool) {
	if running || ia.addr.Is6() {
		if ifc.startDAD(ia) {
			ifc.notifyAddr(ia)
			return
		}
	}
	ifc.announce(ia)
}

// newAddr is the address as package ifnet has it.
func (in *Inet) newAddr(ia *ifaddr) *ifnet.Addr {
	a := &ifnet.Addr{
		Family: ia.family(), Addr: route.Sockaddr(ia.addr, ia.scope()), Mask: sockaddr.Mask(ia.family(), ia.bits),
		Flags: abi.RTF_UP, Owner: ia,
	}
	if ia.dst.IsValid() {
		a.Dst = route.Sockaddr(ia.dst, scopeOf(ia.dst, ia.ifc))
	}
	return a
}

// removeAddr takes an address away, with its routes. Config held.
func (in *Inet) removeAddr(ia *ifaddr) {
	ia.stopDAD()
	ia.stopLifetime()
	ia.mu.Lock()
	ia.removed = true
	ia.mu.Unlock()
	in.removeRoutes(ia)
	in.deleteAddr(ia)
	in.replaceRoutes(ia)
	if ia.addr.Is6() {
		ia.ifc.leaveSolicited(ia.addr)
	} else if ia.ifc.ifp.Flags()&abi.IFF_MULTICAST != 0 {
		ia.ifc.groups.leave(allSystems)
	}
	ia.ifc.ifp.RemoveAddr(ia.a)
}

// addRoutes makes the routes of an address: to itself through lo0, and to its network or peer. Config held.
func (in *Inet) addRoutes(ia *ifaddr) {
	in.addRoute(in.localRoute(ia))
	if e := in.networkRoute(ia); e != nil {
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
	e := &route.Entry{
		Dst: netip.PrefixFrom(ia.addr, ia.addr.BitLen()), Scope: ia.scope(), Flags: abi.RTF_UP | abi.RTF_HOST | abi.RTF_LOCAL,
		If: ia.ifc.ifp, Addr: ia.a,
	}
	if lo := in.loopback(); lo != nil {
		e.If = lo
	}
	if ia.ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0 {
		e.Metrics.Mtu = uint64(ia.ifc.ifp.MTU())
	}
	return e
}

// networkRoute is the route to the network of an address, or to the peer of a point-to-point link; nil for an address that is
// alone.
func (in *Inet) networkRoute(ia *ifaddr) *route.Entry {
	ifp := ia.ifc.ifp
	e := &route.Entry{Dst: ia.prefix(), Flags: abi.RTF_UP | abi.RTF_CONNECTED, If: ifp, Addr: ia.a}
	switch {
	case ifp.Flags()&abi.IFF_POINTOPOINT != 0 && ia.dst.IsValid():
		e.Dst, e.Flags = netip.PrefixFrom(ia.dst, ia.dst.BitLen()), abi.RTF_UP|abi.RTF_HOST
	case ifp.Flags()&abi.IFF_LOOPBACK != 0 && ia.addr.Is4(), ia.bits == ia.addr.BitLen():
		return nil
	}
	e.Scope = scopeOf(e.Dst.Addr(), ia.ifc)
	return e
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
		case ia.prefix() == gone.prefix() && ia.scope() == gone.scope():
			if e := in.networkRoute(ia); e != nil {
				in.addRoute(e)
			}
		}
	}
}
