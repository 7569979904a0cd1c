package dissect

const (
	udpHeaderLen         = 8
	portDomain, portMDNS = 53, 5353
)

func (p *Printer) udp(h *header, k packet) {
	b := k.data
	if len(b) < 4 {
		p.ends(h, "", 0, 0)
		p.truncated("udp")
		return
	}
	sport, dport := be.Uint16(b), be.Uint16(b[2:])
	p.ends(h, "udp", sport, dport)
	if len(b) < udpHeaderLen {
		p.truncated("udp")
		return
	}
	length := int(be.Uint16(b[4:]))
	if length < udpHeaderLen {
		p.printf("truncated-udplength %d", length)
		return
	}
	whole := length <= k.length
	if (p.Verbose > 1 || p.Verbose > 0 && h.src.Is6()) && !p.Quiet && !h.fragment {
		p.udpSum(h, k.limit(length))
	}
	k = k.limit(length).skip(udpHeaderLen)
	if isDomain(sport) || isDomain(dport) {
		if !p.Quiet && p.dns(k) {
			return
		}
	}
	if !whole && !h.fragment {
		p.printf("UDP, bad length %d > %d", length-udpHeaderLen, k.length)
		return
	}
	p.printf("UDP, length %d", length-udpHeaderLen)
}

func isDomain(port uint16) bool { return port == portDomain || port == portMDNS }

// udpSum says whether the checksum is right.
func (p *Printer) udpSum(h *header, k packet) {
	b := k.data
	have := be.Uint16(b[6:])
	switch {
	case have == 0 && h.src.Is4():
		p.print("[no cksum] ")
	case len(b) < k.length:
	case sum(h.pseudo(len(b)), b) == 0:
		p.print("[udp sum ok] ")
	default:
		p.printf("[bad udp cksum 0x%04x -> 0x%04x!] ", have, goodSum(b, 6, h.pseudo(len(b))))
	}
}
