package kern_test

import (
	"math"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

func spec(sec, nsec int64) []byte { return kerntest.Struct(&abi.Timespec{Sec: sec, Nsec: nsec}) }

func timespecOf(b []byte) (ts abi.Timespec) {
	ts.Decode(b)
	return ts
}

// Oracle: clock_gettime(2), clock_getres(2), gettimeofday(2).
func TestClocks(t *testing.T) {
	p := start(t)
	b := make([]byte, 16)
	before := time.Now()
	p.Must(abi.SYS___clock_gettime50, abi.CLOCK_REALTIME, b)
	if got := kern.Time(timespecOf(b)); got.Before(before.Round(0)) || got.After(time.Now()) {
		t.Errorf("real time %v", got)
	}
	p.Must(abi.SYS___clock_gettime50, abi.CLOCK_MONOTONIC, b)
	first := timespecOf(b)
	p.Must(abi.SYS___clock_gettime50, abi.CLOCK_MONOTONIC, b)
	if second := timespecOf(b); first.Sec < 0 || second.Sec*1e9+second.Nsec < first.Sec*1e9+first.Nsec {
		t.Errorf("monotonic clock went from %v to %v", first, second)
	}
	p.Must(abi.SYS___clock_getres50, abi.CLOCK_MONOTONIC, b)
	if got := timespecOf(b); got != (abi.Timespec{Nsec: 1}) {
		t.Errorf("resolution %v", got)
	}
	p.Must(abi.SYS___clock_getres50, abi.CLOCK_REALTIME, nil)
	tz := []byte{1, 1, 1, 1, 1, 1, 1, 1}
	p.Must(abi.SYS___gettimeofday50, b, tz)
	var tv abi.Timeval
	tv.Decode(b)
	if got := time.Unix(tv.Sec, int64(tv.Usec)*1000); got.Before(before.Truncate(time.Microsecond)) || got.After(time.Now()) {
		t.Errorf("time of day %v", got)
	}
	if string(tz) != "\x00\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("time zone %x", tz)
	}
	for _, clock := range []int{abi.CLOCK_VIRTUAL, abi.CLOCK_PROF, 77, -1, abi.CLOCK_PROCESS_CPUTIME_ID} {
		p.Want(abi.EINVAL, abi.SYS___clock_gettime50, clock, b)
		p.Want(abi.EINVAL, abi.SYS___clock_getres50, clock, b)
		p.Want(abi.EINVAL, abi.SYS___clock_settime50, clock, spec(1, 1))
	}
	p.Want(abi.EFAULT, abi.SYS___clock_gettime50, abi.CLOCK_REALTIME, 1)
	p.Want(abi.EFAULT, abi.SYS___gettimeofday50, 1, nil)
	p.Want(abi.EINVAL, abi.SYS___clock_settime50, abi.CLOCK_MONOTONIC, spec(1, 1))
}

// Oracle: settimeofday(2), clock_settime(2): one kernel's time is its own; the boot time moves along.
func TestSetTime(t *testing.T) {
	k, other := kerntest.New(t), kerntest.New(t)
	p := kerntest.Proc(t, k)
	up := k.Now().Sub(k.BootTime())
	p.Must(abi.SYS___clock_settime50, abi.CLOCK_REALTIME, spec(1000000, 5))
	if got := k.Now(); got.Before(time.Unix(1000000, 5)) || got.After(time.Unix(1000000, 5).Add(time.Hour)) {
		t.Errorf("time %v", got)
	}
	if got := k.Now().Sub(k.BootTime()); got < up {
		t.Errorf("up for %v, before for %v", got, up)
	}
	if other.Now().Before(time.Unix(1e9, 0)) {
		t.Error("another kernel's time was set")
	}
	tv := kerntest.Struct(&abi.Timeval{Sec: 2000000})
	p.Must(abi.SYS___settimeofday50, tv, nil)
	if got := k.Now().Unix(); got < 2000000 || got > 2000000+3600 {
		t.Errorf("time %v", got)
	}
	p.Must(abi.SYS___settimeofday50, nil, nil)
	p.Want(abi.EINVAL, abi.SYS___clock_settime50, abi.CLOCK_REALTIME, spec(1, 1e9))
	p.Want(abi.EINVAL, abi.SYS___clock_settime50, abi.CLOCK_REALTIME, spec(1, -1))
	p.Want(abi.EFAULT, abi.SYS___clock_settime50, abi.CLOCK_REALTIME, 1)
	p.Must(abi.SYS_setuid, 5)
	p.Want(abi.EPERM, abi.SYS___clock_settime50, abi.CLOCK_REALTIME, spec(1, 1))
	p.Want(abi.EPERM, abi.SYS___settimeofday50, tv, nil)
	p.Want(abi.EPERM, abi.SYS___adjtime50, nil, nil)
}

