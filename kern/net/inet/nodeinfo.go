package inet

import (
	"crypto/md5" //nolint:gosec // the groups of RFC 4620 are made with it
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// What net.inet6.icmp6.nodeinfo lets be answered: queries for the name, and for addresses.
const (
	nodeNames = 1 << iota
	nodeAddrs
)

// niHdrLen is the length of a query of node information: type, code, checksum, qtype, flags, nonce.
const niHdrLen = 16

// niSupported are the queries that are answered, a bit each, the last bit of the word first.
const niSupported = 1<<abi.NI_QTYPE_NOOP | 1<<abi.NI_QTYPE_SUPTYPES | 1<<abi.NI_QTYPE_FQDN | 1<<abi.NI_QTYPE_NODEADDR

// niQuery answers a query of node information, RFC 4620, about this node: to one of its addresses or to a group of the link. As NetBSD, it is
// silent where the sysctl does not let it answer, and takes queries that it does not know for ones of the name.
func (in *Inet) niQuery(d *datagram, b []byte) {
	allowed := in.conf.nodeInfo.Load()
	if allowed == 0 || len(b) < niHdrLen || d.src == unspecified6 || d.ia == nil && !d.dst.IsLinkLocalMulticast() {
		return
	}
	qtype, flags := binary.BigEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:])
	old, ok := in.niSubject(d, qtype, b)
	if !ok {
		return
	}
	r := slices.Clone(b[:niHdrLen])
	r[0], r[1], r[6], r[7] = abi.ICMP6_NI_REPLY, abi.ICMP6_NI_SUCCESS, 0, 0
	switch qtype {
	case abi.NI_QTYPE_NOOP:
	case abi.NI_QTYPE_SUPTYPES:
		r = binary.BigEndian.AppendUint32(r, niSupported)
	case abi.NI_QTYPE_NODEADDR:
		if allowed&nodeAddrs == 0 {
			return
		}
		r = in.niAddrs(r, d, flags)
	case abi.NI_QTYPE_IPV4ADDR:
		return
	default:
		if allowed&nodeNames == 0 {
			return
		}
		if r, ok = niName(append(r, 0, 0, 0, 0), in.K.Hostname(), old || qtype != abi.NI_QTYPE_FQDN); !ok {
			return
		}
	}
	src, ok := in.answerFrom(d)
	if !ok {
		return
	}
	in.Stats.ICMP6.Add(abi.ICMP6_STAT_REFLECT, 1)
	in.icmp6Send(header6{src: src, dst: d.src, hlim: d.ifc.hopLimit()}, r, d.ifc)
}

// niSubject says whether a query is about this node: about the address that it was sent to, or its name. An old one, of a draft, has no
// subject.
func (in *Inet) niSubject(d *datagram, qtype uint16, b []byte) (old, ok bool) {
	code, subject := b[1], b[niHdrLen:]
	switch {
	case qtype > abi.NI_QTYPE_IPV4ADDR:
		return true, true
	case code == abi.ICMP6_NI_SUBJ_FQDN && len(subject) == 0:
		return false, qtype == abi.NI_QTYPE_NOOP || qtype == abi.NI_QTYPE_SUPTYPES
	case code == abi.ICMP6_NI_SUBJ_IPV6 && len(subject) == 0:
		return true, qtype == abi.NI_QTYPE_FQDN
	case code == abi.ICMP6_NI_SUBJ_IPV6 && len(subject) == 16:
		return false, netip.AddrFrom16([16]byte(subject)) == d.dst
	case code == abi.ICMP6_NI_SUBJ_FQDN:
		name, ok := niName(nil, in.K.Hostname(), false)
		return false, ok && sameName(subject, name)
	}
	return false, false
}

// sameName compares names as niName writes them. One that ends in two zeroes is a truncated one, which matches what begins with it.
func sameName(a, b []byte) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if stem, cut := cutTail(a); cut {
		return len(b) > len(stem) && strings.EqualFold(string(b[:len(stem)]), string(stem))
	}
	stem, _ := cutTail(b)
	return strings.EqualFold(strings.TrimSuffix(string(a), "\x00"), strings.TrimSuffix(string(stem), "\x00"))
}

