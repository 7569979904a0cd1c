// Package dissect puts packets into words, in the manner of tcpdump(8): a line for each packet, more of them if it is asked to be verbose.
//
// It knows Ethernet, ARP, IPv4, IPv6, TCP, UDP, DNS, ICMP, ICMPv6 with neighbor discovery and listener discovery, and IGMP; what else there is, is
// named and counted. Packets may be anything, and may have been cut off: what is missing is marked as "[|tcp]". It reads no files and looks up no names
// itself.
//
// The headers are read here, not by a library of layers: each is a handful of numbers at fixed places, a header that was cut off has to be shown as far as it
// goes, and gopacket's layers would add a fifth of a millisecond to the start of every utility, of which this is one. DNS, whose messages are
// more than that, is parsed by golang.org/x/net/dns/dnsmessage.
//
// Start reading at Printer.
package dissect

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Link types of packets.
const (
	LinkNull     = 0
	LinkEthernet = 1
)

// Options say how packets are put into words.
type Options struct {
	Verbose  int  // how often -v was given
	Quiet    bool // -q
	Link     bool // -e: the link-level header, too
	Absolute bool // -S: absolute sequence numbers of TCP
	Numeric  bool // -n: numbers of protocols, too
	// NoDump leaves out the hexadecimal dump of what is not known: the caller prints all of the packet.
	NoDump bool
	// Host is the name of an address, Port that of a port over "tcp" or "udp".
	Host func(netip.Addr) string
	Port func(proto string, port uint16) string
}

// Printer puts the packets of one capture into words. It remembers TCP connections, whose sequence numbers are shown relative to the first. It belongs
// to one goroutine.
type Printer struct {
	Options
	Order binary.ByteOrder // of the address families of LinkNull

	conns connections
	b     []byte
	depth int  // of packets within packets
	cut   bool // the packet ends too early: all that can be told of it has been
}

// Numeric are Options without names.
func Numeric() Options {
	return Options{
		Numeric: true,
		Host:    netip.Addr.String,
		Port:    func(_ string, port uint16) string { return strconv.Itoa(int(port)) },
	}
}

// maxNesting bounds packets within packets.
const maxNesting = 8

var be = binary.BigEndian

func (p *Printer) printf(format string, args ...any) {
	if !p.cut {
		p.b = fmt.Appendf(p.b, format, args...)
	}
}

func (p *Printer) print(s string) {
	if !p.cut {
		p.b = append(p.b, s...)
	}
}

// truncated marks something that ends too early. No more is said of the packet.
func (p *Printer) truncated(proto string) {
	p.printf(" [|%s]", proto)
	p.cut = true
}

// packet is a packet, or what of one is left behind a header.
type packet struct {
	data []byte // what was captured of it
	// length is how long it was; more than len(data) if its end was cut off.
	length int
}

// skip leaves out a header.
func (k packet) skip(n int) packet {
	n = min(n, k.length)
	return packet{k.data[min(n, len(k.data)):], k.length - n}
}

// limit cuts what follows n bytes, as padding.
func (k packet) limit(n int) packet {
	return packet{k.data[:min(n, len(k.data))], min(n, k.length)}
}

// Packet puts a packet of a link type into words, without a newline at the end. length is how long it was; data what was captured. payload is where the
// network header begins. The text is good until the next call.
func (p *Printer) Packet(linkType int, data []byte, length int) (text []byte, payload int) {
	p.b, p.depth, p.cut = p.b[:0], 0, false
	k := packet{data, max(length, len(data))}
	switch linkType {
	case LinkEthernet:
		return p.b, p.ethernet(k)
	case LinkNull:
		return p.b, p.null(k)
	}
	p.printf("link type %d, length %d", linkType, length)
	return p.b, 0
}

// families are the address families of LinkNull: those of NetBSD, and AF_INET6 of FreeBSD and Darwin.
var families = map[uint32]uint16{2: typeIPv4, 24: typeIPv6, 28: typeIPv6, 30: typeIPv6}

func (p *Printer) null(k packet) int {
	if len(k.data) < 4 {
		p.truncated("null")
		return 0
	}
	family := p.Order.Uint32(k.data)
	typ := families[family]
	if p.Link {
		p.printf("AF %s (%d), length %d: ", etherName(typ), family, k.length)
	}
	if !p.network(typ, k.skip(4)) {
		p.printf("AF %d, length %d", family, k.length)
	}
	return 4
}

const etherHeaderLen = 14

