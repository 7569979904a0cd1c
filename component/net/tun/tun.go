// Package tun is component rumpnet_tun: the interfaces of tun(4), which carry IP packets without a link header, and whose other end is a program
// that has /dev/tunN open: it reads the packets that the interface sends and writes those that it receives.
//
// Start reading at device.Open and tunnel.
package tun

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/ifqueue"
)

const (
	major = 40 // on all machines of NetBSD
	nodes = 4  // /dev/tun0 to /dev/tun3
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_tun",
		Needs:  []string{"rumpnet", "rumpnet_net", "rumpvfs", "rumpdev"},
		Doc:    "network interfaces whose packets programs read and write",
		Attach: attach,
	}
}

func attach(k *kern.Kernel) error {
	d := &device{net: ifnet.Of(k)}
	d.net.RegisterCloner(cloner{})
	if err := k.AttachDevice("tun", major, -1, d); err != nil {
		return err
	}
	var list []kern.DevNode
	for i := range nodes {
		list = append(list, kern.DevNode{Name: "tun" + strconv.Itoa(i), Mode: abi.S_IFCHR | 0o644, Dev: kern.Makedev(major, i)})
	}
	return k.AddDevNodes(list...)
}

type cloner struct{}

func (cloner) Prefix() string { return "tun" }

// Create makes an interface that is down, point to point.
func (cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := &ifnet.Interface{
		Name: "tun" + strconv.Itoa(unit), Prefix: "tun", Unit: unit,
		Type: abi.IFT_TUNNEL, DLT: abi.DLT_NULL, Driver: &tunnel{}, MinMTU: minMTU, MaxMTU: maxMTU,
	}
	err := n.Attach(ifp, nil, abi.TUNMTU, abi.IFF_POINTOPOINT)
	return ifp, err
}

// The limits of SIOCSIFMTU.
const minMTU, maxMTU = 68, 65535

// tunnel is an interface's driver.
type tunnel struct {
	queue ifqueue.Queue
	open  atomic.Bool // a program has the device open

	mu    sync.Mutex
	heads heads
	debug uint32 // TUNSDEBUG: packets that are dropped are logged
}

var (
	_ ifnet.Driver    = (*tunnel)(nil)
	_ ifnet.Starter   = (*tunnel)(nil)
	_ ifnet.Destroyer = (*tunnel)(nil)
)

// Start begins to queue packets for the program, if there is one.
func (d *tunnel) Start(ifp *ifnet.Interface) error {
	ifp.SetRunning(d.open.Load())
	return nil
}

// Stop drops what the program has not read.
func (d *tunnel) Stop(*ifnet.Interface) { d.queue.Purge() }

// Destroy ends the reads of a program that has the device open.
func (d *tunnel) Destroy(*ifnet.Interface) { d.queue.Close() }

// Transmit queues packets. Errors: EHOSTDOWN without a program, ENOBUFS.
func (d *tunnel) Transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	if !d.open.Load() {
		for _, p := range pkts {
			p.Release()
		}
		ifp.Stats.Oerrors.Add(uint64(len(pkts)))
		d.dropped(ifp, "sent", abi.EHOSTDOWN)
		return abi.EHOSTDOWN
	}
	err := d.queue.Put(pkts)
	if err != nil {
		ifp.Stats.Oerrors.Add(1)
		d.dropped(ifp, "sent", err)
	}
	return err
}

// dropped logs a packet that is lost, if TUNSDEBUG asks for it.
func (d *tunnel) dropped(ifp *ifnet.Interface, what string, err error) {
	d.mu.Lock()
	debug := d.debug
	d.mu.Unlock()
	if debug != 0 {
		ifp.Net.K.Logf("%s: packet %s and dropped: %v\n", ifp.Name, what, err)
	}
}

func (d *tunnel) head() heads {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.heads
}

// device is the driver of /dev/tunN.
type device struct {
	net *ifnet.Net
}

// Open opens the program's end of an interface, which is made if it is not there. Errors: EBUSY for one that is open already, ENXIO.
func (d *device) Open(t *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	name := fmt.Sprint("tun", kern.Minor(dev))
	ifp := d.net.ByName(name)
	if ifp == nil {
		var err error
		if ifp, err = d.net.Create(t, name); err != nil {
			return nil, abi.ENXIO
		}
	}
	drv, ok := ifp.Driver.(*tunnel)
	if !ok {
		return nil, abi.ENXIO
	}
	if !drv.open.CompareAndSwap(false, true) {
		return nil, abi.EBUSY
	}
	d.net.Config.Lock()
	defer d.net.Config.Unlock()
	if ifp.Flags()&abi.IFF_UP != 0 {
		ifp.SetRunning(true)
	}
	return &end{Queue: &drv.queue, ifp: ifp, tunnel: drv}, nil
}
