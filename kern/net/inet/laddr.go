package inet

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern"
)

// The ioctls of struct if_laddrreq: SIOCGLIFADDR, SIOCALIFADDR and SIOCDLIFADDR. With IFLR_PREFIX the first two of its fields name a network, without an address.

// laddrFunc serves one; p is what the request names. Config held.
type laddrFunc func(ifc *iface, r *abi.IfLaddrreq, p netip.Prefix) error

// laddr reads the request of a family. named says that it must name an address, with IFLR_PREFIX or without.
//
// Errors: EINVAL for an address of another family or length.
func laddr(family uint8, named bool, f laddrFunc) ioctlFunc {
	none := netip.PrefixFrom(unspecified4, 32)
	if family == familyInet6 {
		none = netip.PrefixFrom(unspecified6, 128)
	}
	return func(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
		var r abi.IfLaddrreq
		if r.Decode(data) != nil {
			return abi.EINVAL
		}
		p, prefix := none, r.Flags&abi.IFLR_PREFIX != 0
		if named || prefix {
			a, ok := laddrOf(&r.Addr, family)
			if _, peer := laddrOf(&r.Dstaddr, family); !ok || !peer && (r.Dstaddr.Family != abi.AF_UNSPEC || r.Dstaddr.Len != 0) {
				return abi.EINVAL
			}
			p = netip.PrefixFrom(a, none.Bits())
		}
		if r.Prefixlen > uint32(none.Bits()) {
			return abi.EINVAL
		}
		if prefix {
			p = netip.PrefixFrom(p.Addr(), int(r.Prefixlen))
		}
		if err := f(ifc, &r, p); err != nil {
			return err
		}
		return r.Encode(data)
	}
}

// laddrOf is an address of a request, without its scope; ok is false when it is none of the family.
func laddrOf(s *abi.SockaddrStorage, family uint8) (a netip.Addr, ok bool) {
	size := uint8(abi.SizeofSockaddrIn)
	if family == familyInet6 {
		size = abi.SizeofSockaddrIn6
	}
	if s.Family != family || s.Len != size {
		return netip.Addr{}, false
	}
	a, _, _, ok = sockaddr.ParseInet(s.Append(nil)[:s.Len])
	return a, ok
}

// within is the interface's first address in a network. Errors: EADDRNOTAVAIL, EINVAL for a network with bits of a host.
func (ifc *iface) within(p netip.Prefix) (*ifaddr, error) {
	if p.Masked() != p {
		return nil, abi.EINVAL
	}
	family := familyInet
	if p.Addr().Is6() {
		family = familyInet6
	}
	for _, ia := range ifc.in.addrsOf(ifc.ifp, family) {
		if p.Contains(ia.addr) {
			return ia, nil
		}
	}
	return nil, abi.EADDRNOTAVAIL
}

// getLaddr is SIOCGLIFADDR: the first address of the network, or with none named of all. Of IPv6 the flags are those of the address, IN6_IFF_*.
func getLaddr(ifc *iface, r *abi.IfLaddrreq, p netip.Prefix) error {
	if r.Flags&abi.IFLR_PREFIX == 0 {
		p = netip.PrefixFrom(p.Addr(), 0).Masked()
	}
	ia, err := ifc.within(p)
	if err != nil {
		return err
	}
	r.Addr, r.Dstaddr, r.Flags, r.Prefixlen = ia.storage(ia.addr), abi.SockaddrStorage{}, 0, uint32(ia.bits)
	if ia.addr.Is6() {
		r.Flags = ia.flags.Load()
	}
	if ifc.ifp.Flags()&abi.IFF_POINTOPOINT != 0 && ia.dst.IsValid() {
		r.Dstaddr = ia.storage(ia.dst)
	}
	return nil
}

// storage is a struct sockaddr_storage of an address, its scope in the field for it.
func (ia *ifaddr) storage(a netip.Addr) (s abi.SockaddrStorage) {
	b := make([]byte, abi.SizeofSockaddrStorage)
	copy(b, sockaddr.Inet(a, 0, uint32(scopeOf(a, ia.ifc))))
	s.Decode(b)
	return s
}

// addLaddr4 is SIOCALIFADDR, which is SIOCAIFADDR with the length of the netmask. Errors: EINVAL with IFLR_PREFIX.
func addLaddr4(ifc *iface, r *abi.IfLaddrreq, p netip.Prefix) error {
	if r.Flags&abi.IFLR_PREFIX != 0 {
		return abi.EINVAL
	}
	var alias abi.InAliasreq
	copy(alias.Name[:], ifc.ifp.Name)
	alias.Addr.Decode(sockaddrIn(p.Addr()))
	if peer, ok := laddrOf(&r.Dstaddr, familyInet); ok {
		alias.Dstaddr.Decode(sockaddrIn(peer))
	}
	alias.Mask.Decode(sockaddr.Mask(familyInet, int(r.Prefixlen)))
	alias.Mask.Len = abi.SizeofSockaddrIn
	return addAlias4(ifc.in, nil, ifc, alias.Append(nil))
}

// addLaddr6 is SIOCALIFADDR of IPv6, which is SIOCAIFADDR_IN6 for ever, with the length of the netmask. With IFLR_PREFIX the host's half of the address
// is that of the interface's link-local address.
//
// Errors: EADDRNOTAVAIL where there is none, EINVAL for a network of more than 64 bits or with bits in that half.
func addLaddr6(ifc *iface, r *abi.IfLaddrreq, p netip.Prefix) error {
	host := func(a netip.Addr) netip.Addr { return a }
	if r.Flags&abi.IFLR_PREFIX != 0 {
		const half = 64
		ia := ifc.in.linkLocalOf(ifc)
		switch {
		case ia == nil:
			return abi.EADDRNOTAVAIL
		case r.Prefixlen > half, netip.PrefixFrom(p.Addr(), half).Masked().Addr() != p.Addr():
			return abi.EINVAL
		}
		id := ia.addr.As16()
		host = func(a netip.Addr) netip.Addr {
			b := a.As16()
			copy(b[half/8:], id[half/8:])
			return netip.AddrFrom16(b)
		}
	}
	var alias abi.In6Aliasreq
	copy(alias.Name[:], ifc.ifp.Name)
	alias.Addr = sockaddr6(host(p.Addr()), 0)
	if peer, ok := laddrOf(&r.Dstaddr, familyInet6); ok {
		alias.Dstaddr = sockaddr6(host(peer), 0)
	}
	alias.Prefixmask = mask6(int(r.Prefixlen))
	alias.Lifetime.Vltime, alias.Lifetime.Pltime = abi.ND6_INFINITE_LIFETIME, abi.ND6_INFINITE_LIFETIME
	alias.Flags = int32(r.Flags &^ abi.IFLR_PREFIX)
	return addAddr6(ifc.in, nil, ifc, alias.Append(nil))
}

// deleteLaddr is SIOCDLIFADDR: of the address, or with IFLR_PREFIX of the first in the network.
func deleteLaddr(ifc *iface, _ *abi.IfLaddrreq, p netip.Prefix) error {
	ia, err := ifc.within(p)
	if err != nil {
		return err
	}
	ifc.in.removeAddr(ia)
	return nil
}
