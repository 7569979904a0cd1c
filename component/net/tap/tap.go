// Package tap is component rumpnet_tap: the Ethernet interfaces of tap(4), whose other end is a program that has /dev/tapN open: it reads the frames
// that the interface sends and writes those that it receives. Opening /dev/tap makes a new interface, which lives as long as
// it is open.
//
// Start reading at device.Open.
package tap

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/ifqueue"
)

const (
	major = 169 // on all machines of NetBSD
	// cloneMinor is the minor number of /dev/tap.
	cloneMinor = 0xfffff
	nodes      = 4 // /dev/tap0 to /dev/tap3, as the original has them

	mtu = 1500
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_tap",
		Needs:  []string{"rumpnet", "rumpnet_net", "rumpvfs", "rumpdev"},
		Doc:    "interfaces that programs serve",
		Attach: attach,
	}
}

func attach(k *kern.Kernel) error {
	d := &device{net: ifnet.Of(k)}
	d.net.RegisterCloner(cloner{})
	err := k.Sysctl().Create(
		kern.SysctlNode{Path: "net.link", Num: abi.PF_LINK, Desc: "link options"},
		kern.SysctlNode{Path: "net.link.tap", Num: abi.CTL_CREATE, Desc: "Virtual tap devices"},
	)
	if err != nil {
		return err
	}
	if err := k.AttachDevice("tap", major, -1, d); err != nil {
		return err
	}
	list := []kern.DevNode{{Name: "tap", Mode: abi.S_IFCHR | 0o644, Dev: kern.Makedev(major, cloneMinor)}}
	for i := range nodes {
		list = append(list, kern.DevNode{Name: "tap" + strconv.Itoa(i), Mode: abi.S_IFCHR | 0o644, Dev: kern.Makedev(major, i)})
	}
	return k.AddDevNodes(list...)
}

type cloner struct{}

func (cloner) Prefix() string { return "tap" }

// Create makes an interface that is down, with an Ethernet address of its own.
func (cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	d := &driver{}
	ifp := ifnet.NewEthernet("tap", unit, d)
	mac := [6]byte{0xf2, 0x0b, 0xa4}
	rand.Read(mac[3:])
	if err := n.Attach(ifp, mac[:], mtu, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST); err != nil {
		return nil, err
	}
	return ifp, createSysctl(ifp)
}

// createSysctl makes net.link.tap.tapN, the interface's address, which can be changed: tap(4).
func createSysctl(ifp *ifnet.Interface) error {
	get := func(*kern.SysctlRequest) (string, error) { return net.HardwareAddr(ifp.LinkAddr()).String(), nil }
	set := func(_ *kern.SysctlRequest, s string) error {
		mac, err := net.ParseMAC(s)
		if err != nil || len(mac) != 6 {
			return abi.EINVAL
		}
		ifp.Net.Config.Lock()
		defer ifp.Net.Config.Unlock()
		ifp.SetLinkAddr(mac)
		return nil
	}
	const size = len("00:00:00:00:00:00") + 1
	return ifp.Net.K.Sysctl().Create(kern.SysctlNode{Path: "net.link.tap." + ifp.Name, Num: int32(ifp.Unit), Value: kern.SysctlString(size, get, set)})
}

// driver is an interface's driver.
type driver struct {
	queue ifqueue.Queue
	open  atomic.Bool // a program has the device open
}

var (
	_ ifnet.Starter   = (*driver)(nil)
	_ ifnet.Destroyer = (*driver)(nil)
)

// Start begins to queue frames for the program.
func (d *driver) Start(ifp *ifnet.Interface) error {
	ifp.SetRunning(true)
	return nil
}

// Stop drops what the program has not read.
func (d *driver) Stop(*ifnet.Interface) { d.queue.Purge() }

// Destroy ends the reads of a program that has the device open.
func (d *driver) Destroy(ifp *ifnet.Interface) {
	ifp.Net.K.Sysctl().Destroy("net.link.tap." + ifp.Name)
	d.queue.Close()
}

