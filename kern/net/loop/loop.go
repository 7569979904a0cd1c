// Package loop is the loopback interface, lo(4): what is sent on it comes back. lo0 is always there, further ones are cloned.
//
// Packets come back on another goroutine than the one that sent them: a protocol may send while it holds its locks. That goroutine is
// there while packets come, and for a moment after. Start reading at driver.
package loop

import (
	"strconv"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// The MTU of a new interface, and the largest that it may be given: 32 and 64 KiB, and what two mbufs have beside their heads.
const (
	mtu    = 33624
	maxMTU = mtu + 32768
)

// Attach brings the cloner "lo" and the first interface, lo0, which is down and has no address.
func Attach(n *ifnet.Net) error {
	n.Config.Lock()
	defer n.Config.Unlock()
	if _, err := (cloner{}).Create(nil, n, 0); err != nil {
		return err
	}
	n.RegisterCloner(cloner{})
	return nil
}

type cloner struct{}

var (
	_ ifnet.Cloner = cloner{}
	_ ifnet.Keeper = cloner{}
)

// Prefix is "lo".
func (cloner) Prefix() string { return "lo" }

// Create makes an interface.
func (cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := &ifnet.Interface{
		Name: "lo" + strconv.Itoa(unit), Prefix: "lo", Unit: unit,
		Type: abi.IFT_LOOP, DLT: abi.DLT_NULL, Driver: &driver{wake: make(chan struct{}, 1)}, MaxMTU: maxMTU,
	}
	ifp.SetCaps(ifnet.CapChecksum | ifnet.CapSegment)
	return ifp, n.Attach(ifp, nil, mtu, abi.IFF_LOOPBACK|abi.IFF_MULTICAST|abi.IFF_RUNNING)
}

// Keep says that lo0 stays. Errors: EPERM.
func (cloner) Keep(ifp *ifnet.Interface) error {
	if ifp.Unit == 0 {
		return abi.EPERM
	}
	return nil
}

// maxQueue bounds the packets that wait to come back.
const maxQueue = 256

// linger is how long the goroutine stays when nothing waits any more. A new one would begin with a stack that has to grow anew, which costs more than
// the packet does.
const linger = 100 * time.Millisecond

// driver is a loopback interface's queue.
type driver struct {
	mu       sync.Mutex
	waiting  []*ifnet.Packet
	spare    []*ifnet.Packet // an empty queue to change waiting for
	running  bool            // a goroutine gives packets to the interface
	sleeping bool            // it waits for a receive from wake
	wake     chan struct{}   // of one place
}

var (
	_ ifnet.Driver  = (*driver)(nil)
	_ ifnet.Ioctler = (*driver)(nil)
)

// Transmit queues the packets for input. Errors: ENOBUFS when some found no room.
func (d *driver) Transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	d.mu.Lock()
	n := min(len(pkts), maxQueue-len(d.waiting))
	for _, p := range pkts[:n] {
		p.Flags |= ifnet.Looped | ifnet.ChecksumGood
		d.waiting = append(d.waiting, p)
	}
	if n > 0 {
		d.rouse(ifp)
	}
	d.mu.Unlock()
	if n == len(pkts) {
		return nil
	}
	for _, p := range pkts[n:] {
		p.Release()
	}
	ifp.Dropped(len(pkts) - n)
	return abi.ENOBUFS
}

// rouse has the goroutine see to the queue; with mu held.
func (d *driver) rouse(ifp *ifnet.Interface) {
	switch {
	case !d.running:
		d.running = true
		go d.run(ifp)
	case d.sleeping:
		d.sleeping = false
		d.wake <- struct{}{}
	}
}

// run gives the interface what waits, until for a while nothing has.
func (d *driver) run(ifp *ifnet.Interface) {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.running {
		d.empty(ifp)
		d.nap(timer)
	}
}

// empty gives the interface what waits, until nothing does. It is called with mu held, and lets it go meanwhile.
func (d *driver) empty(ifp *ifnet.Interface) {
	for len(d.waiting) > 0 {
		batch := d.waiting
		d.waiting = d.spare
		d.mu.Unlock()
		ifp.Input(batch...)
		clear(batch)
		d.mu.Lock()
		d.spare = batch[:0]
	}
}

// nap waits for something to be queued; after a while without, nobody runs any more. As empty it is called with mu held.
func (d *driver) nap(timer *time.Timer) {
	d.sleeping = true
	d.mu.Unlock()
	timer.Reset(linger)
	select {
	case <-d.wake:
		d.mu.Lock()
	case <-timer.C:
		d.mu.Lock()
		d.running = !d.sleeping
		if !d.sleeping {
			<-d.wake // roused at the last moment
		}
		d.sleeping = false
	}
}

// Ioctl takes any multicast group of the families that there are: everything comes back anyway. Errors: EAFNOSUPPORT.
func (d *driver) Ioctl(_ *kern.Thread, _ *ifnet.Interface, cmd uint32, data []byte) error {
	if cmd != abi.SIOCADDMULTI && cmd != abi.SIOCDELMULTI {
		return abi.ENOTTY
	}
	switch data[abi.IFNAMSIZ+1] {
	case abi.AF_INET, abi.AF_INET6:
		return nil
	}
	return abi.EAFNOSUPPORT
}
