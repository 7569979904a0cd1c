// Package sockaddr turns NetBSD's socket addresses (struct sockaddr_in, sockaddr_in6, sockaddr_un, sockaddr_dl) into Go's and
// back. It is the one place that both ends of a system call, the kernel and its clients, have for that.
package sockaddr

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Family is the address family of a struct sockaddr; AF_UNSPEC of one too short to have one.
func Family(sa []byte) int {
	if len(sa) < 2 {
		return abi.AF_UNSPEC
	}
	return int(sa[1])
}

// Inet is a struct sockaddr_in of an IPv4 address, or a sockaddr_in6 of an IPv6 one (an IPv4-mapped one too), with scope the index of
// the interface that a link-local address is on; a zone in a is not looked at. The zero Addr gives nil.
func Inet(a netip.Addr, port uint16, scope uint32) []byte {
	switch {
	case a.Is4():
		sin := abi.SockaddrIn{Len: abi.SizeofSockaddrIn, Family: abi.AF_INET, Port: abi.Htons(port), Addr: abi.InAddrFrom4(a.As4())}
		return sin.Append(nil)
	case a.Is6():
		b := make([]byte, abi.SizeofSockaddrIn6)
		b[0], b[1] = abi.SizeofSockaddrIn6, abi.AF_INET6
		binary.BigEndian.PutUint16(b[2:], port)
		a16 := a.As16()
		copy(b[8:24], a16[:])
		binary.LittleEndian.PutUint32(b[24:], scope)
		return b
	}
	return nil
}

// ParseInet is the reverse. Addresses that lack their end have zeroes there, as routing messages' netmasks do; ok is false for other
// families and for an address that says that it is longer than its family's. An interface index that the kernel embeds in the second
// 16 bits of a link-local address (KAME) is taken out and given as scope.
func ParseInet(sa []byte) (a netip.Addr, port uint16, scope uint32, ok bool) {
	switch Family(sa) {
	case abi.AF_INET:
		var b [abi.SizeofSockaddrIn]byte
		copy(b[:], sa)
		return netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:]), 0, true
	case abi.AF_INET6:
		var b [abi.SizeofSockaddrIn6]byte
		copy(b[:], sa)
		a16 := [16]byte(b[8:24])
		scope = binary.LittleEndian.Uint32(b[24:])
		if kame := binary.BigEndian.Uint16(a16[2:]); kame != 0 && Scoped(netip.AddrFrom16(a16)) {
			scope, a16[2], a16[3] = uint32(kame), 0, 0
		}
		return netip.AddrFrom16(a16), binary.BigEndian.Uint16(b[2:]), scope, true
	}
	return netip.Addr{}, 0, 0, false
}

// Scoped says whether an address means something only on one interface: link-local unicast, and interface- and link-local multicast.
func Scoped(a netip.Addr) bool {
	return a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast())
}

// EmbedScope puts a scope into a link-local address of a struct sockaddr_in6 as the kernel's inside has it (KAME): the second 16
// bits. Others are left alone.
func EmbedScope(sa []byte, scope uint32) {
	if len(sa) < abi.SizeofSockaddrIn6 || Family(sa) != abi.AF_INET6 || !Scoped(netip.AddrFrom16([16]byte(sa[8:24]))) {
		return
	}
	binary.BigEndian.PutUint16(sa[10:], uint16(scope))
}

// Mask is a netmask of so many bits as a struct sockaddr of the family.
func Mask(family, ones int) []byte {
	var a netip.Addr
	switch family {
	case abi.AF_INET:
		var m [4]byte
		fill(m[:], ones)
		a = netip.AddrFrom4(m)
	case abi.AF_INET6:
		var m [16]byte
		fill(m[:], ones)
		a = netip.AddrFrom16(m)
	default:
		return nil
	}
	return Inet(a, 0, 0)
}

func fill(m []byte, ones int) {
	for i := range m {
		n := min(max(ones-8*i, 0), 8)
		m[i] = byte(0xff << (8 - n))
	}
}

// MaskBits is how many bits a netmask has, the family's its own or, where its sockaddr says none (as the kernel's do), that given.
// ok is false for a mask with holes.
func MaskBits(sa []byte, family int) (ones int, ok bool) {
	at, size := 4, 4
	if family == abi.AF_INET6 {
		at, size = 8, 16
	}
	m := make([]byte, size)
	if n := min(length(sa), len(sa)); n > at {
		copy(m, sa[at:n])
	}
	for ones < 8*size && m[ones/8]&(0x80>>(ones%8)) != 0 {
		ones++
	}
	rest := 0
	for _, b := range m {
		rest += bits.OnesCount8(b)
	}
	return ones, rest == ones
}

// length is what a sockaddr says of itself.
func length(sa []byte) int {
	if len(sa) == 0 {
		return 0
	}
	return int(sa[0])
}

// Unix is a struct sockaddr_un of a path: as long as it needs to be. ok is false for a path that does not fit.
func Unix(path string) (sa []byte, ok bool) {
	if len(path) >= abi.SizeofSockaddrUn-2 {
		return nil, false
	}
	sa = append(make([]byte, 2, 3+len(path)), path...)
	sa = append(sa, 0)
	sa[0], sa[1] = byte(len(sa)), abi.AF_LOCAL
	return sa, true
}

// ParseUnix is the path of a struct sockaddr_un.
func ParseUnix(sa []byte) (path string, ok bool) {
	if Family(sa) != abi.AF_LOCAL {
		return "", false
	}
	b := sa[2:]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b), true
}

// sdlHeader is where sdl_data begins.
const sdlHeader = 8

// A Link is a struct sockaddr_dl, link_addr(3): an interface, its name, its link-level address; each may be missing.
type Link struct {
	Index uint16
	Type  uint8 // IFT_*
	Name  string
	Addr  []byte
}

// Append appends the struct sockaddr_dl, sdl_data as long as it needs to be but no shorter than the structure's.
func (l *Link) Append(b []byte) []byte { return l.append(b, abi.SizeofSockaddrDl) }

// AppendShort is Append with sdl_data no longer than it needs to be, as the kernel has its own.
func (l *Link) AppendShort(b []byte) []byte { return l.append(b, 0) }

func (l *Link) append(b []byte, least int) []byte {
	size := max(sdlHeader+len(l.Name)+len(l.Addr), least)
	at := len(b)
	b = append(b, make([]byte, size)...)
	s := b[at:]
	s[0], s[1] = byte(size), abi.AF_LINK
	binary.LittleEndian.PutUint16(s[2:], l.Index)
	s[4], s[5], s[6] = l.Type, byte(len(l.Name)), byte(len(l.Addr))
	copy(s[sdlHeader:], l.Name)
	copy(s[sdlHeader+len(l.Name):], l.Addr)
	return b
}

// ParseLink reads a struct sockaddr_dl; ok is false when it is none, or its parts do not fit into it. Addr refers to sa.
func ParseLink(sa []byte) (l Link, ok bool) {
	if Family(sa) != abi.AF_LINK || len(sa) < sdlHeader {
		return l, false
	}
	nlen, alen := int(sa[5]), int(sa[6])
	if sdlHeader+nlen+alen > len(sa) {
		return l, false
	}
	data := sa[sdlHeader:]
	return Link{
		Index: binary.LittleEndian.Uint16(sa[2:]),
		Type:  sa[4],
		Name:  string(data[:nlen]),
		Addr:  data[nlen : nlen+alen : nlen+alen],
	}, true
}
