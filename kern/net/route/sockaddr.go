package route

import (
	"bytes"
	"math"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Where the address begins in struct sockaddr_in and sockaddr_in6.
const sinAddrAt, sin6AddrAt = 4, 8

// Sockaddr is the struct sockaddr_in or sockaddr_in6 of an address. The scope of a link-local one is where NetBSD's routing messages have
// it: in the address's second 16 bits.
func Sockaddr(a netip.Addr, scope uint16) []byte {
	sa := sockaddr.Inet(a, 0, 0)
	sockaddr.EmbedScope(sa, uint32(scope))
	return sa
}

// ParseSockaddr is the address and scope of a struct sockaddr_in or sockaddr_in6, which may be cut off at its end: what is missing is 0. The scope is
// taken from the address or from sin6_scope_id. Errors: EAFNOSUPPORT for other families.
func ParseSockaddr(sa []byte) (netip.Addr, uint16, error) {
	a, _, scope, ok := sockaddr.ParseInet(sa)
	switch {
	case !ok:
		return netip.Addr{}, 0, abi.EAFNOSUPPORT
	case !sockaddr.Scoped(a) || scope > math.MaxUint16:
		scope = 0
	}
	return a, uint16(scope), nil
}

// parseMask is the length of a netmask's prefix, for addresses of a family: 0 to 32 or 128. A mask may be cut off at its end. Errors: EINVAL for
// one with holes.
func parseMask(sa []byte, fam int) (int, error) {
	n, ok := sockaddr.MaskBits(sa, fam)
	if !ok {
		return 0, abi.EINVAL
	}
	return n, nil
}

// dstSockaddr is RTA_DST.
func (e *Entry) dstSockaddr() []byte { return Sockaddr(e.Dst.Addr(), e.Scope) }

// maskSockaddr is RTA_NETMASK, nil for a host's route. It is as NetBSD's tree keeps masks: without the bytes at its end that are 0, and
// with ones before the address; that of a default route is empty.
func (e *Entry) maskSockaddr() []byte {
	if e.Flags&abi.RTF_HOST != 0 {
		return nil
	}
	bits := e.Dst.Bits()
	if bits == 0 {
		return []byte{}
	}
	at := sinAddrAt
	if e.Dst.Addr().Is6() {
		at = sin6AddrAt
	}
	sa := bytes.Repeat([]byte{0xff}, at+(bits+7)/8)
	sa[0] = byte(len(sa))
	sa[len(sa)-1] <<= (8 - bits%8) % 8
	return sa
}

// gatewaySockaddr is RTA_GATEWAY: the next hop or what the route was given with; otherwise the interface where that resolves link-level
// addresses, or the address that the route is of.
func (e *Entry) gatewaySockaddr() []byte {
	switch {
	case e.Gateway.IsValid():
		return Sockaddr(e.Gateway, e.GatewayScope)
	case e.GatewayLink != nil:
		return e.GatewayLink
	}
	ifp := e.If
	if e.Flags&abi.RTF_LOCAL != 0 && e.Addr != nil {
		ifp = e.Addr.If
	}
	switch {
	case ifp == nil:
		return nil
	case ifp.Flags()&(abi.IFF_LOOPBACK|abi.IFF_POINTOPOINT) == 0:
		return indexSockaddr(ifp)
	case e.Flags&abi.RTF_LOCAL == 0 && e.Addr != nil:
		return e.Addr.Addr
	}
	return ifp.LinkLevel().Addr
}

// indexSockaddr is a struct sockaddr_dl that says which interface, and nothing else.
func indexSockaddr(ifp *ifnet.Interface) []byte {
	sa := make([]byte, abi.SizeofSockaddrDl)
	copy(sa, ifnet.SockaddrDl(ifp.Index, ifp.Type, "", nil))
	sa[0] = byte(len(sa))
	return sa
}
