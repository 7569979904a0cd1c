package kern

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// clock is the kernel's time: the host's, plus what settimeofday(2) and adjtime(2) have set it off by. It has no ticks.
type clock struct {
	boot time.Time
	// stepped is notified when the wall clock jumps, for those who wait for a moment of it.
	stepped Selinfo

	mu    sync.Mutex // for changes of now
	state atomic.Pointer[clockState]
}

// clockState is how the kernel's wall clock stands to the host's; replaced as a whole.
type clockState struct {
	step  time.Duration // ahead of the host's, by settimeofday
	slewn time.Duration // ahead besides, by earlier adjtimes
	slew  time.Duration // what the last adjtime is to add in time
	since time.Time     // when the last adjtime was made
}

// The rates at which adjtime(2) moves the clock, as the original's: 5 ms a second while more than a second is left,
// then 500 µs a second.
const (
	fastSlew      = 5 * time.Millisecond
	slowSlew      = 500 * time.Microsecond
	fastSlewAbove = time.Second
)

// slewed is how much of the last adjtime has been added by now.
func (s *clockState) slewed(now time.Time) time.Duration {
	if s.slew == 0 {
		return 0
	}
	total, sign := s.slew, time.Duration(1)
	if total < 0 {
		total, sign = -total, -1
	}
	elapsed := now.Sub(s.since)
	fast := max(0, total-fastSlewAbove)
	fastTime := scale(fast, time.Second, fastSlew)
	if elapsed < fastTime {
		return sign * scale(elapsed, fastSlew, time.Second)
	}
	return sign * min(total, fast+scale(elapsed-fastTime, slowSlew, time.Second))
}

// scale is d*num/den where den divides num or the other way round, without overflow.
func scale(d, num, den time.Duration) time.Duration {
	if num >= den {
		if d > 1<<62/(num/den) {
			return 1 << 62
		}
		return d * (num / den)
	}
	return d / (den / num)
}

func (s *clockState) offset(now time.Time) time.Duration { return s.step + s.slewn + s.slewed(now) }

func (c *clock) init() {
	c.boot = time.Now()
	c.state.Store(&clockState{})
}

// Now is the kernel's wall-clock time.
func (k *Kernel) Now() time.Time {
	now := time.Now()
	return now.Add(k.clock.state.Load().offset(now)).Round(0) // without the monotonic reading, which is the host's
}

// SetTime sets the kernel's wall clock; the host's and other kernels' stay. An adjustment that adjtime(2) began ends.
func (k *Kernel) SetTime(to time.Time) {
	c := &k.clock
	c.mu.Lock()
	now := time.Now()
	s := c.state.Load()
	slewn := s.slewn + s.slewed(now)
	c.state.Store(&clockState{step: to.Sub(now) - slewn, slewn: slewn})
	c.mu.Unlock()
	k.logStep(now.Add(s.step+slewn), to)
	c.stepped.Notify(0)
	for _, p := range k.Procs() {
		p.timers.rearmRealtime()
	}
}

// AdjustTime has the clock gain delta in time (lose it, where negative), and returns how much of the adjustment before is
// still missing, which is dropped. See adjtime(2).
func (k *Kernel) AdjustTime(delta time.Duration) (left time.Duration) {
	c := &k.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	s := c.state.Load()
	done := s.slewed(now)
	c.state.Store(&clockState{step: s.step, slewn: s.slewn + done, slew: delta, since: now})
	return s.slew - done
}

// adjustLeft is what is still missing of the last adjustment.
func (k *Kernel) adjustLeft() time.Duration {
	s := k.clock.state.Load()
	return s.slew - s.slewed(time.Now())
}

// Uptime is the time since the kernel was made, by the monotonic clock.
func (k *Kernel) Uptime() time.Duration { return time.Since(k.clock.boot) }

// BootTime is when the kernel was made, by its own wall clock; adjtime(2) does not move it.
func (k *Kernel) BootTime() time.Time { return k.clock.boot.Add(k.clock.state.Load().step).Round(0) }

// Timespec is a moment of the wall clock as the ABI has it.
func Timespec(t time.Time) abi.Timespec {
	return abi.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
}

// Time is a moment of the wall clock from the ABI's form.
func Time(ts abi.Timespec) time.Time { return time.Unix(ts.Sec, ts.Nsec) }
