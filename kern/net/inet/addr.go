package inet

import (
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

// newAddr is the address as package ifnet has it. NetBSD's netmasks of IPv4 end with their last byte that is not 0; addresses of a loopback interface have
// themselves for a peer, or an empty one; and the flags are those of the route to the network.
func (in *Inet) newAddr(ia *ifaddr) *ifnet.Addr {
	a := &ifnet.Addr{Family: ia.family(), Addr: route.Sockaddr(ia.addr, ia.scope()), Mask: sockaddr.Mask(ia.family(), ia.bits), Owner: ia}
	if ia.addr.Is4() {
		a.Mask = trimmedMask(ia.bits)
	}
	loop := ia.ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0
	switch {
	case ia.addr == loopback6:
		a.Flags, a.Dst = abi.RTF_UP, a.Addr
	case loop && ia.addr.Is6():
		a.Dst = []byte{}
	case !loop:
		a.Flags = abi.RTF_CONNECTED
		if ia.addr.Is4() {
			a.Flags |= abi.RTF_UP
		}
	}
	if ia.dst.IsValid() {
		a.Dst = route.Sockaddr(ia.dst, scopeOf(ia.dst, ia.ifc))
	}
	return a
}

// trimmedMask is a netmask of IPv4 as short as it can be.
func trimmedMask(bits int) []byte {
	const head = 4
	m := append(make([]byte, head), maskBytes(bits, (bits+7)/8)...)
	m[0], m[1] = byte(len(m)), familyInet
	return m
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
