package inet

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// rows6 are the ints of net.inet6: see rows4.
var rows6 = []sysctlRow{
	{"net.inet6.ip6.forwarding", abi.IPV6CTL_FORWARDING, 0, 0, 1, nil},
	{"net.inet6.ip6.redirect", abi.IPV6CTL_SENDREDIRECTS, 1, 0, 1, nil},
	{"net.inet6.ip6.hlim", abi.IPV6CTL_DEFHLIM, 64, 1, 255, nil},
	{"net.inet6.ip6.maxfragpackets", abi.IPV6CTL_MAXFRAGPACKETS, 200, 0, maxInt, nil},
	{"net.inet6.ip6.accept_rtadv", abi.IPV6CTL_ACCEPT_RTADV, 0, 0, 1, (*Inet).setAcceptRtadv},
	{"net.inet6.ip6.keepfaith", abi.IPV6CTL_KEEPFAITH, 0, 0, 0, nil},
	{"net.inet6.ip6.log_interval", abi.IPV6CTL_LOG_INTERVAL, 5, 0, 0, nil},
	{"net.inet6.ip6.hdrnestlimit", abi.IPV6CTL_HDRNESTLIMIT, 50, 1, 255, nil},
	{"net.inet6.ip6.dad_count", abi.IPV6CTL_DAD_COUNT, 1, 0, maxInt, nil},
	{"net.inet6.ip6.auto_flowlabel", abi.IPV6CTL_AUTO_FLOWLABEL, 1, 0, 0, nil},
	{"net.inet6.ip6.defmcasthlim", abi.IPV6CTL_DEFMCASTHLIM, 1, 0, 255, nil},
	{"net.inet6.ip6.gifhlim", abi.IPV6CTL_GIF_HLIM, 30, 1, 255, nil},
	{"net.inet6.ip6.use_deprecated", abi.IPV6CTL_USE_DEPRECATED, 1, 0, 1, nil},
	{"net.inet6.ip6.rr_prune", abi.IPV6CTL_RR_PRUNE, 5, 0, 0, nil},
	{"net.inet6.ip6.v6only", abi.IPV6CTL_V6ONLY, 1, 0, 1, nil},
	{"net.inet6.ip6.anonportmin", abi.IPV6CTL_ANONPORTMIN, 49152, 1024, 65535, portBound("net.inet6.ip6.anonportmax", true)},
	{"net.inet6.ip6.anonportmax", abi.IPV6CTL_ANONPORTMAX, 65535, 1024, 65535, portBound("net.inet6.ip6.anonportmin", false)},
	{"net.inet6.ip6.lowportmin", abi.IPV6CTL_LOWPORTMIN, 600, 1, 1023, portBound("net.inet6.ip6.lowportmax", true)},
	{"net.inet6.ip6.lowportmax", abi.IPV6CTL_LOWPORTMAX, 1023, 1, 1023, portBound("net.inet6.ip6.lowportmin", false)},
	{"net.inet6.ip6.auto_linklocal", abi.IPV6CTL_AUTO_LINKLOCAL, 1, 0, 1, nil},
	{"net.inet6.ip6.use_defaultzone", abi.IPV6CTL_USE_DEFAULTZONE, 0, 0, 0, nil},
	{"net.inet6.ip6.maxfrags", abi.IPV6CTL_MAXFRAGS, 200, 0, 0, nil},
	{"net.inet6.ip6.rtadv_maxroutes", abi.IPV6CTL_RTADV_MAXROUTES, 100, 0, 0, nil},
	{"net.inet6.ip6.use_tempaddr", abi.CTL_CREATE, 0, 0, 0, nil},
	{"net.inet6.ip6.prefer_tempaddr", abi.CTL_CREATE, 0, 0, 0, nil},
	{"net.inet6.ip6.temppltime", abi.CTL_CREATE, 86400, 0, 0, nil},
	{"net.inet6.ip6.tempvltime", abi.CTL_CREATE, 604800, 0, 0, nil},
	{"net.inet6.ip6.mcast_pmtu", abi.CTL_CREATE, 0, 0, 0, nil},
	{"net.inet6.ip6.maxflows", abi.CTL_CREATE, 256, 0, 0, nil},
	{"net.inet6.ip6.hashsize", abi.CTL_CREATE, 64, 0, 0, nil},
	{"net.inet6.ip6.neighborgcthresh", abi.CTL_CREATE, 2048, 1, maxInt, nil},
	{"net.inet6.ip6.maxifprefixes", abi.CTL_CREATE, 16, 0, maxInt, nil},
	{"net.inet6.ip6.maxifdefrouters", abi.CTL_CREATE, 16, 0, maxInt, nil},
	{"net.inet6.ip6.maxdynroutes", abi.CTL_CREATE, 4096, 0, maxInt, nil},

	{"net.inet6.udp6.sendspace", abi.UDPCTL_SENDSPACE, 9216, 1, maxInt, nil},
	{"net.inet6.udp6.recvspace", abi.UDPCTL_RECVSPACE, 42080, 1, maxInt, nil},
	{"net.inet6.udp6.do_loopback_cksum", abi.UDPCTL_LOOPBACKCKSUM, 0, 0, 0, nil},

	{"net.inet6.icmp6.rediraccept", abi.ICMPV6CTL_REDIRACCEPT, 1, 0, 1, nil},
	{"net.inet6.icmp6.redirtimeout", abi.ICMPV6CTL_REDIRTIMEOUT, 600, 0, maxInt, nil},
	{"net.inet6.icmp6.nd6_prune", abi.ICMPV6CTL_ND6_PRUNE, 1, 0, 0, nil},
	{"net.inet6.icmp6.nd6_delay", abi.ICMPV6CTL_ND6_DELAY, 5, 0, 3600, nil},
	{"net.inet6.icmp6.nd6_umaxtries", abi.ICMPV6CTL_ND6_UMAXTRIES, 3, 1, 255, nil},
	{"net.inet6.icmp6.nd6_mmaxtries", abi.ICMPV6CTL_ND6_MMAXTRIES, 3, 1, 255, nil},
	{"net.inet6.icmp6.nd6_useloopback", abi.ICMPV6CTL_ND6_USELOOPBACK, 1, 0, 0, nil},
	{"net.inet6.icmp6.nodeinfo", abi.ICMPV6CTL_NODEINFO, nodeNames, 0, nodeNames | nodeAddrs, nil},
	{"net.inet6.icmp6.errppslimit", abi.ICMPV6CTL_ERRPPSLIMIT, 100, -1, maxInt, nil},
	{"net.inet6.icmp6.nd6_maxnudhint", abi.ICMPV6CTL_ND6_MAXNUDHINT, 0, 0, 0, nil},
	{"net.inet6.icmp6.mtudisc_hiwat", abi.ICMPV6CTL_MTUDISC_HIWAT, 1280, 0, 0, nil},
	{"net.inet6.icmp6.mtudisc_lowat", abi.ICMPV6CTL_MTUDISC_LOWAT, 256, 0, 0, nil},
	{"net.inet6.icmp6.nd6_debug", abi.ICMPV6CTL_ND6_DEBUG, 0, 0, 0, nil},
	{"net.inet6.icmp6.maxqueuelen", abi.ICMPV6CTL_ND6_MAXQLEN, maxHold, 0, 0, nil},
}

