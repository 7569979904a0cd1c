package ping6

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// query is what to ask for.
type query int

// The queries of RFC 4620; the old one for a name is that of a draft before it.
const (
	queryNone query = iota
	queryTypes
	queryName
	queryOldName
	queryAddrs
)

// nodeHeader is the length of the header of a query of node information and its answer: type, code, checksum, qtype, flags, nonce.
const nodeHeader = 16

// message is a query about a target.
func (q query) message(target netip.Addr, naFlags uint16) []byte {
	b := make([]byte, nodeHeader)
	b[0], b[1] = abi.ICMP6_NI_QUERY, abi.ICMP6_NI_SUBJ_IPV6
	qtype, flags := uint16(abi.NI_QTYPE_FQDN), uint16(0)
	switch q {
	case queryTypes:
		b[1] = abi.ICMP6_NI_SUBJ_FQDN
		qtype, flags = abi.NI_QTYPE_SUPTYPES, abi.NI_SUPTYPE_FLAG_COMPRESS
	case queryAddrs:
		qtype, flags = abi.NI_QTYPE_NODEADDR, naFlags
	}
	binary.BigEndian.PutUint16(b[4:], qtype)
	binary.LittleEndian.PutUint16(b[6:], flags) // the constants are in the order of the wire
	if q == queryName || q == queryAddrs {
		b = append(b, target.AsSlice()...)
	}
	return b
}

// nodeFlags are the flags of a query or its answer, abi.NI_*_FLAG_*.
func nodeFlags(b []byte) uint16 { return binary.LittleEndian.Uint16(b[6:]) }

// nodeInfo words an answer of at least nodeHeader bytes.
func nodeInfo(b []byte, verbose bool) string {
	switch code := b[1]; code {
	case abi.ICMP6_NI_SUCCESS:
	case abi.ICMP6_NI_REFUSED:
		return fmt.Sprintf("refused, type 0x%x", b[0])
	case abi.ICMP6_NI_UNKNOWN:
		return fmt.Sprintf("unknown, type 0x%x", b[0])
	default:
		return fmt.Sprintf("unknown code 0x%x, type 0x%x", code, b[0])
	}
	switch binary.BigEndian.Uint16(b[4:]) {
	case abi.NI_QTYPE_NOOP:
		return "NodeInfo NOOP"
	case abi.NI_QTYPE_SUPTYPES:
		return queryTypesText(b, verbose)
	case abi.NI_QTYPE_NODEADDR:
		return nodeAddrs(b, verbose)
	}
	return nodeName(b, verbose)
}

// maxQtypes is how many types of queries there can be.
const maxQtypes = 1 << 16

// queryTypesText words which queries a node answers: bits in words of 32, the last bit of a word first.
func queryTypesText(b []byte, verbose bool) string {
	compressed := nodeFlags(b)&abi.NI_SUPTYPE_FLAG_COMPRESS != 0
	text := "NodeInfo Supported Qtypes"
	switch {
	case verbose && compressed:
		text += ", compressed bitmap"
	case verbose:
		text += ", raw bitmap"
	}
	b = b[nodeHeader:]
	if !compressed {
		if len(b) == 0 || len(b) > maxQtypes/8 || len(b)%4 != 0 {
			return text + "???"
		}
		return text + ranges(bitmap(b), 0)
	}
	for at := 0; len(b) >= 4; {
		words, skip := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+4*words || at+32*(words+skip) > maxQtypes {
			break
		}
		text += ranges(bitmap(b[4:4+4*words]), at)
		b, at = b[4+4*words:], at+32*(words+skip)
	}
	return text
}

// bitmap are the bits of words in network order, the last bit of a word first.
func bitmap(b []byte) []bool {
	var bits []bool
	for ; len(b) >= 4; b = b[4:] {
		for v, i := binary.BigEndian.Uint32(b), 0; i < 32; i++ {
			bits = append(bits, v>>i&1 != 0)
		}
	}
	return bits
}

