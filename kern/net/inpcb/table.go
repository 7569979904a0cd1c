package inpcb

import (
	"cmp"
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// state is how far a socket's address is known, as kinfo_pcb has it: INP_ATTACHED and the following.
type state int

const (
	attached state = iota
	bound
	connected
)

// table is the sockets of a protocol, as struct inpcbtable.
type table struct {
	mu    sync.Mutex
	pcbs  map[*pcb]struct{}
	ports map[uint16][]*pcb // by local port, the newest last
	seq   uint64
}

func newTable() *table {
	return &table{pcbs: map[*pcb]struct{}{}, ports: map[uint16][]*pcb{}}
}

// pcb is what all internet sockets have, as struct inpcb and in6pcb.
type pcb struct {
	ts    *Tables
	tb    *table
	so    *socket.Socket
	v6    bool  // PF_INET6
	proto uint8 // IPPROTO_*; 0 on a raw socket of all protocols
	uid   uint32
	self  socket.Protocol // the *tcp, *udp or *raw that it is part of
	opt   ipOptions

	// Guarded by tb.mu.
	seq     uint64
	state   state
	local   address
	foreign address
	v6only  bool // set before it is bound
}

// init enters a new socket in its table.
func (p *pcb) init(ts *Tables, tb *table, so *socket.Socket, v6 bool, proto uint8) {
	p.ts, p.tb, p.so, p.v6, p.proto, p.uid = ts, tb, so, v6, proto, so.UID
	p.local, p.foreign = unspecified(v6), unspecified(v6)
	p.v6only = v6 && ts.v6onlyDefault()
	p.opt.init()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.seq++
	p.seq = tb.seq
	tb.pcbs[p] = struct{}{}
}

// leave takes a socket out of its table; again is harmless.
func (p *pcb) leave() {
	tb := p.tb
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.unport(p)
	delete(tb.pcbs, p)
}

// setPort gives p its local port; called with the lock held.
func (tb *table) setPort(p *pcb, port uint16) {
	tb.unport(p)
	p.local.port = port
	if port != 0 {
		tb.ports[port] = append(tb.ports[port], p)
	}
}

// unport takes p's local port away; called with the lock held.
func (tb *table) unport(p *pcb) {
	port := p.local.port
	if port == 0 {
		return
	}
	list := slices.DeleteFunc(tb.ports[port], func(q *pcb) bool { return q == p })
	if len(list) == 0 {
		delete(tb.ports, port)
	} else {
		tb.ports[port] = list
	}
	p.local.port = 0
}

// names are the addresses of both ends, and how far they are known.
func (p *pcb) names() (local, foreign address, st state) {
	p.tb.mu.Lock()
	defer p.tb.mu.Unlock()
	return p.local, p.foreign, p.state
}

// only6 says whether the socket is for IPv6 alone.
func (p *pcb) only6() bool {
	p.tb.mu.Lock()
	defer p.tb.mu.Unlock()
	return p.v6only
}

// list is the sockets of a family, the newest first.
func (tb *table) list(v6 bool) []*pcb {
	tb.mu.Lock()
	var list []*pcb
	for p := range tb.pcbs {
		if p.v6 == v6 {
			list = append(list, p)
		}
	}
	tb.mu.Unlock()
	slices.SortFunc(list, func(a, b *pcb) int { return cmp.Compare(b.seq, a.seq) })
	return list
}

// Sockname is the socket's own address.
func (p *pcb) Sockname() ([]byte, error) {
	local, _, _ := p.names()
	return local.sockaddr(), nil
}

// Peername is the address of the other end. Errors: ENOTCONN.
func (p *pcb) Peername() ([]byte, error) {
	_, foreign, st := p.names()
	if st != connected {
		return nil, abi.ENOTCONN
	}
	return foreign.sockaddr(), nil
}

// within says whether the connection is one within the host.
func (p *pcb) within() bool {
	_, foreign, _ := p.names()
	_, own := p.ts.in.LocalAddr(foreign.ip.Unmap(), foreign.scope)
	return own
}
