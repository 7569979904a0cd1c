package inet

import (
	"sync/atomic"
	"time"
)

// config is what sysctl sets: all ints of net.inet and net.inet6, and pointers to those that the ways of packets look at.
type config struct {
	vars map[string]*atomic.Int32

	forwarding, redirect, ttl, directedBroadcast, mtudisc    *atomic.Int32
	checkinterface, maxFragPackets, dadCount, randomID       *atomic.Int32
	hostZero                                                 *atomic.Int32
	maskRepl, returnDataBytes, icmpErrLimit, redirAccept     *atomic.Int32
	bmcastEcho                                               *atomic.Int32
	arpKeep, arpDown, arpLogMovements, arpLogPermanent       *atomic.Int32
	arpLogWrongIface, arpLogUnknown                          *atomic.Int32
	forwarding6, redirect6, hlim6, maxFragPackets6           *atomic.Int32
	acceptRtadv, dadCount6, useDeprecated, autoLinkLocal     *atomic.Int32
	icmp6ErrLimit, redirAccept6, nodeInfo                    *atomic.Int32
	ndDelay, ndUmaxTries, ndMmaxTries, hdrNest               *atomic.Int32
	maxNeighbors6, maxIfPrefixes, maxIfRouters, maxDynRoutes *atomic.Int32
	redirTimeout, redirTimeout6                              *atomic.Int32
}

// init makes the variables, with the values that NetBSD 7.99.34 begins with.
func (c *config) init() {
	c.vars = map[string]*atomic.Int32{}
	for prefix, rows := range map[string][]sysctlRow{"": append(append([]sysctlRow(nil), rows4...), rows6...), tcpPath: tcpRows} {
		for _, r := range rows {
			v := new(atomic.Int32)
			v.Store(r.def)
			c.vars[prefix+r.path] = v
		}
	}
	for p, name := range map[**atomic.Int32]string{
		&c.forwarding: "inet.ip.forwarding", &c.redirect: "inet.ip.redirect", &c.ttl: "inet.ip.ttl",
		&c.directedBroadcast: "inet.ip.directed-broadcast", &c.mtudisc: "inet.ip.mtudisc", &c.checkinterface: "inet.ip.checkinterface",
		&c.maxFragPackets: "inet.ip.maxfragpackets", &c.dadCount: "inet.ip.dad_count", &c.randomID: "inet.ip.random_id",
		&c.hostZero: "inet.ip.hostzerobroadcast", &c.maskRepl: "inet.icmp.maskrepl", &c.returnDataBytes: "inet.icmp.returndatabytes",
		&c.icmpErrLimit: "inet.icmp.errppslimit", &c.redirAccept: "inet.icmp.rediraccept", &c.bmcastEcho: "inet.icmp.bmcastecho",
		&c.arpKeep: "inet.arp.keep", &c.arpDown: "inet.arp.down", &c.arpLogMovements: "inet.arp.log_movements",
		&c.arpLogPermanent: "inet.arp.log_permanent_modify", &c.arpLogWrongIface: "inet.arp.log_wrong_iface",
		&c.arpLogUnknown: "inet.arp.log_unknown_network", &c.forwarding6: "inet6.ip6.forwarding", &c.redirect6: "inet6.ip6.redirect",
		&c.hlim6: "inet6.ip6.hlim", &c.maxFragPackets6: "inet6.ip6.maxfragpackets", &c.acceptRtadv: "inet6.ip6.accept_rtadv",
		&c.dadCount6: "inet6.ip6.dad_count", &c.useDeprecated: "inet6.ip6.use_deprecated", &c.autoLinkLocal: "inet6.ip6.auto_linklocal",
		&c.icmp6ErrLimit: "inet6.icmp6.errppslimit", &c.redirAccept6: "inet6.icmp6.rediraccept", &c.nodeInfo: "inet6.icmp6.nodeinfo", &c.ndDelay: "inet6.icmp6.nd6_delay",
		&c.ndUmaxTries: "inet6.icmp6.nd6_umaxtries", &c.ndMmaxTries: "inet6.icmp6.nd6_mmaxtries", &c.hdrNest: "inet6.ip6.hdrnestlimit",
		&c.maxNeighbors6: "inet6.ip6.neighborgcthresh", &c.maxIfPrefixes: "inet6.ip6.maxifprefixes",
		&c.maxIfRouters: "inet6.ip6.maxifdefrouters", &c.maxDynRoutes: "inet6.ip6.maxdynroutes",
		&c.redirTimeout: "inet.icmp.redirtimeout", &c.redirTimeout6: "inet6.icmp6.redirtimeout",
	} {
		*p = c.vars["net."+name]
	}
}

func (c *config) arpDownTime() time.Duration { return time.Duration(c.arpDown.Load()) * time.Second }
func (c *config) arpKeepTime() time.Duration { return time.Duration(c.arpKeep.Load()) * time.Second }