// cutTail takes the two zeroes of a truncated name away.
func cutTail(b []byte) (stem []byte, cut bool) {
	if n := len(b); n >= 2 && b[n-1] == 0 && b[n-2] == 0 {
		return b[:n-2], true
	}
	return b, false
}

// niName appends a name as the DNS has it, with two zeroes at its end where it seems not to be whole; an old one with its length before it.
// ok is false for a name that is no host's.
func niName(b []byte, name string, old bool) (_ []byte, ok bool) {
	if old {
		return append(append(b, byte(len(name))), name...), len(name) < 256
	}
	if name == "" {
		return b, true
	}
	for _, label := range strings.Split(strings.TrimSuffix(name, "."), ".") {
		if !hostLabel(label) {
			return b, false
		}
		b = append(append(b, byte(len(label))), strings.ToLower(label)...)
	}
	if strings.Count(name, ".") < 2 {
		b = append(b, 0)
	}
	return append(b, 0), true
}

// hostLabel says whether a part of a name may be one of a host's: RFC 952 and RFC 1035.
func hostLabel(s string) bool {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	if s == "" || len(s) > 63 || !letter(s[0]) || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// niAddrs appends addresses with their lifetimes: those of the subject's interface, or of all, preferred ones first, as many as fit into the least MTU.
func (in *Inet) niAddrs(b []byte, d *datagram, flags uint16) []byte {
	var list, deprecated []*ifaddr
	for _, ia := range in.addrs.Load().list {
		all := flags&abi.NI_NODEADDR_FLAG_ALL != 0
		if !ia.addr.Is6() || !all && (d.ia == nil || ia.ifc != d.ia.ifc) || flags&niScope(ia.addr) == 0 {
			continue
		}
		switch f := ia.flags.Load(); {
		case f&abi.IN6_IFF_ANYCAST != 0 && flags&abi.NI_NODEADDR_FLAG_ANYCAST == 0:
		case f&abi.IN6_IFF_DEPRECATED != 0:
			deprecated = append(deprecated, ia)
		default:
			list = append(list, ia)
		}
	}
	for _, ia := range append(list, deprecated...) {
		if len(b)+20 > minMTU6-40 {
			binary.LittleEndian.PutUint16(b[6:], abi.NI_NODEADDR_FLAG_TRUNCATE)
			break
		}
		b = binary.BigEndian.AppendUint32(b, ia.niLifetime())
		b = append(b, ia.addr.AsSlice()...)
	}
	return b
}

// niGroup is the group of the nodes that may have a name, ff02::2:xxxx:xxxx: by the first 32 bits of the MD5 of the name's first label with its
// length before it. ok is false for a name that is no host's.
func niGroup(name string) (a netip.Addr, ok bool) {
	label, _, _ := strings.Cut(strings.ToLower(name), ".")
	if !hostLabel(label) {
		return a, false
	}
	sum := md5.Sum(append([]byte{byte(len(label))}, label...)) //nolint:gosec // no secret is made
	b := [16]byte{0: 0xff, 1: 2, 11: 2}
	copy(b[12:], sum[:4])
	return netip.AddrFrom16(b), true
}

// niScope is the flag that asks for addresses of an address's scope; 0 for one that is not told.
func niScope(a netip.Addr) uint16 {
	switch b := a.As16(); {
	case linkLocal6(a), a.IsLoopback():
		return abi.NI_NODEADDR_FLAG_LINKLOCAL
	case b[0] == 0xfe && b[1]&0xc0 == 0xc0:
		return abi.NI_NODEADDR_FLAG_SITELOCAL
	}
	return abi.NI_NODEADDR_FLAG_GLOBAL
}

// niLifetime is how long an address is valid, in seconds, as RFC 4620 limits it.
func (ia *ifaddr) niLifetime() uint32 {
	const most = 1<<31 - 1
	ia.mu.Lock()
	defer ia.mu.Unlock()
	if ia.lifetime.expire.IsZero() {
		return most
	}
	return uint32(min(max(time.Until(ia.lifetime.expire)/time.Second, 0), most))
}
