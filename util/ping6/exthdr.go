package ping6

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
)

// extensions words the extension headers that a packet had, RFC 3542, a line each and more for their contents.
func extensions(control []byte) string {
	var text strings.Builder
	for m, err := range cmsg.All(control) {
		if err != nil || m.Level != abi.IPPROTO_IPV6 || len(m.Data) < 8 {
			continue
		}
		switch m.Type {
		case abi.IPV6_HOPOPTS:
			text.WriteString("  HbH Options: " + headerOptions(m.Data))
		case abi.IPV6_DSTOPTS, abi.IPV6_RTHDRDSTOPTS:
			text.WriteString("  Dst Options: " + headerOptions(m.Data))
		case abi.IPV6_RTHDR:
			text.WriteString("  Routing: " + routingHeader(m.Data))
		}
	}
	return text.String()
}

// headerOptions words a header of options.
func headerOptions(b []byte) string {
	var text strings.Builder
	fmt.Fprintf(&text, "nxt %d, len %d (%d bytes)\n", b[0], b[1], eights(b[1]))
	for b = b[2:min(eights(b[1]), len(b))]; len(b) >= 2; {
		if b[0] == abi.IP6OPT_PAD1 {
			b = b[1:]
			continue
		}
		n := 2 + int(b[1])
		if n > len(b) {
			break
		}
		text.WriteString(option(b[0], b[2:n]))
		b = b[n:]
	}
	return text.String()
}

func option(typ byte, val []byte) string {
	switch {
	case typ == abi.IP6OPT_PADN:
		return ""
	case typ == abi.IP6OPT_JUMBO && len(val) == 4:
		return fmt.Sprintf("    Jumbo Payload Opt: Length %d\n", binary.BigEndian.Uint32(val))
	case typ == abi.IP6OPT_ROUTER_ALERT && len(val) == 2:
		return fmt.Sprintf("    Router Alert Opt: Type %d\n", binary.BigEndian.Uint16(val))
	}
	return fmt.Sprintf("    Received Opt %d len %d\n", typ, len(val))
}

// routingHeader words a routing header; the addresses are those of type 0.
func routingHeader(b []byte) string {
	var text strings.Builder
	fmt.Fprintf(&text, "nxt %d, len %d (%d bytes), type %d, ", b[0], b[1], eights(b[1]), b[2])
	segments := int(b[1]) / 2
	if b[2] != abi.IPV6_RTHDR_TYPE_0 || b[1]%2 != 0 || int(b[3]) > segments {
		fmt.Fprintf(&text, "segments unknown, %d left\n", b[3])
		return text.String()
	}
	fmt.Fprintf(&text, "%d segments, %d left\n", segments, b[3])
	for i, rest := 0, b[8:]; i < segments && len(rest) >= 16; i, rest = i+1, rest[16:] {
		fmt.Fprintf(&text, "   [%d]%s\n", i, netip.AddrFrom16([16]byte(rest)))
	}
	return text.String()
}
