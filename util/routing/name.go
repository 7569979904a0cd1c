package routing

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
)

// Namer words the addresses of routes.
type Namer struct {
	Ctx     context.Context
	Numeric bool
	// Interfaces are the names of interfaces by their indices.
	Interfaces map[int]string
}

// Host is the name of a host, a gateway or an interface; of the unspecified address "default".
func (n *Namer) Host(sa []byte) string {
	if len(sa) == 0 {
		return "default"
	}
	if l, ok := sockaddr.ParseLink(sa); ok {
		return Link(&l)
	}
	a, _, scope, ok := sockaddr.ParseInet(sa)
	switch {
	case !ok:
		return other(sa)
	case a == netip.IPv4Unspecified():
		return "default"
	}
	return n.scoped(hostaddr.Name(n.Ctx, a, n.Numeric), a, scope)
}

// scoped adds the zone to a link-local address's text.
func (n *Namer) scoped(text string, a netip.Addr, scope uint32) string {
	if scope == 0 || !sockaddr.Scoped(a) {
		return text
	}
	if name := n.Interfaces[int(scope)]; name != "" {
		return text + "%" + name
	}
	return fmt.Sprintf("%s%%%d", text, scope)
}

// Net is the name of a network with its prefix length: "10.1.1/24", as many bytes as the length needs.
func (n *Namer) Net(sa, mask []byte) string {
	a, _, scope, ok := sockaddr.ParseInet(sa)
	if !ok {
		return n.Host(sa)
	}
	ones, contiguous := sockaddr.MaskBits(mask, sockaddr.Family(sa))
	switch {
	case !contiguous:
		return fmt.Sprintf("%s&%s", a, n.Mask(mask, sockaddr.Family(sa)))
	case a.IsUnspecified() && ones == 0:
		return "default"
	case a.Is6():
		p, _ := a.Prefix(ones) //nolint:errcheck // at most 128
		return fmt.Sprintf("%s/%d", n.scoped(p.Addr().String(), a, scope), ones)
	}
	parts := strings.Split(a.String(), ".")
	return fmt.Sprintf("%s/%d", strings.Join(parts[:max(1, (ones+7)/8)], "."), ones)
}

// Mask is a netmask in numbers.
func (n *Namer) Mask(mask []byte, family int) string {
	if len(mask) == 0 {
		return "default"
	}
	whole := make([]byte, max(len(mask), 32))
	copy(whole, mask)
	whole[1] = byte(family)
	a, _, _, ok := sockaddr.ParseInet(whole)
	if !ok {
		return other(mask)
	}
	if a == netip.IPv4Unspecified() {
		return "default"
	}
	return a.String()
}

// Link is the text of a link-level address: the interface's name, or its address, or its number.
func Link(l *sockaddr.Link) string {
	switch {
	case l.Name == "" && len(l.Addr) == 0:
		return fmt.Sprintf("link#%d", l.Index)
	case len(l.Addr) == 0:
		return l.Name
	}
	return net.HardwareAddr(l.Addr).String()
}

// other is an address of a family that is not known, in bytes.
func other(sa []byte) string {
	return fmt.Sprintf("(%d) % x", sockaddr.Family(sa), sa[min(2, len(sa)):])
}

// Flags are the letters of RTF_* flags in the order in which they are shown.
var Flags = []struct {
	Bit    int32
	Letter byte
}{
	{abi.RTF_UP, 'U'}, {abi.RTF_GATEWAY, 'G'}, {abi.RTF_HOST, 'H'}, {abi.RTF_REJECT, 'R'}, {abi.RTF_BLACKHOLE, 'B'},
	{abi.RTF_DYNAMIC, 'D'}, {abi.RTF_MODIFIED, 'M'}, {abi.RTF_DONE, 'd'}, {abi.RTF_MASK, 'm'}, {abi.RTF_CONNECTED, 'C'},
	{abi.RTF_STATIC, 'S'}, {abi.RTF_PROTO1, '1'}, {abi.RTF_PROTO2, '2'}, {abi.RTF_ANNOUNCE, 'p'}, {abi.RTF_LOCAL, 'l'},
	{abi.RTF_BROADCAST, 'b'},
}

// FlagLetters words flags; aligned puts a space where one is missing.
func FlagLetters(flags int32, aligned bool) string {
	var b []byte
	for _, f := range Flags {
		if flags&f.Bit != 0 {
			b = append(b, f.Letter)
		} else if aligned {
			b = append(b, ' ')
		}
	}
	return string(b)
}
