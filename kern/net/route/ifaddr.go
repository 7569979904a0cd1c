package route

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// These find the interface's address that a route comes from, when a program does not say which. All take sockaddrs of any family.

// addrOf finds an interface's address equal to sa, or with sa as its broadcast address; nil without one.
func (t *Table) addrOf(sa []byte) *ifnet.Addr {
	return t.find(func(ifp *ifnet.Interface, a *ifnet.Addr) bool {
		return sameAddr(a.Addr, sa) || ifp.Flags()&abi.IFF_BROADCAST != 0 && sameAddr(a.Dst, sa)
	})
}

// addrOfPeer finds the address of the point-to-point link whose other end has the address sa; nil without one.
func (t *Table) addrOfPeer(sa []byte) *ifnet.Addr {
	return t.find(func(ifp *ifnet.Interface, a *ifnet.Addr) bool {
		return ifp.Flags()&abi.IFF_POINTOPOINT != 0 && sameAddr(a.Dst, sa)
	})
}

// addrOnNet finds the address whose network sa is on, that with the longest netmask of several; for AF_LINK the link-level address of the interface that
// sa says by index or by name. nil without one.
func (t *Table) addrOnNet(sa []byte) *ifnet.Addr {
	if family(sa) == abi.AF_LINK {
		return t.linkAddrOf(sa)
	}
	var best *ifnet.Addr
	longest := -1
	t.find(func(_ *ifnet.Interface, a *ifnet.Addr) bool {
		if p, ok := network(a); ok && contains(p, a, sa) && p.Bits() > longest {
			best, longest = a, p.Bits()
		}
		return false
	})
	return best
}

func (t *Table) linkAddrOf(sa []byte) *ifnet.Addr {
	index, name, _, err := ifnet.LinkSockaddr(sa)
	if err != nil {
		return nil
	}
	ifp := t.Net.ByIndex(index)
	if ifp == nil {
		ifp = t.Net.ByName(name)
	}
	if ifp == nil {
		return nil
	}
	return ifp.LinkLevel()
}

// addrOn is the address of an interface that fits sa best: that whose network it is on, or any of its family; nil without such.
func addrOn(ifp *ifnet.Interface, sa []byte) (maybe *ifnet.Addr) {
	for _, a := range ifp.Addrs() {
		if a.Family != family(sa) {
			continue
		}
		maybe = a
		if p, ok := network(a); ok && contains(p, a, sa) || sameAddr(a.Addr, sa) || sameAddr(a.Dst, sa) {
			return a
		}
	}
	return maybe
}

// addrTowards is the address that a route to dst by a gateway comes from; nil when the gateway is on no network of ours.
func (t *Table) addrTowards(flags uint32, dst, gateway []byte) (a *ifnet.Addr) {
	if flags&abi.RTF_GATEWAY != 0 {
		a = t.addrOfPeer(gateway)
	} else {
		if flags&abi.RTF_HOST != 0 && family(gateway) != abi.AF_LINK {
			a = t.addrOfPeer(dst)
		}
		if a == nil {
			a = t.addrOf(gateway)
		}
	}
	if a == nil {
		a = t.addrOnNet(gateway)
	}
	if a == nil {
		a = t.addrByRoute(dst)
	}
	if a != nil && a.Family != family(dst) {
		if better := addrOn(a.If, dst); better != nil {
			return better
		}
	}
	return a
}

// addrByRoute is the address that the route there is now to dst comes from.
func (t *Table) addrByRoute(dst []byte) *ifnet.Addr {
	a, scope, err := ParseSockaddr(dst)
	if err != nil {
		return nil
	}
	e := t.Lookup(a, scope)
	if e == nil {
		return nil
	}
	return e.Addr
}

// find is the first address of all interfaces that want says yes to.
func (t *Table) find(want func(*ifnet.Interface, *ifnet.Addr) bool) *ifnet.Addr {
	for _, ifp := range t.Net.Interfaces() {
		for _, a := range ifp.Addrs() {
			if want(ifp, a) {
				return a
			}
		}
	}
	return nil
}

// network is the network that an address is in by its netmask; false for one without.
func network(a *ifnet.Addr) (netip.Prefix, bool) {
	addr, _, err := ParseSockaddr(a.Addr)
	if err != nil || a.Mask == nil {
		return netip.Prefix{}, false
	}
	bits, err := parseMask(a.Mask, a.Family)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, bits), true
}

// contains says whether sa is in the network p of an interface's address.
func contains(p netip.Prefix, a *ifnet.Addr, sa []byte) bool {
	addr, scope, err := ParseSockaddr(sa)
	if err != nil || !p.Contains(addr) {
		return false
	}
	return scope == 0 || scope == a.If.Index
}

// sameAddr says whether two sockaddrs have the same address.
func sameAddr(x, y []byte) bool {
	if family(x) != family(y) {
		return false
	}
	if family(x) == abi.AF_LINK {
		i, _, a, err := ifnet.LinkSockaddr(x)
		j, _, b, err2 := ifnet.LinkSockaddr(y)
		return err == nil && err2 == nil && i == j && string(a) == string(b)
	}
	a, s, err := ParseSockaddr(x)
	b, u, err2 := ParseSockaddr(y)
	return err == nil && err2 == nil && a == b && s == u
}
