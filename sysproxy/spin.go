package sysproxy

import (
	"runtime"
	"sync/atomic"
	"time"
)

// DefaultSpin is how long a reader that just had traffic looks for more before
// it goes to sleep. A round trip between two processes then takes a third of
// the time, because neither has to be woken.
const DefaultSpin = 20 * time.Microsecond

// spinLimit bounds how many goroutines spin at once, so that they leave
// processors to those who work.
type spinLimit struct {
	now atomic.Int32
	max int32
}

func newSpinLimit() *spinLimit {
	return &spinLimit{max: max(1, int32(runtime.GOMAXPROCS(0)/2))}
}

// enter asks to spin; leave must follow if it returns true.
func (l *spinLimit) enter() bool {
	if l.now.Add(1) > l.max {
		l.now.Add(-1)
		return false
	}
	return true
}

func (l *spinLimit) leave() { l.now.Add(-1) }

// maxSpinSkip bounds how many reads go to sleep at once after spins in vain.
const maxSpinSkip = 64

// spinner is the spinning of one connection's reader. A connection whose
// traffic is slower than the time of a spin soon stops spinning: each spin in
// vain doubles the number of reads until the next try.
type spinner struct {
	limit *spinLimit
	time  time.Duration // 0: never spin
	start time.Time
	on    bool // in a spin now
	fails uint
	skip  int
}

// begin is called before a read.
func (s *spinner) begin() { s.on = false }

// again is called when there is nothing to read yet. It returns true if the
// reader should look again at once.
func (s *spinner) again() bool {
	if s.on {
		if time.Since(s.start) < s.time {
			runtime.Gosched()
			return true
		}
		s.limit.leave()
		s.on = false
		s.fails = min(s.fails+1, 6)
		s.skip = 1<<s.fails - 1
		return false
	}
	if s.time == 0 {
		return false
	}
	if s.skip > 0 {
		s.skip--
		return false
	}
	if !s.limit.enter() {
		return false
	}
	s.on, s.start = true, time.Now()
	return true
}

// end is called when there was something to read, or an error.
func (s *spinner) end() {
	if s.on {
		s.limit.leave()
		s.on = false
		s.fails = 0
	}
}
