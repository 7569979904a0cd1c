package ifnet

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Port is what an interface belongs to that takes its packets: a bridge, an agr. See SetPort.
type Port interface {
	// InputPacket is offered each packet that the interface received, after the taps. It says whether it has taken it.
	InputPacket(ifp *Interface, p *Packet) (taken bool)
	// OutputPacket is offered each packet that a protocol sends on the interface, before the taps; likewise.
	OutputPacket(ifp *Interface, p *Packet) (taken bool)
}

type portBox struct{ Port }

// Tap sees every packet in and out; it must neither change nor keep it. out says which direction.
type Tap interface {
	Tap(ifp *Interface, p *Packet, out bool)
}

// AddTap has tap see the interface's packets.
func (ifp *Interface) AddTap(tap Tap) {
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	taps := append(slices.Clone(ifp.tapList()), tap)
	ifp.taps.Store(&taps)
}

// RemoveTap undoes AddTap. A packet that is on its way may still be shown.
func (ifp *Interface) RemoveTap(tap Tap) {
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	taps := slices.Clone(ifp.tapList())
	if i := slices.Index(taps, tap); i >= 0 {
		taps = slices.Delete(taps, i, i+1)
	}
	ifp.taps.Store(&taps)
}

func (ifp *Interface) tapList() []Tap {
	if p := ifp.taps.Load(); p != nil {
		return *p
	}
	return nil
}

// tap shows a packet to the taps.
func (ifp *Interface) tap(p *Packet, out bool) {
	for _, t := range ifp.tapList() {
		t.Tap(ifp, p, out)
	}
}

// SetPort makes the interface a member of a bridge or the like; nil ends that. Errors: EBUSY for one that is one already.
func (ifp *Interface) SetPort(port Port) error {
	if port == nil {
		ifp.port.Store(nil)
		return nil
	}
	if !ifp.port.CompareAndSwap(nil, &portBox{port}) {
		return abi.EBUSY
	}
	return nil
}

// Port is what SetPort has set; nil without.
func (ifp *Interface) Port() Port {
	if b := ifp.port.Load(); b != nil {
		return b.Port
	}
	return nil
}

// SetPromiscuous counts who wants all frames of the wire: by is 1 or -1. IFF_PROMISC is set while somebody does. Config held.
func (ifp *Interface) SetPromiscuous(by int) {
	ifp.mu.Lock()
	before := ifp.promisc
	ifp.promisc = max(before+by, 0)
	after := ifp.promisc
	ifp.mu.Unlock()
	switch {
	case before == 0 && after > 0:
		ifp.changeFlags(abi.IFF_PROMISC, 0)
	case before > 0 && after == 0:
		ifp.changeFlags(0, abi.IFF_PROMISC)
	default:
		return
	}
	if d, ok := ifp.Driver.(Promiscuer); ok {
		d.SetPromiscuous(ifp, after > 0)
	}
}
