package frametest

import (
	"bytes"
	"fmt"
	"net/netip"
)

// Frame is a frame of the corpus and what it is.
type Frame struct {
	Name string
	Data []byte
}

// Corpus is frames of the common protocols.
func Corpus() []Frame {
	list := arp()
	for _, more := range [][]Frame{icmp4(), tcp(), udp(), ip4(), neighbors(), icmp6(), ip6(), groups(), others()} {
		list = append(list, more...)
	}
	return list
}

func arp() []Frame {
	none := make([]byte, 6)
	return []Frame{
		{"arp request", Ether(Broadcast, MAC1, 0x0806, ARP(1, MAC1, A1, none, A2), false)},
		{"arp request, padded", Ether(Broadcast, MAC1, 0x0806, ARP(1, MAC1, A1, none, A2), true)},
		{"arp request to one", Ether(MAC2, MAC1, 0x0806, ARP(1, MAC1, A1, MAC2, A2), true)},
		{"arp reply", Ether(MAC1, MAC2, 0x0806, ARP(2, MAC2, A2, MAC1, A1), true)},
		{"arp of no known operation", Ether(MAC1, MAC2, 0x0806, ARP(77, MAC2, A2, MAC1, A1), true)},
		{"rarp request", Ether(Broadcast, MAC1, 0x8035, ARP(3, MAC1, A1, MAC1, A2), true)},
		{"rarp reply", Ether(MAC1, MAC2, 0x8035, ARP(4, MAC2, A2, MAC1, A1), true)},
	}
}

func icmp4() []Frame {
	ip := func(msg []byte) []byte { return IP4{Proto: 1, ID: 7}.Frame(msg) }
	quoted := IP4{Proto: 17, ID: 3, TTL: 1}.Packet(UDP(1234, 33434, []byte("data")))
	quotedTCP := IP4{Proto: 6, ID: 3, TTL: 1}.Packet(TCP{Sport: 1234, Dport: 99}.Segment(nil)[:8])
	quotedOther := IP4{Proto: 132, ID: 3, TTL: 1}.Packet(make([]byte, 8))
	zero := make([]byte, 4)
	gateway := netip.MustParseAddr("10.1.1.254").AsSlice()
	return []Frame{
		{"echo request", ip(ICMP4(8, 0, u16(0x1234, 1), bytes.Repeat([]byte("abc"), 18)))},
		{"echo reply", ip(ICMP4(0, 0, u16(0x1234, 1), bytes.Repeat([]byte("abc"), 18)))},
		{"bad checksum", ip(append([]byte{8, 0, 0xaa, 0xbb}, make([]byte, 20)...))},
		{"unreachable net", ip(ICMP4(3, 0, zero, quoted))},
		{"unreachable host", ip(ICMP4(3, 1, zero, quoted))},
		{"unreachable protocol", ip(ICMP4(3, 2, zero, quotedOther))},
		{"unreachable port", ip(ICMP4(3, 3, zero, quoted))},
		{"unreachable tcp port", ip(ICMP4(3, 3, zero, quotedTCP))},
		{"need to fragment", ip(ICMP4(3, 4, u16(0, 1400), quoted))},
		{"need to fragment, no mtu", ip(ICMP4(3, 4, zero, quoted))},
		{"source route failed", ip(ICMP4(3, 5, zero, quoted))},
		{"prohibited", ip(ICMP4(3, 13, zero, quoted))},
		{"host prohibited", ip(ICMP4(3, 10, zero, quoted))},
		{"unreachable, unknown", ip(ICMP4(3, 77, zero, quoted))},
		{"source quench", ip(ICMP4(4, 0, zero, quoted))},
		{"redirect net", ip(ICMP4(5, 0, gateway, quoted))},
		{"redirect host", ip(ICMP4(5, 1, gateway, quoted))},
		{"time exceeded", ip(ICMP4(11, 0, zero, quoted))},
		{"reassembly time exceeded", ip(ICMP4(11, 1, zero, quoted))},
		{"parameter problem", ip(ICMP4(12, 0, []byte{20, 0, 0, 0}, quoted))},
		{"mask request", ip(ICMP4(17, 0, u16(1, 2), zero))},
		{"mask reply", ip(ICMP4(18, 0, u16(1, 2), []byte{255, 255, 255, 0}))},
		{"timestamp", ip(ICMP4(13, 0, u16(1, 2), u32(3661001, 0, 0)))},
		{"timestamp reply", ip(ICMP4(14, 0, u16(1, 2), u32(3661001, 3662002, 3663003)))},
		{"router solicitation", ip(ICMP4(10, 0, zero))},
		{"unknown", ip(ICMP4(99, 3, zero))},
	}
}

