package inpcb

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// pktopts are the particulars of IPv6 packets to be sent, RFC 3542: a socket's (sticky), or one packet's. Extension headers and the
// next hop are not among them: they are refused.
type pktopts struct {
	addr     netip.Addr // IPV6_PKTINFO: where from; the zero Addr for any
	index    uint16     // and through which interface; 0 for any
	hops     int32      // IPV6_HOPLIMIT; -1: the socket's
	tclass   int32      // IPV6_TCLASS; -1: not set
	minMTU   int32      // IPV6_USE_MIN_MTU: 0 never, 1 always, -1 for groups
	temp     int32      // IPV6_PREFER_TEMPADDR: -1 for what the kernel does; there are no temporary addresses here
	dontFrag bool
}

func newPktopts() pktopts { return pktopts{hops: -1, tclass: -1, minMTU: -1, temp: -1} }

// pktopt is one of them. sticky says that it is the socket's. set is given a value whose size is right.
type pktopt struct {
	size int
	get  func(o *pktopts) []byte
	set  func(p *pcb, o *pktopts, val []byte, sticky bool) error
}

// pktopts6 are those of IPPROTO_IPV6.
var pktopts6 = map[int]pktopt{
	abi.IPV6_PKTINFO:         {abi.SizeofIn6Pktinfo, (*pktopts).getPktinfo, setPktinfo},
	abi.IPV6_HOPLIMIT:        {4, nil, setHopLimit},
	abi.IPV6_TCLASS:          pktInt(-1, 255, func(o *pktopts) *int32 { return &o.tclass }),
	abi.IPV6_USE_MIN_MTU:     pktInt(-1, 1, func(o *pktopts) *int32 { return &o.minMTU }),
	abi.IPV6_PREFER_TEMPADDR: pktInt(-1, 1, func(o *pktopts) *int32 { return &o.temp }),
	abi.IPV6_DONTFRAG:        {4, (*pktopts).getDontFrag, setDontFrag},
}

// unsupported6 are those that would put extension headers into packets, or choose the next hop; empty they may be set.
var unsupported6 = map[int]bool{
	abi.IPV6_HOPOPTS: true, abi.IPV6_DSTOPTS: true, abi.IPV6_RTHDRDSTOPTS: true, abi.IPV6_RTHDR: true, abi.IPV6_NEXTHOP: true,
}

// setPktopt sets one in o. Errors: ENOPROTOOPT, EINVAL, ENXIO; EOPNOTSUPP.
func (p *pcb) setPktopt(o *pktopts, name int, val []byte, sticky bool) error {
	if unsupported6[name] {
		if len(val) == 0 {
			return nil
		}
		return abi.EOPNOTSUPP
	}
	d, ok := pktopts6[name]
	switch {
	case !ok:
		return abi.ENOPROTOOPT
	case len(val) != d.size:
		return abi.EINVAL
	}
	return d.set(p, o, val, sticky)
}

// pktInt is a number from least to most.
func pktInt(least, most int32, v func(o *pktopts) *int32) pktopt {
	return pktopt{4, func(o *pktopts) []byte { return cint(int(*v(o))) }, func(_ *pcb, o *pktopts, val []byte, _ bool) error {
		n := int32(le.Uint32(val))
		if n < least || n > most {
			return abi.EINVAL
		}
		*v(o) = n
		return nil
	}}
}

// setHopLimit is IPV6_HOPLIMIT, which RFC 3542 has for packets alone.
func setHopLimit(_ *pcb, o *pktopts, val []byte, sticky bool) error {
	n := int32(le.Uint32(val))
	switch {
	case sticky:
		return abi.ENOPROTOOPT
	case n < -1 || n > 255:
		return abi.EINVAL
	}
	o.hops = n
	return nil
}

func (o *pktopts) getDontFrag() []byte {
	if o.dontFrag {
		return cint(1)
	}
	return cint(0)
}

// setDontFrag is ignored on TCP.
func setDontFrag(p *pcb, o *pktopts, val []byte, _ bool) error {
	o.dontFrag = le.Uint32(val) != 0 && p.proto != abi.IPPROTO_TCP
	return nil
}

func (o *pktopts) getPktinfo() []byte {
	i := abi.In6Pktinfo{Ifindex: uint32(o.index)}
	if o.addr.IsValid() {
		i.Addr.Addr = o.addr.As16()
	}
	return i.Append(nil)
}

