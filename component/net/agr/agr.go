// Package agr is component rumpnet_agr: aggregated links of agr(4), several Ethernets used as one. Frames are distributed over those ports that are up, by a
// hash of their addresses, so that those of a connection stay in order, or in turn (link0).
//
// Aggregation is static alone (link1): the control protocol LACP is not there, and an interface without link1 takes no ports. Start
// reading at aggregate.Transmit.
package agr

import (
	"hash/maphash"
	"slices"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

const (
	roundRobin = abi.IFF_LINK0
	static     = abi.IFF_LINK1

	mtu = 1500
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_agr",
		Needs:  []string{"rumpnet", "rumpnet_net"},
		Doc:    "aggregated links",
		Attach: func(k *kern.Kernel) error { Attach(ifnet.Of(k)); return nil },
	}
}

// Attach brings the cloner of aggregates.
func Attach(n *ifnet.Net) {
	n.RegisterCloner(cloner{})
	n.Observe(func(e ifnet.Event) {
		if a, ok := e.If.Port().(*aggregate); ok && e.Kind == ifnet.Detaching {
			a.remove(e.If)
		}
		if a, ok := e.If.Driver.(*aggregate); ok && e.Kind == ifnet.LinkAddrChanged {
			a.addressPorts()
		}
	})
}

type cloner struct{}

func (cloner) Prefix() string { return "agr" }

// Create makes an interface without ports, that is down and has no address: it gets its first port's.
func (cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	a := &aggregate{seed: maphash.MakeSeed()}
	a.ifp = ifnet.NewEthernet("agr", unit, a)
	a.ifp.SetCaps(ifnet.CapChecksum | ifnet.CapSegment) // the ports do what they lack
	err := n.Attach(a.ifp, nil, mtu, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST)
	return a.ifp, err
}

// aggregate is an interface's driver, and the port of its ports.
type aggregate struct {
	ifp   *ifnet.Interface
	seed  maphash.Seed
	ports atomic.Pointer[[]*port] // changed under Net.Config
	turn  atomic.Uint32           // of round robin
}

// port is an interface that belongs to an aggregate, and the address that it had before.
type port struct {
	ifp    *ifnet.Interface
	lladdr []byte
}

var (
	_ ifnet.Port       = (*aggregate)(nil)
	_ ifnet.Driver     = (*aggregate)(nil)
	_ ifnet.Starter    = (*aggregate)(nil)
	_ ifnet.Ioctler    = (*aggregate)(nil)
	_ ifnet.Destroyer  = (*aggregate)(nil)
	_ ifnet.Promiscuer = (*aggregate)(nil)
)

func (a *aggregate) list() []*port {
	if p := a.ports.Load(); p != nil {
		return *p
	}
	return nil
}

// add makes an interface a port: it takes the aggregate's address, the first one gives its own. Config held.
//
// Errors: EOPNOTSUPP without link1, EBUSY for one that is a port or has addresses of its own, EINVAL for an aggregate, EPROTONOSUPPORT for what
// is no Ethernet.
func (a *aggregate) add(ifp *ifnet.Interface) error {
	_, nested := ifp.Driver.(*aggregate)
	switch {
	case a.ifp.Flags()&static == 0:
		return abi.EOPNOTSUPP
	case ifp.Port() != nil, len(ifp.Addrs()) > 1:
		return abi.EBUSY
	case nested:
		return abi.EINVAL
	case ifp.Type != abi.IFT_ETHER:
		return abi.EPROTONOSUPPORT
	}
	if err := ifp.SetPort(a); err != nil {
		return err
	}
	p := &port{ifp: ifp, lladdr: ifp.LinkAddr()}
	first := len(a.list()) == 0
	ports := append(slices.Clone(a.list()), p)
	a.ports.Store(&ports)
	if first {
		a.ifp.SetLinkAddr(p.lladdr)
	}
	ifp.SetLinkAddr(a.ifp.LinkAddr())
	if a.ifp.Flags()&abi.IFF_PROMISC != 0 {
		ifp.SetPromiscuous(1)
	}
	return a.ifp.SetFlags(abi.IFF_RUNNING, 0)
}