// tcp is a connection from its first segment to its last, and odd segments.
func tcp() []Frame {
	const fin, syn, rst, push, ack, urg, ece, cwr = 1, 2, 4, 8, 16, 32, 64, 128
	there := func(h TCP, data string) []byte {
		h.Sport, h.Dport = 49152, 5001
		return IP4{Proto: 6, ID: 9, FlagsFrag: 0x4000}.Frame(Checked(A1, A2, 6, 16, h.Segment([]byte(data))))
	}
	back := func(h TCP, data string) []byte {
		h.Sport, h.Dport = 5001, 49152
		return IP4{Src: A2, Dst: A1, Proto: 6, FlagsFrag: 0x4000}.Frame(Checked(A2, A1, 6, 16, h.Segment([]byte(data))))
	}
	all := join([]byte{2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10}, u32(1000, 0))
	stamp := join([]byte{1, 1, 8, 10}, u32(2000, 1000))
	sack := join([]byte{1, 1, 5, 18}, u32(1101, 1201, 1301, 1401))
	v6 := TCP{Sport: 49152, Dport: 5001, Seq: 1, Flags: syn, Window: 100, Options: []byte{2, 4, 5, 0xa0}}.Segment(nil)
	return []Frame{
		{"syn", there(TCP{Seq: 1000, Flags: syn, Window: 65535, Options: all}, "")},
		{"syn, ack", back(TCP{Seq: 5000, Ack: 1001, Flags: syn | ack, Window: 32768, Options: all}, "")},
		{"ack", there(TCP{Seq: 1001, Ack: 5001, Flags: ack, Window: 512, Options: stamp}, "")},
		{"data", there(TCP{Seq: 1001, Ack: 5001, Flags: ack | push, Window: 512, Options: stamp}, "hello, world\n")},
		{"sack", back(TCP{Seq: 5001, Ack: 1014, Flags: ack, Window: 512, Options: sack}, "")},
		{"urgent", there(TCP{Seq: 1014, Ack: 5001, Flags: ack | urg, Window: 512, Urg: 1}, "!")},
		{"congestion", back(TCP{Seq: 5001, Ack: 1015, Flags: ack | ece | cwr, Window: 512}, "more")},
		{"fin", there(TCP{Seq: 1015, Ack: 5005, Flags: fin | ack, Window: 512}, "")},
		{"rst", back(TCP{Seq: 5005, Flags: rst}, "")},
		{"no flags", there(TCP{Seq: 1, Window: 1}, "")},
		{"unknown option", there(TCP{Seq: 1, Flags: ack, Options: []byte{200, 4, 1, 2}}, "")},
		{"bad option of TCP", there(TCP{Seq: 1, Flags: ack, Options: []byte{2, 40, 0, 0}}, "")},
		{"end of options", there(TCP{Seq: 1, Flags: ack, Options: []byte{1, 0, 0, 0}}, "")},
		{"bad checksum", IP4{Proto: 6}.Frame(TCP{Sport: 1, Dport: 2, Flags: syn}.Segment(nil))},
		{"over IPv6", IP6{Next: 6, Src: B2, Dst: B2}.Frame(Checked(B2, B2, 6, 16, v6))},
	}
}

func udp() []Frame {
	datagram := func(sport, dport uint16, data []byte) []byte {
		return IP4{Proto: 17, TOS: 0x10, ID: 1}.Frame(Checked(A1, A2, 17, 6, UDP(sport, dport, data)))
	}
	query := join(u16(0x1234, 0x0100, 1, 0, 0, 0), []byte("\x07example\x03com\x00"), u16(1, 1))
	answer := join(u16(0x1234, 0x8580, 1, 2, 0, 0), []byte("\x07example\x03com\x00"), u16(1, 1),
		u16(0xc00c, 5, 1), u32(300), u16(6), []byte("\x03www\xc0\x0c"), u16(0xc029, 1, 1), u32(300), u16(4), A2.AsSlice())
	failure := join(u16(0x1235, 0x8183, 1, 0, 0, 0), []byte("\x04nope\x00"), u16(28, 1))
	return []Frame{
		{"datagram", datagram(1234, 5678, []byte("hello"))},
		{"empty datagram", datagram(1234, 5678, nil)},
		{"no checksum", IP4{Proto: 17}.Frame(UDP(1234, 5678, []byte("hello")))},
		{"bad checksum", IP4{Proto: 17}.Frame(join(u16(1, 2, 13, 0xabcd), []byte("hello")))},
		{"longer than the packet", IP4{Proto: 17}.Frame(join(u16(1, 2, 100, 0), []byte("hello")))},
		{"too short", IP4{Proto: 17}.Frame(u16(1, 2, 4, 0))},
		{"query", datagram(1234, 53, query)},
		{"answer", datagram(53, 1234, answer)},
		{"no such name", datagram(53, 1234, failure)},
		{"over IPv6", IP6{Next: 17}.Frame(Checked(B1, B2, 17, 6, UDP(1234, 5678, []byte("hello"))))},
	}
}

