package kern

import (
	"math"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// timeSyscalls are the calls that read and set clocks and sleep by them.
func timeSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS___clock_gettime50, sysClockGettime},
		{abi.SYS___clock_settime50, sysClockSettime},
		{abi.SYS___clock_getres50, sysClockGetres},
		{abi.SYS___gettimeofday50, sysGettimeofday},
		{abi.SYS___settimeofday50, sysSettimeofday},
		{abi.SYS___adjtime50, sysAdjtime},
		{abi.SYS___nanosleep50, sysNanosleep},
		{abi.SYS_clock_nanosleep, sysClockNanosleep},
	}
}

// ReadClock reads CLOCK_REALTIME or CLOCK_MONOTONIC, which counts from when the kernel was made. A rump kernel does
// not run its clients' programs and has no clocks of their processor time.
//
// Errors: EINVAL for any other clock.
func (k *Kernel) ReadClock(id int) (abi.Timespec, error) {
	switch id {
	case abi.CLOCK_REALTIME:
		return Timespec(k.Now()), nil
	case abi.CLOCK_MONOTONIC:
		return durationTimespec(k.Uptime()), nil
	}
	return abi.Timespec{}, abi.EINVAL
}

// durationTimespec is a length of time as the ABI has it; nanoseconds are never negative.
func durationTimespec(d time.Duration) abi.Timespec {
	ts := abi.Timespec{Sec: int64(d / time.Second), Nsec: int64(d % time.Second)}
	if ts.Nsec < 0 {
		ts.Sec, ts.Nsec = ts.Sec-1, ts.Nsec+int64(time.Second)
	}
	return ts
}

// TimespecDuration is a length of time from the ABI's form; what is longer than a Duration can be is cut to that.
//
// Errors: EINVAL for negative seconds, and nanoseconds outside of a second.
func TimespecDuration(ts abi.Timespec) (time.Duration, error) {
	if ts.Sec < 0 || ts.Nsec < 0 || ts.Nsec >= int64(time.Second) {
		return 0, abi.EINVAL
	}
	if ts.Sec >= math.MaxInt64/int64(time.Second) {
		return math.MaxInt64, nil
	}
	return time.Duration(ts.Sec)*time.Second + time.Duration(ts.Nsec), nil
}

// TimevalDuration is TimespecDuration for a timeval.
func TimevalDuration(tv abi.Timeval) (time.Duration, error) {
	if tv.Usec < 0 || tv.Usec >= 1e6 {
		return 0, abi.EINVAL
	}
	return TimespecDuration(abi.Timespec{Sec: tv.Sec, Nsec: int64(tv.Usec) * 1000})
}

// durationTimeval is a length of time as a timeval, microseconds cut off; they are never negative.
func durationTimeval(d time.Duration) abi.Timeval {
	ts := durationTimespec(d)
	return abi.Timeval{Sec: ts.Sec, Usec: int32(ts.Nsec / 1000)}
}

func sysClockGettime(t *Thread, a *Args) (int64, error) {
	ts, err := t.K.ReadClock(a.Int(0))
	if err != nil {
		return 0, err
	}
	return 0, t.CopyOutStruct(a[1], &ts, abi.SizeofTimespec)
}

// setTime sets the wall clock for a caller that may. Errors: EPERM, EINVAL.
func (t *Thread) setTime(ts abi.Timespec) error {
	if ts.Nsec < 0 || ts.Nsec >= int64(time.Second) {
		return abi.EINVAL
	}
	if !t.Cred().Root() {
		return abi.EPERM
	}
	t.K.SetTime(Time(ts))
	return nil
}

func sysClockSettime(t *Thread, a *Args) (int64, error) {
	var ts abi.Timespec
	if err := t.CopyInStruct(a[1], &ts, abi.SizeofTimespec); err != nil {
		return 0, err
	}
	if a.Int(0) != abi.CLOCK_REALTIME {
		return 0, abi.EINVAL
	}
	return 0, t.setTime(ts)
}

func sysClockGetres(t *Thread, a *Args) (int64, error) {
	if _, err := t.K.ReadClock(a.Int(0)); err != nil {
		return 0, err
	}
	if a[1] == 0 {
		return 0, nil
	}
	return 0, t.CopyOutStruct(a[1], &abi.Timespec{Nsec: 1}, abi.SizeofTimespec)
}

