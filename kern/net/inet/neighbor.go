package inet

import (
	"net/netip"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// macAddr is a link-level address of an Ethernet.
type macAddr = [6]byte

// neighborTable is the link-level addresses of an interface's neighbours: ARP's entries, or neighbour discovery's; struct lltable.
//
// ARP's have no timers: an entry that is over is found so when it is looked at. Those of neighbour discovery have one while they are
// being resolved or probed.
type neighborTable struct {
	ifc *iface
	v6  bool

	mu      sync.RWMutex
	entries map[netip.Addr]*neighbor
	held    int // bytes of the packets that wait
	closed  bool
}

// neighbor is an entry, as struct llentry; all its fields are under the table's mu.
type neighbor struct {
	addr   netip.Addr
	state  int // ND6_LLINFO_*; ARP's are INCOMPLETE or REACHABLE
	mac    macAddr
	static bool
	public bool // published: we answer for it (proxy)
	router bool // neighbour discovery: it said that it is a router
	asked  int  // requests without an answer
	last   time.Time
	expire time.Time // zero for never
	hold   []heldPacket
	timer  *time.Timer
}

// heldPacket waits for the address of its next hop.
type heldPacket struct {
	p  *ifnet.Packet
	in *ifnet.Interface // where a forwarded packet came from; nil for our own
}

const (
	// maxNeighbors bounds a table of ARP (that of neighbour discovery net.inet6.ip6.neighborgcthresh does): beyond, an entry that nobody needs goes for each new one.
	maxNeighbors = 4096
	// maxHold bounds the packets that wait for one neighbour: beyond, the oldest goes.
	maxHold = 16
	// maxHeld bounds the bytes of the packets that wait for all neighbours of a table: beyond, those go that wait for other neighbours than
	// the one that was asked for last.
	maxHeld = 4 << 20
)

func (t *neighborTable) init(ifc *iface, v6 bool) {
	t.ifc, t.v6, t.entries = ifc, v6, map[netip.Addr]*neighbor{}
}

// known says whether the entry's link-level address is there and may be used at a time.
func (e *neighbor) known(now time.Time) bool {
	return e.state > abi.ND6_LLINFO_INCOMPLETE && (e.expire.IsZero() || now.Before(e.expire))
}

// lookup finds the link-level address of a neighbour when that is known and needs no further thought.
func (t *neighborTable) lookup(a netip.Addr, now time.Time) (macAddr, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.entries[a]
	if e == nil || !e.known(now) || t.v6 && e.state != abi.ND6_LLINFO_REACHABLE && e.state != abi.ND6_LLINFO_DELAY && e.state != abi.ND6_LLINFO_PROBE {
		return macAddr{}, false
	}
	return e.mac, true
}

// resolve finds the link-level address of a neighbour, or keeps the packet until it is known and asks for it. from is the interface that
// a forwarded packet came from, nil for our own.
//
// Errors: EHOSTDOWN when the neighbour has not answered; the packet is then still the caller's. With done false and no
// error the packet is the table's.
func (t *neighborTable) resolve(a netip.Addr, p *ifnet.Packet, from *ifnet.Interface) (mac macAddr, done bool, err error) {
	now := time.Now()
	if mac, ok := t.lookup(a, now); ok {
		return mac, true, nil
	}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return macAddr{}, false, abi.ENETDOWN
	}
	e := t.entries[a]
	if e != nil {
		t.age(e, now)
	}
	if e != nil && e.known(now) {
		if t.v6 && e.state == abi.ND6_LLINFO_STALE {
			t.delay(e)
		}
		mac = e.mac
		t.mu.Unlock()
		return mac, true, nil
	}
	if e == nil {
		e = t.insert(a)
	}
	if e.state > abi.ND6_LLINFO_INCOMPLETE {
		e.state, e.asked = abi.ND6_LLINFO_INCOMPLETE, 0
	}
	ask, err := t.request(e, now)
	if err == nil {
		t.keep(e, p, from)
	}
	t.mu.Unlock()
	if ask {
		t.ask(a)
	}
	return macAddr{}, false, err
}

