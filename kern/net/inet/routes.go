package inet

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// routeChanged writes a change of the routing table into the stack's, which chooses by it the NIC and with it the MTU of a transport
// endpoint's packets. Rejecting routes are there too: they reject when a packet is sent. Config held.
func (in *Inet) routeChanged(old, new *route.Entry) {
	if old != nil {
		in.unlearn(old)
	}
	if old != nil && old.If != nil {
		was := stackRoute(old)
		in.Stack.RemoveRoutes(func(r tcpip.Route) bool { return r.Destination == was.Destination && r.NIC == was.NIC })
	}
	if new != nil && new.If != nil {
		in.Stack.AddRoute(stackRoute(new))
	}
}

// stackRoute is a route as the stack has it. The stack keeps them with the longest prefix first.
func stackRoute(e *route.Entry) tcpip.Route {
	p := tcpip.AddressWithPrefix{Address: toTCPIP(e.Dst.Addr()), PrefixLen: e.Dst.Bits()}
	return tcpip.Route{Destination: p.Subnet(), NIC: tcpip.NICID(e.If.Index), Gateway: toTCPIP(gatewayOf(e)), MTU: uint32(e.Metrics.Mtu)}
}

// gatewayOf is a route's next hop; the zero Addr for a network at hand.
func gatewayOf(e *route.Entry) netip.Addr { return e.Gateway.WithZone("") }
