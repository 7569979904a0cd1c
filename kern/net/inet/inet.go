package inet

import (
	"io"
	"math/rand/v2"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/log"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// gVisor's log is one for the whole process and goes to standard error, which belongs to whoever embeds kernels; and it can not say which of
// them it speaks of. Nothing of what the transport protocols write there is for an operator, so it is silenced.
func init() { log.SetTarget(&log.Writer{Next: io.Discard}) }

// Inet is a kernel's internet protocols.
type Inet struct {
	K     *kern.Kernel
	Net   *ifnet.Net
	Table *route.Table
	// Stack is gVisor's: TCP and UDP. Its NICs are the interfaces, NICID being the index. FindRoute on it answers as the routing table does.
	Stack *stack.Stack
	// Stats are the counters of sysctl net.inet.*.stats and net.inet6.*.stats.
	Stats Stats

	v6     bool // rumpnet_netinet6 is there; set before the first interface comes up
	conf   config
	addrs  atomic.Pointer[addresses]
	ifaces atomic.Pointer[map[uint16]*iface]
	raw    rawTable
	frags4 reassembler
	frags6 reassembler
	ipID   atomic.Uint32
	errs4  rateLimit
	errs6  rateLimit
	logs   rateLimit
	nd     ndLists
	icmp6  [256]icmp6Func

	later workQueue // with Config held
	loops workQueue // packets that come back to their sender
	halt  chan struct{}
}

type key struct{}

// Of is the kernel's internet protocols; nil without rumpnet_netinet.
func Of(k *kern.Kernel) *Inet {
	n := ifnet.Of(k)
	if n == nil {
		return nil
	}
	in, _ := n.Layer.Part(key{}).(*Inet)
	return in
}

// Attach makes a kernel's internet protocols, with IPv4: what component rumpnet_netinet does. It is freed when the kernel halts.
func Attach(k *kern.Kernel) (*Inet, error) {
	n := ifnet.Of(k)
	in := &Inet{K: k, Net: n, Table: route.Of(k), halt: make(chan struct{}), icmp6: icmp6Table()}
	in.addrs.Store(&addresses{})
	in.ifaces.Store(&map[uint16]*iface{})
	in.conf.init()
	in.Stats.init()
	in.later.init(&n.Config)
	in.loops.init(nil)
	in.ipID.Store(rand.Uint32())
	in.frags4.init(in, false)
	in.frags6.init(in, true)
	in.Stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{in.newProtocol4, in.newProtocol6},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	n.Layer.SetPart(key{}, in)
	if err := in.createNodes(nodes4(in)); err != nil {
		return nil, err
	}
	n.HandleProtocol(etherTypeIPv4, in.input4)
	n.HandleProtocol(etherTypeARP, in.arpInput)
	in.Table.RegisterLLTable(familyInet, &llTable{in: in, v6: false})
	in.Table.Observe(in.routeChanged)
	n.Config.Lock()
	defer n.Config.Unlock()
	n.Observe(in.observe)
	for _, ifp := range n.Interfaces() {
		in.attachInterface(ifp)
	}
	k.AtHalt(in.close)
	return in, nil
}

// Attach6 adds IPv6: what component rumpnet_netinet6 does.
func Attach6(k *kern.Kernel) error {
	in := Of(k)
	n := in.Net
	if err := in.createNodes(nodes6(in)); err != nil {
		return err
	}
	n.Config.Lock()
	defer n.Config.Unlock()
	in.v6 = true
	n.HandleProtocol(etherTypeIPv6, in.input6)
	in.Table.RegisterLLTable(familyInet6, &llTable{in: in, v6: true})
	for _, ifp := range n.Interfaces() {
		in.start6(in.iface(ifp))
	}
	return nil
}

// V6 says whether the kernel has IPv6.
func (in *Inet) V6() bool { return in.v6 }

// close frees everything when the kernel halts: timers, queues, the stack and its goroutines.
func (in *Inet) close() {
	close(in.halt)
	in.later.close()
	in.loops.close()
	in.Net.Config.Lock()
	for _, ifc := range *in.ifaces.Load() {
		ifc.close()
	}
	if in.nd.timer != nil {
		in.nd.timer.Stop()
	}
	in.Net.Config.Unlock()
	in.frags4.close()
	in.frags6.close()
	in.Stack.Destroy()
}

// halted says whether the kernel halts.
func (in *Inet) halted() bool {
	select {
	case <-in.halt:
		return true
	default:
		return false
	}
}

const (
	etherTypeIPv4 = uint16(header.IPv4ProtocolNumber)
	etherTypeIPv6 = uint16(header.IPv6ProtocolNumber)
	etherTypeARP  = uint16(header.ARPProtocolNumber)
)
