// Package bridge is component rumpnet_bridge: bridges of bridge(4), which join Ethernets into one. A bridge learns which addresses are behind
// which member and forwards frames only where they need to go.
//
// The spanning tree protocol is not there: brconfig's stp, and the parameters that only it would read, are EOPNOTSUPP. Start reading at
// bridge.InputPacket.
package bridge

import (
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_bridge",
		Needs:  []string{"rumpnet", "rumpnet_net"},
		Doc:    "bridges",
		Attach: func(k *kern.Kernel) error { Attach(ifnet.Of(k)); return nil },
	}
}

// Attach brings the cloner of bridges.
func Attach(n *ifnet.Net) {
	n.RegisterCloner(cloner{})
	n.Observe(func(e ifnet.Event) {
		if e.Kind != ifnet.Detaching {
			return
		}
		if b, ok := e.If.Port().(*bridge); ok {
			b.remove(e.If)
		}
	})
}

type cloner struct{}

func (cloner) Prefix() string { return "bridge" }

// Create makes a bridge without members, that is down.
func (cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	b := &bridge{}
	b.table.limit, b.table.timeout = defaultCache, defaultTimeout
	b.ifp = &ifnet.Interface{
		Name: "bridge" + strconv.Itoa(unit), Prefix: "bridge", Unit: unit,
		Type: abi.IFT_BRIDGE, HdrLen: ifnet.EtherHdrLen, DLT: abi.DLT_EN10MB, Driver: b,
	}
	b.ifp.SetCaps(ifnet.CapChecksum | ifnet.CapSegment) // the members do what they lack
	err := n.Attach(b.ifp, nil, 1500, abi.IFF_BROADCAST|abi.IFF_MULTICAST)
	return b.ifp, err
}

// bridge is a bridge's driver, and the port of its members.
type bridge struct {
	ifp     *ifnet.Interface
	members atomic.Pointer[[]*member] // changed under Net.Config
	table   table
}

// member is an interface that belongs to a bridge.
type member struct {
	ifp   *ifnet.Interface
	flags atomic.Uint32 // IFBIF_LEARNING, IFBIF_DISCOVER
}

var (
	_ ifnet.Port      = (*bridge)(nil)
	_ ifnet.Driver    = (*bridge)(nil)
	_ ifnet.Starter   = (*bridge)(nil)
	_ ifnet.Ioctler   = (*bridge)(nil)
	_ ifnet.Destroyer = (*bridge)(nil)
)

func (b *bridge) list() []*member {
	if p := b.members.Load(); p != nil {
		return *p
	}
	return nil
}

// find is the member of an interface; nil for none.
func (b *bridge) find(ifp *ifnet.Interface) *member {
	for _, m := range b.list() {
		if m.ifp == ifp {
			return m
		}
	}
	return nil
}

// add makes an interface a member, promiscuous from then on. Config held. Errors: EEXIST, EBUSY, EINVAL for what is no Ethernet.
func (b *bridge) add(ifp *ifnet.Interface) error {
	switch {
	case b.find(ifp) != nil:
		return abi.EEXIST
	case ifp.Type != abi.IFT_ETHER:
		return abi.EINVAL
	}
	if err := ifp.SetPort(b); err != nil {
		return err
	}
	ifp.SetPromiscuous(1)
	m := &member{ifp: ifp}
	m.flags.Store(abi.IFBIF_LEARNING | abi.IFBIF_DISCOVER)
	members := append(slices.Clone(b.list()), m)
	b.members.Store(&members)
	return nil
}

// remove ends a membership. Config held.
func (b *bridge) remove(ifp *ifnet.Interface) {
	if b.find(ifp) == nil {
		return
	}
	members := slices.DeleteFunc(slices.Clone(b.list()), func(m *member) bool { return m.ifp == ifp })
	b.members.Store(&members)
	ifp.SetPort(nil)
	ifp.SetPromiscuous(-1)
	b.table.forget(func(e *entry) bool { return e.member.ifp == ifp })
}

// Start begins to forward.
func (b *bridge) Start(ifp *ifnet.Interface) error {
	ifp.SetRunning(true)
	return nil
}

// Stop ends forwarding; the members are interfaces like any other then.
func (b *bridge) Stop(*ifnet.Interface) {
	b.table.forget(func(e *entry) bool { return !e.static })
}

// Destroy lets the members go.
func (b *bridge) Destroy(*ifnet.Interface) {
	for _, m := range b.list() {
		b.remove(m.ifp)
	}
}
