package traceroute

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/hostaddr"
	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// probe6 is the prober of IPv6: UDP datagrams or ICMPv6 echo requests by sockets whose hop limit is set.
type probe6 struct {
	*trace
	fd    int    // to send by
	from  []byte // the sockaddr to send from
	ident uint16 // the source port, or the echo's number
	data  []byte
}

func (k *probe6) open() (fd int, err error) {
	sys := k.env.Proc.Sys()
	if fd, err = sys.Socket(abi.AF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6); err != nil {
		return 0, util.Messagef("socket(ICMPv6): %s", err)
	}
	for name, what := range map[int]string{abi.IPV6_RECVPKTINFO: "IPV6_RECVPKTINFO", abi.IPV6_RECVHOPLIMIT: "IPV6_RECVHOPLIMIT"} {
		if err := sys.SetsockoptInt(fd, abi.IPPROTO_IPV6, name, 1); err != nil {
			return 0, util.Messagef("setsockopt(%s): %s", what, err)
		}
	}
	if err := k.setSocketOptions(fd); err != nil {
		return 0, err
	}
	k.fd, k.data = fd, make([]byte, k.size)
	if !k.has('I') {
		if k.fd, err = sys.Socket(abi.AF_INET6, abi.SOCK_DGRAM, 0); err != nil {
			return 0, util.Messagef("socket(SOCK_DGRAM): %s", err)
		}
		if err := k.setSocketOptions(k.fd); err != nil {
			return 0, err
		}
	}
	if err := sys.SetsockoptInt(k.fd, abi.SOL_SOCKET, abi.SO_SNDBUF, k.size); err != nil {
		return 0, util.Messagef("setsockopt(SO_SNDBUF): %s", err)
	}
	if h := k.routingHeader(); h != nil {
		if err := sys.Setsockopt(k.fd, abi.IPPROTO_IPV6, abi.IPV6_RTHDR, h); err != nil {
			return 0, util.Messagef("setsockopt(IPV6_RTHDR): %s", err)
		}
	}
	return fd, k.bind()
}

// routingHeader is one of type 0 by the gateways, RFC 2460, nil without.
func (k *probe6) routingHeader() []byte {
	n := len(k.gateways)
	if n == 0 {
		return nil
	}
	h := []byte{0, byte(2 * n), abi.IPV6_RTHDR_TYPE_0, byte(n), 0, 0, 0, 0}
	for _, a := range k.gateways {
		h = append(h, a.AsSlice()...)
	}
	return h
}

// bind finds the source address and port.
func (k *probe6) bind() (err error) {
	sys := k.env.Proc.Sys()
	if k.source != "" {
		a, ok := hostaddr.Parse(k.source, abi.AF_INET6)
		if !ok {
			return util.Messagef("Cannot get address for `%s' (%s)", k.source, noName)
		}
		k.from = k.sockaddr(a, 0)
	} else if k.from, err = sourceOf(sys, abi.AF_INET6, k.sockaddr(k.target, 10010)); err != nil {
		return err
	}
	a, _, scope, _ := sockaddr.ParseInet(k.from)
	if err := sys.Bind(k.fd, sockaddr.Inet(a, 0, scope)); err != nil {
		return util.Messagef("bind: %s", err)
	}
	sa, err := sys.Getsockname(k.fd)
	if err != nil {
		return util.Messagef("getsockname: %s", err)
	}
	_, k.ident, _, _ = sockaddr.ParseInet(sa)
	if k.has('I') {
		var id [2]byte
		rand.Read(id[:]) //nolint:errcheck // never fails
		k.ident = binary.BigEndian.Uint16(id[:])
	}
	return nil
}

// sockaddr is an address, whose zone is an interface's name or number, as a struct sockaddr_in6.
func (k *probe6) sockaddr(a netip.Addr, port uint16) []byte {
	zone := a.Zone()
	for index, name := range k.name.Interfaces {
		if zone == name {
			zone = strconv.Itoa(index)
		}
	}
	n, _ := strconv.ParseUint(zone, 10, 32) //nolint:errcheck // none is 0, which the kernel refuses where it needs one
	return sockaddr.Inet(a, port, uint32(n))
}