// keep has a packet wait. Called with mu held.
func (t *neighborTable) keep(e *neighbor, p *ifnet.Packet, from *ifnet.Interface) {
	if len(e.hold) >= maxHold {
		t.held -= e.hold[0].p.Len()
		e.hold[0].p.Release()
		e.hold = append(e.hold[:0], e.hold[1:]...)
	}
	e.hold = append(e.hold, heldPacket{p, from})
	if t.held += p.Len(); t.held <= maxHeld {
		return
	}
	for _, o := range t.entries {
		if o != e {
			t.dropHeld(o)
		}
		if t.held <= maxHeld/2 {
			return
		}
	}
}

// take gives the caller the packets that wait for a neighbour. Called with mu held.
func (t *neighborTable) take(e *neighbor) []heldPacket {
	hold := e.hold
	e.hold = nil
	for _, h := range hold {
		t.held -= h.p.Len()
	}
	return hold
}

// dropHeld drops the packets that wait for a neighbour. Called with mu held.
func (t *neighborTable) dropHeld(e *neighbor) {
	for _, h := range t.take(e) {
		h.p.Release()
	}
}

// request notes that a neighbour is asked for, and says whether it is to be asked now. Called with mu held.
func (t *neighborTable) request(e *neighbor, now time.Time) (ask bool, err error) {
	if t.v6 {
		return t.solicit(e), nil
	}
	return t.arpRequest(e, now)
}

// ask sends a request for a neighbour's link-level address.
func (t *neighborTable) ask(a netip.Addr) {
	if t.v6 {
		t.ifc.askNS(a, nil)
	} else {
		t.ifc.arpAsk(a)
	}
}

// insert makes an entry without a link-level address; called with mu held.
func (t *neighborTable) insert(a netip.Addr) *neighbor {
	limit := maxNeighbors
	if t.v6 {
		limit = int(t.ifc.in.conf.maxNeighbors6.Load())
	}
	if len(t.entries) >= limit {
		t.evict()
	}
	e := &neighbor{addr: a, state: abi.ND6_LLINFO_INCOMPLETE}
	if !t.v6 {
		e.expire = time.Now().Add(t.ifc.in.conf.arpDownTime())
	}
	t.entries[a] = e
	return e
}

// evict takes out an entry that is not static, of those that it looks at one whose link-level address is not known, if there is one: who makes us ask for
// neighbours that do not exist does not have us forget those that do. Called with mu held.
func (t *neighborTable) evict() {
	const looks = 64
	var victim *neighbor
	n := 0
	for _, e := range t.entries {
		if e.static {
			continue
		}
		victim = e
		if n++; e.state <= abi.ND6_LLINFO_INCOMPLETE || n >= looks {
			break
		}
	}
	if victim != nil {
		t.drop(victim)
	}
}

// drop takes an entry out; called with mu held.
func (t *neighborTable) drop(e *neighbor) {
	e.stop()
	t.dropHeld(e)
	if t.entries[e.addr] == e {
		delete(t.entries, e.addr)
	}
}

// learned sets an entry's link-level address and returns the packets that waited for it. Called with mu held.
func (t *neighborTable) learned(e *neighbor, mac macAddr) []heldPacket {
	e.mac, e.asked = mac, 0
	return t.take(e)
}

// sendHeld sends packets that waited for a link-level address.
func (t *neighborTable) sendHeld(mac macAddr, held []heldPacket) {
	for _, h := range held {
		t.ifc.etherSend(h.p, mac, t.etherType())
	}
}

func (t *neighborTable) etherType() uint16 {
	if t.v6 {
		return etherTypeIPv6
	}
	return etherTypeIPv4
}

// purge forgets what was learned; static entries stay.
func (t *neighborTable) purge() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.entries {
		if !e.static {
			t.drop(e)
		}
	}
}

// close forgets everything for good.
func (t *neighborTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, e := range t.entries {
		t.drop(e)
	}
}