// setPktinfo takes a struct in6_pktinfo; one that says nothing removes what was set. Whether the address is the kernel's shows when
// something is sent.
//
// Errors: ENXIO for an interface that is not there.
func setPktinfo(p *pcb, o *pktopts, val []byte, _ bool) error {
	var i abi.In6Pktinfo
	if err := i.Decode(val); err != nil {
		return err
	}
	a := netip.AddrFrom16(i.Addr.Addr)
	if i.Ifindex != 0 && p.ts.interfaceAt(i.Ifindex) == nil {
		return abi.ENXIO
	}
	o.addr, o.index = netip.Addr{}, uint16(i.Ifindex)
	if !a.IsUnspecified() {
		o.addr = a
	}
	return nil
}

// interfaceAt is the interface with an index; nil without.
func (ts *Tables) interfaceAt(index uint32) *ifnet.Interface {
	if index > 0xffff {
		return nil
	}
	return ts.net.ByIndex(uint16(index))
}

// options6 are the options of level IPPROTO_IPV6.
var options6 = map[int]option{
	abi.IPV6_UNICAST_HOPS:    intOption(-1, 255, func(o *ipOptions) int32 { return o.hops }, func(o *ipOptions, v int32) { o.hops = v }),
	abi.IPV6_RECVPKTINFO:     flagOption(optRecvPktinfo6),
	abi.IPV6_RECVHOPLIMIT:    flagOption(optRecvHopLimit),
	abi.IPV6_RECVTCLASS:      flagOption(optRecvTClass),
	abi.IPV6_RECVRTHDR:       offOption,
	abi.IPV6_RECVHOPOPTS:     rootOption(offOption),
	abi.IPV6_RECVDSTOPTS:     rootOption(offOption),
	recvRthdrDstOpts:         rootOption(offOption),
	abi.IPV6_RECVPATHMTU:     offOption,
	abi.IPV6_FAITH:           offOption,
	abi.IPV6_V6ONLY:          {getV6Only, setV6Only},
	abi.IPV6_PORTRANGE:       {getPortRange, setPortRange},
	abi.IPV6_PORTALGO:        portAlgoOption,
	abi.IPV6_PATHMTU:         {getPathMTU, nil},
	abi.IPV6_PKTINFO:         notTCP(stickyOption(abi.IPV6_PKTINFO)),
	abi.IPV6_HOPLIMIT:        stickyOption(abi.IPV6_HOPLIMIT),
	abi.IPV6_TCLASS:          {getTClass, stickyOption(abi.IPV6_TCLASS).set},
	abi.IPV6_USE_MIN_MTU:     notTCP(stickyOption(abi.IPV6_USE_MIN_MTU)),
	abi.IPV6_PREFER_TEMPADDR: stickyOption(abi.IPV6_PREFER_TEMPADDR),
	abi.IPV6_DONTFRAG:        stickyOption(abi.IPV6_DONTFRAG),
	abi.IPV6_HOPOPTS:         stickyOption(abi.IPV6_HOPOPTS),
	abi.IPV6_DSTOPTS:         stickyOption(abi.IPV6_DSTOPTS),
	abi.IPV6_RTHDRDSTOPTS:    stickyOption(abi.IPV6_RTHDRDSTOPTS),
	abi.IPV6_RTHDR:           stickyOption(abi.IPV6_RTHDR),
	abi.IPV6_NEXTHOP:         stickyOption(abi.IPV6_NEXTHOP),

	abi.IPV6_MULTICAST_IF:   {number(func(o *ipOptions) int32 { return int32(o.multi6.index) }), setMulticastIf6},
	abi.IPV6_MULTICAST_HOPS: {number(func(o *ipOptions) int32 { return int32(o.multi6.ttl) }), setMulticastHops},
	abi.IPV6_MULTICAST_LOOP: intOption(0, 1, func(o *ipOptions) int32 { return int32(o.multi6.loop) },
		func(o *ipOptions, v int32) { o.multi6.loop = uint8(v) }),
	abi.IPV6_JOIN_GROUP:  {refuseGet, joinGroup6},
	abi.IPV6_LEAVE_GROUP: {refuseGet, leaveGroup6},
}

// recvRthdrDstOpts is IPV6_RECVRTHDRDSTOPTS of netinet6/in6.h.
const recvRthdrDstOpts = 41

// rootOption is an option that only root may set. Errors: EPERM.
func rootOption(o option) option {
	set := o.set
	o.set = func(t *kern.Thread, p *pcb, val []byte) error {
		if !t.Cred().Root() {
			return abi.EPERM
		}
		return set(t, p, val)
	}
	return o
}

