package ping6

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// unreachable are the codes of ICMP6_DST_UNREACH, RFC 4443.
var unreachable = map[byte]string{
	abi.ICMP6_DST_UNREACH_NOROUTE: "No Route to Destination", abi.ICMP6_DST_UNREACH_ADMIN: "Destination Administratively Unreachable",
	abi.ICMP6_DST_UNREACH_BEYONDSCOPE: "Destination Unreachable Beyond Scope",
	abi.ICMP6_DST_UNREACH_ADDR:        "Destination Host Unreachable", abi.ICMP6_DST_UNREACH_NOPORT: "Destination Port Unreachable",
}

var exceeded = map[byte]string{
	abi.ICMP6_TIME_EXCEED_TRANSIT: "Time to live exceeded", abi.ICMP6_TIME_EXCEED_REASSEMBLY: "Frag reassembly time exceeded",
}

var problems = map[byte]string{
	abi.ICMP6_PARAMPROB_HEADER: "Erroneous Header", abi.ICMP6_PARAMPROB_NEXTHEADER: "Unknown Nextheader",
	abi.ICMP6_PARAMPROB_OPTION: "Unrecognized Option",
}

// errorTexts are the messages that quote a packet, by type. They are given the header.
var errorTexts = map[byte]func(b []byte) string{
	abi.ICMP6_DST_UNREACH:    func(b []byte) string { return coded(unreachable, b[1], "Destination Unreachable, Bad Code: %d") },
	abi.ICMP6_PACKET_TOO_BIG: func(b []byte) string { return fmt.Sprintf("Packet too big mtu = %d", binary.BigEndian.Uint32(b[4:])) },
	abi.ICMP6_TIME_EXCEEDED:  func(b []byte) string { return coded(exceeded, b[1], "Time exceeded, Bad Code: %d") },
	abi.ICMP6_PARAM_PROB: func(b []byte) string {
		return fmt.Sprintf("Parameter problem: %s pointer = 0x%02x", coded(problems, b[1], "Bad code(%d)"), binary.BigEndian.Uint32(b[4:]))
	},
}

// otherTexts are messages of which no more is told.
var otherTexts = map[byte]string{
	abi.ICMP6_ECHO_REQUEST: "Echo Request", abi.ICMP6_ECHO_REPLY: "Echo Reply", abi.ICMP6_MEMBERSHIP_QUERY: "Listener Query",
	abi.ICMP6_MEMBERSHIP_REPORT: "Listener Report", abi.ICMP6_MEMBERSHIP_REDUCTION: "Listener Done",
	abi.ND_ROUTER_SOLICIT: "Router Solicitation", abi.ND_ROUTER_ADVERT: "Router Advertisement",
	abi.ND_NEIGHBOR_SOLICIT: "Neighbor Solicitation", abi.ND_NEIGHBOR_ADVERT: "Neighbor Advertisement",
}

func coded(table map[byte]string, code byte, bad string) string {
	if text, ok := table[code]; ok {
		return text
	}
	return fmt.Sprintf(bad, code)
}

// describe words a message that is no answer to ours. It has a header.
func describe(b []byte) string {
	if f := errorTexts[b[0]]; f != nil {
		return f(b) + "\n" + quoted(b[icmpHeader:])
	}
	if text, ok := otherTexts[b[0]]; ok {
		return text
	}
	switch {
	case b[0] == abi.ND_REDIRECT && len(b) >= 40:
		return fmt.Sprintf("Redirect\nDestination: %s New Target: %s", netip.AddrFrom16([16]byte(b[24:40])), netip.AddrFrom16([16]byte(b[8:24])))
	case b[0] == abi.ICMP6_NI_QUERY && len(b) >= nodeHeader:
		return "Node Information Query, " + qtype(b) + subject(b)
	case b[0] == abi.ICMP6_NI_REPLY && len(b) >= nodeHeader:
		return "Node Information Reply, " + qtype(b) + ", " + result(b[1])
	}
	return fmt.Sprintf("Bad ICMP type: %d", b[0])
}

