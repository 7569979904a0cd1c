// Package bpf is component rumpdev_bpf: the Berkeley packet filter of bpf(4), /dev/bpf, through which programs read what passes an
// interface, as far as a filter lets it through, and send frames of their own.
//
// Each open of the device is a descriptor, bound to an interface by BIOCSETIF, of which it then is a tap. Start reading there
// (descriptor.go); filter.go is the machine that runs filters, and knows no kernel.
package bpf

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// major is the device's major number, on all machines of NetBSD.
const major = 23

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:  "rumpdev_bpf",
		Needs: []string{"rumpnet", "rumpnet_net"},
		Doc:   "the packet filter that tcpdump reads from",
		Modules: []kern.Module{
			{Name: "bpf", Class: abi.MODULE_CLASS_DRIVER, Requires: []string{"bpf_filter"}},
			{Name: "bpf_filter", Class: abi.MODULE_CLASS_MISC},
		},
		Attach: attach,
	}
}

func attach(k *kern.Kernel) error {
	d := &device{k: k, net: ifnet.Of(k)}
	d.maxBuf.Store(abi.BPF_DFLTBUFSIZE)
	d.net.Observe(d.observe)
	if err := d.createSysctls(); err != nil {
		return err
	}
	if err := k.AttachDevice("bpf", major, -1, d); err != nil {
		return err
	}
	return k.AddDevNodes(kern.DevNode{Name: "bpf", Mode: abi.S_IFCHR | 0o644, Dev: kern.Makedev(major, 0)})
}

// device is the driver in one kernel.
type device struct {
	k      *kern.Kernel
	net    *ifnet.Net
	maxBuf atomic.Int32 // net.bpf.maxbufsize

	recv, drop, capt atomic.Uint64 // of all descriptors that there ever were: net.bpf.stats

	mu   sync.Mutex
	open []*descriptor
}

// Open makes a new descriptor. Errors: ENXIO for a minor number other than 0.
func (d *device) Open(t *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	if kern.Minor(dev) != 0 {
		return nil, abi.ENXIO
	}
	b := &descriptor{dev: d, pid: int32(t.PID), size: defaultSize, seesent: true}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = append(d.open, b)
	return b, nil
}

func (d *device) forget(b *descriptor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = slices.DeleteFunc(d.open, func(o *descriptor) bool { return o == b })
}

func (d *device) descriptors() []*descriptor {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.open)
}

// observe unbinds the descriptors of an interface that goes.
func (d *device) observe(e ifnet.Event) {
	if e.Kind != ifnet.Detaching {
		return
	}
	for _, b := range d.descriptors() {
		b.interfaceGone(e.If)
	}
}

// createSysctls makes net.bpf: sysctl(7).
func (d *device) createSysctls() error {
	noJIT := kern.SysctlInt(
		func(*kern.SysctlRequest) (int32, error) { return 0, nil },
		func(_ *kern.SysctlRequest, v int32) error {
			if v != 0 {
				return abi.EOPNOTSUPP
			}
			return nil
		})
	return d.k.Sysctl().Create(
		kern.SysctlNode{Path: "net.bpf", Num: abi.CTL_CREATE, Desc: "BPF options"},
		kern.SysctlNode{Path: "net.bpf.jit", Num: abi.CTL_CREATE, Desc: "Toggle Just-In-Time compilation", Value: noJIT},
		kern.SysctlNode{Path: "net.bpf.maxbufsize", Num: abi.CTL_CREATE, Desc: "Maximum size for data capture buffer",
			Value: kern.SysctlIntVar(&d.maxBuf, abi.BPF_MINBUFSIZE, abi.BPF_MAXBUFSIZE)},
		kern.SysctlNode{Path: "net.bpf.stats", Num: abi.CTL_CREATE, Desc: "BPF stats",
			Value: kern.SysctlStruct(abi.SizeofBpfStat, func(*kern.SysctlRequest) ([]byte, error) { return d.stats().Append(nil), nil })},
		kern.SysctlNode{Path: "net.bpf.peers", Num: abi.CTL_CREATE, Desc: "BPF peers",
			Value: kern.SysctlStruct(0, nil), Handler: d.peers},
	)
}

func (d *device) stats() *abi.BpfStat {
	return &abi.BpfStat{Recv: d.recv.Load(), Drop: d.drop.Load(), Capt: d.capt.Load()}
}

// peers lists the descriptors, each as much of a struct bpf_d_ext as the first number that follows in the name says, and at most as many as the
// second says. Errors: EINVAL, EPERM for others than the superuser.
func (d *device) peers(r *kern.SysctlRequest) error {
	switch {
	case len(r.Name) != 2 || r.Name[0] < 1 || r.Name[0] > abi.SizeofBpfDExt || r.Name[1] < 0:
		return abi.EINVAL
	case r.HasNew():
		return abi.EPERM
	case !r.T.Cred().Root():
		return abi.EPERM
	}
	var records [][]byte
	for _, b := range d.descriptors() {
		if len(records) < int(r.Name[1]) {
			records = append(records, b.external().Append(nil)[:r.Name[0]])
		}
	}
	return r.ReplyRecords(records)
}
