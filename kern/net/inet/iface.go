package inet

import (
	"maps"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// iface is what the internet protocols keep of an interface: struct in_ifextra, in6_ifextra and arpcom.
type iface struct {
	in       *Inet
	ifp      *ifnet.Interface
	ep4, ep6 *endpoint
	groups   groupList
	arp      neighborTable
	nd       neighborTable
	nd6      ndInfo

	on bool // whether the interface was in use when that was last looked at; under Config
}

// iface is what there is of an interface; nil when it is gone.
func (in *Inet) iface(ifp *ifnet.Interface) *iface { return (*in.ifaces.Load())[ifp.Index] }

// setIfaces publishes the interfaces with one more or one less. Config held.
func (in *Inet) setIfaces(change func(m map[uint16]*iface)) {
	m := maps.Clone(*in.ifaces.Load())
	change(m)
	in.ifaces.Store(&m)
}

// attachInterface makes an interface known to the protocols and the stack. Config held.
func (in *Inet) attachInterface(ifp *ifnet.Interface) {
	ifc := &iface{in: in, ifp: ifp}
	ifc.groups.init(ifc)
	ifc.arp.init(ifc, false)
	ifc.nd.init(ifc, true)
	ifc.nd6.init(in)
	in.setIfaces(func(m map[uint16]*iface) { m[ifp.Index] = ifc })
	id := tcpip.NICID(ifp.Index)
	if err := in.Stack.CreateNICWithOptions(id, &linkEndpoint{ifc}, stack.NICOptions{Name: ifp.Name}); err != nil {
		in.K.Logf("%s: not usable for TCP and UDP: %s\n", ifp.Name, err)
	}
	if in.v6 {
		in.start6(ifc)
	}
	if ifp.Flags()&abi.IFF_UP != 0 {
		ifc.cameUp()
	}
}

// detachInterface takes the addresses of an interface away, and it from the stack. Config held.
func (in *Inet) detachInterface(ifp *ifnet.Interface) {
	ifc := in.iface(ifp)
	if ifc == nil {
		return
	}
	for _, family := range []int{familyInet, familyInet6} {
		for _, ia := range in.addrsOf(ifp, family) {
			in.removeAddr(ia)
		}
	}
	ifc.wentDown()
	in.Stack.RemoveNIC(tcpip.NICID(ifp.Index))
	in.setIfaces(func(m map[uint16]*iface) { delete(m, ifp.Index) })
	ifc.close()
}

// observe is told what happens to interfaces. Config held.
func (in *Inet) observe(e ifnet.Event) {
	if in.halted() {
		return
	}
	switch e.Kind {
	case ifnet.Attached:
		in.attachInterface(e.If)
	case ifnet.Detaching:
		in.detachInterface(e.If)
	case ifnet.FlagsChanged:
		if ifc := in.iface(e.If); ifc != nil {
			ifc.flagsChanged()
		}
	case ifnet.LinkAddrChanged:
		if ifc := in.iface(e.If); ifc != nil {
			ifc.linkAddrChanged()
		}
	}
}

// active says whether the interface's addresses are in use: it is up, and its link is not down.
func (ifc *iface) active() bool {
	return ifc.ifp.Flags()&abi.IFF_UP != 0 && ifc.ifp.LinkState() != abi.LINK_STATE_DOWN
}

// flagsChanged acts on the interface going up or down. Config held.
func (ifc *iface) flagsChanged() {
	switch up := ifc.active(); {
	case up && !ifc.on:
		ifc.cameUp()
	case !up && ifc.on:
		ifc.wentDown()
	}
}

// cameUp begins to use the interface: groups are announced, addresses are looked for at others. Config held.
func (ifc *iface) cameUp() {
	if !ifc.active() {
		return
	}
	ifc.on = true
	ifc.groups.announceAll()
	ifc.addrsUp(familyInet)
	if ifc.in.v6 {
		ifc.up6()
	}
}

// wentDown marks the addresses as detached, and forgets what was learned about neighbours. Config held.
func (ifc *iface) wentDown() {
	if !ifc.on {
		return
	}
	ifc.on = false
	for _, family := range []int{familyInet, familyInet6} {
		for _, ia := range ifc.in.addrsOf(ifc.ifp, family) {
			ia.stopDAD()
			if ia.setFlags(abi.IN6_IFF_DETACHED, abi.IN6_IFF_TENTATIVE|abi.IN6_IFF_DUPLICATED) {
				ifc.notifyAddr(ia)
			}
		}
	}
	ifc.arp.purge()
	ifc.nd.purge()
	ifc.in.forgetND(ifc)
}

// addrsUp takes detached addresses back into use. Config held.
func (ifc *iface) addrsUp(family int) {
	for _, ia := range ifc.in.addrsOf(ifc.ifp, family) {
		if ia.flags.Load()&abi.IN6_IFF_DETACHED == 0 {
			continue
		}
		ia.setFlags(0, abi.IN6_IFF_DETACHED)
		ifc.startDAD(ia)
		ifc.notifyAddr(ia)
	}
}

// notifyAddr tells routing sockets that an address's flags have changed. Config held.
func (ifc *iface) notifyAddr(ia *ifaddr) {
	ifc.ifp.Net.Notify(ifnet.Event{Kind: ifnet.AddrChanged, If: ifc.ifp, Addr: ia.a})
}

// linkAddrChanged tells the neighbours. Config held.
func (ifc *iface) linkAddrChanged() {
	ifc.arp.purge()
	ifc.nd.purge()
	for _, family := range []int{familyInet, familyInet6} {
		for _, ia := range ifc.in.addrsOf(ifc.ifp, family) {
			ifc.announce(ia)
		}
	}
}

// announce tells the neighbours that an address is here: a gratuitous ARP request, or an unsolicited neighbour advertisement.
func (ifc *iface) announce(ia *ifaddr) {
	if !ifc.resolves() || !ifc.on || !ia.ready() {
		return
	}
	if ia.addr.Is4() {
		ifc.arpAnnounce(ia.addr)
	} else {
		ifc.sendNA(ia.addr, allNodes, nil, naOverride)
	}
}

// resolves says whether the interface has link-level addresses that are to be found out: it is an Ethernet and not IFF_NOARP.
func (ifc *iface) resolves() bool {
	return ifc.ifp.HdrLen == ifnet.EtherHdrLen && ifc.ifp.Flags()&abi.IFF_NOARP == 0
}

// mtu is the largest datagram of a family on the interface.
func (ifc *iface) mtu(v6 bool) uint32 {
	mtu := ifc.ifp.MTU()
	if v6 {
		return ifc.nd6.linkMTU(mtu)
	}
	return mtu
}

// close stops the interface's timers.
func (ifc *iface) close() {
	ifc.groups.close()
	ifc.arp.close()
	ifc.nd.close()
	for _, ia := range ifc.in.addrs.Load().list {
		if ia.ifc == ifc {
			ia.stopDAD()
			ia.stopLifetime()
		}
	}
}
