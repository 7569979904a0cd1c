// Package gif is component rumpnet_gif: the tunnels of gif(4). What is sent on a gif interface goes out within IPv4 or IPv6 to the tunnel's other
// end, RFC 2893; what comes from there is what the interface receives.
//
// Tunnels within tunnels are refused, as NetBSD does unless told otherwise. Start reading at tunnel.Transmit and gifs.input.
package gif

import (
	"net/netip"
	"strconv"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// The protocols of a datagram within a datagram.
const (
	protoIPv4 = 4
	protoIPv6 = 41
)

// The MTU of a new interface, and its limits: gif(4).
const mtu, minMTU, maxMTU = 1280, 1280, 8192

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_gif",
		Needs:  []string{"rumpnet", "rumpnet_net", "rumpnet_netinet"},
		Doc:    "tunnels",
		Attach: attach,
	}
}

func attach(k *kern.Kernel) error {
	g := &gifs{in: inet.Of(k), table: route.Of(k)}
	for _, family := range []int{abi.AF_INET, abi.AF_INET6} {
		for _, proto := range []int{protoIPv4, protoIPv6} {
			g.in.HandleRaw(family, proto, g.input)
		}
	}
	ifnet.Of(k).RegisterCloner(g)
	return nil
}

// gifs are the gif interfaces of a kernel: their cloner.
type gifs struct {
	in    *inet.Inet
	table *route.Table
}

// Prefix is "gif".
func (g *gifs) Prefix() string { return "gif" }

// Create makes an interface without a tunnel, that is down.
func (g *gifs) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := &ifnet.Interface{
		Name: "gif" + strconv.Itoa(unit), Prefix: "gif", Unit: unit,
		Type: abi.IFT_GIF, DLT: abi.DLT_NULL, Driver: &tunnel{gifs: g}, MinMTU: minMTU, MaxMTU: maxMTU,
	}
	err := n.Attach(ifp, nil, mtu, abi.IFF_POINTOPOINT|abi.IFF_MULTICAST)
	return ifp, err
}

// tunnel is an interface's driver. Its ends change under Net.Config.
type tunnel struct {
	gifs *gifs
	ends atomic.Pointer[ends] // nil without a tunnel
}

// ends are a tunnel's addresses, of one family: ours and the other's. scope is the interface of link-local ones.
type ends struct {
	src, dst netip.Addr
	scope    *ifnet.Interface
}

var (
	_ ifnet.Driver  = (*tunnel)(nil)
	_ ifnet.Starter = (*tunnel)(nil)
	_ ifnet.Ioctler = (*tunnel)(nil)
)

// Start begins to pass packets, if there is a tunnel.
func (d *tunnel) Start(ifp *ifnet.Interface) error {
	ifp.SetRunning(d.ends.Load() != nil)
	return nil
}

// Stop has nothing to do: what comes for an interface that is down is not its.
func (d *tunnel) Stop(*ifnet.Interface) {}

// input finds the interface of a datagram that came through a tunnel, and has it receive what is inside.
func (g *gifs) input(d *inet.RawDatagram) bool {
	for _, ifp := range g.in.Net.Interfaces() {
		t, ok := ifp.Driver.(*tunnel)
		if !ok || !ifp.Up() {
			continue
		}
		e := t.ends.Load()
		if e == nil || e.src != d.Dst.WithZone("") || e.dst != d.Src.WithZone("") || !g.plausible(ifp, e, d) {
			continue
		}
		t.receive(ifp, d)
		return true
	}
	return false
}

// plausible says whether a datagram came in where its sender is: what gif(4)'s link2 turns off.
func (g *gifs) plausible(ifp *ifnet.Interface, e *ends, d *inet.RawDatagram) bool {
	if d.Flags&(ifnet.Broadcast|ifnet.Multicast) != 0 {
		return false
	}
	if ifp.Flags()&abi.IFF_LINK2 != 0 {
		return true
	}
	if e.scope != nil {
		return e.scope == d.If
	}
	entry := g.table.Lookup(e.dst, 0)
	return entry != nil && entry.If == d.If
}

// receive takes the datagram within a datagram out.
func (t *tunnel) receive(ifp *ifnet.Interface, d *inet.RawDatagram) {
	p := d.Packet.Clone()
	outer := trafficClass(p)
	p.Buf.TrimFront(int64(d.HeaderLen))
	p.Flags, p.Segment = 0, ifnet.Segment{}
	p.Family = abi.AF_INET
	if d.Protocol == protoIPv6 {
		p.Family = abi.AF_INET6
	}
	if version(p) != map[uint8]byte{abi.AF_INET: 4, abi.AF_INET6: 6}[p.Family] {
		ifp.Stats.Ierrors.Add(1)
		p.Release()
		return
	}
	if ifp.Flags()&abi.IFF_LINK1 != 0 && !egress(p, outer) {
		ifp.Stats.Ierrors.Add(1)
		p.Release()
		return
	}
	ifp.Input(p)
}
