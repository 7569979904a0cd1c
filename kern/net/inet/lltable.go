package inet

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// llTable shows the neighbours of all interfaces to routing sockets: what arp(8) and ndp(8) list and change.
type llTable struct {
	in *Inet
	v6 bool
}

var _ route.LLTable = (*llTable)(nil)

// of is an interface's table.
func (l *llTable) of(ifc *iface) *neighborTable {
	if l.v6 {
		return &ifc.nd
	}
	return &ifc.arp
}

func (l *llTable) family() int {
	if l.v6 {
		return familyInet6
	}
	return familyInet
}

// Neighbors lists the entries of all interfaces: our own addresses, which are permanent, and then our neighbours', each by address.
func (l *llTable) Neighbors() []route.Neighbor {
	var list []route.Neighbor
	now := time.Now()
	for _, ifp := range l.in.Net.Interfaces() {
		ifc := l.in.iface(ifp)
		if ifc == nil || ifp.HdrLen != ifnet.EtherHdrLen {
			continue
		}
		for _, ia := range l.in.addrsOf(ifp, l.family()) {
			list = append(list, ownNeighbor(ia))
		}
		list = append(list, l.of(ifc).list(now)...)
	}
	slices.SortStableFunc(list, func(a, b route.Neighbor) int {
		own := int(b.Flags&abi.RTF_LOCAL) - int(a.Flags&abi.RTF_LOCAL)
		return cmp.Or(own, a.Addr.Compare(b.Addr))
	})
	return list
}

// ownNeighbor is the entry of an address of ours.
func ownNeighbor(ia *ifaddr) route.Neighbor {
	return route.Neighbor{
		If: ia.ifc.ifp, Addr: ia.addr, LinkAddr: ia.ifc.ifp.LinkAddr(), Flags: abi.RTF_LOCAL | abi.RTF_STATIC,
		State: abi.ND6_LLINFO_REACHABLE, Router: ia.addr.Is6() && ia.ifc.in.conf.forwarding6.Load() != 0,
	}
}

// list are the entries of a table that are not over.
func (t *neighborTable) list(now time.Time) []route.Neighbor {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []route.Neighbor
	for _, e := range t.entries {
		t.age(e, now)
		if e.static || e.expire.IsZero() || now.Before(e.expire) {
			list = append(list, t.show(e))
		}
	}
	return list
}

// show is an entry as routing sockets have it. Called with mu held.
func (t *neighborTable) show(e *neighbor) route.Neighbor {
	n := route.Neighbor{If: t.ifc.ifp, Addr: e.addr, State: e.state, Expire: e.expire, Router: e.router}
	if e.state > abi.ND6_LLINFO_INCOMPLETE {
		n.LinkAddr = append([]byte(nil), e.mac[:]...)
	}
	if e.static {
		n.Flags |= abi.RTF_STATIC
	}
	if e.public {
		n.Flags |= abi.RTF_ANNOUNCE
	}
	if !t.v6 && e.asked >= arpTries {
		n.Flags |= abi.RTF_REJECT
	}
	return n
}

// Neighbor finds an entry, our own addresses included; ifp may be nil for that of any interface. Errors: ESRCH.
func (l *llTable) Neighbor(ifp *ifnet.Interface, a netip.Addr) (route.Neighbor, error) {
	for _, n := range l.Neighbors() {
		if n.Addr == a && (ifp == nil || n.If == ifp) {
			return n, nil
		}
	}
	return route.Neighbor{}, abi.ESRCH
}

// AddNeighbor adds an entry or changes it. Errors: EINVAL for a link-level address that is no Ethernet's; ENXIO for an interface without
// neighbours; EPERM for an address of our own.
func (l *llTable) AddNeighbor(n route.Neighbor) error {
	ifc := l.in.iface(n.If)
	switch {
	case ifc == nil || !ifc.resolves():
		return abi.ENXIO
	case len(n.LinkAddr) != len(macAddr{}):
		return abi.EINVAL
	}
	if ia := l.in.localAddr(n.Addr, n.If.Index); ia != nil && ia.ifc == ifc {
		return abi.EPERM
	}
	t := l.of(ifc)
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return abi.ENXIO
	}
	e := t.entries[n.Addr]
	if e == nil {
		e = t.insert(n.Addr)
	}
	held := t.learned(e, macAddr(n.LinkAddr))
	e.state, e.static, e.expire = abi.ND6_LLINFO_REACHABLE, n.Expire.IsZero(), n.Expire
	e.public, e.router = n.Flags&abi.RTF_ANNOUNCE != 0, n.Router
	t.mu.Unlock()
	t.sendHeld(macAddr(n.LinkAddr), held)
	return nil
}

// DeleteNeighbor errors: ESRCH; EPERM for an address of our own.
func (l *llTable) DeleteNeighbor(ifp *ifnet.Interface, a netip.Addr) error {
	found := abi.ESRCH
	for _, ifc := range *l.in.ifaces.Load() {
		if ifp != nil && ifc.ifp != ifp {
			continue
		}
		if ia := l.in.localAddr(a, ifc.ifp.Index); ia != nil && ia.ifc == ifc {
			return abi.EPERM
		}
		t := l.of(ifc)
		t.mu.Lock()
		if e := t.entries[a]; e != nil {
			t.drop(e)
			found = 0
		}
		t.mu.Unlock()
	}
	if found != 0 {
		return found
	}
	return nil
}

// LLTable is the family's table of link-level addresses: ARP's or neighbour discovery's.
func (in *Inet) LLTable(family int) route.LLTable { return &llTable{in: in, v6: family == familyInet6} }

// Neighbors lists its entries. Config held.
func (in *Inet) Neighbors(family int) []route.Neighbor { return in.LLTable(family).Neighbors() }
