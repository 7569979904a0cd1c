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

// laddr4 reads the request. named says that it must name an address, with IFLR_PREFIX or without.
//
// Errors: EINVAL for an address of another family or length, or a prefix that has bits of a host.
func laddr4(named bool, f laddrFunc) ioctlFunc {
	return func(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
		var r abi.IfLaddrreq
		if r.Decode(data) != nil {
			return abi.EINVAL
		}
		const bits = 32
		p := netip.PrefixFrom(unspecified4, bits)
		prefix := r.Flags&abi.IFLR_PREFIX != 0
		if named || prefix {
			a, ok := laddrOf(&r.Addr)
			if _, peer := laddrOf(&r.Dstaddr); !ok || !peer && (r.Dstaddr.Family != abi.AF_UNSPEC || r.Dstaddr.Len != 0) {
				return abi.EINVAL
			}
			p = netip.PrefixFrom(a, bits)
		}
		if r.Prefixlen > bits {
			return abi.EINVAL
		}
		if prefix {
			p = netip.PrefixFrom(p.Addr(), int(r.Prefixlen))
			if p.Masked() != p {
				return abi.EINVAL
			}
		}
		if err := f(ifc, &r, p); err != nil {
			return err
		}
		return r.Encode(data)
	}
}

// laddrOf is an address of a request; ok is false when it is none of IPv4.
func laddrOf(s *abi.SockaddrStorage) (a netip.Addr, ok bool) {
	if s.Family != familyInet || s.Len != abi.SizeofSockaddrIn {
		return netip.Addr{}, false
	}
	a, _, _, ok = sockaddr.ParseInet(s.Append(nil)[:s.Len])
	return a, ok
}

// within is the interface's first address in a network. Errors: EADDRNOTAVAIL.
func (ifc *iface) within(p netip.Prefix) (*ifaddr, error) {
	for _, ia := range ifc.in.addrsOf(ifc.ifp, familyInet) {
		if p.Contains(ia.addr) {
			return ia, nil
		}
	}
	return nil, abi.EADDRNOTAVAIL
}

// getLaddr4 is SIOCGLIFADDR: the first address of the network, or with none named of all.
func getLaddr4(ifc *iface, r *abi.IfLaddrreq, p netip.Prefix) error {
	if r.Flags&abi.IFLR_PREFIX == 0 {
		p = netip.PrefixFrom(unspecified4, 0)
	}
	ia, err := ifc.within(p)
	if err != nil {
		return err
	}
	r.Addr, r.Dstaddr, r.Flags, r.Prefixlen = storage(ia.addr), abi.SockaddrStorage{}, 0, uint32(ia.bits)
	if ifc.ifp.Flags()&abi.IFF_POINTOPOINT != 0 && ia.dst.IsValid() {
		r.Dstaddr = storage(ia.dst)
	}
	return nil
}

// storage is a struct sockaddr_storage of an address.
func storage(a netip.Addr) (s abi.SockaddrStorage) {
	b := make([]byte, abi.SizeofSockaddrStorage)
	copy(b, sockaddrIn(a))
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
	if peer, ok := laddrOf(&r.Dstaddr); ok {
		alias.Dstaddr.Decode(sockaddrIn(peer))
	}
	alias.Mask.Decode(sockaddr.Mask(familyInet, int(r.Prefixlen)))
	alias.Mask.Len = abi.SizeofSockaddrIn
	return addAlias4(ifc.in, nil, ifc, alias.Append(nil))
}

// deleteLaddr4 is SIOCDLIFADDR: of the address, or with IFLR_PREFIX of the first in the network.
func deleteLaddr4(ifc *iface, _ *abi.IfLaddrreq, p netip.Prefix) error {
	ia, err := ifc.within(p)
	if err != nil {
		return err
	}
	ifc.in.removeAddr(ia)
	return nil
}
