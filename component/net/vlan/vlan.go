// Package vlan is component rumpnet_vlan: virtual LANs of vlan(4), IEEE 802.1Q. A vlan interface is the part of another Ethernet's traffic
// that carries its tag.
//
// Package ifnet gives it what its parent receives with the tag (Interface.SetVLAN); here the tag is put on, and SIOCSETVLAN and
// SIOCGETVLAN say which. The tag makes frames 4 bytes longer, which no parent here has room for beyond its MTU, so that a vlan's MTU is 4 less.
package vlan

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

const (
	tagType   = 0x8100 // the ethertype of IEEE 802.1Q
	tagLen    = 4
	maxTag    = 4094 // 0 is no VLAN's, 4095 is reserved
	etherMTU  = 1500
	minMTU    = 46
	addrBytes = 12 // of an Ethernet header, ahead of the tag
)

// Component is the component.
func Component() *kern.Component {
	return &kern.Component{
		Name:   "rumpnet_vlan",
		Needs:  []string{"rumpnet", "rumpnet_net"},
		Doc:    "virtual LANs",
		Attach: func(k *kern.Kernel) error { Attach(ifnet.Of(k)); return nil },
	}
}

// Attach brings the cloner of VLANs.
func Attach(n *ifnet.Net) {
	n.RegisterCloner(cloner{})
	n.Observe(func(e ifnet.Event) {
		for _, ifp := range n.Interfaces() {
			if v, ok := ifp.Driver.(*vlan); ok {
				v.observe(ifp, e)
			}
		}
	})
}

type cloner struct{}

func (cloner) Prefix() string { return "vlan" }

// Create makes a VLAN without a parent, that is down.
func (cloner) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := &ifnet.Interface{
		Name: "vlan" + strconv.Itoa(unit), Prefix: "vlan", Unit: unit,
		Type: abi.IFT_L2VLAN, HdrLen: ifnet.EtherHdrLen, DLT: abi.DLT_EN10MB, Driver: &vlan{}, MinMTU: minMTU, MaxMTU: 1<<16 - 1,
	}
	err := n.Attach(ifp, nil, etherMTU, abi.IFF_BROADCAST|abi.IFF_SIMPLEX|abi.IFF_MULTICAST)
	return ifp, err
}

// vlan is an interface's driver. What it belongs to changes under Net.Config.
type vlan struct {
	trunk atomic.Pointer[trunk] // nil without a parent
}

// trunk is an interface and a tag on it.
type trunk struct {
	parent *ifnet.Interface
	tag    uint16
}

var (
	_ ifnet.Driver     = (*vlan)(nil)
	_ ifnet.Starter    = (*vlan)(nil)
	_ ifnet.Ioctler    = (*vlan)(nil)
	_ ifnet.Destroyer  = (*vlan)(nil)
	_ ifnet.Promiscuer = (*vlan)(nil)
)

// Start begins to pass frames, if there is a parent.
func (v *vlan) Start(ifp *ifnet.Interface) error {
	ifp.SetRunning(v.trunk.Load() != nil)
	return nil
}

// Stop has nothing to do: the interface takes no frames when it is down.
func (v *vlan) Stop(*ifnet.Interface) {}

// Destroy gives the tag back.
func (v *vlan) Destroy(ifp *ifnet.Interface) { v.leave(ifp) }

// leave takes the interface off its parent, and says whether it had one. Config held.
func (v *vlan) leave(ifp *ifnet.Interface) bool {
	t := v.trunk.Swap(nil)
	if t == nil {
		return false
	}
	t.parent.SetVLAN(t.tag, nil)
	if ifp.Flags()&abi.IFF_PROMISC != 0 {
		t.parent.SetPromiscuous(-1)
	}
	return true
}

// SetPromiscuous passes on to the parent what is asked of the VLAN. Config held.
func (v *vlan) SetPromiscuous(_ *ifnet.Interface, on bool) {
	tr := v.trunk.Load()
	switch {
	case tr == nil:
	case on:
		tr.parent.SetPromiscuous(1)
	default:
		tr.parent.SetPromiscuous(-1)
	}
}

// Transmit sends frames on the parent with their tag.
func (v *vlan) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	t := v.trunk.Load()
	if t == nil {
		for _, p := range pkts {
			p.Release()
		}
		return abi.ENETDOWN
	}
	for _, p := range pkts {
		t.tagPacket(p)
	}
	return t.parent.Enqueue(pkts...)
}