func sysGettimeofday(t *Thread, a *Args) (int64, error) {
	if a[0] != 0 {
		now := t.K.Now()
		tv := abi.Timeval{Sec: now.Unix(), Usec: int32(now.Nanosecond() / 1000)}
		if err := t.CopyOutStruct(a[0], &tv, abi.SizeofTimeval); err != nil {
			return 0, err
		}
	}
	if a[1] != 0 {
		return 0, t.CopyOutStruct(a[1], &abi.Timezone{}, abi.SizeofTimezone)
	}
	return 0, nil
}

// sysSettimeofday sets the wall clock. The time zone, which NetBSD's kernel does not keep, is only logged.
func sysSettimeofday(t *Thread, a *Args) (int64, error) {
	if a[1] != 0 {
		t.K.Logf("pid %d attempted to set the (obsolete) kernel time zone\n", t.PID)
	}
	if a[0] == 0 {
		return 0, nil
	}
	var tv abi.Timeval
	if err := t.CopyInStruct(a[0], &tv, abi.SizeofTimeval); err != nil {
		return 0, err
	}
	return 0, t.setTime(abi.Timespec{Sec: tv.Sec, Nsec: int64(tv.Usec) * 1000})
}

// maxAdjust bounds adjtime(2)'s delta, which with larger ones would go on for years.
const maxAdjust = 10 * 365 * 24 * time.Hour

func sysAdjtime(t *Thread, a *Args) (int64, error) {
	if !t.Cred().Root() {
		return 0, abi.EPERM
	}
	var tv abi.Timeval
	if a[0] != 0 {
		if err := t.CopyInStruct(a[0], &tv, abi.SizeofTimeval); err != nil {
			return 0, err
		}
		if tv.Sec < -int64(maxAdjust/time.Second) || tv.Sec > int64(maxAdjust/time.Second) {
			return 0, abi.EINVAL
		}
	}
	left := t.K.adjustLeft()
	if a[0] != 0 {
		left = t.K.AdjustTime(time.Duration(tv.Sec)*time.Second + time.Duration(tv.Usec)*time.Microsecond)
	}
	if a[1] == 0 {
		return 0, nil
	}
	old := durationTimeval(left)
	return 0, t.CopyOutStruct(a[1], &old, abi.SizeofTimeval)
}

func sysNanosleep(t *Thread, a *Args) (int64, error) {
	return 0, t.nanosleep(abi.CLOCK_MONOTONIC, 0, a[0], a[1])
}

// sysClockNanosleep returns the error as its value, as clock_nanosleep(2).
func sysClockNanosleep(t *Thread, a *Args) (int64, error) {
	return int64(abi.ToErrno(t.nanosleep(a.Int(0), a.Int(1), a[2], a[3]))), nil
}

// nanosleep sleeps for, or with TIMER_ABSTIME until, the timespec at req, and writes what is left to rem unless that is 0.
func (t *Thread) nanosleep(clock, flags int, req, rem uint64) error {
	var ts abi.Timespec
	if err := t.CopyInStruct(req, &ts, abi.SizeofTimespec); err != nil {
		return err
	}
	if flags != abi.TIMER_RELTIME && flags != abi.TIMER_ABSTIME {
		return abi.EINVAL
	}
	if _, err := t.K.ReadClock(clock); err != nil {
		return err
	}
	d, err := TimespecDuration(ts)
	if err != nil {
		return err
	}
	var left func() time.Duration
	switch {
	case flags == abi.TIMER_RELTIME:
		end := deadlineAfter(d)
		left = func() time.Duration { return time.Until(end) }
	case clock == abi.CLOCK_REALTIME:
		left = func() time.Duration { return d - time.Duration(t.K.Now().UnixNano()) }
	default:
		end := t.K.clock.boot.Add(d)
		left = func() time.Duration { return time.Until(end) }
	}
	err = t.sleepWhile(left)
	if rem != 0 && (err == nil || err == abi.EINTR) {
		r := durationTimespec(max(0, left()))
		if e := t.CopyOutStruct(rem, &r, abi.SizeofTimespec); e != nil {
			return e
		}
	}
	return err
}

// sleepWhile sleeps until left says that nothing is, and asks again when the wall clock jumps. Errors: EINTR.
func (t *Thread) sleepWhile(left func() time.Duration) error {
	wake := t.wakeChan()
	w := &Watcher{Notify: func(uint32, int64) { signal(wake) }}
	t.K.clock.stepped.Watch(w)
	defer t.K.clock.stepped.Unwatch(w)
	for {
		d := left()
		if d <= 0 {
			return nil
		}
		if err := t.Sleep(wake, time.Now().Add(d)); err != nil && err != abi.EWOULDBLOCK {
			return err
		}
	}
}
