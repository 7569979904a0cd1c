package shmif

import (
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
)

// memScheme begins the linkstr of a bus in memory: "mem:lan". A file of such a name is "./mem:lan".
const memScheme = "mem:"

// memBus is a bus in the memory of this program.
type memBus struct {
	bus  *membus.Bus
	port atomic.Pointer[membus.Port] // nil while the interface is down
}

func (b *memBus) caps() ifnet.Capabilities { return ifnet.CapChecksum | ifnet.CapSegment }
func (b *memBus) maxMTU() uint32           { return maxMTU }

func (b *memBus) start(ifp *ifnet.Interface) error {
	b.port.Store(b.bus.Join(ifp))
	return nil
}

func (b *memBus) stop() {
	if p := b.port.Swap(nil); p != nil {
		p.Close()
	}
}

func (b *memBus) transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	p := b.port.Load()
	if p == nil {
		release(pkts)
		return abi.ENETDOWN
	}
	p.Send(pkts)
	return nil
}

// setLinkAddr and setPromiscuous have nothing to do: the bus looks at the interface.
func (b *memBus) setLinkAddr(*ifnet.Interface) {}

func (b *memBus) setPromiscuous(*ifnet.Interface) {}

func (b *memBus) close() { b.stop() }
