package shmif

import (
	"time"
)

const (
	// DefaultPatience is how long the lock must have been held without any progress before its holder counts as dead.
	DefaultPatience = 3 * time.Second

	lockFree, lockHeld = 0, 1
	lockTries          = 500                    // attempts between two looks at the clock
	lockSpin           = 30 * time.Microsecond  // trying before giving way to others: hardly anybody holds it for as long
	lockYield          = 500 * time.Microsecond // before napping, from which nobody is back before a millisecond
	lockNap            = 200 * time.Microsecond // between attempts after that
)

// TryLock tries for some microseconds to take the bus's lock, and says whether it has.
func (r *Ring) TryLock() bool {
	return r.take() || r.tryFor(lockSpin, func() {})
}

// tryFor tries to take the lock for a time, calling pause now and then.
func (r *Ring) tryFor(d time.Duration, pause func()) bool {
	for start := time.Now(); ; pause() {
		for range lockTries {
			if r.take() {
				return true
			}
		}
		if time.Since(start) > d {
			return false
		}
	}
}

func (r *Ring) take() bool {
	if r.lock.Load() != lockFree || !r.lock.CompareAndSwap(lockFree, lockHeld) {
		return false
	}
	r.owner.Store(r.token)
	return true
}

// Lock takes the bus's lock. The lock lives in memory shared with programs that can only be watched, the C code's members among
// them: there is nothing to be woken by, so that who waits long naps between attempts, as the C code does. A
// holder that has made no progress for the ring's patience is dead, and its lock is taken over.
func (r *Ring) Lock() {
	if r.TryLock() || r.tryFor(lockYield, r.yield) {
		return
	}
	seen, since := r.progress(), time.Now()
	for !r.take() {
		now := r.progress()
		switch {
		case now != seen:
			seen, since = now, time.Now()
		case time.Since(since) >= r.patience && r.owner.CompareAndSwap(seen.owner, r.token):
			r.takenOver++
			return
		}
		time.Sleep(lockNap)
	}
}

// progress is what a living member changes while it works.
type progress struct {
	owner, first, last, genLow, genHigh uint32
}

func (r *Ring) progress() progress {
	return progress{r.owner.Load(), r.first.Load(), r.last.Load(), r.gen[0].Load(), r.gen[1].Load()}
}

// Unlock gives the lock back, unless somebody has taken it over meanwhile. (Two members that take over at once are told apart by
// the owner word: the second one's compare-and-swap fails. The lock itself is 1 whoever holds it, because the C code takes any
// other value for free.)
func (r *Ring) Unlock() {
	if r.owner.CompareAndSwap(r.token, 0) {
		r.lock.Store(lockFree)
	}
}

// TakenOver counts how often the lock was taken over from a dead holder.
func (r *Ring) TakenOver() int { return r.takenOver }
