package traceroute

import (
	"encoding/binary"
	"fmt"

	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

const (
	// extensionsAt is where the extensions of an ICMP error begin: its header, and 128 bytes of the packet that it is about.
	extensionsAt      = 8 + 128
	extensionsVersion = 2
	// mplsClass and mplsIncoming are the class and type of the object with the labels that the packet came with, RFC 4950.
	mplsClass, mplsIncoming = 1, 1
)

// labels words the MPLS labels in the extensions of an ICMP error, RFC 4884.
func labels(icmp []byte) string {
	if len(icmp) < extensionsAt+4 {
		return ""
	}
	b := icmp[extensionsAt:]
	if b[0]>>4 != extensionsVersion || binary.BigEndian.Uint16(b[2:]) != 0 && echo.Checksum(b) != 0 {
		return ""
	}
	text := ""
	for b = b[4:]; len(b) >= 4; {
		n := int(binary.BigEndian.Uint16(b))
		if n < 4 || n > len(b) {
			break
		}
		if b[2] == mplsClass && b[3] == mplsIncoming {
			for e := b[4:n]; len(e) >= 4; e = e[4:] {
				v := binary.BigEndian.Uint32(e)
				text += fmt.Sprintf(" [MPLS: Label %d Exp %d]", v>>12, v>>9&7)
			}
		}
		b = b[n:]
	}
	return text
}
