package dissect

import (
	"net/netip"
	"strings"
)

const (
	tcpHeaderLen                   = 20
	tcpFIN, tcpSYN, tcpRST, tcpACK = 1, 2, 4, 16
	tcpURG                         = 32
)

// tcpFlags are the letters of the flags, from the lowest bit on.
const tcpFlags = "FSRP.UEW"

// connection is where the sequence numbers of a connection begin, in the direction of its key and in the other one.
type connection struct{ there, back uint32 }

// ends of a connection.
type ends struct{ src, dst netip.AddrPort }

// connections remembers those that have been seen.
type connections map[ends]connection

// maxConnections is how many are remembered; when there are more, all are forgotten, and numbers are absolute once more.
const maxConnections = 1 << 16

// relative makes sequence numbers relative to the first that was seen of the connection. Those of a segment that begins one stay as they are.
func (c *connections) relative(e ends, flags byte, seq, ack uint32) (rseq, rack, base uint32) {
	if *c == nil || len(*c) >= maxConnections {
		*c = connections{}
	}
	back := ends{e.dst, e.src}
	_, isBack := (*c)[back]
	key, known := e, false
	if isBack && e.src != e.dst {
		key = back
	}
	s, known := (*c)[key]
	if flags&tcpSYN != 0 || !known {
		s = connection{there: seq, back: ack - 1}
		if key == back && key != e {
			s = connection{there: ack - 1, back: seq}
		}
		(*c)[key] = s
		return seq, ack, 0
	}
	if key != e {
		return seq - s.back, ack - s.there, s.there
	}
	return seq - s.there, ack - s.back, s.back
}

func (p *Printer) tcp(h *header, k packet) {
	b := k.data
	if len(b) < tcpHeaderLen {
		if len(b) >= 4 {
			p.ends(h, "tcp", be.Uint16(b), be.Uint16(b[2:]))
		} else {
			p.ends(h, "", 0, 0)
		}
		p.truncated("tcp")
		return
	}
	sport, dport, hlen := be.Uint16(b), be.Uint16(b[2:]), int(b[12]>>4)*4
	p.ends(h, "tcp", sport, dport)
	if hlen < tcpHeaderLen {
		p.printf(" tcp %d [bad hdr length %d - too short, < %d]", k.length-hlen, hlen, tcpHeaderLen)
		return
	}
	length := k.length - hlen
	if p.Quiet {
		p.printf("tcp %d", length)
		if hlen > k.length {
			p.printf(" [bad hdr length %d - too long, > %d]", hlen, k.length)
		}
		return
	}
	p.printf("Flags [%s]", flagText(b[13]))
	if p.Verbose > 0 && !h.fragment && len(b) >= k.length {
		p.tcpSum(h, b[:k.length])
	}
	if hlen > k.length {
		p.printf(" [bad hdr length %d - too long, > %d]", hlen, k.length)
		return
	}
	p.tcpNumbers(h, b, sport, dport, length, hlen)
	p.printf(", length %d", length)
}

func flagText(flags byte) string {
	var s strings.Builder
	for i, c := range tcpFlags {
		if flags>>i&1 != 0 {
			s.WriteRune(c)
		}
	}
	if s.Len() == 0 {
		return "none"
	}
	return s.String()
}

// tcpSum is the checksum and whether it is right.
func (p *Printer) tcpSum(h *header, b []byte) {
	have := be.Uint16(b[16:])
	p.printf(", cksum 0x%04x ", have)
	if pseudo := h.pseudo(len(b)); sum(pseudo, b) == 0 {
		p.print("(correct)")
	} else {
		p.printf("(incorrect -> 0x%04x)", goodSum(b, 16, pseudo))
	}
}

// tcpNumbers is the part from the sequence numbers to the options.
func (p *Printer) tcpNumbers(h *header, b []byte, sport, dport uint16, length, hlen int) {
	flags := b[13]
	seq, ack, base := be.Uint32(b[4:]), be.Uint32(b[8:]), uint32(0)
	if !p.Absolute && flags&tcpACK != 0 {
		seq, ack, base = p.conns.relative(ends{netip.AddrPortFrom(h.src, sport), netip.AddrPortFrom(h.dst, dport)}, flags, seq, ack)
	}
	if p.Verbose > 1 || length > 0 || flags&(tcpSYN|tcpFIN|tcpRST) != 0 {
		p.printf(", seq %d", seq)
		if length > 0 {
			p.printf(":%d", seq+uint32(length))
		}
	}
	if flags&tcpACK != 0 {
		p.printf(", ack %d", ack)
	}
	p.printf(", win %d", be.Uint16(b[14:]))
	if flags&tcpURG != 0 {
		p.printf(", urg %d", be.Uint16(b[18:]))
	}
	if hlen > tcpHeaderLen {
		p.print(", options [")
		p.tcpOptions(b[tcpHeaderLen:min(hlen, len(b))], hlen-tcpHeaderLen, base)
		p.print("]")
	}
}

// tcpOptions prints options, of which there were length bytes. base is where the sequence numbers begin that are acknowledged.
func (p *Printer) tcpOptions(b []byte, length int, base uint32) {
	missing := length - len(b)
	for first := true; len(b)+missing > 0; first = false {
		if !first {
			p.print(",")
		}
		if len(b) == 0 {
			p.truncated("tcp")
			return
		}
		switch b[0] {
		case 0:
			p.print("eol")
			return
		case 1:
			p.print("nop")
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			if missing > 0 {
				p.truncated("tcp")
			}
			p.print("[bad opt]")
			return
		}
		p.tcpOption(b[0], b[2:b[1]], base)
		b = b[b[1]:]
	}
}

// tcpOptionNames are the options that have names, and how many bytes each has; -1 is any number.
var tcpOptionNames = map[byte]struct {
	name string
	size int
}{2: {"mss", 2}, 3: {"wscale", 1}, 4: {"sackOK", 0}, 5: {"sack", -1}, 8: {"TS", 8}, 19: {"md5", 16}, 28: {"uto", 2}, 34: {"tfo", -1}}

func optionPrefix(typ byte) string {
	if o, ok := tcpOptionNames[typ]; ok {
		return o.name
	}
	return "unknown-" + itoa(int(typ))
}

func (p *Printer) tcpOption(typ byte, b []byte, base uint32) {
	o, known := tcpOptionNames[typ]
	p.print(optionPrefix(typ))
	switch {
	case known && o.size >= 0 && o.size != len(b):
		p.printf("[len %d]", len(b)+2)
	case typ == 2 || typ == 28:
		p.printf(" %d", be.Uint16(b))
	case typ == 3:
		p.printf(" %d", b[0])
	case typ == 4:
	case typ == 5 && len(b)%8 == 0:
		p.printf(" %d ", len(b)/8)
		for ; len(b) > 0; b = b[8:] {
			p.printf("{%d:%d}", be.Uint32(b)-base, be.Uint32(b[4:])-base)
		}
	case typ == 8:
		p.printf(" val %d ecr %d", be.Uint32(b), be.Uint32(b[4:]))
	case len(b) > 0:
		p.printf(" 0x%x", b)
	}
}
