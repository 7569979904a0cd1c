package inet

import (
	"sync"
	"time"
)

// rateLimit lets so many events pass in each second, as ppsratecheck(9).
type rateLimit struct {
	mu    sync.Mutex
	since time.Time
	n     int
}

// allow says whether one more event may pass; limit is how many in a second, and a negative one lets all pass.
func (r *rateLimit) allow(limit int) bool {
	if limit < 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.since) >= time.Second {
		r.since, r.n = now, 0
	}
	r.n++
	return r.n <= limit
}