// Oracle: adjtime(2): the clock is not stepped, and a new adjustment replaces the old one, of which it tells the rest.
func TestAdjtime(t *testing.T) {
	p := start(t)
	delta := func(sec int64, usec int32) []byte { return kerntest.Struct(&abi.Timeval{Sec: sec, Usec: usec}) }
	old := make([]byte, 16)
	left := func() time.Duration {
		var tv abi.Timeval
		tv.Decode(old)
		return time.Duration(tv.Sec)*time.Second + time.Duration(tv.Usec)*time.Microsecond
	}
	p.Must(abi.SYS___adjtime50, delta(3600, 0), old)
	if left() != 0 {
		t.Errorf("left at first: %v", left())
	}
	if ahead := time.Until(p.K.Now()); ahead > time.Minute {
		t.Errorf("the clock jumped by %v", ahead)
	}
	p.Must(abi.SYS___adjtime50, delta(-100, 0), old)
	if left() > time.Hour || left() < 30*time.Minute {
		t.Errorf("left of an hour: %v", left())
	}
	p.Must(abi.SYS___adjtime50, nil, old)
	if left() < -100*time.Second || left() > -50*time.Second {
		t.Errorf("left of -100 s: %v", left())
	}
	p.Want(abi.EINVAL, abi.SYS___adjtime50, delta(math.MaxInt64, 0), nil)
	p.Want(abi.EFAULT, abi.SYS___adjtime50, 1, nil)
}

// Oracle: nanosleep(2), clock_nanosleep(2).
func TestSleep(t *testing.T) {
	p := start(t)
	rem := spec(9, 9)
	p.Must(abi.SYS___nanosleep50, spec(0, 1000), rem)
	if got := timespecOf(rem); got != (abi.Timespec{}) {
		t.Errorf("left %v", got)
	}
	p.Must(abi.SYS___nanosleep50, spec(0, 0), nil)
	p.Want(abi.EINVAL, abi.SYS___nanosleep50, spec(-1, 0), nil)
	p.Want(abi.EINVAL, abi.SYS___nanosleep50, spec(0, 1e9), nil)
	p.Want(abi.EINVAL, abi.SYS___nanosleep50, spec(0, -1), nil)
	p.Want(abi.EFAULT, abi.SYS___nanosleep50, 1, nil)
	p.Want(abi.EFAULT, abi.SYS___nanosleep50, spec(0, 1), 1)
	for _, c := range []struct {
		clock, flags int
		req          []byte
		want         abi.Errno
	}{
		{abi.CLOCK_MONOTONIC, 0, spec(0, 1), 0},
		{abi.CLOCK_REALTIME, 0, spec(0, 1), 0},
		{abi.CLOCK_REALTIME, abi.TIMER_ABSTIME, spec(1000, 0), 0},
		{abi.CLOCK_MONOTONIC, abi.TIMER_ABSTIME, spec(0, 1), 0},
		{abi.CLOCK_VIRTUAL, 0, spec(0, 1), abi.EINVAL},
		{abi.CLOCK_REALTIME, 2, spec(0, 1), abi.EINVAL},
		{abi.CLOCK_REALTIME, abi.TIMER_ABSTIME, spec(0, 1e9), abi.EINVAL},
	} {
		// The call never fails: its value is the error.
		if v := p.Must(abi.SYS_clock_nanosleep, c.clock, c.flags, c.req, nil); v != int64(c.want) {
			t.Errorf("clock %d flags %d: %d, want %d", c.clock, c.flags, v, c.want)
		}
	}
}

