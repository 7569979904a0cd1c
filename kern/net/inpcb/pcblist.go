package inpcb

import (
	"strings"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// listNode is a node of sysctl with a table's sockets, below one that is made if it is not there.
type listNode struct {
	path, desc  string
	family, num int32
	table       func(ts *Tables) *table
}

var nodes4 = []listNode{
	{"net.inet.tcp", "TCP related settings", abi.PF_INET, abi.IPPROTO_TCP, func(ts *Tables) *table { return ts.tcp }},
	{"net.inet.udp", "UDPv4 related settings", abi.PF_INET, abi.IPPROTO_UDP, func(ts *Tables) *table { return ts.udp }},
	{"net.inet.raw", "Raw IPv4 settings", abi.PF_INET, abi.IPPROTO_RAW, func(ts *Tables) *table { return ts.raw4 }},
}

var nodes6 = []listNode{
	{"net.inet6.tcp6", "TCP related settings", abi.PF_INET6, abi.IPPROTO_TCP, func(ts *Tables) *table { return ts.tcp }},
	{"net.inet6.udp6", "UDPv6 related settings", abi.PF_INET6, abi.IPPROTO_UDP, func(ts *Tables) *table { return ts.udp }},
	{"net.inet6.raw6", "Raw IPv6 settings", abi.PF_INET6, abi.IPPROTO_RAW, func(ts *Tables) *table { return ts.raw6 }},
}

// createNodes makes the lists of sockets, and of TCP the nodes that find and drop one.
func (ts *Tables) createNodes(list []listNode) error {
	for _, n := range list {
		tb := n.table(ts)
		nodes := []kern.SysctlNode{
			{Path: n.path[:strings.LastIndexByte(n.path, '.')], Num: n.family},
			{Path: n.path, Num: n.num, Desc: n.desc},
			{Path: n.path + ".pcblist", Num: abi.CTL_CREATE, Desc: strings.Fields(n.desc)[0] + " protocol control block list",
				Value: kern.SysctlStruct(0, nil), Handler: func(r *kern.SysctlRequest) error { return ts.pcblist(r, tb) }},
		}
		if tb == ts.tcp {
			nodes = append(nodes,
				kern.SysctlNode{Path: n.path + ".ident", Num: abi.TCPCTL_IDENT, Flags: abi.CTLFLAG_READWRITE | abi.CTLFLAG_ANYWRITE,
					Desc: "RFC1413 Identification Protocol lookups", Value: kern.SysctlStruct(4, nil), Handler: ts.ident},
				kern.SysctlNode{Path: n.path + ".drop", Num: abi.TCPCTL_DROP, Flags: abi.CTLFLAG_READWRITE,
					Desc: "TCP drop connection", Value: kern.SysctlStruct(0, nil), Handler: ts.drop})
		}
		if err := ts.k.Sysctl().Create(nodes...); err != nil {
			return err
		}
	}
	return nil
}

// pcblist is net.<family>.<protocol>.pcblist.<0>.<0>.<size>.<count>: a struct kinfo_pcb for each of at most count sockets of the family, the
// newest first. Without room for an answer the length told is enough for some more. Errors: EINVAL, EPERM.
func (ts *Tables) pcblist(r *kern.SysctlRequest, tb *table) error {
	switch {
	case r.HasNew():
		return abi.EPERM
	case len(r.Name) != 4, r.Room() > 0 && (r.Name[2] != abi.SizeofKinfoPcb || r.Name[3] < 0):
		return abi.EINVAL
	}
	v6 := r.MIB[1] == abi.PF_INET6
	var list []abi.KinfoPcb
	for _, p := range tb.list(v6) {
		list = append(list, p.kinfo())
	}
	if tb == ts.tcp {
		list = append(list, ts.pending(v6)...)
	}
	var b []byte
	for i := range list {
		if r.Room() > 0 && i >= int(r.Name[3]) {
			break
		}
		b = list[i].Append(b)
	}
	if r.Room() == 0 {
		b = make([]byte, len(b)+abi.PCB_SLOP*abi.SizeofKinfoPcb)
	}
	return r.Reply(b)
}

// kinfo describes the socket. There are no addresses in this kernel: what stands for one is the socket's number.
func (p *pcb) kinfo() abi.KinfoPcb {
	local, foreign, st := p.names()
	ki := abi.KinfoPcb{
		Pcbaddr: p.seq, Ppcbaddr: p.seq, Sockaddr: p.so.Number(), Family: abi.AF_INET, Type: uint32(p.so.Type), Protocol: uint32(p.proto),
		Prstate: uint32(st),
	}
	if p.v6 {
		ki.Family = abi.AF_INET6
	}
	copy(ki.S[:], local.sockaddr())
	if st == connected {
		copy(ki.D[:], foreign.sockaddr())
		ki.Sostate |= abi.SS_ISCONNECTED
	}
	recv, send := false, false
	switch s := p.self.(type) {
	case *tcp:
		readable, _, _ := s.Counts()
		ki.Rcvq, ki.Tstate = uint64(readable), int32(tcpStates[s.epState()])
		ki.Sostate = sostates[s.phase()]
		if !s.ep.SocketOptions().GetDelayOption() {
			ki.Tflags = abi.TF_NODELAY
		}
		recv, send = s.Ended()
	case *udp:
		ki.Rcvq = uint64(s.q.Bytes())
		recv, send = s.Ended()
	case *raw:
		ki.Rcvq = uint64(s.q.Bytes())
		recv, send = s.Ended()
	}
	if recv {
		ki.Sostate |= abi.SS_CANTRCVMORE
	}
	if send {
		ki.Sostate |= abi.SS_CANTSENDMORE
	}
	return ki
}

// sostates are the bits of so_state that say whether a TCP socket is connected.
var sostates = map[phase]uint32{connecting: abi.SS_ISCONNECTING, established: abi.SS_ISCONNECTED, over: abi.SS_ISDISCONNECTED}

// pending are the connections that nobody has accepted yet, which only the stack knows.
func (ts *Tables) pending(v6 bool) []abi.KinfoPcb {
	known := map[stack.TransportEndpointID]bool{}
	listeners := map[uint16]bool{}
	for _, p := range ts.tcp.list(v6) {
		local, foreign, _ := p.names()
		known[endpointID(local, foreign)] = true
		listeners[local.port] = listeners[local.port] || p.self.(*tcp).phase() == listening
	}
	var list []abi.KinfoPcb
	for _, e := range ts.stack.RegisteredEndpoints() {
		ep, ok := e.(*gtcp.Endpoint)
		if !ok || final(gtcp.EndpointState(ep.State())) {
			continue
		}
		info, ok := ep.Info().(*stack.TransportEndpointInfo)
		if !ok || info.ID.RemotePort == 0 || known[info.ID] || !listeners[info.ID.LocalPort] {
			continue
		}
		list = append(list, pendingInfo(v6, ep, info.ID))
	}
	return list
}

// endpointID is how the stack names a connection.
func endpointID(local, foreign address) stack.TransportEndpointID {
	return stack.TransportEndpointID{
		LocalPort: local.port, LocalAddress: tcpipAddr(local.ip.Unmap()),
		RemotePort: foreign.port, RemoteAddress: tcpipAddr(foreign.ip.Unmap()),
	}
}

// pendingInfo describes a connection that nobody has accepted yet.
func pendingInfo(v6 bool, ep *gtcp.Endpoint, id stack.TransportEndpointID) abi.KinfoPcb {
	state := gtcp.EndpointState(ep.State())
	ki := abi.KinfoPcb{
		Family: abi.AF_INET, Type: abi.SOCK_STREAM, Protocol: abi.IPPROTO_TCP,
		Tstate: int32(tcpStates[state]), Prstate: uint32(connected), Sostate: sostates[phaseOf(state)],
	}
	if v6 {
		ki.Family = abi.AF_INET6
	}
	local := fromFull(v6, tcpip.FullAddress{Addr: id.LocalAddress, Port: id.LocalPort})
	foreign := fromFull(v6, tcpip.FullAddress{Addr: id.RemoteAddress, Port: id.RemotePort})
	copy(ki.S[:], local.sockaddr())
	copy(ki.D[:], foreign.sockaddr())
	if n, err := ep.GetSockOptInt(tcpip.ReceiveQueueSizeOption); err == nil {
		ki.Rcvq = uint64(n)
	}
	return ki
}