// setAcceptRtadv has the interfaces accept or ignore routers' advertisements.
func (in *Inet) setAcceptRtadv(v int32) error {
	for _, ifc := range *in.ifaces.Load() {
		if ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0 {
			continue
		}
		if v != 0 {
			ifc.nd6.flags.Or(abi.ND6_IFF_ACCEPT_RTADV)
		} else {
			ifc.nd6.flags.And(^uint32(abi.ND6_IFF_ACCEPT_RTADV))
		}
	}
	return nil
}

// nodes6 are all nodes of net.inet6.
func nodes6(in *Inet) []kern.SysctlNode {
	nodes := []kern.SysctlNode{
		dir("net.inet6", abi.PF_INET6, "PF_INET6 related settings"),
		dir("net.inet6.ip6", abi.IPPROTO_IPV6, "IPv6 related settings"),
		dir("net.inet6.icmp6", abi.IPPROTO_ICMPV6, "ICMPv6 related settings"),
		dir("net.inet6.tcp6", abi.IPPROTO_TCP, "TCP related settings"),
		dir("net.inet6.udp6", abi.IPPROTO_UDP, "UDPv6 related settings"),
		dir("net.inet6.raw6", abi.IPPROTO_RAW, "Raw IPv6 settings"),
		dir("net.inet6.multicast", abi.CTL_CREATE, "multicast addresses"),
		dir("net.inet6.multicast_kludge", abi.CTL_CREATE, "multicast addresses of interfaces that have lost theirs: there are none"),
		list("net.inet6.ip6.addctlpolicy", abi.IPV6CTL_ADDRCTLPOLICY, func() []byte { return nil }),
		{Path: "net.inet6.ip6.kame_version", Num: abi.IPV6CTL_KAME_VERSION, Flags: abi.CTLFLAG_PERMANENT, Value: kern.SysctlText("NetBSD-current")},
		readInt("net.inet6.ip6.rtadv_numroutes", abi.IPV6CTL_RTADV_NUMROUTES, in.routerRoutes),
		counters("net.inet6.ip6.stats", abi.IPV6CTL_STATS, &in.Stats.IP6, nil),
		counters("net.inet6.icmp6.stats", abi.ICMPV6CTL_STATS, &in.Stats.ICMP6, nil),
		counters("net.inet6.udp6.stats", abi.UDPCTL_STATS, &in.Stats.UDP6, nil),
		counters("net.inet6.raw6.stats", abi.CTL_CREATE, &in.Stats.Raw6, nil),
		list("net.inet6.icmp6.nd6_drlist", abi.ICMPV6CTL_ND6_DRLIST, in.routerList),
		list("net.inet6.icmp6.nd6_prlist", abi.ICMPV6CTL_ND6_PRLIST, in.prefixList),
	}
	for i := range rows6 {
		nodes = append(nodes, in.intNode(&rows6[i]))
	}
	nodes = append(nodes, portalgo("net.inet6.ip6.anonportalgo")...)
	return append(nodes, in.tcpNodes("net.inet6.tcp6")...)
}

