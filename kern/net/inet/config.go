package inet

import (
	"sync/atomic"
	"time"
)

// config is what sysctl sets. Each variable's node says what it means; see sysctl.go.
type config struct {
	forwarding, redirect, ttl, directedBroadcast, mtudisc atomic.Int32
	checkinterface, maxFragPackets, dadCount              atomic.Int32
	maskRepl, returnDataBytes, icmpErrLimit, redirAccept  atomic.Int32
	bmcastEcho                                            atomic.Int32
	arpKeep, arpDown, arpLogMovements, arpLogPermanent    atomic.Int32
	forwarding6, redirect6, hlim6, maxFragPackets6        atomic.Int32
	acceptRtadv, dadCount6, defMcastHlim, useDeprecated   atomic.Int32
	autoLinkLocal, v6only, icmp6ErrLimit, redirAccept6    atomic.Int32
	ndDelay, ndUmaxTries, ndMmaxTries, hdrNest            atomic.Int32
}

// init sets what NetBSD 7.99.34 begins with.
func (c *config) init() {
	for p, v := range map[*atomic.Int32]int32{
		&c.forwarding: 0, &c.redirect: 1, &c.ttl: 64, &c.mtudisc: 1, &c.maxFragPackets: 200, &c.dadCount: 3,
		&c.returnDataBytes: 8, &c.icmpErrLimit: 100, &c.redirAccept: 1,
		&c.arpKeep: 1200, &c.arpDown: 20, &c.arpLogMovements: 1, &c.arpLogPermanent: 1,
		&c.redirect6: 1, &c.hlim6: 64, &c.maxFragPackets6: 200, &c.dadCount6: 1, &c.defMcastHlim: 1, &c.useDeprecated: 1,
		&c.autoLinkLocal: 1, &c.v6only: 1, &c.icmp6ErrLimit: 100, &c.redirAccept6: 1,
		&c.ndDelay: 5, &c.ndUmaxTries: 3, &c.ndMmaxTries: 3, &c.hdrNest: 50,
	} {
		p.Store(v)
	}
}

func (c *config) arpDownTime() time.Duration { return time.Duration(c.arpDown.Load()) * time.Second }
func (c *config) arpKeepTime() time.Duration { return time.Duration(c.arpKeep.Load()) * time.Second }
