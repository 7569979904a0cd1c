package dissect

import (
	"fmt"
	"net/netip"
)

// Types of ICMPv6.
const (
	unreachable6, tooBig6, exceeded6, parameter6             = 1, 2, 3, 4
	echoRequest6, echoReply6                                 = 128, 129
	listenerQuery, listenerReport, listenerDone, listenerV2  = 130, 131, 132, 143
	routerSolicit, routerAdvert, neighborSolicit, neighborAd = 133, 134, 135, 136
	redirect6                                                = 137
)

var icmp6Names = map[byte]string{
	unreachable6: "destination unreachable", tooBig6: "packet too big", exceeded6: "time exceeded in-transit", parameter6: "parameter problem",
	echoRequest6: "echo request", echoReply6: "echo reply", listenerQuery: "multicast listener query", listenerReport: "multicast listener report",
	listenerDone: "multicast listener done", routerSolicit: "router solicitation", routerAdvert: "router advertisement",
	neighborSolicit: "neighbor solicitation", neighborAd: "neighbor advertisement", redirect6: "redirect", listenerV2: "multicast listener report v2",
}

// unreachableCodes are the codes of unreachable6; that of ports is another matter.
var unreachableCodes = map[byte]string{
	0: "unreachable route", 1: " unreachable prohibited", 2: "beyond scope", 3: "unreachable address", 5: "source address failed policy", 6: "reject route to destination",
}

func (p *Printer) icmp6(h *header, k packet) {
	b := k.data
	if len(b) < 4 {
		p.truncated("icmp6")
		return
	}
	if p.Verbose > 0 && len(b) >= k.length && !h.fragment {
		if pseudo := h.pseudo(len(b)); sum(pseudo, b) == 0 {
			p.print("[icmp6 sum ok] ")
		} else {
			p.printf("[bad icmp6 cksum 0x%04x -> 0x%04x!] ", be.Uint16(b[2:]), goodSum(b, 2, pseudo))
		}
	}
	name, known := icmp6Names[b[0]]
	if !known {
		name = fmt.Sprintf("unknown icmp6 type (%d)", b[0])
	}
	p.printf("ICMP6, %s", name)
	messages := map[byte]func(*Printer, packet){
		unreachable6: (*Printer).unreachable6, tooBig6: (*Printer).tooBig6, exceeded6: (*Printer).exceeded6, parameter6: (*Printer).parameter6,
		echoRequest6: (*Printer).echo6, echoReply6: (*Printer).echo6, listenerQuery: (*Printer).listener, listenerReport: (*Printer).listener,
		listenerDone: (*Printer).listener, listenerV2: (*Printer).listenerReport2, neighborSolicit: (*Printer).neighbor, neighborAd: (*Printer).neighbor,
		redirect6: (*Printer).redirect6, routerAdvert: (*Printer).router, routerSolicit: (*Printer).router,
	}
	if p.Verbose > 0 && (!known || b[0] >= routerSolicit && b[0] <= redirect6) {
		p.printf(", length %d", k.length)
	}
	if len(b) < 8 {
		p.truncated("icmp6")
	} else if f := messages[b[0]]; f != nil {
		f(p, k)
	}
	if p.Verbose == 0 {
		p.printf(", length %d", k.length)
	}
}

func (p *Printer) echo6(k packet) {
	p.printf(", id %d, seq %d", be.Uint16(k.data[4:]), be.Uint16(k.data[6:]))
}

func (p *Printer) tooBig6(k packet) {
	p.printf(", mtu %d", be.Uint32(k.data[4:]))
}

func (p *Printer) parameter6(k packet) {
	text, known := map[byte]string{0: "errorneous - octet %d", 1: "next header - octet %d", 2: "option - octet %d", 3: "incomplete header chain - octet %d"}[k.data[1]]
	if !known {
		text = "code-#" + itoa(int(k.data[1])) + " - octet %d"
	}
	p.printf(", "+text, be.Uint32(k.data[4:]))
}

// quotedAddress is where the packet that an error quotes was going.
func quotedAddress(b []byte) (netip.Addr, bool) {
	if len(b) < icmpHeaderLen+ip6HeaderLen {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16([16]byte(b[icmpHeaderLen+24:])), true
}

func (p *Printer) exceeded6(k packet) {
	if dst, ok := quotedAddress(k.data); k.data[1] == 1 {
		p.print(" (reassembly)")
	} else if !ok {
		p.truncated("icmp6")
	} else {
		p.printf(" for %s", p.Host(dst))
	}
}

func (p *Printer) unreachable6(k packet) {
	b := k.data
	dst, ok := quotedAddress(b)
	if !ok {
		p.truncated("icmp6")
		return
	}
	to, code := p.Host(dst), b[1]
	if text, known := unreachableCodes[code]; known {
		p.printf(", %s %s", text, to)
		if code == 2 {
			p.printf(", source address %s", p.Host(netip.AddrFrom16([16]byte(b[icmpHeaderLen+8:]))))
		}
	} else if code != 4 {
		p.printf(", code-#%d", code)
	} else if q := b[icmpHeaderLen:]; len(q) < ip6HeaderLen+4 {
		p.truncated("icmp6")
	} else {
		p.print(", unreachable port, ")
		p.quotedPort6(to, q[6], q[ip6HeaderLen:])
	}
}

func (p *Printer) quotedPort6(to string, proto byte, rest []byte) {
	port := be.Uint16(rest[2:])
	if proto == 6 || proto == 17 {
		name := lowerNames[proto]
		p.printf("%s %s port %s", to, name, p.Port(name, port))
		return
	}
	p.printf("%s protocol %d port %d", to, proto, port)
}

// listener is a query, report or done of version 1; a query may be one of version 2.
func (p *Printer) listener(k packet) {
	b := k.data
	if b[0] == listenerQuery && k.length >= 28 {
		p.listenerQuery2(b)
		return
	}
	if len(b) < 24 {
		p.truncated("icmp6")
		return
	}
	p.printf("max resp delay: %d addr: %s", be.Uint16(b[4:]), p.Host(netip.AddrFrom16([16]byte(b[8:24]))))
}

func (p *Printer) listenerQuery2(b []byte) {
	if len(b) < 28 {
		p.truncated("icmp6")
		return
	}
	delay := int(be.Uint16(b[4:]))
	if delay >= 0x8000 {
		delay = (delay&0xfff | 0x1000) << (delay>>12&7 + 3)
	}
	p.print(" v2")
	if p.Verbose > 0 {
		p.printf(" [max resp delay=%d]", delay)
	}
	if b[24]&8 != 0 {
		p.print(" sflag")
	}
	p.printf(" [gaddr %s", p.Host(netip.AddrFrom16([16]byte(b[8:24]))))
	if p.Verbose > 0 {
		p.printf(" robustness=%d qqi=%d", b[24]&7, b[25])
	}
	if n := be.Uint16(b[26:]); n > 0 {
		p.printf(", %d source(s)", n)
	}
	p.print("]")
}

func (p *Printer) listenerReport2(k packet) { p.groupRecords(k, "icmp6", 16) }
