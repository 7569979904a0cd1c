package route

import (
	"bytes"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Offsets and lengths of struct sockaddr_in and sockaddr_in6.
const (
	sinAddrAt, sin6AddrAt  = 4, 8
	sin6ScopeAt, sin6IDLen = 24, 4
)

// Sockaddr is the struct sockaddr_in or sockaddr_in6 of an address. The scope of a link-local one is where NetBSD's routing messages have
// it: in the address's second 16 bits.
func Sockaddr(a netip.Addr, scope uint16) []byte {
	if a.Is4() {
		b := a.As4()
		sa := make([]byte, abi.SizeofSockaddrIn)
		sa[0], sa[1] = byte(len(sa)), abi.AF_INET
		copy(sa[sinAddrAt:], b[:])
		return sa
	}
	b := a.As16()
	sa := make([]byte, abi.SizeofSockaddrIn6)
	sa[0], sa[1] = byte(len(sa)), abi.AF_INET6
	copy(sa[sin6AddrAt:], b[:])
	if scope != 0 {
		sa[sin6AddrAt+2], sa[sin6AddrAt+3] = byte(scope>>8), byte(scope)
	}
	return sa
}

// ParseSockaddr is the address and scope of a struct sockaddr_in or sockaddr_in6, which may be cut off at its end: what is missing is 0. The scope is
// taken from the address or from sin6_scope_id. Errors: EAFNOSUPPORT for other families.
func ParseSockaddr(sa []byte) (netip.Addr, uint16, error) {
	switch family(sa) {
	case abi.AF_INET:
		var full [abi.SizeofSockaddrIn]byte
		copy(full[:], sa)
		return netip.AddrFrom4([4]byte(full[sinAddrAt:])), 0, nil
	case abi.AF_INET6:
		var full [abi.SizeofSockaddrIn6]byte
		copy(full[:], sa)
		b := [16]byte(full[sin6AddrAt:])
		if !scoped(b) {
			return netip.AddrFrom16(b), 0, nil
		}
		scope := uint16(b[2])<<8 | uint16(b[3])
		b[2], b[3] = 0, 0
		if id := le.Uint32(full[sin6ScopeAt:]); scope == 0 && id <= 0xffff {
			scope = uint16(id)
		}
		return netip.AddrFrom16(b), scope, nil
	}
	return netip.Addr{}, 0, abi.EAFNOSUPPORT
}

// scoped says whether an address needs the interface that it is on: fe80::/10, ff01::/16 and ff02::/16 with any flags.
func scoped(b [16]byte) bool {
	if b[0] == 0xff {
		return b[1]&0xf == 1 || b[1]&0xf == 2
	}
	return b[0] == 0xfe && b[1]&0xc0 == 0x80
}

// parseMask is the length of a netmask's prefix, for addresses of a family: 0 to 32 or 128. A mask may be cut off at its end. Errors: EINVAL for
// one with holes.
func parseMask(sa []byte, fam int) (int, error) {
	at, size := sinAddrAt, 4
	if fam == abi.AF_INET6 {
		at, size = sin6AddrAt, 16
	}
	var full [16]byte
	if len(sa) > at {
		copy(full[:size], sa[at:])
	}
	n := 0
	for n < size*8 && full[n/8]<<(n%8)&0x80 != 0 {
		n++
	}
	for i := n; i < size*8; i++ {
		if full[i/8]<<(i%8)&0x80 != 0 {
			return 0, abi.EINVAL
		}
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
