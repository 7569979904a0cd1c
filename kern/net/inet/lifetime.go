package inet

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// setLifetime sets how long an IPv6 address is valid and preferred, in seconds from now, and its timer.
func (ia *ifaddr) setLifetime(vltime, pltime uint32) {
	ia.mu.Lock()
	defer ia.mu.Unlock()
	l := &ia.lifetime
	l.vltime, l.pltime, l.expire, l.prefer = vltime, pltime, expiry(vltime), expiry(pltime)
	ia.armLifetime()
}

// armLifetime sets the timer for the next change. Called with mu held.
func (ia *ifaddr) armLifetime() {
	l := &ia.lifetime
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	next := l.expire
	now := time.Now()
	if !l.prefer.IsZero() && l.prefer.After(now) && (next.IsZero() || l.prefer.Before(next)) {
		next = l.prefer
	}
	deprecated := !l.prefer.IsZero() && !l.prefer.After(now)
	if deprecated {
		ia.setFlags(abi.IN6_IFF_DEPRECATED, 0)
	} else {
		ia.setFlags(0, abi.IN6_IFF_DEPRECATED)
	}
	if !next.IsZero() && !ia.removed {
		in := ia.ifc.in
		l.timer = time.AfterFunc(next.Sub(now), func() { in.later.must(ia.lifetimeOver) })
	}
}

// lifetimeOver deprecates an address whose preferred lifetime has ended, and takes away one whose valid lifetime has. Config held.
func (ia *ifaddr) lifetimeOver() {
	ia.mu.Lock()
	if ia.removed {
		ia.mu.Unlock()
		return
	}
	over := !ia.lifetime.expire.IsZero() && !time.Now().Before(ia.lifetime.expire)
	if !over {
		ia.armLifetime()
	}
	ia.mu.Unlock()
	if over {
		ia.ifc.in.removeAddr(ia)
		return
	}
	ia.ifc.notifyAddr(ia)
}

// left is how many seconds an address is valid for.
func (ia *ifaddr) left() uint32 {
	ia.mu.Lock()
	defer ia.mu.Unlock()
	if ia.lifetime.expire.IsZero() {
		return abi.ND6_INFINITE_LIFETIME
	}
	return uint32(max(0, time.Until(ia.lifetime.expire)/time.Second))
}

// abiLifetime is the address's struct in6_addrlifetime: its ends are times of the kernel's clock, in seconds.
func (ia *ifaddr) abiLifetime() abi.In6Addrlifetime {
	ia.mu.Lock()
	defer ia.mu.Unlock()
	l := &ia.lifetime
	return abi.In6Addrlifetime{Expire: ia.ifc.in.wallSeconds(l.expire), Preferred: ia.ifc.in.wallSeconds(l.prefer), Vltime: l.vltime, Pltime: l.pltime}
}

// wallSeconds is a time by the kernel's clock, in seconds since 1970; 0 for never.
func (in *Inet) wallSeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return in.K.Now().Add(time.Until(t)).Unix()
}

// stopLifetime ends the timer.
func (ia *ifaddr) stopLifetime() {
	ia.mu.Lock()
	defer ia.mu.Unlock()
	if t := ia.lifetime.timer; t != nil {
		t.Stop()
		ia.lifetime.timer = nil
	}
}