// stickyOption is one of the socket's pktopts.
func stickyOption(name int) option {
	o := option{set: func(_ *kern.Thread, p *pcb, val []byte) error {
		p.opt.mu.Lock()
		defer p.opt.mu.Unlock()
		return p.setPktopt(&p.opt.sticky, name, val, true)
	}}
	if get := pktopts6[name].get; get != nil {
		o.get = func(p *pcb) ([]byte, error) {
			p.opt.mu.Lock()
			defer p.opt.mu.Unlock()
			return get(&p.opt.sticky), nil
		}
	} else if unsupported6[name] {
		o.get = func(*pcb) ([]byte, error) { return nil, nil }
	}
	return o
}

// getTClass is 0 when none is set.
func getTClass(p *pcb) ([]byte, error) {
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	return cint(int(max(p.opt.sticky.tclass, 0))), nil
}

func getV6Only(p *pcb) ([]byte, error) {
	if p.only6() {
		return cint(1), nil
	}
	return cint(0), nil
}

// setV6Only errors: EINVAL once the socket is bound.
func setV6Only(_ *kern.Thread, p *pcb, val []byte) error {
	v, err := getint(val)
	if err != nil {
		return err
	}
	p.tb.mu.Lock()
	defer p.tb.mu.Unlock()
	if p.state != attached || p.local.port != 0 || !p.local.any() {
		return abi.EINVAL
	}
	p.v6only = v != 0
	return nil
}

// getPathMTU is a struct ip6_mtuinfo of the connected address. Errors: ENOTCONN, EHOSTUNREACH.
func getPathMTU(p *pcb) ([]byte, error) {
	_, foreign, st := p.names()
	if st != connected {
		return nil, abi.ENOTCONN
	}
	e := p.ts.routes.Lookup(foreign.ip, foreign.scope)
	if e == nil || e.If == nil {
		return nil, abi.EHOSTUNREACH
	}
	mtu := uint64(e.If.MTU())
	if m := e.Metrics.Mtu; m != 0 {
		mtu = min(mtu, m)
	}
	i := abi.Ip6Mtuinfo{Mtu: uint32(min(mtu, abi.IPV6_MAXPACKET))}
	return i.Append(nil), nil
}

// setMulticastIf6 is IPV6_MULTICAST_IF. Errors: ENXIO, EADDRNOTAVAIL.
func setMulticastIf6(_ *kern.Thread, p *pcb, val []byte) error {
	v, err := getint(val)
	if err != nil {
		return err
	}
	if v != 0 {
		ifp := p.ts.interfaceAt(uint32(v))
		switch {
		case ifp == nil:
			return abi.ENXIO
		case ifp.Flags()&abi.IFF_MULTICAST == 0:
			return abi.EADDRNOTAVAIL
		}
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	p.opt.multi6.index = uint16(v)
	return nil
}

// setMulticastHops is IPV6_MULTICAST_HOPS; -1 is the kernel's default.
func setMulticastHops(_ *kern.Thread, p *pcb, val []byte) error {
	v, err := getint(val)
	switch {
	case err != nil:
		return err
	case v < -1 || v > 255:
		return abi.EINVAL
	case v < 0:
		v = abi.IPV6_DEFAULT_MULTICAST_HOPS
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	p.opt.multi6.ttl = uint8(v)
	return nil
}

// mreq6 reads a struct ipv6_mreq, and finds the interface that it names, nil for none. An IPv4-mapped group is an IPv4 one.
//
// Errors: EINVAL for another size and for what is no group; ENXIO.
func (p *pcb) mreq6(val []byte) (group netip.Addr, ifp *ifnet.Interface, err error) {
	var m abi.Ipv6Mreq
	if len(val) != abi.SizeofIpv6Mreq {
		return group, nil, abi.EINVAL
	}
	if err := m.Decode(val); err != nil {
		return group, nil, err
	}
	group = netip.AddrFrom16(m.Multiaddr.Addr).Unmap()
	if !group.IsMulticast() {
		return group, nil, abi.EINVAL
	}
	if m.Interface != 0 {
		if ifp = p.ts.interfaceAt(m.Interface); ifp == nil {
			return group, nil, abi.ENXIO
		}
	}
	return group, ifp, nil
}

// joinGroup6 is IPV6_JOIN_GROUP. Without an interface it is the one that the route to the group leads to.
func joinGroup6(_ *kern.Thread, p *pcb, val []byte) error {
	group, ifp, err := p.mreq6(val)
	if err != nil {
		return err
	}
	if ifp == nil {
		ifp = p.ts.routeIf(group)
	}
	return p.join(group, ifp)
}

func leaveGroup6(_ *kern.Thread, p *pcb, val []byte) error {
	group, ifp, err := p.mreq6(val)
	if err != nil {
		return err
	}
	if ifp == nil {
		return p.drop(group, 0)
	}
	return p.drop(group, ifp.Index)
}
