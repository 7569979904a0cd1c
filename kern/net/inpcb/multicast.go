package inpcb

import (
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// multicast is a socket's multicast options of one family, as struct ip_moptions.
type multicast struct {
	index  uint16     // the interface that groups are sent to on; 0: as the routing table says
	addr   netip.Addr // IP_MULTICAST_IF's value when it was an index in the form 0.x.y.z
	ttl    uint8
	loop   uint8
	groups []membership
}

// membership is a group that a socket is in, on an interface.
type membership struct {
	group netip.Addr
	index uint16
}

func (m *multicast) init() {
	m.ttl, m.loop = abi.IP_DEFAULT_MULTICAST_TTL, abi.IP_DEFAULT_MULTICAST_LOOP
}

// multi is the family's multicast options.
func (o *ipOptions) multi(v6 bool) *multicast {
	if v6 {
		return &o.multi6
	}
	return &o.multi4
}

// join makes p a member of a group on an interface.
//
// Errors: EADDRNOTAVAIL without such an interface, EADDRINUSE for a member, ETOOMANYREFS.
func (p *pcb) join(group netip.Addr, ifp *ifnet.Interface) error {
	if ifp == nil || ifp.Flags()&abi.IFF_MULTICAST == 0 {
		return abi.EADDRNOTAVAIL
	}
	g := membership{group, ifp.Index}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	m := p.opt.multi(group.Is6())
	switch {
	case slices.Contains(m.groups, g):
		return abi.EADDRINUSE
	case len(m.groups) >= abi.IP_MAX_MEMBERSHIPS:
		return abi.ETOOMANYREFS
	}
	if err := p.ts.stack.JoinGroup(netProto(group), tcpip.NICID(g.index), tcpipAddr(group)); err != nil {
		return abi.EADDRNOTAVAIL
	}
	m.groups = append(m.groups, g)
	return nil
}

// drop ends a membership; index 0 is any interface. Errors: EADDRNOTAVAIL.
func (p *pcb) drop(group netip.Addr, index uint16) error {
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	m := p.opt.multi(group.Is6())
	i := slices.IndexFunc(m.groups, func(g membership) bool { return g.group == group && (index == 0 || g.index == index) })
	if i < 0 {
		return abi.EADDRNOTAVAIL
	}
	p.leaveGroup(m.groups[i])
	m.groups = slices.Delete(m.groups, i, i+1)
	return nil
}

// leaveGroup tells the stack. The interface may be gone, and its groups with it.
func (p *pcb) leaveGroup(g membership) {
	p.ts.stack.LeaveGroup(netProto(g.group), tcpip.NICID(g.index), tcpipAddr(g.group))
}

// dropAll ends all memberships: the socket is closed.
func (p *pcb) dropAll() {
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	for _, m := range []*multicast{&p.opt.multi4, &p.opt.multi6} {
		for _, g := range m.groups {
			p.leaveGroup(g)
		}
		m.groups = nil
	}
}

// multicastIf is the interface that an IPv4 address of a request means: that with the address, or, as RFC 1724 3.3 has
// it, that whose index the address 0.x.y.z is. Nil without.
func (ts *Tables) multicastIf(a netip.Addr) *ifnet.Interface {
	b := a.As4()
	if b[0] == 0 {
		if b[1] != 0 {
			return nil
		}
		return ts.net.ByIndex(uint16(b[2])<<8 | uint16(b[3]))
	}
	for _, ifp := range ts.net.Interfaces() {
		for _, ia := range ifp.Addrs() {
			if ip, _, _, ok := sockaddr.ParseInet(ia.Addr); ok && ip == a && ifp.Flags()&abi.IFF_MULTICAST != 0 {
				return ifp
			}
		}
	}
	return nil
}

// routeIf is the interface that the route to an address leads to; nil without one.
func (ts *Tables) routeIf(a netip.Addr) *ifnet.Interface {
	e := ts.routes.Lookup(a, 0)
	if e == nil {
		return nil
	}
	return e.If
}

// mreq4 reads a struct ip_mreq. Errors: EINVAL for another size and for what is no group.
func mreq4(val []byte) (group, ifaddr netip.Addr, err error) {
	var m abi.IpMreq
	if len(val) != abi.SizeofIpMreq {
		return group, ifaddr, abi.EINVAL
	}
	if err := m.Decode(val); err != nil {
		return group, ifaddr, err
	}
	group, ifaddr = netip.AddrFrom4(m.Multiaddr.As4()), netip.AddrFrom4(m.Interface.As4())
	if !group.IsMulticast() {
		return group, ifaddr, abi.EINVAL
	}
	return group, ifaddr, nil
}

// addMembership4 is IP_ADD_MEMBERSHIP. Without an interface's address it is the one that the route to the group leads to.
func addMembership4(_ *kern.Thread, p *pcb, val []byte) error {
	group, ifaddr, err := mreq4(val)
	if err != nil {
		return err
	}
	ifp := p.ts.routeIf(group)
	if !ifaddr.IsUnspecified() {
		ifp = p.ts.multicastIf(ifaddr)
	}
	return p.join(group, ifp)
}

func dropMembership4(_ *kern.Thread, p *pcb, val []byte) error {
	group, ifaddr, err := mreq4(val)
	if err != nil {
		return err
	}
	if ifaddr.IsUnspecified() {
		return p.drop(group, 0)
	}
	ifp := p.ts.multicastIf(ifaddr)
	if ifp == nil {
		return abi.EADDRNOTAVAIL
	}
	return p.drop(group, ifp.Index)
}

// setMulticastIf4 is IP_MULTICAST_IF: the interface with an address, 0.0.0.0 for none.
func setMulticastIf4(_ *kern.Thread, p *pcb, val []byte) error {
	if len(val) != 4 {
		return abi.EINVAL
	}
	a := netip.AddrFrom4([4]byte(val))
	var index uint16
	if !a.IsUnspecified() {
		ifp := p.ts.multicastIf(a)
		if ifp == nil || ifp.Flags()&abi.IFF_MULTICAST == 0 {
			return abi.EADDRNOTAVAIL
		}
		index = ifp.Index
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	p.opt.multi4.index, p.opt.multi4.addr = index, netip.Addr{}
	if val[0] == 0 && index != 0 {
		p.opt.multi4.addr = a
	}
	return nil
}

func getMulticastIf4(p *pcb) ([]byte, error) {
	p.opt.mu.Lock()
	index, a := p.opt.multi4.index, p.opt.multi4.addr
	p.opt.mu.Unlock()
	if a.IsValid() || index == 0 {
		b := make([]byte, 4)
		if a.IsValid() {
			b = a.AsSlice()
		}
		return b, nil
	}
	if ifp := p.ts.net.ByIndex(index); ifp != nil {
		for _, ia := range ifp.Addrs() {
			if ip, _, _, ok := sockaddr.ParseInet(ia.Addr); ok && ip.Is4() {
				return ip.AsSlice(), nil
			}
		}
	}
	return make([]byte, 4), nil
}

// multicastByte reads an IPv4 option of one byte.
func multicastByte(v func(m *multicast) *uint8) func(p *pcb) ([]byte, error) {
	return func(p *pcb) ([]byte, error) {
		p.opt.mu.Lock()
		defer p.opt.mu.Unlock()
		return []byte{*v(&p.opt.multi4)}, nil
	}
}

// setMulticastByte sets one, from a byte or an int. Errors: EINVAL for another size, or above most.
func setMulticastByte(v func(m *multicast) *uint8, most uint32) func(*kern.Thread, *pcb, []byte) error {
	return func(_ *kern.Thread, p *pcb, val []byte) error {
		var n uint32
		switch len(val) {
		case 1:
			n = uint32(val[0])
		case 4:
			n = le.Uint32(val)
		default:
			return abi.EINVAL
		}
		if n > most {
			return abi.EINVAL
		}
		p.opt.mu.Lock()
		defer p.opt.mu.Unlock()
		*v(&p.opt.multi4) = uint8(n)
		return nil
	}
}
