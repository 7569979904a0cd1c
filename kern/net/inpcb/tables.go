package inpcb

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// Tables are a kernel's internet sockets.
type Tables struct {
	k      *kern.Kernel
	in     *inet.Inet
	stack  *stack.Stack
	net    *ifnet.Net
	routes *route.Table

	tcp, udp   *table
	raw4, raw6 *table
}

type key struct{}

// Of is the kernel's internet sockets; nil without rumpnet_netinet.
func Of(k *kern.Kernel) *Tables {
	l := socket.Of(k)
	if l == nil {
		return nil
	}
	ts, _ := l.Part(key{}).(*Tables)
	return ts
}

// Attach4 brings PF_INET, and lists of its sockets to sysctl: what component rumpnet_netinet does after inet.Attach.
func Attach4(k *kern.Kernel) error {
	in := inet.Of(k)
	ts := &Tables{
		k: k, in: in, stack: in.Stack, net: in.Net, routes: in.Table,
		tcp: newTable(), udp: newTable(), raw4: newTable(), raw6: newTable(),
	}
	ts.setDefaults()
	l := socket.Of(k)
	l.SetPart(key{}, ts)
	in.HandleRaw(abi.AF_INET, inet.AnyProtocol, ts.rawInput4)
	if err := ts.createNodes(nodes4); err != nil {
		return err
	}
	l.Register(abi.PF_INET, &domain{ts: ts})
	return nil
}

// Attach6 brings PF_INET6: what component rumpnet_netinet6 does after inet.Attach6. Attach4 has been called.
func Attach6(k *kern.Kernel) error {
	ts := Of(k)
	ts.in.HandleRaw(abi.AF_INET6, inet.AnyProtocol, ts.rawInput6)
	if err := ts.createNodes(nodes6); err != nil {
		return err
	}
	socket.Of(k).Register(abi.PF_INET6, &domain{ts: ts, v6: true})
	return nil
}

// local says whether a socket may be bound to a: it is unspecified, or an address of the kernel's; with groups, a multicast group or a
// network's broadcast address too. Errors: EADDRNOTAVAIL.
func (ts *Tables) local(a address, groups bool) error {
	ip := a.ip.Unmap()
	if ip.IsUnspecified() || groups && (ip.IsMulticast() || ip.Is4() && ts.in.IsBroadcast(ip)) {
		return nil
	}
	if _, ok := ts.in.LocalAddr(ip, a.scope); !ok {
		return abi.EADDRNOTAVAIL
	}
	return nil
}

// destination is the address that a is understood as by connect(2): an unspecified one is this host, 255.255.255.255 the broadcast address of the
// first network that has one.
//
// Errors: EADDRNOTAVAIL for port 0.
func (ts *Tables) destination(a address) (address, error) {
	if a.port == 0 {
		return a, abi.EADDRNOTAVAIL
	}
	switch ip := a.ip.Unmap(); {
	case ip == netip.IPv6Unspecified():
		a.ip = netip.IPv6Loopback()
	case ip.IsUnspecified():
		if first := ts.firstAddr(func(ia *ifnet.Addr) []byte { return ia.Addr }, 0); first.IsValid() {
			a.ip = sameForm(a.ip, first)
		}
	case ip == broadcast4:
		if first := ts.firstAddr(func(ia *ifnet.Addr) []byte { return ia.Dst }, abi.IFF_BROADCAST); first.IsValid() {
			a.ip = sameForm(a.ip, first)
		}
	}
	return a, nil
}

var broadcast4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// sameForm is an IPv4 address, mapped if model is.
func sameForm(model, ip netip.Addr) netip.Addr {
	if model.Is4In6() {
		return netip.AddrFrom16(ip.As16())
	}
	return ip
}

// firstAddr is the first IPv4 address of the first interface with the flags that has one; the zero Addr without.
func (ts *Tables) firstAddr(of func(ia *ifnet.Addr) []byte, flags uint32) netip.Addr {
	for _, ifp := range ts.net.Interfaces() {
		if ifp.Flags()&flags != flags {
			continue
		}
		for _, ia := range ifp.Addrs() {
			if ia.Family != abi.AF_INET {
				continue
			}
			if a, err := parse(false, of(ia)); err == nil {
				return a.ip
			}
		}
	}
	return netip.Addr{}
}

// source chooses the address that packets to a foreign one come from: what the socket is bound to, or what suits the route. ifp is the
// interface to leave through, nil if that is the routing table's choice.
//
// Errors: EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL.
func (ts *Tables) source(bound, foreign address, ifp *ifnet.Interface) (address, error) {
	if !bound.any() {
		return bound, nil
	}
	if foreign.scope != 0 {
		if ifp = ts.net.ByIndex(foreign.scope); ifp == nil {
			return address{}, abi.ENXIO
		}
	}
	ip, ok := ts.in.SourceFor(foreign.ip.Unmap(), ifp)
	if !ok {
		return address{}, ts.noSource(foreign.ip.Unmap())
	}
	src := address{ip: ip, port: bound.port}
	if foreign.ip.Is4In6() {
		src.ip = netip.AddrFrom16(ip.As16())
	}
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		src.scope = foreign.scope
	}
	return src, nil
}

// noSource is why there is no source address: no route, or, on a host without a network, no address to come from.
func (ts *Tables) noSource(dst netip.Addr) error {
	if dst.Is4() && !ts.firstAddr(func(ia *ifnet.Addr) []byte { return ia.Dst }, abi.IFF_BROADCAST).IsValid() {
		return abi.EADDRNOTAVAIL
	}
	if err := ts.in.Reachable(dst); err != nil {
		return err
	}
	return abi.EADDRNOTAVAIL
}

// routeTo is the interface that packets to an address leave through; nil without a route.
func (ts *Tables) routeTo(a address) *ifnet.Interface {
	if a.scope != 0 {
		return ts.net.ByIndex(a.scope)
	}
	return ts.routeIf(a.ip.Unmap())
}

// direct says whether an address can be reached without a gateway: SO_DONTROUTE. Errors: ENETUNREACH.
func (ts *Tables) direct(a address) error {
	if e := ts.routes.Lookup(a.ip.Unmap(), a.scope); e == nil || e.Flags&abi.RTF_GATEWAY != 0 {
		return abi.ENETUNREACH
	}
	return nil
}
