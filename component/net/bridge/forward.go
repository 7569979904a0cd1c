package bridge

import (
	"time"

	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// InputPacket takes what a member received: frames for others are forwarded, those to groups are forwarded and left to the member as well, and those for
// any member's own address are this kernel's.
func (b *bridge) InputPacket(ifp *ifnet.Interface, p *ifnet.Packet) (taken bool) {
	from := b.find(ifp)
	var h [ifnet.EtherHdrLen]byte
	if from == nil || !b.ifp.Up() || !p.Header(h[:]) {
		return false
	}
	dst, src := [6]byte(h[:6]), [6]byte(h[6:12])
	if b.owner(src) != nil { // what this kernel sent has come back: there is a loop
		p.Release()
		return true
	}
	b.ifp.Stats.Ipackets.Add(1)
	b.ifp.Stats.Ibytes.Add(uint64(p.Len()))
	b.learn(from, src)
	if dst[0]&1 != 0 {
		b.ifp.Stats.Imcasts.Add(1)
		b.flood(from, p.Clone(), true)
		return false
	}
	if own := b.owner(dst); own == from {
		return false
	} else if own != nil {
		p.Flags &^= ifnet.Promiscuous
		own.ifp.Deliver(p)
		return true
	}
	b.forward(from, p, dst)
	return true
}

// OutputPacket takes what a protocol sends on a member: it goes to the member behind which its destination is, or to all.
func (b *bridge) OutputPacket(ifp *ifnet.Interface, p *ifnet.Packet) (taken bool) {
	var dst [6]byte
	if b.find(ifp) == nil || !b.ifp.Up() || !p.Header(dst[:]) {
		return false
	}
	b.forward(nil, p, dst)
	return true
}

// Transmit sends what is sent on the bridge itself.
func (b *bridge) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	for _, p := range pkts {
		var dst [6]byte
		p.Header(dst[:])
		b.forward(nil, p, dst)
	}
	return nil
}

// owner is the member whose own address it is; nil for none.
func (b *bridge) owner(mac [6]byte) *member {
	for _, m := range b.list() {
		if string(m.ifp.LinkAddr()) == string(mac[:]) {
			return m
		}
	}
	return nil
}

// forward sends a frame on the member behind which its destination is; on all when that is not known. from is where it came from, nil for
// this kernel.
func (b *bridge) forward(from *member, p *ifnet.Packet, dst [6]byte) {
	var to *member
	if dst[0]&1 == 0 {
		to = b.table.lookup(dst, time.Now())
	}
	switch {
	case to == nil:
		b.flood(from, p, dst[0]&1 != 0)
	case to == from: // it is where it belongs
		p.Release()
	default:
		b.send(to, p)
	}
}

// flood sends a frame on all members but the one that it came from; one to an unknown address, from elsewhere, only on those that discover.
func (b *bridge) flood(from *member, p *ifnet.Packet, group bool) {
	for _, m := range b.list() {
		if m == from || from != nil && !group && !m.discovers() {
			continue
		}
		b.send(m, p.Clone())
	}
	p.Release()
}

// send sends a frame on a member.
func (b *bridge) send(m *member, p *ifnet.Packet) {
	if !m.ifp.Up() {
		p.Release()
		return
	}
	b.ifp.Stats.Opackets.Add(1)
	b.ifp.Stats.Obytes.Add(uint64(p.Len()))
	p.Flags &^= ifnet.Promiscuous | ifnet.Broadcast | ifnet.Multicast
	if err := m.ifp.Enqueue(p); err != nil {
		b.ifp.Stats.Oerrors.Add(1)
	}
}
