package inet

import (
	"net/netip"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// RawDatagram is a whole datagram for this kernel, as raw sockets and tunnels are shown it.
type RawDatagram struct {
	// If is the interface that it came in on.
	If *ifnet.Interface
	// Packet holds it from the IP header on, put together from its fragments. It is the giver's: who keeps it clones it.
	Packet *ifnet.Packet
	// HeaderLen is the length of the IP header; of IPv6 with all extension headers in front of the protocol's.
	HeaderLen int
	Protocol  uint8
	Src, Dst  netip.Addr
	// Flags are Broadcast and Multicast.
	Flags ifnet.PacketFlags
}

// RawFunc is shown datagrams, and says whether somebody wanted it: of a protocol that nobody wants the sender is told. It is called from
// the goroutine that the packet came in on, must not wait, and may send.
type RawFunc func(d *RawDatagram) (taken bool)

// rawTable is who is shown datagrams.
type rawTable struct {
	funcs [2][256]atomic.Pointer[RawFunc] // IPv4, IPv6
	all   [2]atomic.Pointer[RawFunc]
}

// AnyProtocol is for HandleRaw: all protocols but TCP and UDP.
const AnyProtocol = -1

func familyIndex(family int) int {
	if family == familyInet6 {
		return 1
	}
	return 0
}

// HandleRaw has f shown the datagrams of a family (AF_INET, AF_INET6) and of a protocol, or of AnyProtocol: all but those of TCP and UDP, ICMP's
// after the kernel has acted on them. Both are shown a datagram when there are both; nil ends it.
func (in *Inet) HandleRaw(family, protocol int, f RawFunc) {
	p := &in.raw.all[familyIndex(family)]
	if protocol >= 0 && protocol < 256 {
		p = &in.raw.funcs[familyIndex(family)][protocol]
	}
	if f == nil {
		p.Store(nil)
		return
	}
	p.Store(&f)
}

// rawInput shows a datagram to those who asked for its protocol, and says whether one took it.
func (in *Inet) rawInput(d *datagram) bool {
	i := familyIndex(familyInet)
	if d.dst.Is6() {
		i = familyIndex(familyInet6)
	}
	taken := false
	for _, f := range []*RawFunc{in.raw.funcs[i][d.prot].Load(), in.raw.all[i].Load()} {
		if f != nil {
			r := &RawDatagram{If: d.ifc.ifp, Packet: d.p, HeaderLen: d.hlen, Protocol: d.prot, Src: d.src, Dst: d.dst, Flags: d.cast}
			taken = (*f)(r) || taken
		}
	}
	return taken
}

// RawOptions are the choices of a raw send.
type RawOptions struct {
	// If is the interface to leave through: IP_MULTICAST_IF, the scope of a link-local address. Nil: as the routing table says.
	If *ifnet.Interface
	// NoLoop is IP_MULTICAST_LOOP off, Direct is MSG_DONTROUTE, Broadcast says that SO_BROADCAST is on.
	NoLoop, Direct, Broadcast bool
	// MinMTU has an IPv6 datagram cut to 1280 bytes whatever the MTU (IPV6_USE_MIN_MTU); DontFragment has one refused that would have to be cut
	// (IPV6_DONTFRAG).
	MinMTU, DontFragment bool
	// Whole says that the header is a user's (IP_HDRINCL), which is what IP_STAT_RAWOUT counts.
	Whole bool
}

// WriteIP4 sends a datagram that begins with its IPv4 header, in network byte order, whatever its protocol, cut to fragments where it
// is longer than the MTU (IP_HDRINCL). A zero identification, a source address of 0.0.0.0 and the checksum are filled in, and
// the total length is that of b. b is not kept.
//
// Errors: EINVAL for a header that is none, EMSGSIZE, EACCES (a broadcast without RawOptions.Broadcast), EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN,
// EADDRNOTAVAIL, ENOBUFS.
func (in *Inet) WriteIP4(b []byte, opt RawOptions) error {
	if len(b) < header.IPv4MinimumSize || b[0]>>4 != 4 {
		return abi.EINVAL
	}
	hlen := int(b[0]&15) * 4
	switch {
	case hlen < header.IPv4MinimumSize || hlen > len(b):
		return abi.EINVAL
	case len(b) > 65535:
		return abi.EMSGSIZE
	}
	p := ifnet.NewPacket(b)
	h := append(header.IPv4(nil), b[:hlen]...)
	h.SetTotalLength(uint16(len(b)))
	if h.ID() == 0 && len(b) >= minFragSize {
		h.SetID(in.newID())
	}
	o := outgoing{noLoop: opt.NoLoop, direct: opt.Direct}
	dst := fromTCPIP(h.DestinationAddress())
	if opt.If != nil && (scoped(dst) || opt.Direct) {
		o.ifc = in.iface(opt.If)
	}
	if err := in.fillSource4(h, dst, o, opt); err != nil {
		p.Release()
		return err
	}
	h.SetChecksum(0)
	h.SetChecksum(^h.CalculateChecksum())
	replaceHead(p, hlen, h)
	if opt.Whole {
		in.Stats.IP.Add(abi.IP_STAT_RAWOUT, 1)
	} else {
		in.Stats.IP.Add(abi.IP_STAT_LOCALOUT, 1)
	}
	return in.output4(p, h, o)
}

// fillSource4 chooses a source address where there is none, and sees to it that a broadcast is meant.
func (in *Inet) fillSource4(h header.IPv4, dst netip.Addr, o outgoing, opt RawOptions) error {
	to, err := in.route4(dst, o)
	switch {
	case err != nil:
		return err
	case to.broadcast && !opt.Broadcast:
		return abi.EACCES
	case to.ifc == nil || fromTCPIP(h.SourceAddress()) != unspecified4:
		return nil
	}
	if ia := in.sourceFor(dst, to.ifc, false); ia != nil {
		h.SetSourceAddress(toTCPIP(ia.addr))
	}
	return nil
}

// SourceFor is the address that datagrams to dst come from, unless a socket says another; ifp is the interface for a dst that is scoped, or nil. ok
// is false when there is none.
func (in *Inet) SourceFor(dst netip.Addr, ifp *ifnet.Interface) (src netip.Addr, ok bool) {
	o := outgoing{}
	if ifp != nil {
		o.ifc = in.iface(ifp)
	}
	route := in.route4
	if dst.Is6() {
		route = in.route6
	}
	to, err := route(dst, o)
	if err != nil || to.ifc == nil {
		return netip.Addr{}, false
	}
	if ia := in.sourceFor(dst, to.ifc, dst.Is6()); ia != nil {
		return ia.addr, true
	}
	return netip.Addr{}, false
}

// Reachable says why no datagram can be sent to dst now, nil when one can: there is no route to it, or one that rejects.
//
// Errors: EHOSTUNREACH, ENETUNREACH, ENETDOWN.
func (in *Inet) Reachable(dst netip.Addr) error {
	if scoped(dst) {
		return nil
	}
	var err error
	if dst.Is4() {
		_, err = in.route4(dst, outgoing{})
	} else {
		_, err = in.route6(dst, outgoing{})
	}
	return err
}

// LocalAddr says whether a is one of the kernel's addresses, and on which interface. scope is the interface of a link-local one.
func (in *Inet) LocalAddr(a netip.Addr, scope uint16) (*ifnet.Interface, bool) {
	if ia := in.localAddr(a.WithZone(""), scope); ia != nil {
		return ia.ifc.ifp, true
	}
	return nil, false
}

// IsBroadcast says whether an IPv4 address is the broadcast address of a network of ours.
func (in *Inet) IsBroadcast(a netip.Addr) bool {
	return a == broadcast4 || in.addrs.Load().broadcast[a] != nil && in.localAddr(a, 0) == nil
}
