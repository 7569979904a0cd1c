package dissect

import "net/netip"

const arpHeaderLen = 8

// arpMessage is a message of ARP or RARP, for IPv4 over Ethernet.
type arpMessage struct {
	op                   uint16
	srcMAC, dstMAC       []byte
	src, dst             netip.Addr
	hardware, proto      uint16
	hardwareLen, addrLen int
}

func (p *Printer) arp(k packet) {
	b := k.data
	if len(b) < arpHeaderLen {
		p.truncated("arp")
		return
	}
	m := arpMessage{
		hardware: be.Uint16(b), proto: be.Uint16(b[2:]), hardwareLen: int(b[4]), addrLen: int(b[5]), op: be.Uint16(b[6:]),
	}
	if need := arpHeaderLen + 2*(m.hardwareLen+m.addrLen); len(b) < need {
		p.truncated("arp")
		return
	}
	p.named("ARP,")
	known := m.proto == typeIPv4 && m.addrLen == 4 && m.hardwareLen == 6
	if p.Verbose > 0 || !known {
		p.printf("%s (len %d), %s (len %d), ", hardwareName(m.hardware), m.hardwareLen, etherName(m.proto), m.addrLen)
	}
	if !known {
		p.printf("op %d, length %d", m.op, k.length)
		return
	}
	m.srcMAC, m.dstMAC = b[8:14], b[18:24]
	m.src, m.dst = netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	p.arpText(&m)
	p.printf(", length %d", k.length)
}

func hardwareName(n uint16) string {
	if n == 1 {
		return "Ethernet"
	}
	return "Unknown Hardware (" + itoa(int(n)) + ")"
}

func (p *Printer) arpText(m *arpMessage) {
	switch m.op {
	case 1:
		p.printf("Request who-has %s", p.Host(m.dst))
		if [6]byte(m.dstMAC) != [6]byte{} {
			p.printf(" (%s)", mac(m.dstMAC))
		}
		p.printf(" tell %s", p.Host(m.src))
	case 2:
		p.printf("Reply %s is-at %s", p.Host(m.src), mac(m.srcMAC))
	case 3:
		p.printf("Reverse Request who-is %s tell %s", mac(m.dstMAC), mac(m.srcMAC))
	case 4:
		p.printf("Reverse Reply %s at %s", mac(m.dstMAC), p.Host(m.dst))
	default:
		p.printf("Unknown (%d)", m.op)
	}
}
