package sysproxy

import (
	"runtime"
	"sync/atomic"
	"time"
)

// DefaultSpin is how long a reader that just had traffic looks for more before
// it goes to sleep. A round trip between two processes then takes a fraction of
// the time, because neither has to be woken; it must be longer than a wake
// takes, else two ends that both sleep would never find back to not sleeping.
const DefaultSpin = 50 * time.Microsecond

// wakeful counts the readers of connections that are not asleep. As long as
// they are fewer than the processors, one may spin without taking a processor
// from another that has something to do.
type wakeful struct {
	now atomic.Int32
	max int32
}

func newWakeful() *wakeful {
	return &wakeful{max: max(1, int32(runtime.GOMAXPROCS(0)/2))}
}

const (
	// spinCredit is how much worse a connection's record may be before it
	// leaves out spins. A spin in vain makes it two worse, another one better.
	spinCredit = 4

	// yieldAfter is how long a spin has the processor for itself; after it, it
	// lets other goroutines run between two looks.
	yieldAfter = 5 * time.Microsecond

	// maxSpinSkip is the largest number of reads without a spin between two
	// with one, as a power of two: 64.
	maxSpinSkip = 6
)

// spinner is the spinning of one connection's reader. A connection whose
// traffic is slower than the time of a spin soon all but stops spinning.
type spinner struct {
	readers *wakeful
	time    time.Duration // 0: never spin
	awake   bool          // counted in readers
	on      bool          // in a spin now
	start   time.Time     // of the spin
	record  int           // 0 is best
	skip    int           // reads until the next try
}

// wake notes that the reader is at work.
func (s *spinner) wake() {
	if !s.awake {
		s.awake = true
		s.readers.now.Add(1)
	}
}

// sleep notes that the reader goes to sleep, or away.
func (s *spinner) sleep() {
	if s.awake {
		s.awake = false
		s.readers.now.Add(-1)
	}
}

// again is called when there is nothing to read yet. It returns true if the
// reader should look again at once.
func (s *spinner) again() bool {
	crowded := s.readers.now.Load() > s.readers.max
	var spent time.Duration
	if s.on {
		spent = time.Since(s.start)
	}
	switch {
	case s.on && !crowded && spent < s.time:
		if spent > yieldAfter {
			runtime.Gosched()
		}
		return true
	case s.on:
		s.on = false
		s.record = min(s.record+2, spinCredit+maxSpinSkip)
		if s.record > spinCredit {
			s.skip = 1 << (s.record - spinCredit)
		}
		return false
	case s.time == 0 || crowded:
		return false
	case s.skip > 0:
		s.skip--
		return false
	}
	s.on, s.start = true, time.Now()
	return true
}

// end is called when there was something to read, or an error.
func (s *spinner) end() {
	if s.on {
		s.on = false
		s.record = max(s.record-1, 0)
	}
}
