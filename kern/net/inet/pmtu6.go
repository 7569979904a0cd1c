package inet

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// pmtuTime is how long the MTU of a path is remembered: RFC 8201, 5.3.
const pmtuTime = 10 * time.Minute

// tooBig remembers the MTU of the path to the destination of a datagram of ours, which b, an ICMP message that says that it was too big, quotes: only
// we can cut it.
func (in *Inet) tooBig(ifc *iface, b []byte, mtu uint32) {
	if len(b) < icmpHdrLen+header.IPv6MinimumSize {
		return
	}
	h := header.IPv6(b[icmpHdrLen:])
	src, dst := fromTCPIP(h.SourceAddress()), fromTCPIP(h.DestinationAddress())
	if in.localAddr(src, ifc.ifp.Index) == nil || dst.IsMulticast() {
		return
	}
	in.later.do(func() { in.setPathMTU(ifc, dst, mtu) })
}

// setPathMTU makes a route to a host with the MTU of the path to it, for a while. Config held.
func (in *Inet) setPathMTU(ifc *iface, dst netip.Addr, mtu uint32) {
	scope := scopeOf(dst, ifc)
	e := in.Table.Lookup(dst, scope)
	if e == nil || e.If == nil || e.Flags&(abi.RTF_LOCAL|abi.RTF_REJECT|abi.RTF_BLACKHOLE) != 0 || mtu >= e.If.MTU() || e.Metrics.Mtu != 0 && e.Metrics.Mtu <= uint64(mtu) {
		return
	}
	n := &route.Entry{
		Dst: netip.PrefixFrom(dst, dst.BitLen()), Scope: scope, Flags: e.Flags & abi.RTF_GATEWAY,
		Gateway: e.Gateway, GatewayScope: e.GatewayScope, If: e.If, Addr: e.Addr, Metrics: e.Metrics, Expire: time.Now().Add(pmtuTime),
	}
	n.Metrics.Mtu = uint64(mtu)
	in.learn(e, n, pmtuTime)
}
