package ping

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
)

// unreachable are the codes of ICMP_UNREACH, RFC 792, RFC 1122 and RFC 1812.
var unreachable = map[byte]string{
	abi.ICMP_UNREACH_NET: "Destination Net Unreachable", abi.ICMP_UNREACH_HOST: "Destination Host Unreachable",
	abi.ICMP_UNREACH_PROTOCOL: "Destination Protocol Unreachable", abi.ICMP_UNREACH_PORT: "Destination Port Unreachable",
	abi.ICMP_UNREACH_NEEDFRAG: "frag needed and DF set", abi.ICMP_UNREACH_SRCFAIL: "Source Route Failed",
	abi.ICMP_UNREACH_NET_UNKNOWN: "Unreachable unknown net", abi.ICMP_UNREACH_HOST_UNKNOWN: "Unreachable unknown host",
	abi.ICMP_UNREACH_ISOLATED: "Unreachable host isolated", abi.ICMP_UNREACH_NET_PROHIB: "Net prohibited access",
	abi.ICMP_UNREACH_HOST_PROHIB: "Host prohibited access", abi.ICMP_UNREACH_TOSNET: "Bad TOS for net",
	abi.ICMP_UNREACH_TOSHOST: "Bad TOS for host", 13: "Communication prohibited", 14: "Host precedence violation", 15: "Precedence cutoff",
}

var redirects = map[byte]string{
	abi.ICMP_REDIRECT_NET: "Redirect Network", abi.ICMP_REDIRECT_HOST: "Redirect Host",
	abi.ICMP_REDIRECT_TOSNET: "Redirect Type of Service and Network", abi.ICMP_REDIRECT_TOSHOST: "Redirect Type of Service and Host",
}

// errorTexts are the messages about a packet that they quote, by type.
var errorTexts = map[byte]func(*message) string{
	abi.ICMP_UNREACH: func(m *message) string {
		text := coded(unreachable, m.code, "Dest Unreachable, Bad Code")
		if mtu := binary.BigEndian.Uint16(m.rest[2:]); m.code == abi.ICMP_UNREACH_NEEDFRAG && mtu != 0 {
			text += fmt.Sprintf(". Next MTU=%d", mtu)
		}
		return text
	},
	abi.ICMP_SOURCEQUENCH: func(*message) string { return "Source Quench" },
	abi.ICMP_REDIRECT: func(m *message) string {
		return fmt.Sprintf("%s (New addr: %s)", coded(redirects, m.code, "Redirect--Bad Code"), netip.AddrFrom4([4]byte(m.rest)))
	},
	abi.ICMP_TIMXCEED: func(m *message) string {
		return coded(map[byte]string{0: "Time to live exceeded", 1: "Frag reassembly time exceeded"}, m.code, "Time exceeded, Bad Code")
	},
	abi.ICMP_PARAMPROB: func(m *message) string { return fmt.Sprintf("Parameter problem: pointer = %#02x", m.rest[0]) },
}

// otherTexts are the messages that are shown with -v alone.
var otherTexts = map[byte]string{
	abi.ICMP_ECHOREPLY: "Echo Reply", abi.ICMP_ECHO: "Echo Request", abi.ICMP_ROUTERADVERT: "Router Discovery Advert",
	abi.ICMP_ROUTERSOLICIT: "Router Discovery Solicit", abi.ICMP_TSTAMP: "Timestamp Request", abi.ICMP_TSTAMPREPLY: "Timestamp Reply",
	abi.ICMP_IREQ: "Information Request", abi.ICMP_IREQREPLY: "Information Reply", abi.ICMP_MASKREQ: "Address Mask Request",
	abi.ICMP_MASKREPLY: "Address Mask Reply",
}

func coded(table map[byte]string, code byte, bad string) string {
	if text, ok := table[code]; ok {
		return text
	}
	return fmt.Sprintf("%s: %d", bad, code)
}

// other tells of a message that is no answer: with -v always, otherwise if it is about one of our packets.
func (s *session) other(m *message, from netip.Addr) {
	text, about := otherTexts[m.typ], false
	if f := errorTexts[m.typ]; f != nil {
		text, about = f(m), s.quotes(m.data)
	} else if text == "" {
		text = fmt.Sprintf("Unknown ICMP type: %d", m.typ)
	}
	if !s.has('v') && (!about || s.has('q') || s.has('Q')) {
		return
	}
	s.jiggle.Flush(true)
	fmt.Fprintf(s.env.Stdout, "%d bytes from %s: %s%s\n", m.length, s.name(from), text, s.optionsText(m))
}

// quotes says whether the packet that a message quotes is one of ours: an echo with our number in it.
func (s *session) quotes(quoted []byte) bool {
	if len(quoted) < ipHeader || quoted[9] != abi.IPPROTO_ICMP {
		return false
	}
	hlen := int(quoted[0]&0xf) * 4
	if hlen < ipHeader || len(quoted) < hlen+6 {
		return false
	}
	return binary.BigEndian.Uint16(quoted[hlen+4:]) == s.ident
}