// tagPacket puts the tag behind the addresses.
func (t *trunk) tagPacket(p *ifnet.Packet) {
	var head [addrBytes + tagLen]byte
	p.Buf.ReadAt(head[:addrBytes], 0)
	binary.BigEndian.PutUint16(head[addrBytes:], tagType)
	binary.BigEndian.PutUint16(head[addrBytes+2:], t.tag)
	p.Buf.TrimFront(addrBytes)
	front := buffer.NewViewWithData(head[:])
	if err := p.Buf.Prepend(front); err != nil {
		front.Release()
	}
}

// Ioctl serves SIOCSETVLAN and SIOCGETVLAN, whose struct vlanreq the struct ifreq points to, and refuses an MTU that the parent has no room for.
func (v *vlan) Ioctl(t *kern.Thread, ifp *ifnet.Interface, cmd uint32, data []byte) error {
	switch cmd {
	case abi.SIOCSETVLAN:
		return v.set(t, ifp, data)
	case abi.SIOCGETVLAN:
		return v.get(t, data)
	case abi.SIOCSIFMTU:
		mtu := binary.LittleEndian.Uint32(data[abi.IFNAMSIZ:])
		if tr := v.trunk.Load(); tr == nil || mtu > tr.mtu() {
			return abi.EINVAL
		}
	}
	return abi.ENOTTY
}

// mtu is the largest that a VLAN of the trunk can have.
func (t *trunk) mtu() uint32 { return max(t.parent.MTU(), tagLen) - tagLen }

// pointer is ifr_data, where the struct ifreq points to.
func pointer(data []byte) uint64 { return binary.LittleEndian.Uint64(data[abi.IFNAMSIZ:]) }

// set gives the interface a parent and a tag, or, with an empty name, takes both.
//
// Errors: EINVAL for a tag that is none, EBUSY with a parent already, ENOENT without such an interface, EPROTONOSUPPORT for one that is no Ethernet,
// EADDRINUSE for a tag that another has.
func (v *vlan) set(t *kern.Thread, ifp *ifnet.Interface, data []byte) error {
	raw := make([]byte, abi.SizeofVlanreq)
	if err := t.Mem.CopyIn(pointer(data), raw); err != nil {
		return err
	}
	var req abi.Vlanreq
	if err := req.Decode(raw); err != nil {
		return err
	}
	name, _, _ := bytes.Cut(req.Parent[:], []byte{0})
	if len(name) == 0 {
		return v.unconfigure(ifp)
	}
	parent := ifp.Net.ByName(string(name))
	switch {
	case req.Tag < 1 || req.Tag > maxTag:
		return abi.EINVAL
	case parent == nil:
		return abi.ENOENT
	case v.trunk.Load() != nil:
		return abi.EBUSY
	case parent.Type != abi.IFT_ETHER:
		return abi.EPROTONOSUPPORT
	}
	if err := parent.SetVLAN(req.Tag, ifp); err != nil {
		return err
	}
	tr := &trunk{parent, req.Tag}
	v.trunk.Store(tr)
	if ifp.Flags()&abi.IFF_PROMISC != 0 {
		parent.SetPromiscuous(1)
	}
	ifp.SetMTU(tr.mtu())
	ifp.SetLinkAddr(parent.LinkAddr())
	return ifp.SetFlags(abi.IFF_RUNNING, 0)
}

// unconfigure takes the interface off its parent and sets it down.
func (v *vlan) unconfigure(ifp *ifnet.Interface) error {
	if !v.leave(ifp) {
		return nil
	}
	return ifp.SetFlags(0, abi.IFF_UP|abi.IFF_RUNNING)
}

// get says which parent and tag the interface has; both are empty without.
func (v *vlan) get(t *kern.Thread, data []byte) error {
	var req abi.Vlanreq
	if tr := v.trunk.Load(); tr != nil {
		copy(req.Parent[:abi.IFNAMSIZ-1], tr.parent.Name)
		req.Tag = tr.tag
	}
	return t.Mem.CopyOut(pointer(data), req.Append(nil))
}

// observe follows the parent: its address, and its end.
func (v *vlan) observe(ifp *ifnet.Interface, e ifnet.Event) {
	tr := v.trunk.Load()
	if tr == nil || tr.parent != e.If {
		return
	}
	switch e.Kind {
	case ifnet.LinkAddrChanged:
		ifp.SetLinkAddr(e.If.LinkAddr())
	case ifnet.Detaching:
		v.unconfigure(ifp)
	}
}
