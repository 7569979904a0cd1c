package dissect

import "net/netip"

func (p *Printer) igmp(k packet) {
	b := k.data
	if p.Quiet {
		p.print("igmp")
		return
	}
	if len(b) < 8 {
		p.truncated("igmp")
		return
	}
	p.print("igmp ")
	group := netip.AddrFrom4([4]byte(b[4:8]))
	switch b[0] {
	case 0x11:
		p.igmpQuery(k, group)
	case 0x12:
		p.printf("v1 report %s", p.Host(group))
		p.igmpLength(k)
	case 0x16:
		p.printf("v2 report %s", p.Host(group))
	case 0x17:
		p.printf("leave %s", p.Host(group))
	case 0x22:
		p.igmpReport3(k)
	default:
		p.printf("unknown-0x%02x", b[0])
	}
	if p.Verbose > 0 && len(b) >= k.length && sum(b) != 0 {
		p.printf(" bad igmp cksum %x!", be.Uint16(b[2:]))
	}
}

func (p *Printer) igmpLength(k packet) {
	if k.length != 8 {
		p.printf(" [len %d]", k.length)
	}
}

func (p *Printer) igmpQuery(k packet, group netip.Addr) {
	b := k.data
	p.print("query ")
	switch {
	case k.length >= 12:
		p.print("v3")
		p.igmpQuery3(b, group)
		return
	case b[1] == 0:
		p.print("v1")
		if !group.IsUnspecified() {
			p.printf(" [gaddr %s]", p.Host(group))
		}
	default:
		p.print("v2")
		if b[1] != 100 {
			p.printf(" [max resp time %d]", b[1])
		}
		if !group.IsUnspecified() {
			p.printf(" [gaddr %s]", p.Host(group))
		}
	}
	p.igmpLength(k)
}

func (p *Printer) igmpQuery3(b []byte, group netip.Addr) {
	if b[1] != 100 {
		if ms := 100 * exponential(b[1]); ms < 1000 {
			p.printf(" [max resp time %dms]", ms)
		} else {
			p.printf(" [max resp time %.1fs]", float64(ms)/1000)
		}
	}
	if len(b) < 12 {
		p.truncated("igmp")
		return
	}
	if b[8]&8 != 0 {
		p.print(" sflag")
	}
	if !group.IsUnspecified() {
		p.printf(" [gaddr %s", p.Host(group))
		if n := be.Uint16(b[10:]); n > 0 {
			p.printf(", %d source(s)", n)
		}
		p.print("]")
	}
}

// exponential is a number that from 128 on has a mantissa and an exponent: RFC 3376, 4.1.1.
func exponential(c byte) int {
	if c < 128 {
		return int(c)
	}
	return int(c&0xf|0x10) << (c>>4&7 + 3)
}

// recordTypes are the types of group records, of IGMP and of multicast listener discovery.
var recordTypes = map[byte]string{1: "is_in", 2: "is_ex", 3: "to_in", 4: "to_ex", 5: "allow", 6: "block"}

func recordType(b byte) string {
	if s, ok := recordTypes[b]; ok {
		return s
	}
	return "[v3-report-#" + itoa(int(b)) + "]"
}

func (p *Printer) igmpReport3(k packet) {
	p.print("v3 report")
	p.groupRecords(k, "igmp", 4)
}

// groupRecords are those of a report of IGMP or of multicast listener discovery, whose addresses have size bytes.
func (p *Printer) groupRecords(k packet, proto string, size int) {
	n := be.Uint16(k.data[6:])
	p.printf(", %d group record(s)", n)
	if p.Verbose == 0 {
		return
	}
	address := func(b []byte) string {
		a, _ := netip.AddrFromSlice(b[:size])
		return p.Host(a)
	}
	b, header := k.data[8:], 4+size
	for range n {
		if len(b) < header {
			p.truncated(proto)
			return
		}
		sources := int(be.Uint16(b[2:]))
		p.printf(" [gaddr %s %s", address(b[4:]), recordType(b[0]))
		length := header + size*sources + 4*int(b[1])
		if len(b) < length {
			p.truncated(proto)
			return
		}
		if p.Verbose < 2 {
			p.printf(", %d source(s)", sources)
		} else {
			p.print(" {")
			for i := range sources {
				p.printf(" %s", address(b[header+size*i:]))
			}
			p.print(" }")
		}
		p.print("]")
		b = b[length:]
	}
}