// A sleep until a moment of the wall clock ends when the clock is set past it.
func TestSleepUntilClockIsSet(t *testing.T) {
	p := start(t)
	at := p.K.Now().Add(time.Hour)
	req := p.Mem.Map(kerntest.Struct(ptr(kern.Timespec(at))))
	done := blocked(p, abi.SYS_clock_nanosleep, abi.CLOCK_REALTIME, abi.TIMER_ABSTIME, req, 0)
	p.K.SetTime(at.Add(time.Second))
	if r := <-done; r != (result{}) {
		t.Errorf("clock_nanosleep gave %v", r)
	}
}

func ptr[T any](v T) *T { return &v }

// A process whose client vanishes wakes up, and is told how much was left.
func TestSleepInterrupted(t *testing.T) {
	p := start(t)
	rem := make([]byte, 16)
	done := blocked(p, abi.SYS___nanosleep50, p.Mem.Map(spec(3600, 0)), p.Mem.Map(rem))
	p.Exit()
	if r := <-done; r.errno != abi.EINTR {
		t.Errorf("nanosleep gave %v", r)
	}
	if left := timespecOf(rem); left.Sec < 3000 || left.Sec > 3600 {
		t.Errorf("left %v", left)
	}
}

// Oracle: setitimer(2): a timer of an hour shows up in getitimer, and setting it again gives it back.
func TestItimerState(t *testing.T) {
	p := start(t)
	set := func(sec, interval int64) []byte {
		return kerntest.Struct(&abi.Itimerval{Value: abi.Timeval{Sec: sec}, Interval: abi.Timeval{Sec: interval}})
	}
	b := make([]byte, abi.SizeofItimerval)
	for _, which := range []int{abi.ITIMER_REAL, abi.ITIMER_VIRTUAL, abi.ITIMER_PROF, abi.ITIMER_MONOTONIC} {
		var v abi.Itimerval
		p.Must(abi.SYS___getitimer50, which, b)
		if v.Decode(b); v != (abi.Itimerval{}) {
			t.Errorf("timer %d at first: %+v", which, v)
		}
		p.Must(abi.SYS___setitimer50, which, set(3600, 7), nil)
		p.Must(abi.SYS___getitimer50, which, b)
		if v.Decode(b); v.Interval.Sec != 7 || v.Value.Sec > 3600 || v.Value.Sec < 3000 {
			t.Errorf("timer %d: %+v", which, v)
		}
		p.Must(abi.SYS___setitimer50, which, set(0, 0), b)
		if v.Decode(b); v.Interval.Sec != 7 {
			t.Errorf("timer %d before: %+v", which, v)
		}
		p.Must(abi.SYS___setitimer50, which, nil, b)
		if v.Decode(b); v != (abi.Itimerval{}) {
			t.Errorf("timer %d in the end: %+v", which, v)
		}
	}
	p.Want(abi.EINVAL, abi.SYS___getitimer50, 4, b)
	p.Want(abi.EINVAL, abi.SYS___setitimer50, -1, set(1, 1), nil)
	p.Want(abi.EINVAL, abi.SYS___setitimer50, 0, set(-1, 1), nil)
	p.Want(abi.EINVAL, abi.SYS___setitimer50, 0, kerntest.Struct(&abi.Itimerval{Value: abi.Timeval{Usec: 1e6}}), nil)
	p.Want(abi.EFAULT, abi.SYS___setitimer50, 0, 1, nil)
	p.Want(abi.EFAULT, abi.SYS___getitimer50, 0, 1)
}

