// Package membus is an Ethernet in memory, for interfaces of kernels that live in one program. Frames are passed on without being copied,
// large TCP segments uncut and without checksums.
//
// It is the medium alone: package component/net/shmif puts interfaces on it, by a linkstr of "mem:NAME", where NAME is looked up in
// the Buses that the kernel was made with. Start reading at Bus and Port.
package membus

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

const (
	// maxQueue and maxBytes bound what waits at a port; the first packet always has room.
	maxQueue = 1024
	maxBytes = 8 << 20
)

// Buses are the buses that kernels can name. Kernels that are given the same Buses can meet; others cannot. The zero value is ready.
type Buses struct {
	mu    sync.Mutex
	buses map[string]*Bus
}

// Bus is the bus of a name, which is made if there is none.
func (s *Buses) Bus(name string) *Bus {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buses == nil {
		s.buses = map[string]*Bus{}
	}
	b := s.buses[name]
	if b == nil {
		b = new(Bus)
		s.buses[name] = b
	}
	return b
}

type key struct{}

// Component gives a kernel the buses that it can name. It is made for one kernel and stands in no table.
func (s *Buses) Component() *kern.Component {
	return &kern.Component{
		Name:  "membus",
		Needs: []string{"rumpnet"},
		Doc:   "Ethernets in memory, shared with kernels of the same program",
		Attach: func(k *kern.Kernel) error {
			socket.Of(k).SetPart(key{}, s)
			return nil
		},
	}
}

// Of is the buses that a kernel can name; nil without any.
func Of(k *kern.Kernel) *Buses {
	if k == nil || socket.Of(k) == nil {
		return nil
	}
	s, _ := socket.Of(k).Part(key{}).(*Buses)
	return s
}

// Bus is an Ethernet in memory. The zero value is one with no interface on it.
type Bus struct {
	mu    sync.Mutex // of changes
	ports atomic.Pointer[[]*Port]
}

// Port is an interface's connection to a bus. What it receives waits in a queue for the port's goroutine, which sleeps while
// there is nothing.
type Port struct {
	bus *Bus
	ifp *ifnet.Interface

	mu     sync.Mutex
	queue  []*ifnet.Packet
	bytes  int
	closed bool
	wake   chan struct{} // of one place: there is something in the queue, or the port is closed
}

// Join connects an interface: from now on it is given the frames that others send, those to its address and to groups, all of them in
// promiscuous mode.
func (b *Bus) Join(ifp *ifnet.Interface) *Port {
	p := &Port{bus: b, ifp: ifp, wake: make(chan struct{}, 1)}
	b.change(func(ports []*Port) []*Port { return append(ports, p) })
	go p.run()
	return p
}

func (b *Bus) change(f func([]*Port) []*Port) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ports := f(slices.Clone(b.list()))
	b.ports.Store(&ports)
}

func (b *Bus) list() []*Port {
	if p := b.ports.Load(); p != nil {
		return *p
	}
	return nil
}

// Close takes the port off its bus; what waits there is lost. A call of the interface's Input may still be under way.
func (p *Port) Close() {
	p.bus.change(func(ports []*Port) []*Port {
		return slices.DeleteFunc(ports, func(o *Port) bool { return o == p })
	})
	p.mu.Lock()
	queue := p.queue
	p.queue, p.closed = nil, true
	p.mu.Unlock()
	p.signal()
	release(queue)
}

// Send gives packets to the other ports, without waiting. It owns them. What has no room at a port is lost there, and counted as
// the receiving interface's input queue drops.
func (p *Port) Send(pkts []*ifnet.Packet) {
	for _, pkt := range pkts {
		pkt.Flags = sent(pkt.Flags)
	}
	var last *Port
	for _, to := range p.bus.list() {
		if to == p {
			continue
		}
		if last != nil {
			last.offer(pkts, false)
		}
		last = to
	}
	if last == nil {
		release(pkts)
		return
	}
	last.offer(pkts, true)
}

// sent is what stays of a packet's flags on the bus: the memory is the same for all, so that a checksum that is missing is as good as one
// that is right.
func sent(f ifnet.PacketFlags) ifnet.PacketFlags {
	const sums = ifnet.ChecksumGood | ifnet.ChecksumMissing
	if f&ifnet.ChecksumMissing != 0 {
		return sums
	}
	return f & sums
}

// offer queues those packets that the port wants. They are the port's own with give, and otherwise cloned.
func (p *Port) offer(pkts []*ifnet.Packet, give bool) {
	queued := false
	p.mu.Lock()
	for _, pkt := range pkts {
		switch {
		case !p.takes(pkt):
			if give {
				pkt.Release()
			}
			continue
		case !give:
			pkt = pkt.Clone()
		}
		p.queue = append(p.queue, pkt)
		p.bytes += pkt.Len()
		queued = true
	}
	p.mu.Unlock()
	if queued {
		p.signal()
	}
}

// takes says whether the port wants a packet and has room for it; with mu held.
func (p *Port) takes(pkt *ifnet.Packet) bool {
	var dst [6]byte
	if p.closed || !pkt.Header(dst[:]) || !p.wants(dst) {
		return false
	}
	if len(p.queue) >= maxQueue || len(p.queue) > 0 && p.bytes+pkt.Len() > maxBytes {
		p.ifp.Stats.Iqdrops.Add(1)
		return false
	}
	return true
}

func (p *Port) wants(dst [6]byte) bool {
	return dst[0]&1 != 0 || string(dst[:]) == string(p.ifp.LinkAddr()) || p.ifp.Flags()&abi.IFF_PROMISC != 0
}

func (p *Port) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run hands what is queued to the interface until the port is closed.
func (p *Port) run() {
	var spare []*ifnet.Packet
	for range p.wake {
		p.mu.Lock()
		pkts, closed := p.queue, p.closed
		p.queue, p.bytes = spare[:0], 0
		p.mu.Unlock()
		if closed {
			return
		}
		p.ifp.Input(pkts...)
		clear(pkts)
		spare = pkts
	}
}

func release(pkts []*ifnet.Packet) {
	for _, p := range pkts {
		p.Release()
	}
}
