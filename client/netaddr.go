package client

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// sockKind is how a network of package net is spoken to: "tcp4" is {"tcp", AF_INET, SOCK_STREAM, 0}.
type sockKind struct {
	network string // as asked for
	base    string // without 4 or 6
	family  int    // AF_UNSPEC for either
	typ     int
	proto   int
}

func (k *sockKind) stream() bool { return k.typ == abi.SOCK_STREAM }

// connects says whether sockets of the kind take connections.
func (k *sockKind) connects() bool { return k.typ == abi.SOCK_STREAM || k.typ == abi.SOCK_SEQPACKET }

// inet says whether the addresses are internet addresses.
func (k *sockKind) inet() bool { return k.family != abi.AF_LOCAL }

// sockKinds has the networks by their names without a family.
var sockKinds = map[string]sockKind{
	"tcp":        {typ: abi.SOCK_STREAM},
	"udp":        {typ: abi.SOCK_DGRAM},
	"ip":         {typ: abi.SOCK_RAW},
	"unix":       {family: abi.AF_LOCAL, typ: abi.SOCK_STREAM},
	"unixgram":   {family: abi.AF_LOCAL, typ: abi.SOCK_DGRAM},
	"unixpacket": {family: abi.AF_LOCAL, typ: abi.SOCK_SEQPACKET},
}

// ipProtocols are the names of protocols in "ip4:icmp"; numbers serve for all.
var ipProtocols = map[string]int{
	"icmp": abi.IPPROTO_ICMP, "igmp": abi.IPPROTO_IGMP, "tcp": abi.IPPROTO_TCP, "udp": abi.IPPROTO_UDP, "ipv6-icmp": abi.IPPROTO_ICMPV6,
}

// parseNetwork reads a network's name as net.Dial has it. Errors: net.UnknownNetworkError.
func parseNetwork(network string) (k sockKind, err error) {
	name, proto, hasProto := strings.Cut(network, ":")
	base := strings.TrimRight(name, "46")
	k, ok := sockKinds[base]
	if !ok || hasProto != (base == "ip") {
		return k, net.UnknownNetworkError(network)
	}
	k.network, k.base = network, base
	switch strings.TrimPrefix(name, base) {
	case "":
	case "4":
		k.family = abi.AF_INET
	case "6":
		k.family = abi.AF_INET6
	default:
		return k, net.UnknownNetworkError(network)
	}
	if name != base && sockKinds[base].family == abi.AF_LOCAL {
		return k, net.UnknownNetworkError(network)
	}
	if hasProto {
		if k.proto, ok = ipProtocol(proto); !ok {
			return k, net.UnknownNetworkError(network)
		}
	}
	return k, nil
}

func ipProtocol(s string) (int, bool) {
	if n, ok := ipProtocols[s]; ok {
		return n, true
	}
	var n int
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = 10*n + int(c-'0'); n > 255 {
			return 0, false
		}
	}
	return n, s != ""
}

// target is an address to bind or connect to.
type target struct {
	family int
	sa     []byte
	addr   net.Addr
}

// resolve finds the addresses that a string means: names of hosts and services by the host's resolver, zones by the kernel's
// interfaces. For listening an empty host is the unspecified address.
func (p *Process) resolve(ctx context.Context, k *sockKind, address string, listen bool) ([]target, error) {
	if !k.inet() {
		sa, ok := sockaddr.Unix(address)
		if !ok {
			return nil, &net.AddrError{Err: "path too long", Addr: address}
		}
		return []target{{abi.AF_LOCAL, sa, &net.UnixAddr{Name: address, Net: k.network}}}, nil
	}
	host, port := address, 0
	if k.typ != abi.SOCK_RAW {
		h, service, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if port, err = net.DefaultResolver.LookupPort(ctx, k.base, service); err != nil {
			return nil, err
		}
		host = h
	}
	addrs, err := lookupHost(ctx, host, k.family, listen)
	if err != nil {
		return nil, err
	}
	var list []target
	for _, a := range addrs {
		if k.family != abi.AF_UNSPEC && a.Is4() != (k.family == abi.AF_INET) {
			continue
		}
		scope, err := p.zoneScope(a.Zone())
		if err != nil {
			return nil, err
		}
		list = append(list, newTarget(k, a, uint16(port), scope))
	}
	if list == nil {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: address}
	}
	return list, nil
}

