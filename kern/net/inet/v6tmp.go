package inet

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

func (in *Inet) input6(ifp *ifnet.Interface, p *ifnet.Packet) { p.Release() }
func (e *endpoint) write6(src, dst netip.Addr, params stack.NetworkHeaderParams, pkt *stack.PacketBuffer, o outgoing) error {
	return abi.EHOSTUNREACH
}
func (in *Inet) route6(dst netip.Addr, o outgoing) (hop, error)      { return hop{}, abi.EHOSTUNREACH }
func (in *Inet) source6(dst netip.Addr, ifc *iface) *ifaddr          { return nil }
func (ifc *iface) askNS(a netip.Addr, mac *macAddr)                  {}
func (ifc *iface) probeNS(a netip.Addr)                              {}
func (t *neighborTable) solicit(e *neighbor) bool                    { return false }
func (t *neighborTable) delay(e *neighbor)                           {}
func (ifc *iface) sendNA(a, dst netip.Addr, mac *macAddr, flags int) {}
func (in *Inet) icmp6Error(d *datagram, why icmpReason)              {}
func (ifc *iface) joinSolicited(netip.Addr)                          {}
func (ifc *iface) leaveSolicited(netip.Addr)                         {}
func (ifc *iface) sendMLD(typ byte, a netip.Addr)                    {}
func (ia *ifaddr) stopLifetime()                                     {}
func (ifc *iface) hopLimit() uint8                                   { return 64 }
func (in *Inet) start6(ifc *iface)                                   {}
func (ifc *iface) up6()                                              {}

const (
	mldReport  = 131
	mldDone    = 132
	naOverride = 1
)

type ndInfo struct{}

func (n *ndInfo) init(in *Inet)              {}
func (n *ndInfo) down(ifc *iface)            {}
func (n *ndInfo) close()                     {}
func (n *ndInfo) linkMTU(mtu uint32) uint32  { return mtu }
func (n *ndInfo) retransTime() time.Duration { return time.Second }

var ioctls6 = map[uint32]ioctlRow{}

func nodes4(in *Inet) []kern.SysctlNode                    { return nil }
func nodes6(in *Inet) []kern.SysctlNode                    { return nil }
func (in *Inet) createNodes(nodes []kern.SysctlNode) error { return in.K.Sysctl().Create(nodes...) }