// Oracle: setitimer(2): SIGALRM when the time is over, again and again with an interval.
func TestItimerSignals(t *testing.T) {
	p := start(t)
	v := abi.Itimerval{Value: abi.Timeval{Usec: 1}, Interval: abi.Timeval{Usec: 100}}
	p.Must(abi.SYS___setitimer50, abi.ITIMER_REAL, kerntest.Struct(&v), nil)
	for _, sig := range p.WaitSignals(3) {
		if sig != abi.SIGALRM {
			t.Errorf("signal %d", sig)
		}
	}
	p.Must(abi.SYS___setitimer50, abi.ITIMER_REAL, kerntest.Struct(&abi.Itimerval{}), nil)
}

// Oracle: timer_create(2), timer_settime(2), timer_delete(2).
func TestPosixTimers(t *testing.T) {
	p := start(t)
	id := make([]byte, 4)
	ev := abi.Sigevent{Notify: abi.SIGEV_SIGNAL, Signo: abi.SIGUSR1}
	p.Must(abi.SYS_timer_create, abi.CLOCK_MONOTONIC, kerntest.Struct(&ev), id)
	n := kerntest.Int(id)
	set := abi.Itimerspec{Value: abi.Timespec{Nsec: 1000}}
	p.Must(abi.SYS___timer_settime50, n, 0, kerntest.Struct(&set), nil)
	if s := p.WaitSignals(1); s[0] != abi.SIGUSR1 {
		t.Errorf("signal %d", s[0])
	}
	set = abi.Itimerspec{Value: abi.Timespec{Sec: 3600}, Interval: abi.Timespec{Sec: 5}}
	old := make([]byte, abi.SizeofItimerspec)
	p.Must(abi.SYS___timer_settime50, n, 0, kerntest.Struct(&set), old)
	var v abi.Itimerspec
	if v.Decode(old); v != (abi.Itimerspec{}) {
		t.Errorf("before: %+v", v)
	}
	p.Must(abi.SYS___timer_gettime50, n, old)
	if v.Decode(old); v.Interval.Sec != 5 || v.Value.Sec < 3000 || v.Value.Sec > 3600 {
		t.Errorf("now: %+v", v)
	}
	if v := p.Must(abi.SYS_timer_getoverrun, n); v != 0 {
		t.Errorf("overrun %d", v)
	}
	p.Must(abi.SYS_timer_delete, n)
	p.Want(abi.EINVAL, abi.SYS_timer_delete, n)
	p.Want(abi.EINVAL, abi.SYS___timer_gettime50, n, old)
	p.Want(abi.EINVAL, abi.SYS_timer_getoverrun, n)
	p.Want(abi.EINVAL, abi.SYS___timer_settime50, n, 0, kerntest.Struct(&set), nil)
	p.Want(abi.EINVAL, abi.SYS_timer_delete, abi.ITIMER_MONOTONIC) // not timer_create's
	p.Want(abi.EINVAL, abi.SYS_timer_create, 4, nil, id)
	p.Want(abi.EINVAL, abi.SYS_timer_create, 0, kerntest.Struct(&abi.Sigevent{Notify: 9}), id)
	p.Want(abi.EINVAL, abi.SYS_timer_create, 0, kerntest.Struct(&abi.Sigevent{Notify: abi.SIGEV_SIGNAL, Signo: 64}), id)
	p.Want(abi.ENOTSUP, abi.SYS_timer_create, 0, kerntest.Struct(&abi.Sigevent{Notify: abi.SIGEV_THREAD}), id)
	p.Want(abi.EFAULT, abi.SYS_timer_create, 0, nil, 1)
	p.Want(abi.EFAULT, abi.SYS_timer_create, 0, 1, id)
	p.Must(abi.SYS_timer_create, abi.CLOCK_REALTIME, kerntest.Struct(&abi.Sigevent{Notify: abi.SIGEV_NONE}), id)
}