func ip4() []Frame {
	long := UDP(1234, 5678, bytes.Repeat([]byte{'x'}, 3000))
	return []Frame{
		{"first fragment", IP4{Proto: 17, ID: 99, FlagsFrag: 0x2000}.Frame(long[:1480])},
		{"middle fragment", IP4{Proto: 17, ID: 99, FlagsFrag: 0x2000 | 185}.Frame(long[1480:2960])},
		{"last fragment", IP4{Proto: 17, ID: 99, FlagsFrag: 370}.Frame(long[2960:])},
		{"first fragment of an echo", IP4{Proto: 1, ID: 98, FlagsFrag: 0x2000}.Frame(ICMP4(8, 0, u16(1, 1), make([]byte, 100)))},
		{"last fragment of an echo", IP4{Proto: 1, ID: 98, FlagsFrag: 13}.Frame(make([]byte, 50))},
		{"options", IP4{Proto: 17, Options: []byte{7, 7, 4, 0, 0, 0, 0, 0}}.Frame(UDP(1, 2, nil))},
		{"router alert", IP4{Proto: 2, TTL: 1, Options: []byte{148, 4, 0, 0}}.Frame(join([]byte{0x16, 0, 0, 0}, []byte{224, 1, 1, 1}))},
		{"bad header checksum", IP4{Proto: 17, BadSum: true}.Frame(UDP(1, 2, nil))},
		{"congestion experienced", IP4{Proto: 17, TOS: 3}.Frame(UDP(1, 2, nil))},
		{"an unknown protocol", IP4{Proto: 253}.Frame(make([]byte, 30))},
		{"in IPv4", IP4{Proto: 4}.Frame(IP4{Proto: 17}.Packet(UDP(1, 2, nil)))},
		{"IPv6 in IPv4", IP4{Proto: 41}.Frame(IP6{Next: 17}.Packet(UDP(1, 2, nil)))},
	}
}

func neighbors() []Frame {
	source, target := join([]byte{1, 1}, MAC1), join([]byte{2, 1}, MAC2)
	prefix := join([]byte{3, 4, 64, 0xc0}, u32(2592000, 604800, 0), B2.AsSlice())
	all := netip.MustParseAddr("ff02::1")
	zero := make([]byte, 4)
	unspecified := netip.IPv6Unspecified()
	return []Frame{
		{"neighbor solicitation", ICMP6(B1, netip.MustParseAddr("ff02::1:ff00:2"), 135, 0, zero, B2.AsSlice(), source)},
		{"duplicate address detection", ICMP6(unspecified, netip.MustParseAddr("ff02::1:ff00:2"), 135, 0, zero, B2.AsSlice())},
		{"neighbor advertisement", ICMP6(B2, B1, 136, 0, u32(0x60000000), B2.AsSlice(), target)},
		{"router solicitation", ICMP6(B1, all, 133, 0, zero, source)},
		{"router advertisement", ICMP6(B1, all, 134, 0, []byte{64, 0xc0, 7, 8}, u32(30000, 1000), source, join([]byte{5, 1, 0, 0}, u32(1500)), prefix)},
		{"redirect", ICMP6(B1, B2, 137, 0, zero, B1.AsSlice(), B2.AsSlice(), target)},
		{"bad option", ICMP6(B1, all, 133, 0, zero, []byte{1, 0, 0, 0, 0, 0, 0, 0})},
	}
}

