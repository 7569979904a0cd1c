package inet

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// netAddr is an address as the stack has it while a route uses it. It is not counted: that it goes away shows in removed.
type netAddr struct {
	ia     *ifaddr // nil for an address that is no interface's: a group or broadcast address that a socket is bound to
	addr   tcpip.AddressWithPrefix
	subnet tcpip.Subnet
}

var _ stack.AddressEndpoint = (*netAddr)(nil)

func (ia *ifaddr) netAddr() *netAddr {
	a := tcpip.AddressWithPrefix{Address: toTCPIP(ia.addr), PrefixLen: ia.bits}
	return &netAddr{ia: ia, addr: a, subnet: a.Subnet()}
}

// AddressWithPrefix is the address.
func (n *netAddr) AddressWithPrefix() tcpip.AddressWithPrefix { return n.addr }

// Subnet is the network of the address.
func (n *netAddr) Subnet() tcpip.Subnet { return n.subnet }

// IsAssigned says whether the address is still there.
func (n *netAddr) IsAssigned(bool) bool {
	if n.ia == nil {
		return true
	}
	n.ia.mu.Lock()
	defer n.ia.mu.Unlock()
	return !n.ia.removed
}

// TryIncRef does not count.
func (n *netAddr) TryIncRef() bool { return true }

// DecRef does not count.
func (n *netAddr) DecRef() {}

// GetKind is Permanent.
func (n *netAddr) GetKind() stack.AddressKind { return stack.Permanent }

// SetKind is not the stack's to do.
func (n *netAddr) SetKind(stack.AddressKind) {}

// ConfigType is not the stack's to know.
func (n *netAddr) ConfigType() stack.AddressConfigType { return stack.AddressConfigStatic }

// Deprecated is not the stack's to know: source addresses are chosen here.
func (n *netAddr) Deprecated() bool { return false }

// SetDeprecated is not the stack's to do.
func (n *netAddr) SetDeprecated(bool) {}

// Lifetimes are not the stack's to know.
func (n *netAddr) Lifetimes() stack.AddressLifetimes { return stack.AddressLifetimes{} }

// SetLifetimes is not the stack's to do.
func (n *netAddr) SetLifetimes(stack.AddressLifetimes) {}

// Temporary is not the stack's to know.
func (n *netAddr) Temporary() bool { return false }

// RegisterDispatcher has nothing to dispatch.
func (n *netAddr) RegisterDispatcher(stack.AddressDispatcher) {}

// AddAndAcquirePermanentAddress refuses: addresses are set by ioctls.
func (e *endpoint) AddAndAcquirePermanentAddress(tcpip.AddressWithPrefix, stack.AddressProperties) (stack.AddressEndpoint, tcpip.Error) {
	return nil, &tcpip.ErrNotSupported{}
}

// RemovePermanentAddress refuses likewise.
func (e *endpoint) RemovePermanentAddress(tcpip.Address) tcpip.Error {
	return &tcpip.ErrBadLocalAddress{}
}

// SetLifetimes refuses likewise.
func (e *endpoint) SetLifetimes(tcpip.Address, stack.AddressLifetimes) tcpip.Error {
	return &tcpip.ErrBadLocalAddress{}
}

// MainAddress is the interface's primary address.
func (e *endpoint) MainAddress() tcpip.AddressWithPrefix {
	if ia := e.in.firstAddr(e.ifc.ifp, e.family()); ia != nil {
		return tcpip.AddressWithPrefix{Address: toTCPIP(ia.addr), PrefixLen: ia.bits}
	}
	return tcpip.AddressWithPrefix{}
}

func (e *endpoint) family() int {
	if e.v6 {
		return familyInet6
	}
	return familyInet
}

// AcquireAssignedAddress finds an address of the kernel: of any interface, since a packet from or to it may pass through any (the
// weak host model of RFC 1122, 3.3.4.2). With readOnly false that serves a route, otherwise a look-up.
func (e *endpoint) AcquireAssignedAddress(local tcpip.Address, _ bool, _ stack.PrimaryEndpointBehavior, _ bool) stack.AddressEndpoint {
	a := fromTCPIP(local)
	if ia := e.in.localAddr(a, e.ifc.ifp.Index); ia != nil {
		return ia.netAddr()
	}
	return nil
}

// AcquireOutgoingPrimaryAddress chooses the address that packets to remote come from when they leave through this interface. Nil when
// there is none.
func (e *endpoint) AcquireOutgoingPrimaryAddress(remote, _ tcpip.Address, _ bool) stack.AddressEndpoint {
	if ia := e.in.sourceFor(fromTCPIP(remote), e.ifc, e.v6); ia != nil {
		return ia.netAddr()
	}
	return nil
}

// PrimaryAddresses lists the interface's addresses.
func (e *endpoint) PrimaryAddresses() []tcpip.AddressWithPrefix {
	var list []tcpip.AddressWithPrefix
	for _, ia := range e.in.addrsOf(e.ifc.ifp, e.family()) {
		list = append(list, tcpip.AddressWithPrefix{Address: toTCPIP(ia.addr), PrefixLen: ia.bits})
	}
	return list
}

// PermanentAddresses is PrimaryAddresses.
func (e *endpoint) PermanentAddresses() []tcpip.AddressWithPrefix { return e.PrimaryAddresses() }

// JoinGroup has the interface receive a multicast group, for an IP_ADD_MEMBERSHIP of the stack's endpoints.
func (e *endpoint) JoinGroup(group tcpip.Address) tcpip.Error {
	a := fromTCPIP(group)
	if !a.IsMulticast() {
		return &tcpip.ErrBadAddress{}
	}
	e.ifc.groups.join(a)
	return nil
}

// LeaveGroup undoes one JoinGroup.
func (e *endpoint) LeaveGroup(group tcpip.Address) tcpip.Error {
	if !e.ifc.groups.leave(fromTCPIP(group)) {
		return &tcpip.ErrBadLocalAddress{}
	}
	return nil
}

// IsInGroup says whether the interface receives a group.
func (e *endpoint) IsInGroup(group tcpip.Address) bool { return e.ifc.groups.member(fromTCPIP(group)) }

// sourceFor chooses the address that packets to dst come from when they leave through an interface; nil when there is none.
func (in *Inet) sourceFor(dst netip.Addr, ifc *iface, v6 bool) *ifaddr {
	if v6 {
		return in.source6(dst, ifc)
	}
	if !scoped(dst) {
		if e := in.Table.Lookup(dst, 0); e != nil {
			if ia, ok := ownerOf(e.Addr); ok && ia.addr.Is4() {
				return ia
			}
		}
	}
	return in.firstAddr(ifc.ifp, familyInet)
}

// ownerOf is the internet protocols' part of an address of ifnet.
func ownerOf(a *ifnet.Addr) (*ifaddr, bool) {
	if a == nil {
		return nil, false
	}
	ia, ok := a.Owner.(*ifaddr)
	return ia, ok
}
