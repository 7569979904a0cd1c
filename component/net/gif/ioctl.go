package gif

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Where the addresses stand in the arguments that set a tunnel: struct in_aliasreq, in6_aliasreq, if_laddrreq.
type layout struct {
	family   int // that they must have; AF_UNSPEC for either
	src, dst int
	size     int
}

var layouts = map[uint32]layout{
	abi.SIOCSIFPHYADDR:     {abi.AF_INET, abi.IFNAMSIZ, abi.IFNAMSIZ + abi.SizeofSockaddrIn, abi.SizeofSockaddrIn},
	abi.SIOCSIFPHYADDR_IN6: {abi.AF_INET6, abi.IFNAMSIZ, abi.IFNAMSIZ + abi.SizeofSockaddrIn6, abi.SizeofSockaddrIn6},
	abi.SIOCSLIFPHYADDR:    {abi.AF_UNSPEC, laddrAt, laddrAt + abi.SizeofSockaddrStorage, abi.SizeofSockaddrStorage},
}

// laddrAt is where the first address stands in a struct if_laddrreq: behind name, flags and prefix length.
const laddrAt = abi.SizeofIfLaddrreq - 2*abi.SizeofSockaddrStorage

// Ioctl serves those of tunnels: gif(4).
func (d *tunnel) Ioctl(_ *kern.Thread, ifp *ifnet.Interface, cmd uint32, data []byte) error {
	if l, ok := layouts[cmd]; ok {
		return d.setTunnel(ifp, l, data)
	}
	switch cmd {
	case abi.SIOCDIFPHYADDR:
		d.ends.Store(nil)
		return ifp.SetFlags(0, abi.IFF_RUNNING)
	case abi.SIOCGLIFPHYADDR:
		return d.getTunnel(data)
	case abi.SIOCGIFPSRCADDR:
		return d.getEnd(data, abi.AF_INET, true)
	case abi.SIOCGIFPDSTADDR:
		return d.getEnd(data, abi.AF_INET, false)
	case abi.SIOCGIFPSRCADDR_IN6:
		return d.getEnd(data, abi.AF_INET6, true)
	case abi.SIOCGIFPDSTADDR_IN6:
		return d.getEnd(data, abi.AF_INET6, false)
	}
	return abi.ENOTTY
}

// setTunnel gives the interface its ends.
//
// Errors: EAFNOSUPPORT for a family that is not the ioctl's, EINVAL for ends of two families, or an address that is none, EADDRNOTAVAIL for
// unspecified and multicast ones and for a pair that another interface has.
func (d *tunnel) setTunnel(ifp *ifnet.Interface, l layout, data []byte) error {
	rawSrc, rawDst := data[l.src:l.src+l.size], data[l.dst:l.dst+l.size]
	family := sockaddr.Family(rawSrc)
	switch {
	case family != sockaddr.Family(rawDst):
		return abi.EINVAL
	case l.family != abi.AF_UNSPEC && family != l.family, family != abi.AF_INET && family != abi.AF_INET6:
		return abi.EAFNOSUPPORT
	}
	src, _, srcScope, ok := sockaddr.ParseInet(rawSrc)
	dst, _, dstScope, ok2 := sockaddr.ParseInet(rawDst)
	switch {
	case !ok || !ok2:
		return abi.EINVAL
	case src.IsUnspecified() || dst.IsUnspecified() || src.IsMulticast() || dst.IsMulticast():
		return abi.EADDRNOTAVAIL
	}
	e := &ends{src: src.WithZone(""), dst: dst.WithZone("")}
	if sockaddr.Scoped(dst) {
		if srcScope != dstScope {
			return abi.EINVAL
		}
		if e.scope = ifp.Net.ByIndex(uint16(dstScope)); e.scope == nil {
			return abi.EADDRNOTAVAIL
		}
	}
	if taken(ifp, e) {
		return abi.EADDRNOTAVAIL
	}
	d.ends.Store(e)
	return ifp.SetFlags(abi.IFF_RUNNING, 0)
}

// taken says whether another interface has the same ends.
func taken(ifp *ifnet.Interface, e *ends) bool {
	for _, other := range ifp.Net.Interfaces() {
		d, ok := other.Driver.(*tunnel)
		if !ok || other == ifp {
			continue
		}
		if o := d.ends.Load(); o != nil && *o == *e {
			return true
		}
	}
	return false
}

// sockaddrs are the ends as struct sockaddrs.
func (e *ends) sockaddrs() (src, dst []byte) {
	scope := uint32(0)
	if e.scope != nil {
		scope = uint32(e.scope.Index)
	}
	return sockaddr.Inet(e.src, 0, scope), sockaddr.Inet(e.dst, 0, scope)
}

// getTunnel is SIOCGLIFPHYADDR. Errors: EADDRNOTAVAIL without a tunnel.
func (d *tunnel) getTunnel(data []byte) error {
	e := d.ends.Load()
	if e == nil {
		return abi.EADDRNOTAVAIL
	}
	src, dst := e.sockaddrs()
	clear(data[laddrAt:])
	copy(data[laddrAt:], src)
	copy(data[laddrAt+abi.SizeofSockaddrStorage:], dst)
	return nil
}

// getEnd is SIOCGIFPSRCADDR and its kin, with a struct ifreq. Errors: EADDRNOTAVAIL without a tunnel of that family.
func (d *tunnel) getEnd(data []byte, family int, ours bool) error {
	e := d.ends.Load()
	if e == nil || e.src.Is4() != (family == abi.AF_INET) {
		return abi.EADDRNOTAVAIL
	}
	src, dst := e.sockaddrs()
	if !ours {
		src = dst
	}
	clear(data[abi.IFNAMSIZ:])
	copy(data[abi.IFNAMSIZ:], src)
	return nil
}