// Oracle: timer_create(2): 32 timers a process; exec(3) of POSIX: they go, the timers of setitimer stay.
func TestTimerLifetime(t *testing.T) {
	p := start(t)
	id := make([]byte, 4)
	for range 32 {
		p.Must(abi.SYS_timer_create, abi.CLOCK_REALTIME, nil, id)
	}
	p.Want(abi.EAGAIN, abi.SYS_timer_create, abi.CLOCK_REALTIME, nil, id)
	hour := kerntest.Struct(&abi.Itimerval{Value: abi.Timeval{Sec: 3600}})
	p.Must(abi.SYS___setitimer50, abi.ITIMER_REAL, hour, nil)
	p.Exec("program")
	p.Want(abi.EINVAL, abi.SYS_timer_delete, kerntest.Int(id))
	b := make([]byte, abi.SizeofItimerval)
	p.Must(abi.SYS___getitimer50, abi.ITIMER_REAL, b)
	var v abi.Itimerval
	if v.Decode(b); v.Value.Sec == 0 {
		t.Error("exec stopped the interval timer")
	}
	child := p.Fork()
	child.Must(abi.SYS___getitimer50, abi.ITIMER_REAL, b)
	if v.Decode(b); v != (abi.Itimerval{}) {
		t.Errorf("a child inherited %+v", v)
	}
}

// A timer for a moment of the wall clock fires when the clock is set past it.
func TestTimerFollowsClock(t *testing.T) {
	p := start(t)
	id := make([]byte, 4)
	p.Must(abi.SYS_timer_create, abi.CLOCK_REALTIME, nil, id)
	at := p.K.Now().Add(time.Hour)
	set := abi.Itimerspec{Value: kern.Timespec(at)}
	p.Must(abi.SYS___timer_settime50, kerntest.Int(id), abi.TIMER_ABSTIME, kerntest.Struct(&set), nil)
	p.K.SetTime(at.Add(time.Second))
	if s := p.WaitSignals(1); s[0] != abi.SIGALRM {
		t.Errorf("signal %d", s[0])
	}
}

// Lengths of time that no clock can hold wait for ever rather than not at all.
func TestEndlessTimes(t *testing.T) {
	p := start(t)
	set := abi.Itimerval{Value: abi.Timeval{Sec: math.MaxInt64}, Interval: abi.Timeval{Sec: math.MaxInt64}}
	p.Must(abi.SYS___setitimer50, abi.ITIMER_REAL, kerntest.Struct(&set), nil)
	b := make([]byte, abi.SizeofItimerval)
	p.Must(abi.SYS___getitimer50, abi.ITIMER_REAL, b)
	var v abi.Itimerval
	if v.Decode(b); v.Value.Sec < 1e9 {
		t.Errorf("timer %+v", v)
	}
	done := blocked(p, abi.SYS___nanosleep50, p.Mem.Map(spec(math.MaxInt64, 0)), 0)
	p.Exit()
	if r := <-done; r.errno != abi.EINTR {
		t.Errorf("nanosleep gave %v", r)
	}
}

// Both rates of adjtime: fast while more than a second is left. Oracle: the original's 5000 and 500 µs a second.
func TestSlewRates(t *testing.T) {
	for _, c := range []struct{ delta, elapsed, want time.Duration }{
		{time.Second, time.Second, 500 * time.Microsecond},
		{-time.Second, time.Second, -500 * time.Microsecond},
		{11 * time.Second, time.Second, 5 * time.Millisecond},
		{11 * time.Second, 2000 * time.Second, 10 * time.Second},
		{11 * time.Second, 2001 * time.Second, 10*time.Second + 500*time.Microsecond},
		{11 * time.Second, 2000000 * time.Hour, 11 * time.Second},
		{-11 * time.Second, 2000000 * time.Hour, -11 * time.Second},
		{0, time.Hour, 0},
	} {
		if got := kern.Slewed(c.delta, c.elapsed); got != c.want {
			t.Errorf("%v after %v: %v, want %v", c.delta, c.elapsed, got, c.want)
		}
	}
}
