package dissect

import "net/netip"

const (
	ip6HeaderLen = 40
	extHopByHop  = 0
	extRouting   = 43
	extFragment  = 44
	extDest      = 60
	noNext       = 59
)

// ip6 prints a packet, with a name in front unless the link-level header has it.
func (p *Printer) ip6(name string, k packet) {
	b := k.data
	if len(b) < ip6HeaderLen {
		p.truncated("ip6")
		return
	}
	p.named(name)
	if b[0]>>4 != 6 {
		p.printf("wrong version %d", b[0]>>4)
		return
	}
	payload := int(be.Uint16(b[4:]))
	if p.Verbose > 0 {
		p.ip6Header(b, payload)
	}
	if missing := ip6HeaderLen + payload - k.length; missing > 0 {
		p.printf("truncated-ip6 - %d bytes missing!", missing)
	}
	h := &header{src: netip.AddrFrom16([16]byte(b[8:24])), dst: netip.AddrFrom16([16]byte(b[24:40])), proto: b[6]}
	p.extensions(h, k.limit(ip6HeaderLen+payload).skip(ip6HeaderLen))
}

// ip6Header is the header as -v shows it.
func (p *Printer) ip6Header(b []byte, payload int) {
	word := be.Uint32(b)
	p.print("(")
	if class := word >> 20 & 0xff; class != 0 {
		p.printf("class 0x%02x, ", class)
	}
	if flow := word & 0xfffff; flow != 0 {
		p.printf("flowlabel 0x%05x, ", flow)
	}
	p.printf("hlim %d, next-header %s (%d) payload length: %d) ", b[7], ipName(b[6]), b[6], payload)
}

// extensions prints the extension headers and what follows them. The addresses stand in front of the first, and of ports.
func (p *Printer) extensions(h *header, k packet) {
	for {
		if !h.addressed && h.proto != 6 && h.proto != 17 {
			p.ends(h, "", 0, 0)
			h.addressed = true
		}
		n, more := p.extension(h, k)
		if !more {
			break
		}
		if n == 0 {
			return
		}
		k = k.skip(n)
	}
	p.over(h, k)
}

// extension prints an extension header, makes h.proto what follows it, and returns its length; 0 if nothing follows. more is false if there is none.
func (p *Printer) extension(h *header, k packet) (n int, more bool) {
	names := map[byte]string{extHopByHop: "HBH", extRouting: "srcrt", extFragment: "frag", extDest: "DSTOPT"}
	name, is := names[h.proto]
	if h.proto == noNext {
		p.print("no next header")
		return 0, true
	}
	if !is {
		return 0, false
	}
	b := k.data
	if len(b) < 8 {
		p.truncated(name)
		return 0, true
	}
	if h.proto == extFragment {
		return p.fragment(h, k), true
	}
	n = 8 * (int(b[1]) + 1)
	if len(b) < n {
		p.truncated(name)
		return 0, true
	}
	p.print(name + " ")
	switch {
	case h.proto == extRouting:
		p.printf("(len=%d, type=%d, segleft=%d) ", b[1], b[2], b[3])
	case p.Verbose > 0:
		p.ip6Options(b[2:n])
	}
	h.proto = b[0]
	return n, true
}

// fragment prints the header of a fragment. Only the first one has what follows.
func (p *Printer) fragment(h *header, k packet) int {
	const length = 8
	b := k.data
	offset, id := int(be.Uint16(b[2:])&^7), be.Uint32(b[4:])
	p.print("frag (")
	if p.Verbose > 0 {
		p.printf("0x%08x:", id)
	}
	p.printf("%d|%d)", offset, k.length-length)
	if offset != 0 {
		return 0
	}
	p.print(" ")
	h.proto, h.fragment = b[0], be.Uint16(b[2:])&1 != 0
	return length
}

// ip6Options prints the options of a header, each in parentheses.
func (p *Printer) ip6Options(b []byte) {
	for len(b) > 0 {
		if b[0] == 0 {
			p.print("(pad1)")
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			p.print("(trunc)")
			break
		}
		n := 2 + int(b[1])
		switch {
		case b[0] == 1:
			p.print("(padn)")
		case b[0] == 5 && n == 4:
			p.printf("(rtalert: 0x%04x)", be.Uint16(b[2:]))
		default:
			p.printf("(opt_type 0x%02x: len=%d)", b[0], b[1])
		}
		p.print(" ")
		b = b[n:]
	}
}
