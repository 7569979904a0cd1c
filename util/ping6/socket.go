package ping6

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// address makes the sockaddrs of the target and of -S, whose zones are names or numbers of interfaces, and what goes with each packet.
func (s *session) address() error {
	list, err := s.env.Proc.Interfaces()
	if err != nil && !errors.Is(err, abi.ENOENT) {
		return err
	}
	s.name.Interfaces = map[int]string{}
	for i := range list {
		s.name.Interfaces[list[i].Index] = list[i].Name
	}
	if s.to, err = scoped(list, s.target); err != nil {
		return util.Messagef("%s", noName)
	}
	var info abi.In6Pktinfo
	if s.ifname != "" {
		index, ok := interfaceIndex(list, s.ifname)
		if !ok {
			return util.Messagef("%s: invalid interface name", s.ifname)
		}
		s.to = sockaddr.Inet(s.target, 0, index)
		info.Ifindex = index
		s.addControl(abi.IPV6_PKTINFO, info.Append(nil))
	}
	if s.hops >= 0 {
		s.addControl(abi.IPV6_HOPLIMIT, cint(s.hops))
	}
	if s.source.IsValid() {
		if s.from, err = scoped(list, s.source); err != nil {
			return util.Messagef("invalid source address: %s", noName)
		}
	}
	return nil
}

// scoped is the sockaddr of an address with its zone. Errors: ENXIO for a zone that is no interface.
func scoped(list []client.Interface, a netip.Addr) ([]byte, error) {
	if a.Zone() == "" {
		return sockaddr.Inet(a, 0, 0), nil
	}
	if index, ok := interfaceIndex(list, a.Zone()); ok {
		return sockaddr.Inet(a, 0, index), nil
	}
	n, err := strconv.ParseUint(a.Zone(), 10, 32)
	if err != nil {
		return nil, abi.ENXIO
	}
	return sockaddr.Inet(a, 0, uint32(n)), nil
}

func (s *session) addControl(typ int, data []byte) {
	m := cmsg.Message{Level: abi.IPPROTO_IPV6, Type: typ, Data: data}
	s.control = m.Append(s.control)
}

// cint is a C int.
func cint(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)} }

// open makes the socket.
func (s *session) open(ctx context.Context) (err error) {
	sys := s.env.Proc.Sys()
	if s.fd, err = sys.Socket(abi.AF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6); err != nil {
		return failed("socket", err)
	}
	if s.source.IsValid() {
		if err := sys.Bind(s.fd, s.from); err != nil {
			return failed("bind", err)
		}
	}
	route, err := s.routingHeader(ctx)
	if err != nil {
		return err
	}
	opts, err := s.socketOptions(ctx, route)
	if err != nil {
		return err
	}
	if err := setOptions(sys, s.fd, opts); err != nil {
		return err
	}
	if !s.source.IsValid() {
		if err := s.findSource(route); err != nil {
			return err
		}
	}
	return s.setBuffers()
}

func failed(what string, err error) error { return util.Messagef("%s: %s", what, err) }

// A socketOption is to be set. An optional one may be unknown to the kernel: it would only tell of more.
type socketOption struct {
	on          bool
	level, name int
	val         []byte
	what        string
	optional    bool
}

func setOptions(sys *client.Sys, fd int, opts []socketOption) error {
	for _, o := range opts {
		if !o.on {
			continue
		}
		err := sys.Setsockopt(fd, o.level, o.name, o.val)
		if err != nil && !(o.optional && (errors.Is(err, abi.EOPNOTSUPP) || errors.Is(err, abi.ENOPROTOOPT))) {
			return failed(o.what, err)
		}
	}
	return nil
}

// recvRthdrDstOpts is IPV6_RECVRTHDRDSTOPTS of netinet6/in6.h.
const recvRthdrDstOpts = 41

// socketOptions are those of the raw socket, in the original's order.
func (s *session) socketOptions(ctx context.Context, route []byte) ([]socketOption, error) {
	const ip6 = abi.IPPROTO_IPV6
	one, v := cint(1), s.has('v')
	nextHop, err := s.nextHop(ctx)
	if err != nil {
		return nil, err
	}
	filter := make([]byte, 32)
	switch {
	case v:
		filter = bytes.Repeat([]byte{0xff}, len(filter))
	case s.query != queryNone:
		pass(filter, abi.ICMP6_NI_REPLY)
	default:
		pass(filter, abi.ICMP6_ECHO_REPLY)
	}
	least := cint(1)
	if s.fragment > 1 {
		least = cint(0)
	}
	return []socketOption{
		{nextHop != nil, ip6, abi.IPV6_NEXTHOP, nextHop, "setsockopt(IPV6_NEXTHOP)", false},
		{v, ip6, abi.IPV6_RECVHOPOPTS, one, "setsockopt(IPV6_RECVHOPOPTS)", true},
		{v, ip6, abi.IPV6_RECVDSTOPTS, one, "setsockopt(IPV6_RECVDSTOPTS)", true},
		{v, ip6, recvRthdrDstOpts, one, "setsockopt(IPV6_RECVRTHDRDSTOPTS)", true},
		{s.has('d'), abi.SOL_SOCKET, abi.SO_DEBUG, one, "setsockopt(SO_DEBUG)", false},
		{s.target.IsMulticast(), ip6, abi.IPV6_MULTICAST_HOPS, cint(abi.IPV6_DEFHLIM), "IPV6_MULTICAST_HOPS", false},
		{s.fragment != 1, ip6, abi.IPV6_USE_MIN_MTU, least, "setsockopt(IPV6_USE_MIN_MTU)", false},
		{s.fragment == 1, ip6, abi.IPV6_RECVPATHMTU, one, "setsockopt(IPV6_RECVPATHMTU)", true},
		{true, abi.IPPROTO_ICMPV6, abi.ICMP6_FILTER, filter, "setsockopt(ICMP6_FILTER)", false},
		{v, ip6, abi.IPV6_RECVRTHDR, one, "setsockopt(IPV6_RECVRTHDR)", true},
		{route != nil, ip6, abi.IPV6_RTHDR, route, "setsockopt(IPV6_RTHDR)", false},
		{true, ip6, abi.IPV6_RECVPKTINFO, one, "setsockopt(IPV6_RECVPKTINFO)", false},
		{true, ip6, abi.IPV6_RECVHOPLIMIT, one, "setsockopt(IPV6_RECVHOPLIMIT)", false},
	}, nil
}

