package rtadvd

import (
	"math/rand/v2"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// router is what is advertised on an interface, and when.
type router struct {
	ifp  *client.Interface
	conf *config

	next     time.Time // when to advertise
	lastSent time.Time
	initial  int // advertisements sent since the beginning, up to maxInitial
	waiting  int // solicitations since the last advertisement

	sent, received, inconsistent, solicited uint64
}

// The timing of advertisements, RFC 4861, 10.
const (
	maxInitialInterval = 16 * time.Second
	maxInitial         = 3
	minDelay           = 3 * time.Second
	maxRADelay         = 500 * time.Millisecond
	// keepGone is for how long a prefix that an interface has lost is advertised without lifetimes: as long as hosts keep their addresses.
	keepGone = 2 * time.Hour
)

// newRouter is a router that advertises soon.
func newRouter(ifp *client.Interface, conf *config, now time.Time) *router {
	return &router{ifp: ifp, conf: conf, next: now.Add(rand.N(maxRADelay))}
}

// up says whether the interface can send.
func (r *router) up() bool { return r.ifp.Flags&abi.IFF_UP != 0 }

// interval is the time to the next unsolicited advertisement: at random between the configured bounds, and not too long at the beginning.
func (r *router) interval() time.Duration {
	least, most := time.Duration(r.conf.minInterval)*time.Second, time.Duration(r.conf.maxInterval)*time.Second
	d := least + rand.N(most-least+1)
	if r.initial < maxInitial {
		d = min(d, maxInitialInterval)
	}
	return d
}

// advertised notes that an advertisement was sent.
func (r *router) advertised(now time.Time) {
	r.sent++
	r.waiting = 0
	r.lastSent = now
	r.initial = min(r.initial+1, maxInitial)
	r.next = now.Add(r.interval())
}

// solicit has an advertisement sent soon: after a delay at random, not sooner than minDelay after the last, and not later than it was due.
func (r *router) solicit(now time.Time) {
	at := now.Add(rand.N(maxRADelay))
	if since := now.Sub(r.lastSent); since < minDelay {
		at = at.Add(minDelay - since)
	}
	if at.Before(r.next) {
		r.next = at
	}
}

// forget removes prefixes that have been gone for long enough.
func (r *router) forget(now time.Time) {
	kept := r.conf.prefixes[:0:0]
	for _, p := range r.conf.prefixes {
		if p.gone.IsZero() || now.Sub(p.gone) < keepGone {
			kept = append(kept, p)
		}
	}
	r.conf.prefixes = kept
}