func icmp6() []Frame {
	quoted := IP6{Src: B1, Dst: B2, Next: 17, Hops: 1}.Packet(UDP(1234, 33434, []byte("data")))
	zero := make([]byte, 4)
	all := netip.MustParseAddr("ff02::16")
	group := netip.MustParseAddr("ff02::1:2").AsSlice()
	list := []Frame{
		{"echo request", ICMP6(B1, B2, 128, 0, u16(0x1234, 1), make([]byte, 8))},
		{"echo reply", ICMP6(B1, B2, 129, 0, u16(0x1234, 1), make([]byte, 8))},
		{"bad checksum", IP6{Next: 58}.Frame([]byte{128, 0, 1, 2, 0, 1, 0, 1})},
		{"packet too big", ICMP6(B1, B2, 2, 0, u32(1280), quoted)},
		{"time exceeded", ICMP6(B1, B2, 3, 0, zero, quoted)},
		{"reassembly time exceeded", ICMP6(B1, B2, 3, 1, zero, quoted)},
		{"parameter problem", ICMP6(B1, B2, 4, 1, u32(6), quoted)},
		{"listener query", ICMP6(B1, all, 130, 0, u16(1000, 0), make([]byte, 16))},
		{"listener report", ICMP6(B1, all, 131, 0, u16(0, 0), group)},
		{"listener done", ICMP6(B1, all, 132, 0, u16(0, 0), group)},
		{"listener query v2", ICMP6(B1, all, 130, 0, u16(1000, 0), group, []byte{2, 125, 0, 0})},
		{"listener report v2", ICMP6(B1, all, 143, 0, u16(0, 1), []byte{4, 0, 0, 0}, group)},
		{"unknown type of ICMPv6", ICMP6(B1, B2, 99, 5, zero)},
	}
	for code := range byte(7) {
		list = append(list, Frame{fmt.Sprint("unreachable, code ", code), ICMP6(B1, B2, 1, code, zero, quoted)})
	}
	return list
}

func ip6() []Frame {
	udp := UDP(1234, 5678, bytes.Repeat([]byte{'x'}, 100))
	return []Frame{
		{"first fragment", IP6{Next: 44}.Frame(join([]byte{17, 0}, u16(1), u32(77), udp[:48]))},
		{"last fragment", IP6{Next: 44}.Frame(join([]byte{17, 0}, u16(48), u32(77), udp[48:]))},
		{"hop by hop", IP6{Next: 0}.Frame(join([]byte{58, 0, 5, 2, 0, 0, 1, 0}, []byte{128, 0, 0, 0, 0, 1, 0, 1}))},
		{"destination options", IP6{Next: 60}.Frame(join([]byte{17, 0, 1, 4, 0, 0, 0, 0}, UDP(1, 2, nil)))},
		{"flow label", IP6{Next: 17, Flow: 0x1234567}.Frame(Checked(B1, B2, 17, 6, UDP(1, 2, nil)))},
		{"no next header", IP6{Next: 59}.Frame(nil)},
		{"an unknown protocol", IP6{Next: 253}.Frame(make([]byte, 10))},
		{"IPv4 in IPv6", IP6{Next: 4}.Frame(IP4{Proto: 17}.Packet(UDP(1, 2, nil)))},
	}
}

func groups() []Frame {
	group := netip.MustParseAddr("224.1.1.1")
	igmp := func(b ...byte) []byte {
		be.PutUint16(b[2:], Sum(b))
		return Ether([]byte{1, 0, 0x5e, 1, 1, 1}, MAC1, 0x0800, IP4{Src: A1, Dst: group, Proto: 2, TTL: 1}.Packet(b), false)
	}
	return []Frame{
		{"query v1", igmp(0x11, 0, 0, 0, 0, 0, 0, 0)},
		{"query v2", igmp(0x11, 100, 0, 0, 0, 0, 0, 0)},
		{"query v2 of a group", igmp(0x11, 10, 0, 0, 224, 1, 1, 1)},
		{"query v3", igmp(0x11, 100, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0)},
		{"report v1", igmp(0x12, 0, 0, 0, 224, 1, 1, 1)},
		{"report v2", igmp(0x16, 0, 0, 0, 224, 1, 1, 1)},
		{"leave", igmp(0x17, 0, 0, 0, 224, 1, 1, 1)},
		{"report v3", igmp(0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 224, 1, 1, 1)},
	}
}

func others() []Frame {
	tagged := join(u16(0x2005, 0x0800), IP4{Proto: 17}.Packet(UDP(1, 2, nil)))
	return []Frame{
		{"vlan", Ether(MAC2, MAC1, 0x8100, tagged, true)},
		{"an unknown type", Ether(MAC2, MAC1, 0x88b6, bytes.Repeat([]byte("0123456789"), 5), true)},
		{"padded", Ether(MAC2, MAC1, 0x0800, IP4{Proto: 17}.Packet(UDP(1, 2, nil)), true)},
	}
}
