package dissect

import (
	"net/netip"
	"strings"
)

// Lengths of the messages of neighbor discovery, to their options.
const (
	neighborLen     = 24
	redirectLen     = 40
	advertLen       = 16
	solicitationLen = 8
)

var (
	advertFlags   = []bitName{{0x80, "managed"}, {0x40, "other stateful"}, {0x20, "home agent"}, {0x04, "proxied"}}
	neighborFlags = []bitName{{0x80000000, "router"}, {0x40000000, "solicited"}, {0x20000000, "override"}}
	prefixFlags   = []bitName{{0x80, "onlink"}, {0x40, "auto"}, {0x20, "router"}}
)

// neighbor is a solicitation or an advertisement.
func (p *Printer) neighbor(k packet) {
	b := k.data
	if len(b) < neighborLen {
		p.truncated("icmp6")
		return
	}
	target := p.Host(netip.AddrFrom16([16]byte(b[8:24])))
	if b[0] == neighborSolicit {
		p.printf(", who has %s", target)
	} else {
		p.printf(", tgt is %s", target)
		if p.Verbose > 0 {
			p.printf(", Flags [%s]", bitNames(be.Uint32(b[4:]), neighborFlags))
		}
	}
	p.ndOptions(k.skip(neighborLen))
}

func (p *Printer) redirect6(k packet) {
	b := k.data
	if len(b) < redirectLen {
		p.truncated("icmp6")
		return
	}
	p.printf(", %s to %s", p.Host(netip.AddrFrom16([16]byte(b[24:40]))), p.Host(netip.AddrFrom16([16]byte(b[8:24]))))
	p.ndOptions(k.skip(redirectLen))
}

// router is a solicitation or an advertisement.
func (p *Printer) router(k packet) {
	b := k.data
	if b[0] == routerSolicit {
		p.ndOptions(k.skip(solicitationLen))
		return
	}
	if p.Verbose == 0 {
		return
	}
	if len(b) < advertLen {
		p.truncated("icmp6")
		return
	}
	p.printf("\n\thop limit %d, Flags [%s], pref %s, router lifetime %ds, reachable time %dms, retrans timer %dms", b[4],
		bitNames(uint32(b[5]), advertFlags), [...]string{"medium", "high", "rsv", "low"}[b[5]>>3&3], be.Uint16(b[6:]), be.Uint32(b[8:]), be.Uint32(b[12:]))
	p.ndOptions(k.skip(advertLen))
}

var ndOptionNames = map[byte]string{
	1: "source link-address", 2: "destination link-address", 3: "prefix info", 4: "redirected header", 5: "mtu", 24: "route info", 25: "rdnss", 31: "dnssl",
}

// ndOptions are the options, a line each, if it is to be verbose.
func (p *Printer) ndOptions(k packet) {
	if p.Verbose == 0 {
		return
	}
	for b := k.data; len(b) > 0 || k.length > len(k.data); {
		if len(b) < 2 || b[1] == 0 || len(b) < 8*int(b[1]) {
			p.truncated("icmp6")
			return
		}
		size := 8 * int(b[1])
		name, known := ndOptionNames[b[0]]
		if !known {
			name = "unknown"
		}
		p.printf("\n\t  %s option (%d), length %d (%d): ", name, b[0], size, b[1])
		p.ndOption(b[0], b[:size])
		if p.Verbose > 1 {
			p.hexLines(b[2:size])
		}
		b = b[size:]
	}
}

// ndOption is what an option says; b is all of it.
func (p *Printer) ndOption(typ byte, b []byte) {
	switch {
	case typ == 1 || typ == 2:
		p.print(mac(b[2:8]))
	case typ == 3 && len(b) == 32:
		p.printf("%s/%d, Flags [%s], valid time %s, pref. time %s", p.Host(netip.AddrFrom16([16]byte(b[16:32]))), b[2], bitNames(uint32(b[3]), prefixFlags),
			lifetime(be.Uint32(b[4:])), lifetime(be.Uint32(b[8:])))
	case typ == 5 && len(b) == 8:
		p.printf(" %d", be.Uint32(b[4:]))
	case typ == 25 && len(b) >= 24:
		p.printf(" lifetime %ds,", be.Uint32(b[4:]))
		for a := b[8:]; len(a) >= 16; a = a[16:] {
			p.printf(" addr: %s", p.Host(netip.AddrFrom16([16]byte(a))))
		}
	case p.Verbose == 1:
		p.hexLines(b[2:])
	}
}

func lifetime(s uint32) string {
	if s == 1<<32-1 {
		return "infinity"
	}
	return itoa(int(s)) + "s"
}

// hexLines is bytes in hexadecimal, indented.
func (p *Printer) hexLines(b []byte) {
	text := string(HexDump(b, false))
	p.print(strings.TrimSuffix(strings.ReplaceAll("\n"+text, "\n\t", "\n\t    "), "\n"))
}