func (k *probe6) heading() string {
	a, _, scope, _ := sockaddr.ParseInet(k.from)
	return fmt.Sprintf("traceroute6 to %s (%s) from %s, %d hops max, %d byte packets\n", k.options.host,
		k.name.Host(k.sockaddr(k.target, 0)), k.name.Host(sockaddr.Inet(a, 0, scope)), k.max, k.size)
}

func (k *probe6) send(seq, ttl int) (notice string, anew bool) {
	sys := k.env.Proc.Sys()
	if err := sys.SetsockoptInt(k.fd, abi.IPPROTO_IPV6, abi.IPV6_UNICAST_HOPS, ttl); err != nil {
		k.env.Warn(err, "setsockopt IPV6_UNICAST_HOPS")
	}
	now, stamp := time.Now(), k.data[4:]
	to := k.sockaddr(k.target, uint16(k.port+seq))
	if k.has('I') {
		k.data[0] = abi.ICMP6_ECHO_REQUEST
		binary.BigEndian.PutUint16(k.data[4:], k.ident)
		binary.BigEndian.PutUint16(k.data[6:], uint16(seq))
		to, stamp = k.sockaddr(k.target, 0), k.data[8:]
	} else {
		k.data[0], k.data[1] = byte(seq), byte(ttl)
	}
	binary.BigEndian.PutUint32(stamp, uint32(now.Unix()))
	binary.BigEndian.PutUint32(stamp[4:], uint32(now.Nanosecond()/1000))
	n, err := sys.Sendto(k.fd, k.data, 0, to)
	if err != nil {
		k.env.Warn(err, "sendto")
		n = -1
	}
	if n != len(k.data) {
		notice = fmt.Sprintf("traceroute6: wrote %s %d chars, ret=%d\n", k.options.host, len(k.data), n)
	}
	return notice, false
}

// unreachable6 are the verdicts of ICMP6_DST_UNREACH, RFC 4443.
var unreachable6 = map[byte]verdict{
	abi.ICMP6_DST_UNREACH_NOROUTE:     {mark: "!N", unreachable: true},
	abi.ICMP6_DST_UNREACH_ADMIN:       {mark: "!X", unreachable: true},
	abi.ICMP6_DST_UNREACH_BEYONDSCOPE: {mark: "!S", unreachable: true},
	abi.ICMP6_DST_UNREACH_ADDR:        {mark: "!H", unreachable: true},
	abi.ICMP6_DST_UNREACH_NOPORT:      {arrived: true},
}

func (k *probe6) examine(p *echo.Packet, seq int) (r reply, ok bool) {
	b := p.Data
	if len(b) < 8 {
		return r, false
	}
	r = reply{from: p.From, at: p.At, size: len(b)}
	hops := 0
	if h, ok := cmsg.Find(p.Control, abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, 4); ok {
		hops = int(int32(binary.LittleEndian.Uint32(h)))
	}
	r.to, _ = destination(p.Control)
	switch {
	case b[0] == abi.ICMP6_TIME_EXCEEDED && b[1] == abi.ICMP6_TIME_EXCEED_TRANSIT && k.quotes(b[8:], seq):
	case b[0] == abi.ICMP6_DST_UNREACH && k.quotes(b[8:], seq):
		r.verdict = unreachable6[b[1]]
	case k.has('I') && b[0] == abi.ICMP6_ECHO_REPLY && k.ours(abi.IPPROTO_ICMPV6, b, seq):
		r.verdict = verdict{arrived: true}
	default:
		return r, false
	}
	r.annotation = r.text(hops)
	return r, true
}

// destination is where a packet was sent to.
func destination(control []byte) (a netip.Addr, ok bool) {
	info, ok := cmsg.Find(control, abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, abi.SizeofIn6Pktinfo)
	if !ok {
		return a, false
	}
	return netip.AddrFrom16([16]byte(info[:16])), true
}