// Transmit queues frames. Without a program they are dropped, as on a wire without anybody.
func (d *driver) Transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	if !d.open.Load() {
		for _, p := range pkts {
			p.Release()
		}
		return nil
	}
	err := d.queue.Put(pkts)
	if err != nil {
		ifp.Stats.Oerrors.Add(1)
	}
	return err
}

// device is the driver of /dev/tap and /dev/tapN.
type device struct {
	net *ifnet.Net
}

// Open opens the program's end of an interface, which must be there; for /dev/tap it makes one. Errors: ENXIO, EBUSY for one that
// is open already.
func (d *device) Open(t *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	if kern.Minor(dev) == cloneMinor {
		return d.clone(t)
	}
	ifp := d.net.ByName(fmt.Sprint("tap", kern.Minor(dev)))
	if ifp == nil {
		return nil, abi.ENXIO
	}
	return openEnd(ifp)
}

func openEnd(ifp *ifnet.Interface) (*end, error) {
	drv, ok := ifp.Driver.(*driver)
	if !ok {
		return nil, abi.ENXIO
	}
	if !drv.open.CompareAndSwap(false, true) {
		return nil, abi.EBUSY
	}
	return &end{Queue: &drv.queue, ifp: ifp, driver: drv}, nil
}

// clone makes an interface of the lowest number that is free.
func (d *device) clone(t *kern.Thread) (kern.Ops, error) {
	for unit := 0; unit < cloneMinor; unit++ {
		ifp, err := d.net.Create(t, "tap"+strconv.Itoa(unit))
		if err == abi.EEXIST {
			continue
		}
		if err != nil {
			return nil, err
		}
		e, err := openEnd(ifp)
		if err != nil {
			return nil, err
		}
		e.cloned = true
		return e, nil
	}
	return nil, abi.ENXIO
}

// end is the program's end of an interface.
type end struct {
	*ifqueue.Queue
	ifp    *ifnet.Interface
	driver *driver
	cloned bool // the interface goes with it
}

var (
	_ kern.Reader  = (*end)(nil)
	_ kern.Writer  = (*end)(nil)
	_ kern.Ioctler = (*end)(nil)
)

// Close lets another program open the device; an interface that was made for this one is destroyed.
func (e *end) Close(*kern.Thread, *kern.File) error {
	e.driver.open.Store(false)
	e.Purge()
	if e.cloned && e.ifp.Net.ByName(e.ifp.Name) == e.ifp {
		return e.ifp.Net.Destroy(e.ifp.Name)
	}
	return nil
}

// Read is the next frame that the interface sends; what has no room is lost. Errors: EHOSTDOWN for an interface that is down, EWOULDBLOCK, EINTR,
// ENXIO when it has been destroyed.
func (e *end) Read(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	if e.ifp.Flags()&abi.IFF_UP == 0 {
		return 0, abi.EHOSTDOWN
	}
	pkt, err := e.Get(t, f.Nonblock())
	if err != nil {
		return 0, err
	}
	defer pkt.Release()
	n, _ := pkt.Buf.ReadAt(p, 0)
	return n, nil
}

// Write has the interface receive a frame.
func (e *end) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	if len(p) < ifnet.EtherHdrLen {
		e.ifp.Stats.Ierrors.Add(1)
		return len(p), nil
	}
	e.ifp.Input(ifnet.NewPacket(p))
	return len(p), nil
}

// Ioctl serves TAPGIFNAME, which says which interface it is, and FIONREAD. Errors: ENOTTY.
func (e *end) Ioctl(_ *kern.Thread, _ *kern.File, cmd uint32, data []byte) error {
	switch cmd {
	case abi.TAPGIFNAME:
		var req abi.Ifreq
		copy(req.Name[:abi.IFNAMSIZ-1], e.ifp.Name)
		return req.Encode(data)
	case abi.FIONREAD:
		binary.LittleEndian.PutUint32(data, uint32(e.First()))
		return nil
	}
	return abi.ENOTTY
}
