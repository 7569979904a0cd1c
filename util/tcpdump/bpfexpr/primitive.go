package bpfexpr

import (
	"encoding/binary"
	"slices"

	"golang.org/x/net/bpf"
)

// qualifiers stand before the name or number of a primitive.
type qualifiers struct {
	proto string // "" for any that makes sense
	dir   string // "src", "dst", "src and dst"; "" for either
	typ   string // "host", "net", "port", "portrange", "proto"; "" for host
}

// etherTypes are protocols over Ethernet.
var etherTypes = map[string]uint32{"ip": 0x0800, "arp": 0x0806, "rarp": 0x8035, "ip6": 0x86dd}

// ipProtocol is a protocol over IPv4, IPv6 or both.
type ipProtocol struct {
	number   uint32
	ip4, ip6 bool
}

var ipProtocols = map[string]ipProtocol{
	"icmp": {1, true, false}, "igmp": {2, true, false}, "tcp": {6, true, true}, "udp": {17, true, true}, "esp": {50, true, true},
	"ah": {51, true, true}, "icmp6": {58, false, true}, "pim": {103, true, true}, "vrrp": {112, true, false}, "sctp": {132, true, true},
}

// keywords are the words that are no names of hosts, nets and ports. unsupported are those that pcap-filter(7) has and this package refuses.
var (
	keywords = []string{"ether", "link", "src", "dst", "host", "net", "mask", "port", "portrange", "proto", "broadcast", "multicast",
		"less", "greater", "len", "and", "or", "not"}
	unsupported = []string{"gateway", "protochain", "vlan", "mpls", "pppoed", "pppoes", "geneve", "vxlan", "inbound", "outbound", "ifname", "on", "ifindex",
		"rnr", "rulenum", "reason", "rset", "ruleset", "srnr", "subrulenum", "action", "fddi", "tr", "wlan", "ppp", "slip", "atalk", "aarp", "decnet", "iso",
		"clnp", "esis", "isis", "lat", "moprc", "mopdl", "ipx", "netbeui", "stp", "igrp", "llc", "type", "subtype", "dir", "ra", "ta"}
)

const (
	ip6HeaderLen = 40
	protoFrag    = 44
)

// isKeyword says whether a token is a word of the language.
func (t token) isKeyword() bool {
	_, ether := etherTypes[t.text]
	_, ip := ipProtocols[t.text]
	return t.word && !t.escaped && (ether || ip || slices.Contains(keywords, t.text))
}

// primitive reads qualifiers and what they qualify.
func (p *parser) primitive() (condition, error) {
	t := p.peek()
	switch {
	case !t.word:
		return nil, p.unexpected(t)
	case !t.escaped && slices.Contains(unsupported, t.text):
		return nil, p.refuse(t, "\"%s\" is not supported", t.text)
	case p.accept("less"):
		return p.length(bpf.JumpLessOrEqual)
	case p.accept("greater"):
		return p.length(bpf.JumpGreaterOrEqual)
	case p.accept("broadcast", "multicast"):
		return p.group(t, "ether")
	}
	var q qualifiers
	start := p.pos
	if c, done, err := p.qualify(&q); done || err != nil {
		return c, err
	}
	if p.pos == start {
		if p.last == nil {
			return nil, p.unexpected(t)
		}
		q = *p.last
	}
	p.last = &q
	return p.identifier(q)
}

// qualify reads the qualifiers. It is done if they say it all, as "tcp" does.
func (p *parser) qualify(q *qualifiers) (c condition, done bool, err error) {
	t := p.peek()
	_, ether := etherTypes[t.text]
	_, ip := ipProtocols[t.text]
	if !t.escaped && (ether || ip || t.text == "ether" || t.text == "link") {
		if p.take(); t.text == "link" {
			t.text = "ether"
		}
		q.proto = t.text
		kind := p.peek()
		if p.accept("broadcast", "multicast") {
			c, err = p.group(kind, q.proto)
			return c, true, err
		}
		if !p.qualifierAhead() {
			c, err = p.alone(t)
			return c, true, err
		}
	}
	p.direction(q)
	if t := p.peek(); slices.Contains(unsupported, t.text) && !t.escaped {
		return nil, false, p.refuse(t, "\"%s\" is not supported", t.text)
	}
	if t := p.peek(); p.accept("host", "net", "port", "portrange", "proto") {
		q.typ = t.text
	}
	return nil, false, nil
}

