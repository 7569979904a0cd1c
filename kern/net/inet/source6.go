package inet

import (
	"math/bits"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
)

// source6 chooses the address that datagrams to dst come from when they leave through an interface: RFC 6724, 5. Nil when there is none.
func (in *Inet) source6(dst netip.Addr, ifc *iface) *ifaddr {
	out := ifc
	if !scoped(dst) {
		if e := in.Table.Lookup(dst, 0); e != nil && e.If != nil {
			if ia, ok := ownerOf(e.Addr); ok && e.Flags&abi.RTF_LOCAL != 0 {
				return ia
			}
			if o := in.iface(e.If); o != nil {
				out = o
			}
		}
	}
	var best *ifaddr
	for _, ia := range in.addrs.Load().list {
		flags := ia.flags.Load()
		if ia.addr.Is4() || !ia.attached() || flags&abi.IN6_IFF_ANYCAST != 0 || flags&abi.IN6_IFF_DEPRECATED != 0 && in.conf.useDeprecated.Load() == 0 {
			continue
		}
		if (linkLocal6(ia.addr) || scoped(dst)) && ia.ifc != out && !(scoped(dst) && dst.IsMulticast() && !linkLocal6(ia.addr)) {
			continue
		}
		if best == nil || in.prefers(ia, best, dst, out) {
			best = ia
		}
	}
	return best
}

// prefers says whether a is the better source than b: rules 1, 2, 3, 5, 7 and 8 of RFC 6724, 5.
func (in *Inet) prefers(a, b *ifaddr, dst netip.Addr, out *iface) bool {
	if a.addr == dst || b.addr == dst {
		return a.addr == dst
	}
	if sa, sb, sd := addrScope(a.addr), addrScope(b.addr), addrScope(dst); sa != sb {
		if sa < sb {
			return sa >= sd
		}
		return sb < sd
	}
	deprecated := func(ia *ifaddr) bool { return ia.flags.Load()&abi.IN6_IFF_DEPRECATED != 0 }
	if deprecated(a) != deprecated(b) {
		return deprecated(b)
	}
	if (a.ifc == out) != (b.ifc == out) {
		return a.ifc == out
	}
	temporary := func(ia *ifaddr) bool { return ia.flags.Load()&abi.IN6_IFF_TEMPORARY != 0 }
	if temporary(a) != temporary(b) {
		return temporary(b)
	}
	return commonBits(a.addr, dst) > commonBits(b.addr, dst)
}

// addrScope is the scope of an address, as that of a multicast group: RFC 4291, 2.7.
func addrScope(a netip.Addr) int {
	switch {
	case a.IsMulticast():
		return int(a.As16()[1] & 15)
	case a == loopback6, a.IsLinkLocalUnicast():
		return 2
	}
	return 14
}

// commonBits is the length of the prefix that two addresses share.
func commonBits(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if x[i] != y[i] {
			return i*8 + bits.LeadingZeros8(x[i]^y[i])
		}
	}
	return 128
}

// linkLocalOf is an interface's link-local address; nil without one.
func (in *Inet) linkLocalOf(ifc *iface) *ifaddr {
	for _, ia := range in.addrs.Load().list {
		if ia.ifc == ifc && linkLocal6(ia.addr) {
			return ia
		}
	}
	return nil
}