// remove gives a port its address back, and says whether there was such a port. Config held.
func (a *aggregate) remove(ifp *ifnet.Interface) bool {
	i := slices.IndexFunc(a.list(), func(p *port) bool { return p.ifp == ifp })
	if i < 0 {
		return false
	}
	p := a.list()[i]
	ports := slices.Delete(slices.Clone(a.list()), i, i+1)
	a.ports.Store(&ports)
	ifp.SetPort(nil)
	if a.ifp.Flags()&abi.IFF_PROMISC != 0 {
		ifp.SetPromiscuous(-1)
	}
	ifp.SetLinkAddr(p.lladdr)
	if len(ports) == 0 {
		a.ifp.SetRunning(false)
	}
	return true
}

// addressPorts gives the ports the aggregate's address after that has changed.
func (a *aggregate) addressPorts() {
	for _, p := range a.list() {
		p.ifp.SetLinkAddr(a.ifp.LinkAddr())
	}
}

// SetPromiscuous passes on to the ports what is asked of the aggregate. Config held.
func (a *aggregate) SetPromiscuous(_ *ifnet.Interface, on bool) {
	by := -1
	if on {
		by = 1
	}
	for _, p := range a.list() {
		p.ifp.SetPromiscuous(by)
	}
}

// Start begins to pass frames, if there are ports.
func (a *aggregate) Start(ifp *ifnet.Interface) error {
	ifp.SetRunning(len(a.list()) > 0)
	return nil
}

// Stop has nothing to do: the interface takes no frames when it is down.
func (a *aggregate) Stop(*ifnet.Interface) {}

// Destroy lets the ports go.
func (a *aggregate) Destroy(*ifnet.Interface) {
	for _, p := range a.list() {
		a.remove(p.ifp)
	}
}

// InputPacket takes what a port received: it is the aggregate's.
func (a *aggregate) InputPacket(_ *ifnet.Interface, p *ifnet.Packet) bool {
	p.Flags &^= ifnet.Broadcast | ifnet.Multicast | ifnet.Promiscuous
	a.ifp.Input(p)
	return true
}

// OutputPacket leaves alone what is sent on a port itself.
func (a *aggregate) OutputPacket(*ifnet.Interface, *ifnet.Packet) bool { return false }

// Transmit distributes frames over the ports that are up. Errors: ENETDOWN without any, the ports'.
func (a *aggregate) Transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	up := slices.DeleteFunc(slices.Clone(a.list()), func(p *port) bool { return !p.ifp.Up() })
	var err error
	for _, p := range pkts {
		sent := error(abi.ENETDOWN)
		if len(up) > 0 {
			sent = up[a.choose(ifp, p)%uint32(len(up))].ifp.Enqueue(p)
		} else {
			p.Release()
		}
		if sent != nil {
			ifp.Stats.Oerrors.Add(1)
			err = sent
		}
	}
	return err
}

// choose is a number that says which port a frame goes to: the same for all frames of a connection, or the next one.
func (a *aggregate) choose(ifp *ifnet.Interface, p *ifnet.Packet) uint32 {
	if ifp.Flags()&roundRobin != 0 {
		return a.turn.Add(1)
	}
	var b [60]byte
	n, _ := p.Buf.ReadAt(b[:], 0)
	return uint32(maphash.Bytes(a.seed, flow(b[:n])))
}

// flow is what says to which connection a frame belongs: its Ethernet addresses, or the IP addresses of one that has such. Ports are left out, for
// fragments have none.
func flow(b []byte) []byte {
	const tag = 4
	at := 12
	if len(b) >= at+2+tag && b[at] == 0x81 && b[at+1] == 0 {
		at += tag
	}
	switch {
	case len(b) >= at+2+20 && b[at] == 0x08 && b[at+1] == 0x00:
		return b[at+2+12 : at+2+20]
	case len(b) >= at+2+40 && b[at] == 0x86 && b[at+1] == 0xdd:
		return b[at+2+8 : at+2+40]
	}
	return b[:min(len(b), 12)]
}