// qualifierAhead says whether a direction, a type or a name follows.
func (p *parser) qualifierAhead() bool {
	t := p.peek()
	if !t.word {
		return false
	}
	return !t.isKeyword() || slices.Contains([]string{"src", "dst", "host", "net", "port", "portrange", "proto"}, t.text)
}

// direction reads "src", "dst", "src or dst", "src and dst".
func (p *parser) direction(q *qualifiers) {
	t := p.peek()
	if !p.accept("src", "dst") {
		return
	}
	q.dir = t.text
	join, other := p.ahead(0), p.ahead(1)
	both := other.text != t.text && (other.text == "src" || other.text == "dst")
	switch {
	case both && (join.text == "or" || join.text == "||"):
		q.dir = ""
	case both && (join.text == "and" || join.text == "&&"):
		q.dir = "src and dst"
	default:
		return
	}
	p.take()
	p.take()
}

// alone is what the name of a protocol means by itself.
func (p *parser) alone(t token) (condition, error) {
	if typ, ok := etherTypes[t.text]; ok {
		return p.ethertype(typ), nil
	}
	if proto, ok := ipProtocols[t.text]; ok {
		return p.over(proto), nil
	}
	return nil, p.unexpected(p.peek())
}

// over is a protocol over the versions of IP that carry it.
func (p *parser) over(proto ipProtocol) condition {
	var list anyOf
	if proto.ip4 {
		list = append(list, p.ip4Proto(proto.number))
	}
	if proto.ip6 {
		list = append(list, p.ip6Next(proto.number))
	}
	return list
}

// length is "less" and "greater".
func (p *parser) length(test bpf.JumpTest) (condition, error) {
	t := p.take()
	v, ok := number(t.text)
	if !ok {
		return nil, p.unexpected(t)
	}
	return compare{load: []bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}}, test: test, val: v}, nil
}

// group is "broadcast" and "multicast" of a protocol.
func (p *parser) group(t token, proto string) (condition, error) {
	switch proto + " " + t.text {
	case "ether broadcast":
		return p.ethernet(t, bytesEqual(0, []byte{255, 255, 255, 255, 255, 255}, nil))
	case "ether multicast":
		return p.ethernet(t, maskedEqual(0, 1, 1, 1))
	case "ip multicast":
		return all{p.ethertype(etherTypes["ip"]), maskedEqual(p.network()+16, 1, 0xf0, 0xe0)}, nil
	case "ip6 multicast":
		return all{p.ethertype(etherTypes["ip6"]), equal(p.network()+24, 1, 0xff)}, nil
	case "ip broadcast":
		return nil, p.refuse(t, "\"ip broadcast\" is not supported: it would need the netmask")
	}
	return nil, p.refuse(t, "\"%s\" does not go with \"%s\"", t.text, proto)
}

// ethernet is a condition that makes sense on Ethernet alone.
func (p *parser) ethernet(t token, c condition) (condition, error) {
	if p.Link != Ethernet {
		return nil, p.refuse(t, "there are no Ethernet addresses on this data link type")
	}
	return c, nil
}

// network is where the network header begins.
func (p *parser) network() uint32 {
	if p.Link == Null {
		return 4
	}
	return 14
}

// nullFamilies are the address families of DLT_NULL: AF_INET, and what AF_INET6 is on NetBSD, FreeBSD and Darwin.
var nullFamilies = map[uint32][]uint32{0x0800: {2}, 0x86dd: {24, 28, 30}}

// ethertype holds of packets of a protocol.
func (p *parser) ethertype(typ uint32) condition {
	if p.Link == Ethernet {
		return equal(12, 2, typ)
	}
	list := anyOf{always(false)}
	for _, family := range nullFamilies[typ] {
		var b [4]byte
		p.Order.PutUint32(b[:], family)
		list = append(list, equal(0, 4, binary.BigEndian.Uint32(b[:])))
	}
	return list
}

// ip4Proto holds of IPv4 packets of a protocol, ip6Next of IPv6 ones, also behind a fragment header.
func (p *parser) ip4Proto(proto uint32) condition {
	return all{p.ethertype(etherTypes["ip"]), equal(p.network()+9, 1, proto)}
}

func (p *parser) ip6Next(proto uint32) condition {
	n := p.network()
	return all{p.ethertype(etherTypes["ip6"]), anyOf{
		equal(n+6, 1, proto),
		all{equal(n+6, 1, protoFrag), equal(n+ip6HeaderLen, 1, proto)},
	}}
}

// firstFragment holds of IPv4 packets that have the beginning of what they carry.
func (p *parser) firstFragment() condition {
	return maskedEqual(p.network()+6, 2, 0x1fff, 0)
}