// pass lets a type through a struct icmp6_filter.
func pass(filter []byte, typ byte) { filter[typ/8] |= 1 << (typ % 8) }

// nextHop is the sockaddr of -g, nil without.
func (s *session) nextHop(ctx context.Context) ([]byte, error) {
	if s.gateway == "" {
		return nil, nil
	}
	a, err := lookup(ctx, s.gateway)
	if err != nil {
		return nil, util.Messagef("getaddrinfo for the gateway %s: %s", s.gateway, err)
	}
	list, err := s.env.Proc.Interfaces()
	if err != nil {
		return nil, err
	}
	sa, err := scoped(list, a)
	if err != nil {
		return nil, util.Messagef("getaddrinfo for the gateway %s: %s", s.gateway, noName)
	}
	return sa, nil
}

// maxHops is how many addresses a routing header of type 0 has room for.
const maxHops = 127

// routingHeader is one of type 0 through the hops, RFC 2460, nil without.
func (s *session) routingHeader(ctx context.Context) ([]byte, error) {
	if len(s.via) == 0 {
		return nil, nil
	}
	if len(s.via) > maxHops {
		return nil, util.Messagef("too many intermediate hops")
	}
	h := []byte{0, byte(2 * len(s.via)), abi.IPV6_RTHDR_TYPE_0, byte(len(s.via)), 0, 0, 0, 0}
	for _, host := range s.via {
		a, err := lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		h = append(h, a.AsSlice()...)
	}
	return h, nil
}

// discard is the port that the socket which finds the source is connected to.
const discard = 10010

// findSource asks the kernel which address packets will come from: it connects a socket that nothing is sent by.
func (s *session) findSource(route []byte) error {
	sys := s.env.Proc.Sys()
	fd, err := sys.Socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	if err != nil {
		return failed("UDP socket", err)
	}
	defer sys.Close(fd) //nolint:errcheck // nothing was written
	const ip6 = abi.IPPROTO_IPV6
	info, _ := cmsg.Find(s.control, ip6, abi.IPV6_PKTINFO, abi.SizeofIn6Pktinfo)
	err = setOptions(sys, fd, []socketOption{
		{info != nil, ip6, abi.IPV6_PKTINFO, info, "UDP setsockopt(IPV6_PKTINFO)", false},
		{s.hops >= 0, ip6, abi.IPV6_UNICAST_HOPS, cint(s.hops), "UDP setsockopt(IPV6_UNICAST_HOPS)", false},
		{s.hops >= 0, ip6, abi.IPV6_MULTICAST_HOPS, cint(s.hops), "UDP setsockopt(IPV6_MULTICAST_HOPS)", false},
		{route != nil, ip6, abi.IPV6_RTHDR, route, "UDP setsockopt(IPV6_RTHDR)", false},
	})
	if err != nil {
		return err
	}
	a, _, scope, _ := sockaddr.ParseInet(s.to)
	if err := sys.Connect(fd, sockaddr.Inet(a, discard, scope)); err != nil {
		return failed("UDP connect", err)
	}
	if s.from, err = sys.Getsockname(fd); err != nil {
		return failed("getsockname", err)
	}
	return nil
}

// bufferSize is the receive buffer's without -b: room for many answers to a multicast.
const bufferSize = 48 << 10

// setBuffers sets the socket's buffers.
func (s *session) setBuffers() error {
	sys := s.env.Proc.Sys()
	if s.bufferSize == 0 {
		if s.size > 8<<10 {
			s.env.Warnx("you need -b to increase socket buffer size")
		}
		return sys.SetsockoptInt(s.fd, abi.SOL_SOCKET, abi.SO_RCVBUF, bufferSize)
	}
	if s.size > s.bufferSize {
		s.env.Warnx("you need -b to increase socket buffer size")
	}
	for name, what := range map[int]string{abi.SO_SNDBUF: "SO_SNDBUF", abi.SO_RCVBUF: "SO_RCVBUF"} {
		if err := sys.SetsockoptInt(s.fd, abi.SOL_SOCKET, name, s.bufferSize); err != nil {
			return failed(fmt.Sprintf("setsockopt(%s)", what), err)
		}
	}
	return nil
}
