// Package frametest builds Ethernet frames for tests: the corpus on which what tcpdump prints and filters select is compared with another
// implementation's.
package frametest

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

var be = binary.BigEndian

// Addresses of the corpus.
var (
	MAC1      = []byte{2, 0, 0, 0, 0, 1}
	MAC2      = []byte{2, 0, 0, 0, 0, 2}
	Broadcast = []byte{255, 255, 255, 255, 255, 255}
	A1        = netip.MustParseAddr("10.1.1.1")
	A2        = netip.MustParseAddr("10.1.1.2")
	B1        = netip.MustParseAddr("fe80::1")
	B2        = netip.MustParseAddr("2001:db8::2")
)

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func u16(v ...uint16) (b []byte) {
	for _, x := range v {
		b = be.AppendUint16(b, x)
	}
	return b
}

func u32(v ...uint32) (b []byte) {
	for _, x := range v {
		b = be.AppendUint32(b, x)
	}
	return b
}

// Ether is a frame, padded to 60 bytes if pad says so.
func Ether(dst, src []byte, typ uint16, payload []byte, pad bool) []byte {
	b := join(dst, src, u16(typ), payload)
	if pad && len(b) < 60 {
		b = append(b, make([]byte, 60-len(b))...)
	}
	return b
}

// Sum is the checksum of the internet protocols.
func Sum(parts ...[]byte) uint16 {
	var sum uint32
	b := join(parts...)
	for i, c := range b {
		sum += uint32(c) << (8 * (1 - i%2))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// IP4 is the header of an IPv4 packet in front of a payload.
type IP4 struct {
	Src, Dst      netip.Addr
	Proto         byte
	TOS, TTL      byte
	ID, FlagsFrag uint16
	Options       []byte
	BadSum        bool
}

// Packet is the packet.
func (h IP4) Packet(payload []byte) []byte {
	if !h.Src.IsValid() {
		h.Src, h.Dst = A1, A2
	}
	if h.TTL == 0 {
		h.TTL = 64
	}
	ihl := 20 + len(h.Options)
	b := join([]byte{byte(0x40 | ihl/4), h.TOS}, u16(uint16(ihl+len(payload)), h.ID, h.FlagsFrag), []byte{h.TTL, h.Proto, 0, 0},
		h.Src.AsSlice(), h.Dst.AsSlice(), h.Options)
	sum := Sum(b)
	if h.BadSum {
		sum ^= 0x1234
	}
	be.PutUint16(b[10:], sum)
	return append(b, payload...)
}

// Frame is the packet in a frame.
func (h IP4) Frame(payload []byte) []byte { return Ether(MAC2, MAC1, 0x0800, h.Packet(payload), false) }

// IP6 is the header of an IPv6 packet.
type IP6 struct {
	Src, Dst netip.Addr
	Next     byte
	Hops     byte
	Flow     uint32
}

// Packet is the packet.
func (h IP6) Packet(payload []byte) []byte {
	if !h.Src.IsValid() {
		h.Src, h.Dst = B1, B2
	}
	if h.Hops == 0 {
		h.Hops = 255
	}
	return join(u32(6<<28|h.Flow), u16(uint16(len(payload))), []byte{h.Next, h.Hops}, h.Src.AsSlice(), h.Dst.AsSlice(), payload)
}

// Frame is the packet in a frame.
func (h IP6) Frame(payload []byte) []byte { return Ether(MAC2, MAC1, 0x86dd, h.Packet(payload), false) }

// Checked fills in the checksum of a payload over IP, at an offset.
func Checked(src, dst netip.Addr, proto byte, at int, payload []byte) []byte {
	b := slices.Clone(payload)
	be.PutUint16(b[at:], 0)
	be.PutUint16(b[at:], Sum(src.AsSlice(), dst.AsSlice(), u32(uint32(len(b))), []byte{0, 0, 0, proto}, b))
	return b
}

// TCP is a segment.
type TCP struct {
	Sport, Dport uint16
	Seq, Ack     uint32
	Flags        byte
	Window, Urg  uint16
	Options      []byte
}

// Segment is the segment with its data, without checksum.
func (h TCP) Segment(data []byte) []byte {
	return join(u16(h.Sport, h.Dport), u32(h.Seq, h.Ack), []byte{byte((20 + len(h.Options)) / 4 << 4), h.Flags}, u16(h.Window, 0, h.Urg), h.Options, data)
}

// UDP is a datagram without checksum.
func UDP(sport, dport uint16, data []byte) []byte {
	return join(u16(sport, dport, uint16(8+len(data)), 0), data)
}

// ARP is a message of ARP for IPv4 over Ethernet.
func ARP(op uint16, srcMAC []byte, src netip.Addr, dstMAC []byte, dst netip.Addr) []byte {
	return join(u16(1, 0x0800), []byte{6, 4}, u16(op), srcMAC, src.AsSlice(), dstMAC, dst.AsSlice())
}

// ICMP4 is a message of ICMP with its checksum.
func ICMP4(typ, code byte, rest ...[]byte) []byte {
	b := join([]byte{typ, code, 0, 0}, join(rest...))
	be.PutUint16(b[2:], Sum(b))
	return b
}

// ICMP6 is a message of ICMPv6 in a frame.
func ICMP6(src, dst netip.Addr, typ, code byte, rest ...[]byte) []byte {
	b := join([]byte{typ, code, 0, 0}, join(rest...))
	return IP6{Src: src, Dst: dst, Next: 58}.Frame(Checked(src, dst, 58, 2, b))
}
