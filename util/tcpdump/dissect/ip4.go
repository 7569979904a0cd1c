package dissect

import (
	"net/netip"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

const (
	ip4HeaderLen = 20
	flagMF       = 0x2000
	flagDF       = 0x4000
	flagReserved = 0x8000
)

// header is what the protocols over IP need to know of it.
type header struct {
	src, dst netip.Addr
	proto    byte
	// fragment says that the packet is the first part of a larger one: its checksum cannot be checked.
	fragment bool
	// addressed says that the addresses have been printed.
	addressed bool
}

// pseudo is what the checksums of the protocols over IP include of it.
func (h *header) pseudo(length int) []byte {
	b := append(h.src.AsSlice(), h.dst.AsSlice()...)
	b = be.AppendUint32(b, uint32(length))
	return append(b, 0, 0, 0, h.proto)
}

// ends prints from where to where a packet goes, with ports unless proto is empty.
func (p *Printer) ends(h *header, proto string, sport, dport uint16) {
	if proto == "" {
		p.printf("%s > %s: ", p.Host(h.src), p.Host(h.dst))
		return
	}
	if h.addressed {
		p.printf("%s > %s: ", p.Port(proto, sport), p.Port(proto, dport))
		return
	}
	p.printf("%s.%s > %s.%s: ", p.Host(h.src), p.Port(proto, sport), p.Host(h.dst), p.Port(proto, dport))
}

var ipNames = map[byte]string{
	0: "Options", 1: "ICMP", 2: "IGMP", 4: "IPIP", 6: "TCP", 8: "EGP", 9: "IGRP", 17: "UDP", 41: "IPv6", 43: "Routing", 44: "Fragment", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH",
	55: "Mobile IP", 58: "ICMPv6", 89: "OSPF", 103: "PIM", 108: "Compressed IP", 112: "VRRP", 132: "SCTP",
}

func ipName(proto byte) string {
	if s, ok := ipNames[proto]; ok {
		return s
	}
	return "unknown"
}

// lowerNames are what /etc/protocols calls protocols of which nothing more is said.
var lowerNames = map[byte]string{
	1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 8: "egp", 9: "igp", 17: "udp", 41: "ipv6", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah", 58: "ipv6-icmp",
	89: "ospf", 103: "pim", 108: "ipcomp", 112: "vrrp", 132: "sctp",
}

func (p *Printer) lowerName(proto byte) string {
	if s, ok := lowerNames[proto]; ok && !p.Numeric {
		return s
	}
	return "ip-proto-" + itoa(int(proto))
}

func (p *Printer) ip4(k packet) {
	b := k.data
	if len(b) < ip4HeaderLen {
		p.truncated("ip")
		return
	}
	hlen, length := int(b[0]&0xf)*4, int(be.Uint16(b[2:]))
	switch {
	case b[0]>>4 != 4:
		p.printf("wrong version %d", b[0]>>4)
		return
	case hlen < ip4HeaderLen:
		p.printf("bad-hlen %d", hlen)
		return
	case length < hlen:
		p.printf("bad-len %d", length)
		return
	}
	missing := length - k.length
	k = k.limit(length)
	if p.Verbose > 0 {
		p.ip4Header(k, hlen, length)
	}
	if missing > 0 {
		p.printf("truncated-ip - %d bytes missing! ", missing)
	}
	flags := be.Uint16(b[6:])
	h := header{
		src: netip.AddrFrom4([4]byte(b[12:16])), dst: netip.AddrFrom4([4]byte(b[16:20])), proto: b[9], fragment: flags&flagMF != 0,
	}
	if flags&0x1fff != 0 { // its protocol's header is in another fragment
		p.ends(&h, "", 0, 0)
		p.print(p.lowerName(h.proto))
		return
	}
	p.over(&h, k.skip(hlen))
}

// ip4Header is the header as -v shows it.
func (p *Printer) ip4Header(k packet, hlen, length int) {
	b := k.data
	p.printf("(tos 0x%x%s", b[1], [...]string{"", ",ECT(1)", ",ECT(0)", ",CE"}[b[1]&3])
	if b[8] > 0 {
		p.printf(", ttl %d", b[8])
	}
	flags := be.Uint16(b[6:])
	p.printf(", id %d, offset %d, flags [%s], proto %s (%d), length %d", be.Uint16(b[4:]), int(flags&0x1fff)*8, bitNames(uint32(flags), fragmentFlags),
		ipName(b[9]), b[9], length)
	if hlen > ip4HeaderLen {
		p.print(", options (")
		p.ip4Options(b[ip4HeaderLen:min(hlen, len(b))])
		p.print(")")
	}
	if len(b) >= hlen && sum(b[:hlen]) != 0 {
		have := be.Uint16(b[10:])
		p.printf(", bad cksum %x (->%x)!", have, goodSum(b[:hlen], 10))
	}
	p.print(")\n    ")
}

// goodSum is the checksum that b should have at an offset, after what precedes it.
func goodSum(b []byte, at int, before ...[]byte) uint16 {
	return sum(append(before, b[:at], []byte{0, 0}, b[at+2:])...)
}

// bitName is the name of a bit.
type bitName struct {
	bit  uint32
	name string
}

var fragmentFlags = []bitName{{flagMF, "+"}, {flagDF, "DF"}, {flagReserved, "rsvd"}}

func bitNames(v uint32, names []bitName) string {
	var on []string
	for _, n := range names {
		if v&n.bit != 0 {
			on = append(on, n.name)
		}
	}
	if len(on) == 0 {
		return "none"
	}
	return strings.Join(on, ", ")
}

var ip4OptionNames = map[byte]string{0: "EOL", 1: "NOP", 7: "RR", 68: "timestamp", 130: "security", 131: "LSRR", 136: "SATID", 137: "SSRR", 148: "RA"}

func (p *Printer) ip4Options(b []byte) {
	for first := true; len(b) > 0; first = false {
		if !first {
			p.print(",")
		}
		typ := b[0]
		name, known := ip4OptionNames[typ]
		if !known {
			name = "unknown " + itoa(int(typ))
		}
		p.print(name)
		if typ == 0 {
			return
		}
		if typ == 1 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			p.print(" [bad length]")
			return
		}
		p.ip4Option(typ, b[2:b[1]])
		b = b[b[1]:]
	}
}