var qtypes = map[uint16]string{
	abi.NI_QTYPE_NOOP: "NOOP", abi.NI_QTYPE_SUPTYPES: "Supported qtypes", abi.NI_QTYPE_FQDN: "DNS name",
	abi.NI_QTYPE_NODEADDR: "nodeaddr", abi.NI_QTYPE_IPV4ADDR: "IPv4 nodeaddr",
}

var results = map[byte]string{abi.ICMP6_NI_SUCCESS: "Success", abi.ICMP6_NI_REFUSED: "Refused", abi.ICMP6_NI_UNKNOWN: "Unknown"}

func result(code byte) string {
	if text, ok := results[code]; ok {
		return text
	}
	return "invalid"
}

func qtype(b []byte) string {
	if text, ok := qtypes[binary.BigEndian.Uint16(b[4:])]; ok {
		return text
	}
	return "unknown qtype"
}

// subject words whom a query is about.
func subject(b []byte) string {
	code, body := b[1], b[nodeHeader:]
	switch {
	case code == abi.ICMP6_NI_SUBJ_IPV6 && len(body) == 16:
		return fmt.Sprintf(", subject=IPv6 address(%s)", netip.AddrFrom16([16]byte(body)))
	case code == abi.ICMP6_NI_SUBJ_IPV6:
		return ", oldfqdn, invalid"
	case code == abi.ICMP6_NI_SUBJ_FQDN && len(body) == 0:
		return ", no subject"
	case code == abi.ICMP6_NI_SUBJ_FQDN:
		if name, _, ok := dnsName(body, 0); ok {
			return fmt.Sprintf(", subject=DNS label(%s)", name)
		}
		return ", subject=DNS label(invalid)"
	case code == abi.ICMP6_NI_SUBJ_IPV4 && len(body) == 4:
		return fmt.Sprintf(", subject=IPv4 address(%s)", netip.AddrFrom4([4]byte(body)))
	}
	return ", invalid"
}

// quoted words the beginning of an IPv6 packet that an error message quotes: its header, its extension headers and what it carries.
func quoted(b []byte) string {
	if len(b) < 40 {
		return "IP6..."
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Vr TC  Flow Plen Nxt Hlim\n %1x %02x %05x %04x  %02x   %02x\n%s->%s\n",
		b[0]>>4, b[0]<<4|b[1]>>4, binary.BigEndian.Uint32(b)&0xfffff, binary.BigEndian.Uint16(b[4:]), b[6], b[7],
		netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40])))
	next, b := b[6], b[40:]
	for len(b) >= 8 {
		h, ok := extensionHeaders[next]
		if !ok {
			return text.String() + upper(next, b)
		}
		text.WriteString(h.name + " ")
		n := h.length(b[1])
		next, b = b[0], b[min(n, len(b)):]
	}
	return text.String() + "..."
}

// extensionHeaders are those that lead to another header.
var extensionHeaders = map[byte]struct {
	name   string
	length func(n byte) int
}{
	abi.IPPROTO_HOPOPTS:  {"HBH", eights},
	abi.IPPROTO_DSTOPTS:  {"DSTOPT", eights},
	abi.IPPROTO_ROUTING:  {"RTHDR", eights},
	abi.IPPROTO_FRAGMENT: {"FRAG", func(byte) int { return 8 }},
	abi.IPPROTO_AH:       {"AH", func(n byte) int { return (int(n) + 2) * 4 }},
}

func eights(n byte) int { return (int(n) + 1) * 8 }

// upper words what a packet carries, of which there are 8 bytes.
func upper(proto byte, b []byte) string {
	switch proto {
	case abi.IPPROTO_ICMPV6:
		return fmt.Sprintf("ICMP6: type = %d, code = %d", b[0], b[1])
	case abi.IPPROTO_ESP:
		return "ESP"
	case abi.IPPROTO_TCP:
		return "TCP: " + ports(b)
	case abi.IPPROTO_UDP:
		return "UDP: " + ports(b)
	}
	return fmt.Sprintf("Unknown Header(%d)", proto)
}

func ports(b []byte) string {
	return fmt.Sprintf("from port %d, to port %d (decimal)", binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]))
}