// ranges are the numbers of the bits that are set, counted from at: " 0-4 9".
func ranges(bits []bool, at int) string {
	var text strings.Builder
	for i := 0; i < len(bits); i++ {
		if !bits[i] {
			continue
		}
		first := i
		for i+1 < len(bits) && bits[i+1] {
			i++
		}
		fmt.Fprintf(&text, " %d", at+first)
		if i > first {
			fmt.Fprintf(&text, "-%d", at+i)
		}
	}
	return text.String()
}

// forever is the lifetime of an address that has no end.
const forever = 0xffffffff

// nodeAddrs words a node's addresses, a line each. They have lifetimes, but for an old draft's.
func nodeAddrs(b []byte, verbose bool) string {
	var text strings.Builder
	if verbose && nodeFlags(b)&abi.NI_NODEADDR_FLAG_TRUNCATE != 0 {
		text.WriteString(" truncated")
	}
	b = b[nodeHeader:]
	if len(b) == 0 {
		text.WriteString("\n  no address")
	}
	ttl := len(b)%20 == 0
	for len(b) >= 16 {
		lifetime := ""
		if ttl {
			lifetime = "(TTL=infty)"
			if v := binary.BigEndian.Uint32(b); v != forever {
				lifetime = fmt.Sprintf("(TTL=%d)", v)
			}
			b = b[4:]
		}
		fmt.Fprintf(&text, "\n  %s%s", netip.AddrFrom16([16]byte(b[:16])), lifetime)
		b = b[16:]
	}
	return text.String() + "\n"
}

// nodeName words a node's name: after a lifetime names as the DNS has them or, in an old draft's answer, text after its length.
func nodeName(b []byte, verbose bool) string {
	if len(b) < nodeHeader+4 {
		return ""
	}
	body := b[nodeHeader+4:]
	old := len(body) > 0 && int(body[0]) == len(body)-1
	var text string
	if old {
		for _, c := range body[1:] {
			text += printable(c)
		}
	} else {
		text = strings.Join(dnsNames(b[nodeHeader:], 4), ",")
	}
	if !verbose {
		return text
	}
	ttl := int32(binary.BigEndian.Uint32(b[nodeHeader:]))
	text += fmt.Sprintf(" (TTL=%d", ttl)
	switch {
	case nodeFlags(b)&abi.NI_FQDN_FLAG_VALIDTTL == 0:
		text += ":meaningless"
	case ttl < 0:
		text += ":invalid"
	}
	switch {
	case old:
		text += ",03 draft"
	case len(body) == 0:
		text += ",no name"
	}
	return text + ")"
}

// printable is a byte as it stands or, where that would upset a terminal, in octal.
func printable(c byte) string {
	if c < ' ' || c > '~' {
		return fmt.Sprintf(`\%03o`, c)
	}
	return string(rune(c))
}

// dnsNames are the names in b from at on; "???" stands for the rest where it is no name.
func dnsNames(b []byte, at int) (names []string) {
	for at < len(b) {
		name, next, ok := dnsName(b, at)
		if !ok {
			return append(names, "???")
		}
		// A name that is not whole, of its first labels alone, ends in two zeroes.
		if next < len(b) && b[next] == 0 && name != "" {
			name, next = strings.TrimSuffix(name, "."), next+1
		}
		names, at = append(names, name), next
	}
	return names
}

// dnsName reads a name, with its dot at the end, and says where the next begins. Pointers, RFC 1035, lead back.
func dnsName(b []byte, at int) (name string, next int, ok bool) {
	for bound := len(b); at < bound; {
		n := int(b[at])
		switch {
		case n == 0:
			if name == "" {
				name = "."
			}
			return name, max(next, at+1), true
		case n&0xc0 == 0xc0 && at+1 < len(b):
			to := n&0x3f<<8 | int(b[at+1])
			if to >= at {
				return "", 0, false
			}
			next = max(next, at+2)
			at, bound = to, at
		case n&0xc0 == 0 && at+1+n <= bound && len(name)+n < 255:
			for _, c := range b[at+1 : at+1+n] {
				name += printable(c)
			}
			name += "."
			at += 1 + n
		default:
			return "", 0, false
		}
	}
	return "", 0, false
}