// Ether types.
const (
	typeIPv4, typeARP, typeRARP, typeIPv6 = 0x0800, 0x0806, 0x8035, 0x86dd
	typeVLAN, typeQinQ                    = 0x8100, 0x88a8
	// least is the first number that is a type, not the length of an IEEE 802.3 frame.
	leastType = 1536
)

var etherNames = map[uint16]string{
	typeIPv4: "IPv4", typeARP: "ARP", typeRARP: "Reverse ARP", typeIPv6: "IPv6", typeVLAN: "802.1Q", typeQinQ: "802.1Q-QinQ", 0x8847: "MPLS unicast",
	0x8863: "PPPoE D", 0x8864: "PPPoE S", 0x888e: "EAPOL", 0x88cc: "LLDP", 0x9000: "Loopback",
}

func etherName(typ uint16) string {
	if s, ok := etherNames[typ]; ok {
		return s
	}
	return "Unknown"
}

func mac(b []byte) string { return net.HardwareAddr(b).String() }

// etherHeader prints what -e asks for.
func (p *Printer) etherHeader(h []byte, typ uint16, length int) {
	p.printf("%s > %s", mac(h[6:12]), mac(h[:6]))
	switch {
	case typ < leastType:
		p.print(", 802.3")
	case p.Quiet && etherNames[typ] == "":
		p.printf(", Unknown Ethertype (0x%04x)", typ)
	case p.Quiet:
		p.printf(", %s", etherNames[typ])
	default:
		p.printf(", ethertype %s (0x%04x)", etherName(typ), typ)
	}
	p.printf(", length %d: ", length)
}

func (p *Printer) ethernet(k packet) int {
	if len(k.data) < etherHeaderLen {
		p.truncated("ether")
		return 0
	}
	h, length := k.data[:etherHeaderLen], k.length
	typ := be.Uint16(h[12:])
	if p.Link {
		p.etherHeader(h, typ, length)
	}
	k = k.skip(etherHeaderLen)
	header := etherHeaderLen
	for typ == typeVLAN || typ == typeQinQ {
		if len(k.data) < 4 {
			p.truncated("vlan")
			return header
		}
		tag := be.Uint16(k.data)
		typ = be.Uint16(k.data[2:])
		k = k.skip(4)
		header += 4
		if p.Link {
			p.vlan(tag, typ)
		}
	}
	if typ >= leastType && p.network(typ, k) {
		return header
	}
	if !p.Link {
		p.etherHeader(h, typ, length)
	}
	if typ < leastType {
		p.llc(k)
	} else if !p.NoDump && !p.Quiet {
		p.dump(k)
	}
	return header
}

// dump is all of a packet that is not known.
func (p *Printer) dump(k packet) {
	p.print("\n" + strings.TrimSuffix(string(HexDump(k.data, true)), "\n"))
}

func (p *Printer) vlan(tag, typ uint16) {
	p.printf("vlan %d, p %d%s, ", tag&0xfff, tag>>13, map[bool]string{true: ", DEI"}[tag&0x1000 != 0])
	switch {
	case typ < leastType:
	case p.Quiet:
		p.print(etherName(typ) + ", ")
	default:
		p.printf("ethertype %s (0x%04x), ", etherName(typ), typ)
	}
}

// llc is the header of IEEE 802.2.
func (p *Printer) llc(k packet) {
	if len(k.data) < 3 {
		p.truncated("llc")
		return
	}
	p.printf("LLC, dsap 0x%02x, ssap 0x%02x, ctrl 0x%02x, length %d", k.data[0], k.data[1], k.data[2], k.length)
}

// network prints a packet of a protocol over the link, and says whether it knows it.
func (p *Printer) network(typ uint16, k packet) bool {
	switch typ {
	case typeIPv4:
		p.named("IP")
		p.ip4(k)
	case typeIPv6:
		p.ip6("IP6", k)
	case typeARP, typeRARP:
		p.arp(k)
	default:
		return false
	}
	return true
}

// named prints the name of a protocol, unless the link-level header has it.
func (p *Printer) named(name string) {
	if !p.Link {
		p.print(name + " ")
	}
}

// sum adds up 16-bit words: the checksum of the internet protocols. It is 0 of what has a good one.
func sum(parts ...[]byte) uint16 {
	var total uint64
	odd := false
	for _, b := range parts {
		for _, c := range b {
			if odd {
				total += uint64(c)
			} else {
				total += uint64(c) << 8
			}
			odd = !odd
		}
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return ^uint16(total)
}
