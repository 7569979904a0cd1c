package ifnet

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Ethertypes that this package looks at itself.
const (
	etherIPv4 = 0x0800
	etherVLAN = 0x8100
	etherIPv6 = 0x86dd
	// etherMin is the smallest ethertype; below, the field is the length of an IEEE 802.3 frame.
	etherMin = 0x600
)

// etherTypeAt is the offset of an Ethernet header's type field, vlanHdrLen the length of a header with an 802.1Q tag.
const (
	etherTypeAt = 12
	vlanHdrLen  = EtherHdrLen + 4
	// maxTag is the largest 802.1Q tag; above are bits of priority.
	maxTag = 0xfff
)

// Input takes packets that a driver received: counts them, shows them to the taps, offers them to the port, and hands
// them to their protocols. It is called from the driver's goroutine, which does the protocol's work.
func (ifp *Interface) Input(pkts ...*Packet) {
	for _, p := range pkts {
		switch {
		case ifp.Flags()&abi.IFF_UP == 0:
			p.Release()
		case ifp.HdrLen == EtherHdrLen:
			ifp.etherInput(p)
		default:
			ifp.plainInput(p)
		}
	}
}

// plainInput takes a packet without a link header. One that the interface itself sent the taps have seen.
func (ifp *Interface) plainInput(p *Packet) {
	ifp.countInput(p)
	if p.Flags&Looped == 0 {
		ifp.tap(p, false)
	}
	if port := ifp.Port(); port != nil && port.InputPacket(ifp, p) {
		return
	}
	ifp.plainDeliver(p)
}

// Deliver hands a packet to its VLAN or protocol as if the interface had received it, without counting it or showing it to taps and port: for ports, with
// a packet that another member received.
func (ifp *Interface) Deliver(p *Packet) {
	var h [EtherHdrLen]byte
	switch {
	case ifp.HdrLen != EtherHdrLen:
		ifp.plainDeliver(p)
	case p.Header(h[:]):
		ifp.etherDeliver(p, binary.BigEndian.Uint16(h[etherTypeAt:]))
	default:
		ifp.unknown(p)
	}
}

// plainDeliver hands a packet without a link header to the protocol of its family.
func (ifp *Interface) plainDeliver(p *Packet) {
	switch p.Family {
	case abi.AF_INET:
		ifp.deliver(etherIPv4, p)
	case abi.AF_INET6:
		ifp.deliver(etherIPv6, p)
	default:
		ifp.unknown(p)
	}
}

// etherDeliver hands a frame of a type to its VLAN or protocol.
func (ifp *Interface) etherDeliver(p *Packet, typ uint16) {
	switch {
	case typ == etherVLAN:
		ifp.vlanInput(p)
	case typ >= etherMin:
		ifp.deliver(typ, p)
	default:
		ifp.unknown(p)
	}
}

// etherInput takes a frame: for the interface's own address, for all, for a group (every group: protocols look themselves), and in
// promiscuous mode those for others too.
func (ifp *Interface) etherInput(p *Packet) {
	var h [EtherHdrLen]byte
	if !p.Header(h[:]) {
		ifp.Stats.Ierrors.Add(1)
		p.Release()
		return
	}
	p.Flags |= ifp.classify(h[:6])
	if p.Flags&Promiscuous != 0 && ifp.Flags()&abi.IFF_PROMISC == 0 || p.Flags&(Broadcast|Multicast) != 0 && ifp.echo(h[6:12]) {
		p.Release()
		return
	}
	ifp.countInput(p)
	ifp.tap(p, false)
	if port := ifp.Port(); port != nil && port.InputPacket(ifp, p) {
		return
	}
	typ := binary.BigEndian.Uint16(h[etherTypeAt:])
	if p.Flags&Promiscuous != 0 && typ != etherVLAN { // a VLAN looks itself
		p.Release()
		return
	}
	ifp.etherDeliver(p, typ)
}

// classify says whom a frame is for: Broadcast, Multicast, Promiscuous for somebody else, 0 for us.
func (ifp *Interface) classify(dst []byte) PacketFlags {
	switch {
	case string(dst) == "\xff\xff\xff\xff\xff\xff":
		return Broadcast
	case dst[0]&1 != 0:
		return Multicast
	case string(dst) != string(ifp.LinkAddr()):
		return Promiscuous
	}
	return 0
}

// echo says whether a frame to many, from src, is what we ourselves have sent: an interface that is not IFF_SIMPLEX hears itself.
func (ifp *Interface) echo(src []byte) bool {
	return ifp.Flags()&abi.IFF_SIMPLEX == 0 && string(src) == string(ifp.LinkAddr())
}

func (ifp *Interface) countInput(p *Packet) {
	ifp.Stats.Ipackets.Add(1)
	ifp.Stats.Ibytes.Add(uint64(p.Len()))
	if p.Flags&(Broadcast|Multicast) != 0 {
		ifp.Stats.Imcasts.Add(1)
	}
}

// deliver hands a packet to the protocol of an ethertype.
func (ifp *Interface) deliver(ethertype uint16, p *Packet) {
	if f := (*ifp.Net.protocols.Load())[ethertype]; f != nil {
		f(ifp, p)
		return
	}
	ifp.unknown(p)
}

// unknown drops a packet of a protocol that nobody has.
func (ifp *Interface) unknown(p *Packet) {
	ifp.Stats.Noproto.Add(1)
	p.Release()
}

// SetVLAN has child take the frames with an 802.1Q tag (1 to 4094), without the tag; nil ends that. Errors: EADDRINUSE for a tag that another has.
func (ifp *Interface) SetVLAN(tag uint16, child *Interface) error {
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	next := map[uint16]*Interface{}
	if old := ifp.vlans.Load(); old != nil {
		for t, c := range *old {
			if t != tag {
				next[t] = c
			} else if child != nil && c != child {
				return abi.EADDRINUSE
			}
		}
	}
	if child != nil {
		next[tag] = child
	}
	ifp.vlans.Store(&next)
	return nil
}

// vlanInput hands a tagged frame to the interface of its tag. Tag 0 is no VLAN's, and says a priority alone: such a frame is ours.
func (ifp *Interface) vlanInput(p *Packet) {
	var h [vlanHdrLen]byte
	if !p.Header(h[:]) {
		ifp.unknown(p)
		return
	}
	tag := binary.BigEndian.Uint16(h[etherTypeAt+2:]) & maxTag
	inner := binary.BigEndian.Uint16(h[vlanHdrLen-2:])
	child := ifp.vlan(tag)
	if child == nil && p.Flags&Promiscuous != 0 {
		p.Release()
		return
	}
	if child == nil && tag != 0 {
		ifp.unknown(p)
		return
	}
	copy(h[etherTypeAt:], h[vlanHdrLen-2:])
	p.replaceHead(vlanHdrLen, h[:EtherHdrLen])
	if child == nil {
		ifp.deliver(inner, p)
		return
	}
	p.Flags &^= Broadcast | Multicast | Promiscuous
	child.Input(p)
}

// vlan is the interface of a tag; nil without.
func (ifp *Interface) vlan(tag uint16) *Interface {
	if m := ifp.vlans.Load(); m != nil {
		return (*m)[tag]
	}
	return nil
}

// replaceHead puts head in the place of the packet's first n bytes; clones of the packet keep theirs.
func (p *Packet) replaceHead(n int, head []byte) {
	p.Buf.TrimFront(int64(n))
	v := buffer.NewViewWithData(head)
	if err := p.Buf.Prepend(v); err != nil {
		v.Release()
	}
}
