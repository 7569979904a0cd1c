package bpfexpr

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// identifier reads the name or number that qualifiers are about.
func (p *parser) identifier(q qualifiers) (condition, error) {
	t := p.take()
	if !t.word || t.isKeyword() && q.typ != "proto" {
		return nil, p.unexpected(t)
	}
	if next := p.peek(); q.typ != "net" && (next.text == "/" || next.text == "mask") {
		return nil, p.refuse(next, "mask syntax is for networks only")
	}
	switch q.typ {
	case "net":
		return p.netCondition(t, q)
	case "port", "portrange":
		return p.portCondition(t, q)
	case "proto":
		return p.protoCondition(t, q)
	}
	return p.hostCondition(t, q)
}

// directed is a condition about a source or a destination in the direction that is asked for.
func directed(dir string, f func(dst bool) condition) condition {
	switch dir {
	case "src":
		return f(false)
	case "dst":
		return f(true)
	case "src and dst":
		return all{f(false), f(true)}
	}
	return anyOf{f(false), f(true)}
}

// either is one of two offsets.
func either(dst bool, source, destination uint32) uint32 {
	if dst {
		return destination
	}
	return source
}

func (p *parser) hostCondition(t token, q qualifiers) (condition, error) {
	if mac, ok := parseMAC(t.text); ok {
		if q.proto != "ether" {
			return nil, p.refuse(t, "an Ethernet address goes with \"ether host\", \"ether src\" or \"ether dst\"")
		}
		return p.ethernet(t, directed(q.dir, func(dst bool) condition { return bytesEqual(either(dst, 6, 0), mac, nil) }))
	}
	if q.proto == "ether" {
		return nil, p.refuse(t, "\"%s\" is no Ethernet address", t.text)
	}
	addrs, err := p.lookup(t)
	if err != nil {
		return nil, err
	}
	var list anyOf
	for _, a := range addrs {
		if c := p.address(q, netip.PrefixFrom(a, a.BitLen())); c != nil {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, p.refuse(t, "\"%s\" does not go with the addresses of \"%s\"", q.proto, t.text)
	}
	return list, nil
}

// lookup is the address that a token is, or the addresses of the name that it is.
func (p *parser) lookup(t token) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(t.text); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	if _, ok := number(t.text); ok || p.LookupHost == nil || strings.Contains(t.text, ":") {
		return nil, p.refuse(t, "\"%s\" is no address", t.text)
	}
	addrs, err := p.LookupHost(t.text)
	if err != nil || len(addrs) == 0 {
		return nil, p.refuse(t, "unknown host '%s'", t.text)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// address holds of packets from or to addresses in a net, of the protocols that it may be about; nil if there are none.
func (p *parser) address(q qualifiers, net netip.Prefix) condition {
	want, mask := net.Addr().AsSlice(), maskOf(net)
	if net.Addr().Is6() {
		if q.proto != "" && q.proto != "ip6" {
			return nil
		}
		return p.addressAt("ip6", q, want, mask, 8, 24)
	}
	var list anyOf
	for _, c := range []struct {
		proto    string
		src, dst uint32
	}{{"ip", 12, 16}, {"arp", 14, 24}, {"rarp", 14, 24}} {
		if q.proto == "" || q.proto == c.proto {
			list = append(list, p.addressAt(c.proto, q, want, mask, c.src, c.dst))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// addressAt compares addresses at offsets of the network header of a protocol.
func (p *parser) addressAt(proto string, q qualifiers, want, mask []byte, src, dst uint32) condition {
	return all{p.ethertype(etherTypes[proto]), directed(q.dir, func(d bool) condition {
		return bytesEqual(p.network()+either(d, src, dst), want, mask)
	})}
}

func maskOf(net netip.Prefix) []byte {
	mask := make([]byte, net.Addr().BitLen()/8)
	for i := range net.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return mask
}

// parseMAC reads six hexadecimal numbers between colons.
func parseMAC(s string) ([]byte, bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 6 {
		return nil, false
	}
	mac := make([]byte, len(parts))
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 16, 8)
		if err != nil || len(part) > 2 {
			return nil, false
		}
		mac[i] = byte(v)
	}
	return mac, true
}

// netCondition reads a net: "10.1", "10.1.0.0/16", "10.1.0.0 mask 255.255.0.0", "2001:db8::/32".
func (p *parser) netCondition(t token, q qualifiers) (condition, error) {
	addr, bits, ok := parseNet(t.text)
	if !ok {
		return nil, p.refuse(t, "\"%s\" is no net", t.text)
	}
	switch {
	case p.accept("/"):
		lt := p.take()
		n, ok := number(lt.text)
		if !ok || int(min(n, 1<<16)) > addr.BitLen() {
			return nil, p.refuse(lt, "mask length must be <= %d", addr.BitLen())
		}
		bits = int(n)
	case p.accept("mask"):
		mt := p.take()
		mask, err := netip.ParseAddr(mt.text)
		if err != nil || !mask.Is4() || !addr.Is4() {
			return nil, p.refuse(mt, "\"%s\" is no mask of IPv4", mt.text)
		}
		if bits, ok = maskBits(mask); !ok {
			return nil, p.refuse(mt, "a mask with holes is not supported")
		}
	}
	net := netip.PrefixFrom(addr, bits)
	if net.Masked() != net {
		return nil, p.refuse(t, "non-network bits set in \"%s/%d\"", t.text, bits)
	}
	if c := p.address(q, net); c != nil {
		return c, nil
	}
	return nil, p.refuse(t, "\"%s\" does not go with a net of this family", q.proto)
}

// parseNet reads an address, of whose IPv4 the last bytes may be missing. bits is how long it is.
func parseNet(s string) (addr netip.Addr, bits int, ok bool) {
	if strings.Contains(s, ":") {
		addr, err := netip.ParseAddr(s)
		return addr, 128, err == nil && addr.Zone() == ""
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return addr, 0, false
	}
	var b [4]byte
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return addr, 0, false
		}
		b[i] = byte(v)
	}
	return netip.AddrFrom4(b), 8 * len(parts), true
}

// maskBits is the length of a mask without holes.
func maskBits(mask netip.Addr) (int, bool) {
	for bits := range 33 {
		if p, err := netip.AddrFrom4([4]byte{255, 255, 255, 255}).Prefix(bits); err == nil && p.Addr() == mask {
			return bits, true
		}
	}
	return 0, false
}

// portRange is a range of ports over a protocol.
type portRange struct {
	proto  string
	lo, hi uint32
}

func (p *parser) portCondition(t token, q qualifiers) (condition, error) {
	protos := []string{"tcp", "udp", "sctp"}
	switch q.proto {
	case "":
	case "tcp", "udp", "sctp":
		protos = []string{q.proto}
	default:
		return nil, p.refuse(t, "there are no ports over \"%s\"", q.proto)
	}
	first, last := t.text, t.text
	if q.typ == "portrange" {
		var ok bool
		if p.accept("-") {
			last = p.take().text
		} else if first, last, ok = strings.Cut(t.text, "-"); !ok {
			last = first
		}
	}
	var list anyOf
	for _, proto := range protos {
		lo, ok := p.port(proto, first)
		hi, ok2 := p.port(proto, last)
		if ok && ok2 {
			list = append(list, p.ports(q, portRange{proto, min(lo, hi), max(lo, hi)}))
		}
	}
	if len(list) == 0 {
		return nil, p.refuse(t, "\"%s\" is no port", t.text)
	}
	return list, nil
}

// port is the number of a port.
func (p *parser) port(proto, name string) (uint32, bool) {
	if v, ok := number(name); ok || name == "" || p.LookupPort == nil {
		return v, ok && v <= 0xffff
	}
	v, err := p.LookupPort(proto, name)
	return uint32(v), err == nil
}

// ports holds of packets with a port in a range: over IPv4 after its options, in first fragments; over IPv6 without extension headers.
func (p *parser) ports(q qualifiers, r portRange) condition {
	n, proto := p.network(), ipProtocols[r.proto].number
	ip4 := all{p.ip4Proto(proto), p.firstFragment(), directed(q.dir, func(dst bool) condition {
		return r.within(bpf.LoadMemShift{Off: n}, bpf.LoadIndirect{Off: n + either(dst, 0, 2), Size: 2})
	})}
	ip6 := all{p.ethertype(etherTypes["ip6"]), equal(n+6, 1, proto), directed(q.dir, func(dst bool) condition {
		return r.within(bpf.LoadAbsolute{Off: n + ip6HeaderLen + either(dst, 0, 2), Size: 2})
	})}
	return anyOf{ip4, ip6}
}

// within holds if what is loaded is in the range.
func (r portRange) within(load ...bpf.Instruction) condition {
	if r.lo == r.hi {
		return compare{load: load, test: bpf.JumpEqual, val: r.lo}
	}
	return all{
		compare{load: load, test: bpf.JumpGreaterOrEqual, val: r.lo},
		compare{load: load, test: bpf.JumpLessOrEqual, val: r.hi},
	}
}

// protoCondition is "ip proto 17", "ether proto 0x806", "proto \tcp".
func (p *parser) protoCondition(t token, q qualifiers) (condition, error) {
	v, numeric := number(t.text)
	if q.dir != "" {
		return nil, p.refuse(t, "a protocol has no direction")
	}
	if q.proto == "ether" {
		typ, known := etherTypes[t.text]
		if !known && (!numeric || v > 0xffff) {
			return nil, p.refuse(t, "unknown ether proto '%s'", t.text)
		}
		return p.ethertype(max(typ, v)), nil
	}
	if proto, known := ipProtocols[t.text]; known {
		v = proto.number
	} else if !numeric || v > 0xff {
		return nil, p.refuse(t, "unknown ip proto '%s'", t.text)
	}
	switch q.proto {
	case "ip":
		return p.ip4Proto(v), nil
	case "ip6":
		return p.ip6Next(v), nil
	case "":
		return anyOf{p.ip4Proto(v), p.ip6Next(v)}, nil
	}
	return nil, p.refuse(t, "\"%s\" has no protocols", q.proto)
}