// quotes says whether the packet that an error quotes, after its extension headers, is the probe of a number.
func (k *probe6) quotes(b []byte, seq int) bool {
	if len(b) < 40 {
		return false
	}
	next, b := b[6], b[40:]
	for len(b) >= 8 {
		n := 0
		switch next {
		case abi.IPPROTO_HOPOPTS, abi.IPPROTO_DSTOPTS, abi.IPPROTO_ROUTING:
			n = (int(b[1]) + 1) * 8
		case abi.IPPROTO_AH:
			n = (int(b[1]) + 2) * 4
		case abi.IPPROTO_FRAGMENT:
			n = 8
		default:
			return k.ours(next, b, seq)
		}
		next, b = b[0], b[min(n, len(b)):]
	}
	return false
}

// ours says whether 8 bytes of a protocol are the probe of a number, or an echo's answer.
func (k *probe6) ours(proto byte, b []byte, seq int) bool {
	if k.has('I') {
		return proto == abi.IPPROTO_ICMPV6 && binary.BigEndian.Uint16(b[4:]) == k.ident && binary.BigEndian.Uint16(b[6:]) == uint16(seq)
	}
	return proto == abi.IPPROTO_UDP && binary.BigEndian.Uint16(b) == k.ident && binary.BigEndian.Uint16(b[2:]) == uint16(k.port+seq)
}

// types6 are the names of ICMPv6's types.
var types6 = map[byte]string{
	abi.ICMP6_DST_UNREACH: "Destination Unreachable", abi.ICMP6_PACKET_TOO_BIG: "Packet Too Big", abi.ICMP6_TIME_EXCEEDED: "Time Exceeded",
	abi.ICMP6_PARAM_PROB: "Parameter Problem", abi.ICMP6_ECHO_REQUEST: "Echo Request", abi.ICMP6_ECHO_REPLY: "Echo Reply",
	abi.ICMP6_MEMBERSHIP_QUERY: "Group Membership Query", abi.ICMP6_MEMBERSHIP_REPORT: "Group Membership Report",
	abi.ICMP6_MEMBERSHIP_REDUCTION: "Group Membership Reduction", abi.ND_ROUTER_SOLICIT: "Router Solicitation",
	abi.ND_ROUTER_ADVERT: "Router Advertisement", abi.ND_NEIGHBOR_SOLICIT: "Neighbor Solicitation",
	abi.ND_NEIGHBOR_ADVERT: "Neighbor Advertisement", abi.ND_REDIRECT: "Redirect",
}

func (k *probe6) verbose(p *echo.Packet) string {
	b := p.Data
	if len(b) < 8 {
		return fmt.Sprintf("data too short (%d bytes) from %s\n", len(b), k.name.Host(p.From))
	}
	to := "?"
	if a, ok := destination(p.Control); ok {
		to = a.String()
	}
	name, ok := types6[b[0]]
	if !ok {
		name = "Unknown"
	}
	text := fmt.Sprintf("\n%d bytes from %s to %s: icmp type %d (%s) code %d\n", len(b), k.name.Host(p.From), to, b[0], name, b[1])
	const width = 16
	for i := 8; i < len(b); i += width {
		text += fmt.Sprintf("%04x:", i-8)
		for j := i; j < min(i+width, len(b)); j += 4 {
			text += fmt.Sprintf(" %x", b[j:min(j+4, len(b))])
		}
		text += "\n"
	}
	return text
}

func (k *probe6) host(r *reply) string {
	number := k.name.Host(r.from)
	text := " " + number
	switch {
	case k.has('n'):
	case k.has('l'):
		text = fmt.Sprintf(" %s (%s)", k.hostname(r.from), number)
	default:
		text = " " + k.hostname(r.from)
	}
	if k.verbosity > 0 {
		to := "?"
		if r.to.IsValid() {
			to = r.to.String()
		}
		text += fmt.Sprintf(" %d bytes of data to %s", r.size, to)
	}
	return text
}

// milliseconds has six digits, as C's %g.
func (k *probe6) milliseconds(d time.Duration) string {
	return strconv.FormatFloat(echo.Milliseconds(d.Truncate(time.Microsecond)), 'g', 6, 64)
}
