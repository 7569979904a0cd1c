package ifnet

import (
	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Packet is a frame or a datagram on its way, as an mbuf chain with its packet header. On an Ethernet it begins with the Ethernet
// header (no FCS); elsewhere (lo, tun, gif) with the network header, and Family says whose.
//
// Who is given a packet owns it: hands it on, or calls Release. Clone makes a second one of the same bytes without copying them;
// a packet's bytes are therefore only written to after Buf.DeepClone, or by whoever made them.
type Packet struct {
	Buf buffer.Buffer
	// Family is the address family of a packet without a link header: abi.AF_INET, AF_INET6.
	Family uint8
	// Flags are facts about the packet.
	Flags PacketFlags
	// Segment describes a TCP segment that is larger than the MTU and is yet to be cut; its Size is 0 for all others.
	Segment Segment
}

// PacketFlags are facts about a packet, as the flags of an mbuf.
type PacketFlags uint16

const (
	// Broadcast is a frame to all, Multicast one to a group: M_BCAST, M_MCAST.
	Broadcast PacketFlags = 1 << iota
	Multicast
	// Promiscuous is a frame for somebody else, taken in promiscuous mode: M_PROMISC. Taps see it, protocols do not.
	Promiscuous
	// ChecksumGood says that the transport checksum need not be looked at: the packet never left this machine's memory.
	ChecksumGood
	// ChecksumMissing says that the transport checksum has not been computed: only interfaces with CapChecksum are given such,
	// and a receiver that is given one with ChecksumGood takes it as it is.
	ChecksumMissing
	// Looped is a copy of what the interface itself sent (SIMPLEX).
	Looped
)

// Segment says how a large TCP segment is to be cut: Size bytes of payload each, HeaderLen the network header's length.
type Segment struct {
	Size      uint16
	HeaderLen uint16
	V6        bool
}

// NewPacket is a packet of a frame; it takes the bytes over.
func NewPacket(frame []byte) *Packet {
	return &Packet{Buf: buffer.MakeWithView(buffer.NewViewWithData(frame))}
}

// Len is the packet's length in bytes.
func (p *Packet) Len() int { return int(p.Buf.Size()) }

// Clone is a second packet of the same bytes.
func (p *Packet) Clone() *Packet {
	return &Packet{Buf: p.Buf.Clone(), Family: p.Family, Flags: p.Flags, Segment: p.Segment}
}

// Release gives the bytes back.
func (p *Packet) Release() { p.Buf.Release() }

// Header copies the first len(b) bytes into b and says whether there are as many.
func (p *Packet) Header(b []byte) bool {
	n, _ := p.Buf.ReadAt(b, 0)
	return n == len(b)
}

// EtherHdrLen is the length of an Ethernet header.
const EtherHdrLen = abi.SizeofEtherHeader
