package ifnet

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// permanent marks nodes that only the kernel removes.
const permanent = abi.CTLFLAG_PERMANENT

// queueMax is the length of output queues that programs are told: drivers bound their own.
const queueMax = 256

// createSysctls makes net.sdl, net.ether.multicast and net.interfaces.
func (n *Net) createSysctls() error {
	table := &kern.SysctlValue{Type: abi.CTLTYPE_NODE, Size: abi.SizeofSysctlnode}
	return n.K.Sysctl().Create(
		kern.SysctlNode{Path: "net", Num: abi.CTL_NET, Flags: permanent, Desc: "Network-related settings"},
		kern.SysctlNode{Path: "net.sdl", Num: abi.CTL_CREATE, Flags: permanent, Desc: "Get active link-layer address",
			Value: table, Handler: n.sysctlLinkAddr},
		kern.SysctlNode{Path: "net.ether", Num: abi.CTL_CREATE, Flags: permanent, Desc: "Ethernet-specific information"},
		kern.SysctlNode{Path: "net.ether.multicast", Num: abi.CTL_CREATE, Flags: permanent, Desc: "multicast addresses",
			Value: table, Handler: n.sysctlGroups},
		kern.SysctlNode{Path: "net.interfaces", Num: abi.CTL_CREATE, Flags: permanent, Desc: "Per-interface controls"},
	)
}

// addSysctls makes the interface's nodes, net.interfaces.shmif0.sndq and rcvq.
func (ifp *Interface) addSysctls() error {
	if ifp.Net.K == nil {
		return nil
	}
	ifp.maxlen.CompareAndSwap(0, queueMax)
	top := "net.interfaces." + ifp.Name
	node := func(path, desc string, v *kern.SysctlValue) kern.SysctlNode {
		return kern.SysctlNode{Path: top + path, Num: abi.CTL_CREATE, Flags: permanent, Desc: desc, Value: v}
	}
	count := func(get func() uint32) *kern.SysctlValue {
		return kern.SysctlInt(func(*kern.SysctlRequest) (int32, error) { return int32(get()), nil }, nil)
	}
	return ifp.Net.K.Sysctl().Create(
		node("", "Interface controls", nil),
		node(".sndq", "Interface output queue controls", nil),
		node(".sndq.len", "Current output queue length", kern.SysctlConst(0)),
		node(".sndq.maxlen", "Maximum allowed output queue length", kern.SysctlIntVar(&ifp.maxlen, math.MinInt32, math.MaxInt32)),
		node(".sndq.drops", "Packets dropped due to full output queue", count(ifp.drops.Load)),
		node(".rcvq", "Interface input queue controls", nil),
		node(".rcvq.drops", "Total packets dropped due to full input queue",
			count(func() uint32 { return uint32(ifp.Stats.Iqdrops.Load()) })),
	)
}

// removeSysctls takes them out again.
func (ifp *Interface) removeSysctls() {
	if ifp.Net.K != nil {
		ifp.Net.K.Sysctl().Destroy("net.interfaces." + ifp.Name)
	}
}

// indexed is the interface whose index is a request's only further name. Errors: EINVAL, ENODEV.
func (n *Net) indexed(r *kern.SysctlRequest) (*Interface, error) {
	if len(r.Name) != 1 {
		return nil, abi.EINVAL
	}
	if i := r.Name[0]; i > 0 && i <= math.MaxUint16 {
		if ifp := n.ByIndex(uint16(i)); ifp != nil {
			return ifp, nil
		}
	}
	return nil, abi.ENODEV
}

// sysctlLinkAddr is net.sdl.<index>: the bytes of the link-level address.
func (n *Net) sysctlLinkAddr(r *kern.SysctlRequest) error {
	ifp, err := n.indexed(r)
	if err != nil {
		return err
	}
	return r.Reply(ifp.LinkAddr())
}

// sysctlGroups is net.ether.multicast.<index>: a structure ether_multi_sysctl for each group.
func (n *Net) sysctlGroups(r *kern.SysctlRequest) error {
	ifp, err := n.indexed(r)
	if err != nil {
		return err
	}
	var b []byte
	if ifp.Type == abi.IFT_ETHER {
		groups := ifp.Groups()
		for _, mac := range slices.SortedFunc(maps.Keys(groups), func(a, b [6]byte) int { return slices.Compare(a[:], b[:]) }) {
			b = binary.LittleEndian.AppendUint32(b, uint32(groups[mac]))
			b = append(append(b, mac[:]...), mac[:]...)
		}
	}
	return r.Reply(b)
}
