package inet

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// ndInfo is neighbour discovery's settings on an interface, as struct nd_ifinfo, and what is counted for IPv6 there.
type ndInfo struct {
	stat  ifStats6
	istat icmpStats6
	flags atomic.Uint32 // ND6_IFF_*

	mu        sync.Mutex
	maxMTU    uint32 // of a router's advertisement; 0 for none
	reachable time.Duration
	base      time.Duration // the mean of reachable
	retrans   time.Duration
	chlim     uint8
}

// Times of RFC 4861, 10.
const (
	reachableBase = 30 * time.Second
	retransBase   = time.Second
)

func (n *ndInfo) init(in *Inet) {
	n.base, n.retrans, n.chlim = reachableBase, retransBase, uint8(in.conf.hlim6.Load())
	n.reachable = randomReachable(n.base)
}

// randomReachable is a time around a mean, so that hosts do not act all at once: RFC 4861, 6.3.2.
func randomReachable(base time.Duration) time.Duration {
	return max(base/2+rand.N(max(base, time.Millisecond)), time.Millisecond)
}

func (n *ndInfo) has(flag uint32) bool { return n.flags.Load()&flag != 0 }

// linkMTU is the MTU for IPv6 on a link whose MTU is given: a router may have said less.
func (n *ndInfo) linkMTU(mtu uint32) uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.maxMTU >= minMTU6 && n.maxMTU < mtu {
		return n.maxMTU
	}
	return mtu
}

func (n *ndInfo) retransTime() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.retrans
}

func (n *ndInfo) reachableTime() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reachable
}

// hopLimit is that of datagrams that leave through the interface: a router's, or net.inet6.ip6.hlim.
func (ifc *iface) hopLimit() uint8 {
	ifc.nd6.mu.Lock()
	defer ifc.nd6.mu.Unlock()
	if ifc.nd6.chlim != 0 {
		return ifc.nd6.chlim
	}
	return uint8(ifc.in.conf.hlim6.Load())
}

// start6 begins with IPv6 on an interface. Config held.
func (in *Inet) start6(ifc *iface) {
	loop := ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0
	flags := uint32(abi.ND6_IFF_PERFORMNUD)
	if loop || in.conf.autoLinkLocal.Load() != 0 && ifc.ifp.Type != abi.IFT_BRIDGE {
		flags |= abi.ND6_IFF_AUTO_LINKLOCAL
	}
	if !loop && in.conf.acceptRtadv.Load() != 0 {
		flags |= abi.ND6_IFF_ACCEPT_RTADV
	}
	ifc.nd6.flags.Store(flags)
	ifc.groups.join(allNodes)
	if g, ok := niGroup(ifc.in.K.Hostname()); ok && !loop {
		ifc.groups.join(g)
	}
	if ifc.on {
		ifc.up6()
	}
}

// up6 begins to use IPv6 on an interface that has come up: with the addresses that each has. Config held.
func (ifc *iface) up6() {
	ifc.addrsUp(familyInet6)
	if !ifc.nd6.has(abi.ND6_IFF_AUTO_LINKLOCAL) || ifc.nd6.has(abi.ND6_IFF_IFDISABLED) || ifc.ifp.Flags()&abi.IFF_MULTICAST == 0 {
		return
	}
	in := ifc.in
	id := interfaceID{7: 1}
	if ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0 {
		if in.localAddr(loopback6, 0) == nil {
			ia := ifc.newAddr6(loopback6, 128)
			ia.flags.Store(abi.IN6_IFF_NODAD)
			in.addAddr(ia)
		}
	} else {
		id = ifc.interfaceID()
	}
	if in.linkLocalOf(ifc) == nil {
		in.addAddr(ifc.newAddr6(id.on(netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfe, 0x80}), 64)), 64))
	}
}

// newAddr6 is an address that is yet to be added; it lasts for ever.
func (ifc *iface) newAddr6(a netip.Addr, bits int) *ifaddr {
	ia := &ifaddr{ifc: ifc, addr: a, bits: bits}
	ia.lifetime.vltime, ia.lifetime.pltime = abi.ND6_INFINITE_LIFETIME, abi.ND6_INFINITE_LIFETIME
	return ia
}

// interfaceID is the lower half of an address.
type interfaceID [8]byte

// on is the address in a network.
func (id interfaceID) on(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	copy(b[8:], id[:])
	return netip.AddrFrom16(b)
}

// interfaceID makes an identifier of the link-level address (RFC 4291, appendix A), of another interface's where there is none, or of nothing.
func (ifc *iface) interfaceID() interfaceID {
	for _, ifp := range append([]*ifnet.Interface{ifc.ifp}, ifc.in.Net.Interfaces()...) {
		if m := ifp.LinkAddr(); len(m) == len(macAddr{}) {
			return interfaceID{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}
		}
	}
	id := interfaceID{}
	be64 := rand.Uint64()
	for i := range id {
		id[i] = byte(be64 >> (8 * i))
	}
	id[0] &^= 2
	return id
}

