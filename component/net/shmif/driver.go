package shmif

import (
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/linkstr"
)

// medium is what frames travel on: a bus file, or memory.
type medium interface {
	// start has the medium give frames to ifp's Input: those that are sent after it returns. Config held.
	start(ifp *ifnet.Interface) error
	// stop ends that. Config held.
	stop()
	// transmit sends packets, which it owns; as ifnet.Driver.
	transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error
	// setLinkAddr says which address frames for ifp have, when it changes while it is started.
	setLinkAddr(ifp *ifnet.Interface)
	// setPromiscuous says that ifp begins or ends to want frames to others.
	setPromiscuous(ifp *ifnet.Interface)
	// caps is what packets it takes, maxMTU how large ones.
	caps() ifnet.Capabilities
	maxMTU() uint32
	// close gives up the medium, which is stopped; a transmit may still be under way.
	close()
}

// driver is an interface's driver. What it is connected to changes only under Net.Config, with the interface down.
type driver struct {
	linkstr string
	medium  atomic.Pointer[mediumBox]
}

type mediumBox struct{ medium }

var (
	_ ifnet.Driver    = (*driver)(nil)
	_ ifnet.Starter   = (*driver)(nil)
	_ ifnet.Ioctler   = (*driver)(nil)
	_ ifnet.Destroyer = (*driver)(nil)

	_ ifnet.Promiscuer = (*driver)(nil)
)

// Start begins to receive. Errors: ENXIO on no bus.
func (d *driver) Start(ifp *ifnet.Interface) error {
	m := d.medium.Load()
	if m == nil {
		return abi.ENXIO
	}
	if err := m.start(ifp); err != nil {
		return err
	}
	ifp.SetRunning(true)
	return nil
}

// Stop ends receiving.
func (d *driver) Stop(*ifnet.Interface) {
	if m := d.medium.Load(); m != nil {
		m.stop()
	}
}

// Transmit sends on the bus.
func (d *driver) Transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	m := d.medium.Load()
	if m == nil {
		release(pkts)
		return abi.ENETDOWN
	}
	return m.transmit(ifp, pkts)
}

// Destroy leaves the bus.
func (d *driver) Destroy(ifp *ifnet.Interface) { d.Disconnect(ifp) }

// announce tells the bus of the interface's new address.
func (d *driver) announce(ifp *ifnet.Interface) {
	if m := d.medium.Load(); m != nil && ifp.Flags()&abi.IFF_UP != 0 {
		m.setLinkAddr(ifp)
	}
}

// SetPromiscuous tells the bus, too.
func (d *driver) SetPromiscuous(ifp *ifnet.Interface, _ bool) {
	if m := d.medium.Load(); m != nil {
		m.setPromiscuous(ifp)
	}
}

func release(pkts []*ifnet.Packet) {
	for _, p := range pkts {
		p.Release()
	}
}

// Ioctl serves SIOCGLINKSTR and SIOCSLINKSTR, and refuses an MTU that the bus has no frames for.
func (d *driver) Ioctl(t *kern.Thread, ifp *ifnet.Interface, cmd uint32, data []byte) error {
	switch cmd {
	case abi.SIOCSIFMTU:
		return d.checkMTU(data)
	}
	return linkstr.Ioctl(t, ifp, d, cmd, data)
}

// checkMTU has the generic code go on with an MTU that is possible. Errors: EINVAL.
func (d *driver) checkMTU(data []byte) error {
	limit := uint32(etherMTU)
	if m := d.medium.Load(); m != nil {
		limit = m.maxMTU()
	}
	var req abi.Ifreq
	if err := req.Decode(data); err != nil {
		return err
	}
	if mtu := uint32(req.Mtu()); mtu > limit {
		return abi.EINVAL
	}
	return abi.ENOTTY
}
