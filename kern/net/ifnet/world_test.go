package ifnet_test

import (
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// world is a kernel with a Net, a cloner of Ethernets "ether", and a socket of AF_LINK for ioctls.
type world struct {
	tb  testing.TB
	k   *kern.Kernel
	p   *kerntest.P
	net *ifnet.Net
	fd  int

	mu     sync.Mutex
	events []ifnet.Event
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb}
	w.k = kerntest.New(tb,
		&kern.Component{Name: "rumpnet", Syscalls: socket.Syscalls(), Attach: socket.Attach},
		&kern.Component{Name: "rumpnet_net", Needs: []string{"rumpnet"}, Attach: func(k *kern.Kernel) error {
			n, err := ifnet.Attach(k)
			if err != nil {
				return err
			}
			n.RegisterCloner(cloner{"other"})
			n.RegisterCloner(cloner{"ether"})
			return nil
		}})
	w.p = kerntest.Proc(tb, w.k)
	w.net = ifnet.Of(w.k)
	w.net.Observe(func(e ifnet.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	})
	w.fd = int(w.p.Must(abi.SYS___socket30, abi.AF_LINK, abi.SOCK_DGRAM, 0))
	return w
}

// kinds are those of the events since the last call.
func (w *world) kinds() (kinds []ifnet.EventKind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		kinds = append(kinds, e.Kind)
	}
	w.events = nil
	return kinds
}

// ioctl makes an ioctl about an interface: args are set after its name, and what comes back is returned.
func (w *world) ioctl(cmd uint32, name string, args []byte) ([]byte, abi.Errno) {
	w.tb.Helper()
	b := make([]byte, abi.IOCParmLen(cmd))
	copy(b, name)
	copy(b[abi.IFNAMSIZ:], args)
	_, errno := w.p.Call(abi.SYS_ioctl, w.fd, int(cmd), b)
	return b[abi.IFNAMSIZ:], errno
}

// create makes an interface that is up.
func (w *world) create(name string) (*ifnet.Interface, *driver) {
	w.tb.Helper()
	if _, errno := w.ioctl(abi.SIOCIFCREATE, name, nil); errno != 0 {
		w.tb.Fatal(errno)
	}
	ifp := w.net.ByName(name)
	w.config(func() { ifp.SetFlags(abi.IFF_UP, 0) })
	w.kinds()
	return ifp, ifp.Driver.(*driver)
}

func (w *world) config(f func()) {
	w.net.Config.Lock()
	defer w.net.Config.Unlock()
	f()
}

// cloner makes Ethernets whose address ends in their unit.
type cloner struct{ prefix string }

func (c cloner) Prefix() string { return c.prefix }

func (c cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := ifnet.NewEthernet(c.prefix, unit, &driver{})
	return ifp, n.Attach(ifp, mac(unit), 1500, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST)
}

func (c cloner) Keep(ifp *ifnet.Interface) error {
	if ifp.Unit == 99 {
		return abi.EPERM
	}
	return nil
}

func mac(unit int) []byte { return []byte{2, 0, 0, 0, byte(unit >> 8), byte(unit)} }

// driver keeps what is sent, and notes what it is told.
type driver struct {
	mu     sync.Mutex
	sent   []*ifnet.Packet
	log    []string
	refuse error // what Start says
}

func (d *driver) note(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, s)
}

func (d *driver) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, pkts...)
	return nil
}

func (d *driver) Start(ifp *ifnet.Interface) error {
	if d.refuse != nil {
		return d.refuse
	}
	d.note("start")
	ifp.SetRunning(true)
	return nil
}

func (d *driver) Stop(*ifnet.Interface)               { d.note("stop") }
func (d *driver) Destroy(*ifnet.Interface)            { d.note("destroy") }
func (d *driver) Join(_ *ifnet.Interface, g [6]byte)  { d.note("join " + string('0'+rune(g[5]))) }
func (d *driver) Leave(_ *ifnet.Interface, g [6]byte) { d.note("leave " + string('0'+rune(g[5]))) }

// Ioctl has a link string in the caller's memory, SIOCSLINKSTR and SIOCGLINKSTR.
func (d *driver) Ioctl(t *kern.Thread, _ *ifnet.Interface, cmd uint32, data []byte) error {
	var r abi.Ifdrv
	if cmd != abi.SIOCSLINKSTR && cmd != abi.SIOCGLINKSTR {
		return abi.ENOTTY
	}
	if err := r.Decode(data); err != nil {
		return err
	}
	if cmd == abi.SIOCGLINKSTR {
		return t.Mem.CopyOut(r.Data, []byte("link"))
	}
	s, err := t.Mem.CopyInStr(r.Data, int(r.Len))
	if err != nil {
		return err
	}
	more := make([]byte, 2)
	if err := t.Mem.CopyIn(r.Data+1, more); err != nil {
		return err
	}
	d.note(string(s) + " " + string(more))
	return nil
}
