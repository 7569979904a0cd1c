package inpcb

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// address is an end of a socket. ip is 4 bytes on PF_INET sockets and 16 on PF_INET6 ones, IPv4-mapped ones there included; it is
// never the zero Addr. scope is the interface that a link-local address is on.
type address struct {
	ip    netip.Addr
	port  uint16
	scope uint16
}

// unspecified is the address that a new socket of a family has.
func unspecified(v6 bool) address {
	if v6 {
		return address{ip: netip.IPv6Unspecified()}
	}
	return address{ip: netip.IPv4Unspecified()}
}

// any says whether the address part is unspecified; an IPv4-mapped 0.0.0.0 is too.
func (a address) any() bool { return a.ip.Unmap().IsUnspecified() }

// parse reads a struct sockaddr of a socket's family; its length is what the caller of the system call said.
//
// Errors: EINVAL for another length than the family's, EAFNOSUPPORT for another family, ENXIO for a scope that is no interface's index.
func parse(v6 bool, sa []byte) (address, error) {
	size, family := abi.SizeofSockaddrIn, abi.AF_INET
	if v6 {
		size, family = abi.SizeofSockaddrIn6, abi.AF_INET6
	}
	switch {
	case len(sa) != size:
		return address{}, abi.EINVAL
	case sockaddr.Family(sa) != family:
		return address{}, abi.EAFNOSUPPORT
	}
	ip, port, scope, _ := sockaddr.ParseInet(sa)
	if !sockaddr.Scoped(ip) {
		scope = 0
	}
	if scope > 0xffff {
		return address{}, abi.ENXIO
	}
	return address{ip: ip, port: port, scope: uint16(scope)}, nil
}

// parse reads an address. Errors: EINVAL, EAFNOSUPPORT, ENXIO.
func (p *pcb) parse(sa []byte) (address, error) {
	a, err := parse(p.v6, sa)
	if err == nil && a.ip.Is4In6() && p.only6() {
		err = abi.EINVAL
	}
	return a, err
}

// sockaddr is the address as a struct sockaddr of the socket's family.
func (a address) sockaddr() []byte {
	scope := uint32(0)
	if sockaddr.Scoped(a.ip) {
		scope = uint32(a.scope)
	}
	return sockaddr.Inet(a.ip, a.port, scope)
}

// full is the address for the stack: IPv4-mapped ones are IPv4's but for an unspecified one; others that are unspecified are empty.
func (a address) full() tcpip.FullAddress {
	f := tcpip.FullAddress{NIC: tcpip.NICID(a.scope), Addr: tcpipAddr(a.ip.Unmap()), Port: a.port}
	if a.ip.Is4In6() && a.any() {
		f.Addr = tcpip.AddrFrom16(a.ip.As16())
	}
	return f
}

// tcpipAddr is an address for the stack; the unspecified one is empty.
func tcpipAddr(ip netip.Addr) tcpip.Address {
	switch {
	case !ip.IsValid() || ip.IsUnspecified():
		return tcpip.Address{}
	case ip.Is4():
		return tcpip.AddrFrom4(ip.As4())
	}
	return tcpip.AddrFrom16(ip.As16())
}

// fromFull is an address of the stack's on a socket of a family: IPv4 addresses are mapped on a PF_INET6 one.
func fromFull(v6 bool, f tcpip.FullAddress) address {
	a := unspecified(v6)
	a.port = f.Port
	switch f.Addr.Len() {
	case header.IPv4AddressSize:
		a.ip = netip.AddrFrom4(f.Addr.As4())
		if v6 {
			a.ip = netip.AddrFrom16(a.ip.As16())
		}
	case header.IPv6AddressSize:
		a.ip = netip.AddrFrom16(f.Addr.As16())
	}
	if sockaddr.Scoped(a.ip) {
		a.scope = uint16(f.NIC)
	}
	return a
}

// netProto is the stack's protocol that packets to or from an address are of.
func netProto(ip netip.Addr) tcpip.NetworkProtocolNumber {
	if ip.Unmap().Is4() {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}
