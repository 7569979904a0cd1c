package inet

import (
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// sysctlRow is an int of net.inet or net.inet6. What can be changed has bounds, the others only hold what NetBSD has
// there: they describe how these protocols work, and writing anything else to them is EOPNOTSUPP.
type sysctlRow struct {
	path string
	num  int32
	def  int32
	// lo and hi bound what may be written; both 0 for what can not be changed.
	lo, hi int32
	// set acts on a change before it is made; nil when the variable is looked at where it matters.
	set func(in *Inet, v int32) error
}

// maxInt is for variables without an upper bound.
const maxInt = 1<<31 - 1

// Int is the value of an int of net.inet or net.inet6 by its name, "net.inet.tcp.sendspace"; 0 for a name that is none.
func (in *Inet) Int(name string) int32 {
	if p := in.conf.vars[name]; p != nil {
		return p.Load()
	}
	return 0
}

// intNode makes the node of a row, whose variable must be among the kernel's.
func (in *Inet) intNode(r *sysctlRow) kern.SysctlNode {
	p := in.conf.vars[r.path]
	get := func(*kern.SysctlRequest) (int32, error) { return p.Load(), nil }
	set := func(_ *kern.SysctlRequest, v int32) error { return in.setInt(r, p, v) }
	return kern.SysctlNode{Path: r.path, Num: r.num, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlInt(get, set)}
}

// setInt changes a variable. Errors: EOPNOTSUPP, EINVAL, those of the row.
func (in *Inet) setInt(r *sysctlRow, p *atomic.Int32, v int32) error {
	switch {
	case v == p.Load():
		return nil
	case r.lo == 0 && r.hi == 0:
		return abi.EOPNOTSUPP
	case v < r.lo || v > r.hi:
		return abi.EINVAL
	}
	if r.set != nil {
		if err := r.set(in, v); err != nil {
			return err
		}
	}
	p.Store(v)
	return nil
}

// createNodes enters nodes into the tree of sysctl.
func (in *Inet) createNodes(nodes []kern.SysctlNode) error { return in.K.Sysctl().Create(nodes...) }

// dir is a node that has others below it.
func dir(path string, num int32, desc string) kern.SysctlNode {
	return kern.SysctlNode{Path: path, Num: num, Flags: abi.CTLFLAG_PERMANENT, Desc: desc}
}

// counters is a node with statistics; refresh brings in those that the stack counts.
func counters(path string, num int32, c *Counters, refresh func()) kern.SysctlNode {
	return kern.SysctlNode{Path: path, Num: num, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlStruct(0, func(*kern.SysctlRequest) ([]byte, error) {
		if refresh != nil {
			refresh()
		}
		return c.Bytes(), nil
	})}
}

// readInt is an int that can only be read.
func readInt(path string, num int32, get func() int32) kern.SysctlNode {
	return kern.SysctlNode{Path: path, Num: num, Flags: abi.CTLFLAG_PERMANENT,
		Value: kern.SysctlInt(func(*kern.SysctlRequest) (int32, error) { return get(), nil }, nil)}
}

// text is a string that can be written only with what it holds.
func text(path string, num int32, value string) kern.SysctlNode {
	return kern.SysctlNode{Path: path, Num: num, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlString(16,
		func(*kern.SysctlRequest) (string, error) { return value, nil },
		func(_ *kern.SysctlRequest, s string) error {
			if s != value {
				return abi.EOPNOTSUPP
			}
			return nil
		})}
}

// list is a table that processes read, of so many bytes.
func list(path string, num int32, get func() []byte) kern.SysctlNode {
	return kern.SysctlNode{Path: path, Num: num, Flags: abi.CTLFLAG_PERMANENT,
		Value: kern.SysctlStruct(0, func(*kern.SysctlRequest) ([]byte, error) { return get(), nil })}
}

// portalgo are the nodes of the choice of ports: which is that of RFC 6056, 3.3.1, from a random start.
func portalgo(path string) []kern.SysctlNode {
	return []kern.SysctlNode{
		dir(path, abi.CTL_CREATE, "how anonymous ports are chosen"),
		{Path: path + ".available", Num: abi.CTL_CREATE, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlText("random_start")},
		text(path+".selected", abi.CTL_CREATE, "random_start"),
	}
}

// portBound is the check of a bound of a range of ports: min not above max.
func portBound(other string, low bool) func(in *Inet, v int32) error {
	return func(in *Inet, v int32) error {
		if o := in.Int(other); low && v > o || !low && v < o {
			return abi.EINVAL
		}
		return nil
	}
}

// tcpOption has a change of a variable set an option of the stack's TCP.
func tcpOption(option func(v int32) tcpip.SettableTransportProtocolOption) func(in *Inet, v int32) error {
	return func(in *Inet, v int32) error {
		if in.Stack.SetTransportProtocolOption(tcp.ProtocolNumber, option(v)) != nil {
			return abi.EINVAL
		}
		return nil
	}
}

func tcpSACK(v int32) tcpip.SettableTransportProtocolOption {
	o := tcpip.TCPSACKEnabled(v != 0)
	return &o
}

func tcpModerate(v int32) tcpip.SettableTransportProtocolOption {
	o := tcpip.TCPModerateReceiveBufferOption(v != 0)
	return &o
}

// WindowSpace is how many times a receive buffer the stack's TCP must be given for it to let the peer fill the buffer: half of it goes for its
// own records.
const WindowSpace = 2

// ReceiveRange has the stack's TCP offer peers a scale of windows that receive buffers of up to space bytes need.
func ReceiveRange(space int32) tcpip.SettableTransportProtocolOption {
	most := WindowSpace * int(space)
	return &tcpip.TCPReceiveBufferSizeRangeOption{Min: 1, Default: most, Max: most}
}

// tcpRecvSpace is tcpOption with ReceiveRange for a size that is in one of two variables, the larger.
func tcpRecvSpace(other string) func(in *Inet, v int32) error {
	set := tcpOption(ReceiveRange)
	return func(in *Inet, v int32) error { return set(in, max(v, in.Int(tcpPath+other))) }
}

// congestion are the stack's names of the algorithms of congestion control, by NetBSD's. The stack's reno is NewReno.
var congestion = map[string]tcpip.CongestionControlOption{"newreno": "reno", "cubic": "cubic"}

// congctl is net.inet.tcp.congctl.selected.
func congctl(path string, in *Inet) []kern.SysctlNode {
	get := func(*kern.SysctlRequest) (string, error) {
		var o tcpip.CongestionControlOption
		in.Stack.TransportProtocolOption(tcp.ProtocolNumber, &o)
		for name, cc := range congestion {
			if cc == o {
				return name, nil
			}
		}
		return string(o), nil
	}
	set := func(_ *kern.SysctlRequest, s string) error {
		o, ok := congestion[s]
		if !ok || in.Stack.SetTransportProtocolOption(tcp.ProtocolNumber, &o) != nil {
			return abi.EINVAL
		}
		return nil
	}
	return []kern.SysctlNode{
		dir(path, abi.CTL_CREATE, "congestion control"),
		{Path: path + ".available", Num: abi.CTL_CREATE, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlText("newreno cubic")},
		{Path: path + ".selected", Num: abi.CTL_CREATE, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlString(12, get, set)},
	}
}