// ip4Option is what an option has in it.
func (p *Printer) ip4Option(typ byte, b []byte) {
	switch typ {
	case 7, 131, 137: // addresses behind a pointer
		if len(b) == 0 {
			return
		}
		for a := b[1:]; len(a) >= 4; a = a[4:] {
			p.print(" " + p.Host(netip.AddrFrom4([4]byte(a))))
		}
	case 148:
		if len(b) == 2 && be.Uint16(b) != 0 {
			p.printf(" value %d", be.Uint16(b))
		}
	default:
		p.printf(" 0x%x", b)
	}
}

// over prints what is in a packet of IP.
func (p *Printer) over(h *header, k packet) {
	if p.depth++; p.depth > maxNesting {
		p.print("[nested too deeply]")
		return
	}
	switch h.proto {
	case 6:
		p.tcp(h, k)
		return
	case 17:
		p.udp(h, k)
		return
	}
	if !h.addressed {
		p.ends(h, "", 0, 0)
	}
	switch {
	case h.proto == 1 && h.src.Is4():
		p.icmp4(h, k)
	case h.proto == 58 && h.src.Is6():
		p.icmp6(h, k)
	case h.proto == 2 && h.src.Is4():
		p.igmp(k)
	case h.proto == 4:
		p.named("IP")
		p.ip4(k)
	case h.proto == 41:
		p.ip6("IP6", k)
	default:
		p.printf(" %s %d", p.lowerName(h.proto), k.length)
	}
}
