package inet

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/rumpctrl/rumpctrl/abi"
)

var le = binary.LittleEndian

const (
	familyInet  = abi.AF_INET
	familyInet6 = abi.AF_INET6
)

// fromTCPIP is an address of gVisor's; the zero Addr for none.
func fromTCPIP(a tcpip.Address) netip.Addr {
	switch a.Len() {
	case 4:
		return netip.AddrFrom4(a.As4())
	case 16:
		return netip.AddrFrom16(a.As16())
	}
	return netip.Addr{}
}

// toTCPIP is an address for gVisor.
func toTCPIP(a netip.Addr) tcpip.Address {
	switch {
	case a.Is4():
		return tcpip.AddrFrom4(a.As4())
	case a.Is6():
		return tcpip.AddrFrom16(a.As16())
	}
	return tcpip.Address{}
}

// scoped says whether an address has a meaning on one interface only: multicast, broadcast, link-local.
func scoped(a netip.Addr) bool {
	return a.IsMulticast() || a == broadcast4 || a.Is6() && a.IsLinkLocalUnicast()
}

// linkLocal6 says whether an address is an IPv6 unicast one that needs a scope.
func linkLocal6(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() }

var (
	broadcast4   = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	allSystems   = netip.AddrFrom4([4]byte{224, 0, 0, 1})
	allNodes     = netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 15: 1})
	allRouters   = netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 15: 2})
	unspecified4 = netip.IPv4Unspecified()
	unspecified6 = netip.IPv6Unspecified()
	loopback6    = netip.IPv6Loopback()
)

// tcpipErrors are the stack's names of what sending fails with.
var tcpipErrors = map[abi.Errno]tcpip.Error{
	abi.EHOSTUNREACH:  &tcpip.ErrHostUnreachable{},
	abi.ENETUNREACH:   &tcpip.ErrNetworkUnreachable{},
	abi.EHOSTDOWN:     &tcpip.ErrHostDown{},
	abi.ENETDOWN:      &tcpip.ErrNoNet{},
	abi.ENOBUFS:       &tcpip.ErrNoBufferSpace{},
	abi.EMSGSIZE:      &tcpip.ErrMessageTooLong{},
	abi.EADDRNOTAVAIL: &tcpip.ErrBadLocalAddress{},
	abi.EACCES:        &tcpip.ErrBroadcastDisabled{},
}

// tcpipError is an error of sending as the stack has it.
func tcpipError(err error) tcpip.Error {
	if err == nil {
		return nil
	}
	if e, ok := tcpipErrors[abi.ToErrno(err)]; ok {
		return e
	}
	return &tcpip.ErrAborted{}
}

// sockaddrIn is a struct sockaddr_in of an IPv4 address.
func sockaddrIn(a netip.Addr) []byte {
	sa := abi.SockaddrIn{Len: abi.SizeofSockaddrIn, Family: familyInet}
	if a.Is4() {
		sa.Addr = abi.InAddrFrom4(a.As4())
	}
	return sa.Append(nil)
}
