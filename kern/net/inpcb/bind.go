package inpcb

import (
	"math/rand/v2"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// families are the kinds of packets that a socket, or an address of it, is for.
type families uint8

const (
	inet4 families = 1 << iota
	inet6
)

// families of the packets that p receives when it is bound to a; called with the table's lock held.
func (p *pcb) families(a address) families {
	switch {
	case !p.v6 || a.ip.Is4In6():
		return inet4
	case !a.ip.IsUnspecified() || p.v6only:
		return inet6
	}
	return inet4 | inet6
}

// matches says whether q, which is bound, gets in the way of p being bound to a, as in_pcblookup_port has it: with wild, wildcards
// on either side are no difference, otherwise addresses must be the same. Called with the table's lock held.
func (p *pcb) matches(q *pcb, a address, wild bool) bool {
	if p.families(a)&q.families(q.local) == 0 {
		return false
	}
	wildcard := q.state == connected
	switch {
	case q.local.any() != a.any():
		wildcard = true
	case !a.any() && (q.local.ip.Unmap() != a.ip.Unmap() || q.local.scope != a.scope):
		return false
	}
	return wild || !wildcard
}

// checkPort says whether p may be bound to a: in_pcbbind_port's rules of SO_REUSEADDR and SO_REUSEPORT. Called with the table's lock
// held.
//
// Errors: EADDRINUSE.
func (tb *table) checkPort(p *pcb, a address) error {
	reuse := p.so.Options.Load() & (abi.SO_REUSEADDR | abi.SO_REUSEPORT)
	wild := reuse == 0
	share := reuse & abi.SO_REUSEPORT
	multicast := a.ip.Unmap().IsMulticast()
	if multicast && reuse != 0 {
		share = abi.SO_REUSEADDR | abi.SO_REUSEPORT
	}
	for _, q := range tb.ports[a.port] {
		if q == p {
			continue
		}
		if p.matches(q, a, wild) && share&q.so.Options.Load() == 0 {
			return abi.EADDRINUSE
		}
		if p.uid != 0 && p.uid != q.uid && !multicast && p.matches(q, a, true) &&
			!(a.any() && q.local.any() && q.so.Option(abi.SO_REUSEPORT)) {
			return abi.EADDRINUSE
		}
	}
	return nil
}

// bind binds p to a, whose address has been found to be one of the kernel's; port 0 is any free one.
//
// Errors: EINVAL (bound already), EACCES (a privileged port), EADDRINUSE, EAGAIN (no free port).
func (p *pcb) bind(t *kern.Thread, a address) error {
	root := t.Cred().Root()
	low := p.opt.has(optLowPort)
	if (a.port != 0 && a.port < abi.IPPORT_RESERVED || a.port == 0 && low) && !root {
		return abi.EACCES
	}
	tb := p.tb
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if p.local.port != 0 || !p.local.any() {
		return abi.EINVAL
	}
	if a.port == 0 {
		first, last := p.ts.portRange(p.v6, low)
		port, err := tb.freePort(p, a, first, last)
		if err != nil {
			return err
		}
		a.port = port
	} else if err := tb.checkPort(p, a); err != nil {
		return err
	}
	p.local = address{ip: a.ip, scope: a.scope}
	tb.setPort(p, a.port)
	p.state = max(p.state, bound)
	return nil
}

// freePort finds a port in a range that nobody uses, from a random one on (RFC 6056, algorithm 1). Called with the table's lock held.
//
// Errors: EAGAIN.
func (tb *table) freePort(p *pcb, a address, first, last uint16) (uint16, error) {
	if first > last {
		first, last = last, first
	}
	n := uint32(last-first) + 1
	start := rand.Uint32N(n)
	for i := range n {
		a.port = first + uint16((start+i)%n)
		if !tb.inUse(p, a) {
			return a.port, nil
		}
	}
	return 0, abi.EAGAIN
}

// inUse says whether anyone is bound to what p is to be bound to. Called with the table's lock held.
func (tb *table) inUse(p *pcb, a address) bool {
	for _, q := range tb.ports[a.port] {
		if q != p && p.matches(q, a, true) {
			return true
		}
	}
	return false
}

// unbind undoes bind.
func (p *pcb) unbind() {
	tb := p.tb
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.unport(p)
	p.local = unspecified(p.v6)
	p.state = attached
}

// connectTo sets p's foreign address, and its local one to laddr, which was chosen for it.
//
// Errors: EADDRINUSE when another socket has the same four addresses and ports.
func (p *pcb) connectTo(laddr, foreign address) error {
	tb := p.tb
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, q := range tb.ports[p.local.port] {
		if q != p && q.state == connected && q.foreign == foreign &&
			q.local.ip == laddr.ip && q.local.scope == laddr.scope {
			return abi.EADDRINUSE
		}
	}
	p.local.ip, p.local.scope = laddr.ip, laddr.scope
	p.foreign, p.state = foreign, connected
	return nil
}

// disconnect forgets the foreign address, and sets the local one back to what it was bound to; port and all.
func (p *pcb) disconnect(laddr address) {
	tb := p.tb
	tb.mu.Lock()
	defer tb.mu.Unlock()
	p.local.ip, p.local.scope = laddr.ip, laddr.scope
	p.foreign, p.state = unspecified(p.v6), bound
}