// routerRoutes is how many routes there are that routers advertised.
func (in *Inet) routerRoutes() (n int32) {
	in.Net.Config.Lock()
	defer in.Net.Config.Unlock()
	for _, r := range in.nd.routers {
		if r.route != nil {
			n++
		}
	}
	for _, p := range in.nd.prefixes {
		if p.route != nil {
			n++
		}
	}
	return n
}

// routerList is the default router list: a struct in6_defrouter each.
func (in *Inet) routerList() (b []byte) {
	in.Net.Config.Lock()
	defer in.Net.Config.Unlock()
	for _, r := range in.nd.routers {
		d := abi.In6Defrouter{
			Rtaddr: sockaddr6(r.addr, r.ifc.ifp.Index), Flags: r.flags, Rtlifetime: r.lifetime, Expire: uint64(in.wallSeconds(r.expire)), IfIndex: r.ifc.ifp.Index,
		}
		b = d.Append(b)
	}
	return b
}

// prefixList is the prefix list: for each prefix a struct in6_prefix and the struct sockaddr_in6 of each router that advertised it. The prefixes of addresses
// that were set by hand are there too.
func (in *Inet) prefixList() (b []byte) {
	in.Net.Config.Lock()
	defer in.Net.Config.Unlock()
	for _, p := range in.allPrefixes() {
		w := abi.In6Prefix{
			Prefix: sockaddr6(p.prefix.Addr(), scopeOf(p.prefix.Addr(), p.ifc)), Prefixlen: uint8(p.prefix.Bits()), Vltime: p.vltime, Pltime: p.pltime,
			Expire: in.wallSeconds(p.expire), IfIndex: p.ifc.ifp.Index, Advrtrs: uint16(len(p.routers)), Refcnt: in.prefixUsers(p), Origin: abi.PR_ORIG_RA,
		}
		if p.route != nil {
			w.Flags |= prefixOnLink
		}
		if p.onLink {
			w.Raflags.Bits0 |= prefixRAOnLink
		}
		if p.auto {
			w.Raflags.Bits0 |= prefixRAAuto
		}
		b = w.Append(b)
		for _, a := range p.routers {
			s := sockaddr6(a, p.ifc.ifp.Index)
			b = s.Append(b)
		}
	}
	return b
}

// prefixOnLink is NDPRF_ONLINK; the others are the bits of struct prf_ra.
const (
	prefixOnLink   = 1
	prefixRAOnLink = 1
	prefixRAAuto   = 2
)

// allPrefixes are the advertised prefixes and those of addresses. Config held.
func (in *Inet) allPrefixes() []*ndPrefix {
	all := slices.Clone(in.nd.prefixes)
	for _, ia := range in.addrs.Load().list {
		p := ia.prefix()
		if ia.addr.Is4() || ia.bits == 128 || slices.ContainsFunc(all, func(o *ndPrefix) bool { return o.ifc == ia.ifc && o.prefix == p }) {
			continue
		}
		e := in.Table.Exact(p, scopeOf(p.Addr(), ia.ifc))
		all = append(all, &ndPrefix{ifc: ia.ifc, prefix: p, onLink: true, vltime: abi.ND6_INFINITE_LIFETIME, pltime: abi.ND6_INFINITE_LIFETIME, route: e})
	}
	return all
}

// prefixUsers is how many addresses are in a prefix.
func (in *Inet) prefixUsers(p *ndPrefix) (n int32) {
	for _, ia := range in.addrs.Load().list {
		if ia.ifc == p.ifc && ia.addr.Is6() && ia.prefix() == p.prefix {
			n++
		}
	}
	return n
}