// ifStats6 are struct in6_ifstat.
type ifStats6 struct {
	inReceive, inHdrerr, inToobig, inNoroute, inAddrerr, inProtounknown, inTruncated, inDiscard, inDeliver atomic.Uint64
	outForward, outRequest, outDiscard, outFragok, outFragfail, outFragcreat                               atomic.Uint64
	reassReqd, reassOk, reassFail, inMcast, outMcast                                                       atomic.Uint64
}

func (s *ifStats6) abi() abi.In6Ifstat {
	return abi.In6Ifstat{
		InReceive: s.inReceive.Load(), InHdrerr: s.inHdrerr.Load(), InToobig: s.inToobig.Load(), InNoroute: s.inNoroute.Load(),
		InAddrerr: s.inAddrerr.Load(), InProtounknown: s.inProtounknown.Load(), InTruncated: s.inTruncated.Load(),
		InDiscard: s.inDiscard.Load(), InDeliver: s.inDeliver.Load(), OutForward: s.outForward.Load(), OutRequest: s.outRequest.Load(),
		OutDiscard: s.outDiscard.Load(), OutFragok: s.outFragok.Load(), OutFragfail: s.outFragfail.Load(),
		OutFragcreat: s.outFragcreat.Load(), ReassReqd: s.reassReqd.Load(), ReassOk: s.reassOk.Load(),
		ReassFail: s.reassFail.Load(), InMcast: s.inMcast.Load(), OutMcast: s.outMcast.Load(),
	}
}

// icmpStats6 count ICMPv6 messages of an interface by their type: struct icmp6_ifstat.
type icmpStats6 struct {
	inError atomic.Uint64
	admin   [2]atomic.Uint64 // in, out: administratively prohibited
	inType  [256]atomic.Uint64
	outType [256]atomic.Uint64
}

// count counts a message in or out.
func (s *icmpStats6) count(typ, code uint8, out bool) {
	way, types := 0, &s.inType
	if out {
		way, types = 1, &s.outType
	}
	types[typ].Add(1)
	if typ == abi.ICMP6_DST_UNREACH && code == abi.ICMP6_DST_UNREACH_ADMIN {
		s.admin[way].Add(1)
	}
}

// sum is the number of all messages of types from lo to hi.
func sum(types *[256]atomic.Uint64, lo, hi int) (n uint64) {
	for i := lo; i <= hi; i++ {
		n += types[i].Load()
	}
	return n
}

func (s *icmpStats6) abi() abi.Icmp6Ifstat {
	i, o := &s.inType, &s.outType
	return abi.Icmp6Ifstat{
		InMsg: sum(i, 0, 255), InError: s.inError.Load(), InDstunreach: i[abi.ICMP6_DST_UNREACH].Load(), InAdminprohib: s.admin[0].Load(),
		InTimeexceed: i[abi.ICMP6_TIME_EXCEEDED].Load(), InParamprob: i[abi.ICMP6_PARAM_PROB].Load(), InPkttoobig: i[abi.ICMP6_PACKET_TOO_BIG].Load(),
		InEcho: i[abi.ICMP6_ECHO_REQUEST].Load(), InEchoreply: i[abi.ICMP6_ECHO_REPLY].Load(),
		InRoutersolicit: i[abi.ND_ROUTER_SOLICIT].Load(), InRouteradvert: i[abi.ND_ROUTER_ADVERT].Load(),
		InNeighborsolicit: i[abi.ND_NEIGHBOR_SOLICIT].Load(), InNeighboradvert: i[abi.ND_NEIGHBOR_ADVERT].Load(), InRedirect: i[abi.ND_REDIRECT].Load(),
		InMldquery: i[abi.MLD_LISTENER_QUERY].Load(), InMldreport: i[abi.MLD_LISTENER_REPORT].Load(), InMlddone: i[abi.MLD_LISTENER_DONE].Load(),
		OutMsg: sum(o, 0, 255), OutError: sum(o, 0, 127), OutDstunreach: o[abi.ICMP6_DST_UNREACH].Load(), OutAdminprohib: s.admin[1].Load(),
		OutTimeexceed: o[abi.ICMP6_TIME_EXCEEDED].Load(), OutParamprob: o[abi.ICMP6_PARAM_PROB].Load(), OutPkttoobig: o[abi.ICMP6_PACKET_TOO_BIG].Load(),
		OutEcho: o[abi.ICMP6_ECHO_REQUEST].Load(), OutEchoreply: o[abi.ICMP6_ECHO_REPLY].Load(),
		OutRoutersolicit: o[abi.ND_ROUTER_SOLICIT].Load(), OutRouteradvert: o[abi.ND_ROUTER_ADVERT].Load(),
		OutNeighborsolicit: o[abi.ND_NEIGHBOR_SOLICIT].Load(), OutNeighboradvert: o[abi.ND_NEIGHBOR_ADVERT].Load(), OutRedirect: o[abi.ND_REDIRECT].Load(),
		OutMldquery: o[abi.MLD_LISTENER_QUERY].Load(), OutMldreport: o[abi.MLD_LISTENER_REPORT].Load(), OutMlddone: o[abi.MLD_LISTENER_DONE].Load(),
	}
}
