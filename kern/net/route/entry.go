package route

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Entry is a route, as struct rtentry. An Entry in the table never changes but for its counters: a change replaces it.
type Entry struct {
	// Dst is what the route is to: a whole address for RTF_HOST. A link-local address's zone is not in it: see Scope.
	Dst netip.Prefix
	// Scope is the index of the interface that a link-local Dst is on; 0 for others. It is part of the key.
	Scope uint16
	// Flags are RTF_UP, RTF_GATEWAY, RTF_HOST, RTF_REJECT, RTF_BLACKHOLE, RTF_STATIC, RTF_LOCAL, ...
	Flags uint32
	// Gateway is the next hop of RTF_GATEWAY. Without that flag the route leads to If itself, and Gateway is only what programs are shown;
	// the zero Addr has them shown the interface.
	Gateway netip.Addr
	// GatewayScope is the interface that a link-local Gateway is on.
	GatewayScope uint16
	// GatewayLink is the RTA_GATEWAY of a route that is not RTF_GATEWAY, a sockaddr of AF_LINK as it was given; nil for
	// one that says no more than which interface.
	GatewayLink []byte
	// If is the interface, Addr the interface's address that packets on this route come from.
	If   *ifnet.Interface
	Addr *ifnet.Addr
	// Metrics are rmx_*, Inits the RTV_* that are locked. Tag is the sockaddr of RTA_TAG.
	Metrics abi.RtMetrics
	Locks   uint64
	Tag     []byte
	// Expire is rmx_expire, zero for never. The table does not act on it: who has the reason to end a route ends it.
	Expire time.Time
	// Use counts packets.
	Use atomic.Uint64
}

// Reject says how packets on the route are refused: EHOSTUNREACH or ENETUNREACH for RTF_REJECT, nil for others.
// (RTF_BLACKHOLE drops them silently.)
func (e *Entry) Reject() error {
	switch {
	case e.Flags&abi.RTF_REJECT == 0 || e.Flags&abi.RTF_BLACKHOLE != 0:
		return nil
	case e.Flags&abi.RTF_HOST != 0:
		return abi.EHOSTUNREACH
	}
	return abi.ENETUNREACH
}
