package dissect

import (
	"fmt"
	"net/netip"
)

const icmpHeaderLen = 8

// icmp4Names are the messages of which nothing more is said.
var icmp4Names = map[byte]string{4: "source quench", 9: "router advertisement", 10: "router solicitation", 15: "information request", 16: "information reply", 17: "address mask request"}

// unreachable4 says what cannot be reached, by the code; %s is where the packet was going.
var unreachable4 = map[byte]string{
	0: "net %s unreachable", 1: "host %s unreachable", 5: "%s unreachable - source route failed", 6: "net %s unreachable - unknown",
	7: "host %s unreachable - unknown", 8: "%s unreachable - source host isolated", 9: "net %s unreachable - admin prohibited",
	10: "host %s unreachable - admin prohibited", 11: "net %s unreachable - tos prohibited", 12: "host %s unreachable - tos prohibited",
	13: "host %s unreachable - admin prohibited filter", 14: "host %s unreachable - host precedence violation", 15: "host %s unreachable - precedence cutoff",
}

func (p *Printer) icmp4(h *header, k packet) {
	b := k.data
	if len(b) < icmpHeaderLen {
		p.truncated("icmp")
		return
	}
	p.print("ICMP ")
	typ := b[0]
	switch typ {
	case 0, 8:
		name := "request"
		if typ == 0 {
			name = "reply"
		}
		p.printf("echo %s, id %d, seq %d", name, be.Uint16(b[4:]), be.Uint16(b[6:]))
	case 3, 5:
		p.icmp4Quoting(typ, b)
	case 11:
		p.print(byCode(b[1], "time exceeded in-transit", "ip reassembly time exceeded", "time exceeded-#%d"))
	case 12:
		p.print(byCode(b[1], fmt.Sprintf("parameter problem - octet %d", b[4]), "parameter problem - code 1", "parameter problem - code %d"))
	case 13, 14:
		p.icmp4Time(typ, b)
	case 18:
		p.icmp4Mask(b)
	default:
		name, known := icmp4Names[typ]
		if !known {
			name = fmt.Sprintf("type-#%d", typ)
		}
		p.print(name)
	}
	p.printf(", length %d", k.length)
	if p.Verbose > 0 {
		p.icmp4Verbose(typ, k, h)
	}
}

// byCode is the text of code 0, of code 1 or of any other.
func byCode(code byte, zero, one, other string) string {
	switch code {
	case 0:
		return zero
	case 1:
		return one
	}
	return fmt.Sprintf(other, code)
}

// quotedHeader is the IPv4 header that an error quotes, and what follows it.
func quotedHeader(b []byte) (dst netip.Addr, proto byte, rest []byte, ok bool) {
	if len(b) < icmpHeaderLen+ip4HeaderLen {
		return dst, 0, nil, false
	}
	q := b[icmpHeaderLen:]
	return netip.AddrFrom4([4]byte(q[16:20])), q[9], q[min(max(int(q[0]&0xf)*4, ip4HeaderLen), len(q)):], true
}

// icmp4Quoting is an error whose text says where the packet was going.
func (p *Printer) icmp4Quoting(typ byte, b []byte) {
	dst, proto, rest, ok := quotedHeader(b)
	if !ok {
		p.truncated("icmp")
		return
	}
	to, code := p.Host(dst), b[1]
	format, known := unreachable4[code]
	switch {
	case typ == 5:
		p.printf("redirect %s to %s %s", to, map[byte]string{0: "net", 1: "host", 2: "tos net", 3: "tos host"}[code], p.Host(netip.AddrFrom4([4]byte(b[4:8]))))
	case code == 2:
		p.printf("%s protocol %d unreachable", to, proto)
	case code == 3:
		p.quotedPort(to, proto, rest)
	case code == 4 && be.Uint16(b[6:]) != 0:
		p.printf("%s unreachable - need to frag (mtu %d)", to, be.Uint16(b[6:]))
	case code == 4:
		p.printf("%s unreachable - need to frag", to)
	case known:
		p.printf(format, to)
	default:
		p.printf("%s unreachable - #%d", to, code)
	}
}

// quotedPort says which port cannot be reached.
func (p *Printer) quotedPort(to string, proto byte, rest []byte) {
	if len(rest) < 4 {
		p.truncated("icmp")
		return
	}
	port := be.Uint16(rest[2:])
	switch proto {
	case 6, 17:
		name := lowerNames[proto]
		p.printf("%s %s port %s unreachable", to, name, p.Port(name, port))
	default:
		p.printf("%s protocol %d port %d unreachable", to, proto, port)
	}
}

func (p *Printer) icmp4Mask(b []byte) {
	if len(b) < 12 {
		p.truncated("icmp")
		return
	}
	p.printf("address mask is 0x%08x", be.Uint32(b[8:]))
}

// icmp4Time is a time stamp query or reply. Times are milliseconds of the day.
func (p *Printer) icmp4Time(typ byte, b []byte) {
	name := "query"
	if typ == 14 {
		name = "reply"
	}
	p.printf("time stamp %s id %d seq %d", name, be.Uint16(b[4:]), be.Uint16(b[6:]))
	if typ == 13 {
		return
	}
	if len(b) < 20 {
		p.truncated("icmp")
		return
	}
	for i, what := range []string{": org", ", recv", ", xmit"} {
		ms := be.Uint32(b[8+4*i:])
		p.printf("%s %02d:%02d:%02d.%03d", what, ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
	}
}

// icmp4Verbose is the checksum, if it is wrong, and the packet that an error quotes.
func (p *Printer) icmp4Verbose(typ byte, k packet, h *header) {
	if b := k.data; len(b) >= k.length && !h.fragment && sum(b) != 0 {
		p.printf(" (wrong icmp cksum %x (->%x)!)", be.Uint16(b[2:]), goodSum(b, 2))
	}
	switch typ {
	case 3, 4, 5, 11, 12:
		if p.depth++; p.depth <= maxNesting && len(k.data) >= icmpHeaderLen+ip4HeaderLen {
			p.print("\n\t")
			p.named("IP")
			quoted := k.skip(icmpHeaderLen)
			quoted.length = max(int(be.Uint16(quoted.data[2:])), quoted.length) // an error quotes only a beginning
			p.ip4(quoted)
		}
	}
}
