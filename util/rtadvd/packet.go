package rtadvd

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// advertisement is a router's: RFC 4861, 4.2, with the options of RFC 4861, 4.6, RFC 4191 and RFC 6106. The kernel puts the checksum in.
// link is the source link-layer address, empty for none.
func (c *config) advertisement(link []byte, now time.Time) []byte {
	b := []byte{abi.ND_ROUTER_ADVERT, 0, 0, 0, c.hopLimit, c.flags}
	b = binary.BigEndian.AppendUint16(b, c.lifetime)
	b = binary.BigEndian.AppendUint32(b, c.reachable)
	b = binary.BigEndian.AppendUint32(b, c.retrans)
	if c.linkAddr && len(link) > 0 {
		n := (2 + len(link) + 7) / 8
		b = append(b, abi.ND_OPT_SOURCE_LINKADDR, byte(n))
		b = append(append(b, link...), make([]byte, 8*n-2-len(link))...)
	}
	if c.linkMTU != 0 {
		b = binary.BigEndian.AppendUint32(append(b, abi.ND_OPT_MTU, 1, 0, 0), c.linkMTU)
	}
	for _, p := range c.prefixes {
		b = p.append(b, now)
	}
	for _, r := range c.routes {
		b = r.append(b)
	}
	for _, s := range c.servers {
		b = append(b, abi.ND_OPT_RDNSS, byte(1+2*len(s.addrs)), 0, 0)
		b = binary.BigEndian.AppendUint32(b, s.lifetime)
		for _, a := range s.addrs {
			b = append(b, a.AsSlice()...)
		}
	}
	for _, s := range c.domains {
		b, _ = s.append(b)
	}
	return b
}

// append appends the option.
func (p *prefix) append(b []byte, now time.Time) []byte {
	valid, preferred := p.lifetimes(now)
	b = append(b, abi.ND_OPT_PREFIX_INFORMATION, 4, byte(p.Bits()), p.flags)
	b = binary.BigEndian.AppendUint32(b, valid)
	b = binary.BigEndian.AppendUint32(b, preferred)
	b = append(b, 0, 0, 0, 0)
	return append(b, p.Addr().AsSlice()...)
}

// lifetimes are those to advertise: none of a prefix that the interface has no more.
func (p *prefix) lifetimes(now time.Time) (valid, preferred uint32) {
	if !p.gone.IsZero() {
		return 0, 0
	}
	return left(p.valid, p.validUntil, now), left(p.preferred, p.preferredUntil, now)
}

func left(lifetime uint32, until, now time.Time) uint32 {
	if until.IsZero() {
		return lifetime
	}
	return uint32(max(until.Sub(now)/time.Second, 0))
}

// append appends the option: with as much of the prefix as its length needs.
func (r *routeInfo) append(b []byte) []byte {
	n := (r.Bits() + 63) / 64
	b = append(b, abi.ND_OPT_ROUTE_INFO, byte(1+n), byte(r.Bits()), r.preference)
	b = binary.BigEndian.AppendUint32(b, r.lifetime)
	a := r.Addr().As16()
	return append(b, a[:8*n]...)
}

// append appends the option. ok is false for names that do not fit.
func (s *searchList) append(b []byte) (_ []byte, ok bool) {
	start := len(b)
	b = append(b, abi.ND_OPT_DNSSL, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, s.lifetime)
	for _, name := range s.names {
		for _, label := range strings.Split(strings.Trim(strings.TrimSpace(name), "."), ".") {
			if label == "" || len(label) > 63 {
				return nil, false
			}
			b = append(append(b, byte(len(label))), label...)
		}
		b = append(b, 0)
	}
	for (len(b)-start)%8 != 0 {
		b = append(b, 0)
	}
	if len(b)-start > 255*8 {
		return nil, false
	}
	b[start+1] = byte((len(b) - start) / 8)
	return b, true
}

// final is what a router advertises that ceases to be one: RFC 4861, 6.2.5: with no lifetime, and DNS servers and domains with none.
func (c *config) final() *config {
	f := *c
	f.lifetime, f.servers, f.domains = 0, nil, nil
	for _, s := range c.servers {
		s.lifetime = 0
		f.servers = append(f.servers, s)
	}
	for _, s := range c.domains {
		s.lifetime = 0
		f.domains = append(f.domains, s)
	}
	return &f
}

// message is a router's advertisement, or a solicitation, that was received.
type message struct {
	typ                byte
	hopLimit, flags    uint8
	lifetime           uint16
	reachable, retrans uint32
	linked             bool // it has a source link-layer address
	mtu                uint32
	prefixes           []advertised
}

// advertised is a prefix of another router's.
type advertised struct {
	netip.Prefix
	valid, preferred uint32
}

var errMessage = errors.New("malformed neighbor discovery message")

// parseMessage reads one: RFC 4861, 6.1.
func parseMessage(b []byte) (m message, err error) {
	if len(b) < 8 || b[1] != 0 {
		return m, errMessage
	}
	m.typ = b[0]
	opts := b[8:]
	switch {
	case m.typ == abi.ND_ROUTER_SOLICIT:
	case m.typ == abi.ND_ROUTER_ADVERT && len(b) >= 16:
		m.hopLimit, m.flags, m.lifetime = b[4], b[5], binary.BigEndian.Uint16(b[6:])
		m.reachable, m.retrans = binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
		opts = b[16:]
	default:
		return m, errMessage
	}
	for len(opts) > 0 {
		if len(opts) < 2 || opts[1] == 0 || int(opts[1])*8 > len(opts) {
			return m, errMessage
		}
		n := int(opts[1]) * 8
		m.option(opts[0], opts[:n])
		opts = opts[n:]
	}
	return m, nil
}

// option takes an option. Those that are not known, or not as long as they should be, are passed over.
func (m *message) option(typ byte, b []byte) {
	switch {
	case typ == abi.ND_OPT_SOURCE_LINKADDR:
		m.linked = true
	case typ == abi.ND_OPT_MTU && len(b) == 8:
		m.mtu = binary.BigEndian.Uint32(b[4:])
	case typ == abi.ND_OPT_PREFIX_INFORMATION && len(b) == 32 && b[2] <= 128:
		p := netip.PrefixFrom(netip.AddrFrom16([16]byte(b[16:])), int(b[2])).Masked()
		m.prefixes = append(m.prefixes, advertised{p, binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])})
	}
}