func newTarget(k *sockKind, a netip.Addr, port uint16, scope uint32) target {
	family := abi.AF_INET6
	if a.Is4() {
		family = abi.AF_INET
	}
	return target{family, sockaddr.Inet(a, port, scope), k.netAddr(a, int(port))}
}

// lookupHost asks the host's resolver, but for literal addresses.
func lookupHost(ctx context.Context, host string, family int, listen bool) ([]netip.Addr, error) {
	if host == "" {
		return unspecified(family, listen), nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	var list []netip.Addr
	for _, ip := range ips {
		if a, ok := netip.AddrFromSlice(ip.IP); ok {
			list = append(list, a.Unmap().WithZone(ip.Zone))
		}
	}
	return list, nil
}

// unspecified is what an empty host means: all addresses to listen on, the machine itself to connect to. NetBSD's sockets of IPv6 do
// not take IPv4 connections, so that without a family it is IPv4's.
func unspecified(family int, listen bool) []netip.Addr {
	v4, v6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	if !listen {
		v4, v6 = netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	}
	if family == abi.AF_INET6 {
		return []netip.Addr{v6}
	}
	return []netip.Addr{v4}
}

// netAddr is package net's form of an internet address.
func (k *sockKind) netAddr(a netip.Addr, port int) net.Addr {
	ip, zone := net.IP(a.AsSlice()), a.Zone()
	switch k.base {
	case "tcp":
		return &net.TCPAddr{IP: ip, Port: port, Zone: zone}
	case "udp":
		return &net.UDPAddr{IP: ip, Port: port, Zone: zone}
	}
	return &net.IPAddr{IP: ip, Zone: zone}
}

// addr is package net's form of a struct sockaddr; nil when there is none in it.
func (p *Process) addr(k *sockKind, sa []byte) net.Addr {
	if !k.inet() {
		path, ok := sockaddr.ParseUnix(sa)
		if !ok {
			return nil
		}
		return &net.UnixAddr{Name: path, Net: k.network}
	}
	a, port, scope, ok := sockaddr.ParseInet(sa)
	if !ok {
		return nil
	}
	if sockaddr.Scoped(a) {
		a = a.WithZone(p.scopeZone(scope))
	}
	return k.netAddr(a, int(port))
}

// sockaddrOf is the reverse, for WriteTo. Errors: net.InvalidAddrError.
func (p *Process) sockaddrOf(k *sockKind, addr net.Addr) ([]byte, error) {
	var ip net.IP
	var port int
	var zone string
	switch a := addr.(type) {
	case *net.UDPAddr:
		ip, port, zone = a.IP, a.Port, a.Zone
	case *net.IPAddr:
		ip, zone = a.IP, a.Zone
	case *net.UnixAddr:
		if sa, ok := sockaddr.Unix(a.Name); ok && !k.inet() {
			return sa, nil
		}
	}
	na, ok := netip.AddrFromSlice(ip)
	if !ok || !k.inet() {
		return nil, net.InvalidAddrError("not an address of " + k.network)
	}
	scope, err := p.zoneScope(zone)
	if err != nil {
		return nil, err
	}
	return sockaddr.Inet(na.Unmap(), uint16(port), scope), nil
}

// opError wraps an error as package net's calls do.
func opError(op string, k *sockKind, from, to net.Addr, err error) error {
	if err == nil {
		return nil
	}
	var already *net.OpError
	if errors.As(err, &already) {
		return err
	}
	return &net.OpError{Op: op, Net: k.network, Source: from, Addr: to, Err: err}
}
