// Package virtif is component rumpnet_virtif: Ethernet interfaces (virt0, virt1, ...) connected to tap interfaces of the host, by which a kernel
// is on the host's network. The linkstr is the host's name of the interface; a number N stands for tunN, as in the original.
//
// The host must be Linux, and the user must be allowed to open the interface: one that root has made for him (ip tuntap add mode tap
// user NAME), or any with CAP_NET_ADMIN. Otherwise setting the linkstr fails with EPERM, EACCES or EOPNOTSUPP. Start reading at driver.
package virtif

import (
	"crypto/rand"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/linkstr"
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_virtif",
		Needs:  []string{"rumpnet", "rumpnet_net"},
		Doc:    "the host's interfaces",
		Attach: func(k *kern.Kernel) error { attach(ifnet.Of(k), openTap); return nil },
	}
}

// link is the program's end of a host's interface: a frame a read, a frame a write.
type link interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
}

func openTap(name string) (link, error) {
	f, err := host.OpenTap(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// attach brings the cloner, whose interfaces are closed when the kernel halts; open opens the host's interface of a name.
func attach(n *ifnet.Net, open func(name string) (link, error)) {
	n.RegisterCloner(cloner{open})
	if n.K == nil {
		return
	}
	n.K.AtHalt(func() {
		n.Config.Lock()
		defer n.Config.Unlock()
		for _, ifp := range n.Interfaces() {
			if d, ok := ifp.Driver.(*driver); ok {
				d.Disconnect(ifp)
			}
		}
	})
}

type cloner struct {
	open func(name string) (link, error)
}

func (cloner) Prefix() string { return "virt" }

// Create makes an interface that is down and connected to nothing.
func (c cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := ifnet.NewEthernet("virt", unit, &driver{open: c.open})
	mac := [6]byte{0xb2, 0x0a, 0, 0x0b, 0x0e, byte(unit)}
	rand.Read(mac[2:3])
	err := n.Attach(ifp, mac[:], 1500, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST)
	return ifp, err
}

// driver is an interface's driver. What it is connected to changes only under Net.Config, with the interface down.
type driver struct {
	open    func(name string) (link, error)
	linkstr string
	link    atomic.Pointer[link]
	reader  *reader // the last goroutine that received, nil before the first
}

// reader is a goroutine that receives.
type reader struct {
	stop chan struct{} // closed when it is to end
	done chan struct{} // closed when it has
}

var (
	_ ifnet.Driver      = (*driver)(nil)
	_ ifnet.Starter     = (*driver)(nil)
	_ ifnet.Ioctler     = (*driver)(nil)
	_ ifnet.Destroyer   = (*driver)(nil)
	_ linkstr.Connector = (*driver)(nil)
)

// Ioctl serves the linkstr.
func (d *driver) Ioctl(t *kern.Thread, ifp *ifnet.Interface, cmd uint32, data []byte) error {
	return linkstr.Ioctl(t, ifp, d, cmd, data)
}

// Linkstr is the name as it was given.
func (d *driver) Linkstr() string { return d.linkstr }

// Connect opens the host's interface. Errors: the host's: EPERM, EBUSY, EACCES, EOPNOTSUPP.
func (d *driver) Connect(_ *kern.Thread, _ *ifnet.Interface, name string) error {
	hostName := name
	if _, err := strconv.ParseUint(name, 10, 31); err == nil {
		hostName = "tun" + name
	}
	l, err := d.open(hostName)
	if err != nil {
		return host.Errno(err)
	}
	d.linkstr = name
	d.link.Store(&l)
	return nil
}

// Disconnect closes it.
func (d *driver) Disconnect(*ifnet.Interface) {
	d.linkstr = ""
	if l := d.link.Swap(nil); l != nil {
		(*l).Close()
	}
}

// Destroy closes it too.
func (d *driver) Destroy(ifp *ifnet.Interface) { d.Disconnect(ifp) }

// Start begins to receive. Errors: ENXIO for an interface that is connected to nothing.
func (d *driver) Start(ifp *ifnet.Interface) error {
	l := d.link.Load()
	if l == nil {
		return abi.ENXIO
	}
	before := d.reader
	d.reader = &reader{stop: make(chan struct{}), done: make(chan struct{})}
	go d.reader.run(ifp, *l, before)
	ifp.SetRunning(true)
	return nil
}

// Stop has the goroutine that receives end, and its read return.
func (d *driver) Stop(*ifnet.Interface) {
	close(d.reader.stop)
	if l := d.link.Load(); l != nil {
		(*l).SetReadDeadline(time.Unix(1, 0))
	}
}

// maxFrame is the largest frame that the host can hand over.
const maxFrame = 1<<16 + ifnet.EtherHdrLen

// run hands what the host sends to the interface, until it is stopped; it begins when the one before it has ended.
func (r *reader) run(ifp *ifnet.Interface, l link, before *reader) {
	defer close(r.done)
	if before != nil {
		<-before.done
	}
	l.SetReadDeadline(time.Time{})
	select {
	case <-r.stop: // the deadline that has just been lifted was Stop's
		return
	default:
	}
	buf := make([]byte, maxFrame)
	for {
		n, err := l.Read(buf)
		if err != nil {
			return
		}
		ifp.Input(ifnet.NewPacket(buf[:n]))
	}
}

// Transmit gives frames to the host, whose tap interface takes or drops them at once. Errors: ENETDOWN, the host's.
func (d *driver) Transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	l := d.link.Load()
	var err error
	for _, p := range pkts {
		sent := error(abi.ENETDOWN)
		if l != nil {
			sent = write(*l, p)
		}
		if sent != nil {
			ifp.Stats.Oerrors.Add(1)
			err = sent
		}
		p.Release()
	}
	return err
}

func write(l link, p *ifnet.Packet) error {
	if _, err := l.Write(p.Buf.Flatten()); err != nil {
		return host.Errno(err)
	}
	return nil
}
