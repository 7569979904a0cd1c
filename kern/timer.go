package kern

import (
	"math"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// timerSyscalls are setitimer(2) and timer_create(2) with their kin.
func timerSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS___setitimer50, sysSetitimer},
		{abi.SYS___getitimer50, sysGetitimer},
		{abi.SYS_timer_create, sysTimerCreate},
		{abi.SYS_timer_delete, sysTimerDelete},
		{abi.SYS___timer_settime50, sysTimerSettime},
		{abi.SYS___timer_gettime50, sysTimerGettime},
		{abi.SYS_timer_getoverrun, sysTimerGetoverrun},
	}
}

const (
	// firstPosixTimer is the first number that timer_create gives: those below are setitimer's, by ITIMER_*.
	firstPosixTimer = abi.ITIMER_MONOTONIC + 1
	// maxTimers bounds the numbers of a process's timers.
	maxTimers = firstPosixTimer + 32
	// maxOverrun is the most that timer_getoverrun reports, DELAYTIMER_MAX.
	maxOverrun = 32
	// minTimerPeriod bounds how often a periodic timer fires; what it misses by that are overruns.
	minTimerPeriod = 100 * time.Microsecond
)

// timerTable are a process's timers, by number; the first four are those of setitimer(2), which are made when first set.
type timerTable struct {
	proc *Proc

	mu     sync.Mutex
	timers [maxTimers]*timer
}

// timer is an interval timer. Those of CLOCK_VIRTUAL and CLOCK_PROF measure the process's processor time, of which a rump
// kernel sees nothing: they can be set and read, and stand still.
type timer struct {
	table    *timerTable
	clock    int // CLOCK_*, which ITIMER_* equal
	signo    int // 0 with SIGEV_NONE
	interval time.Duration
	overrun  int // periods missed before the last signal

	armed bool
	// due is when it fires: as a time since the kernel was made for CLOCK_MONOTONIC and for relative times, as a time
	// since 1970 where wall; as what is left for the clocks that stand still.
	due  time.Duration
	wall bool
	run  *time.Timer
	gen  int // counts the runs, to know a late one
}

// virtual says whether the timer's clock stands still.
func (tm *timer) virtual() bool { return tm.clock == abi.CLOCK_VIRTUAL || tm.clock == abi.CLOCK_PROF }

// now is the time that due is compared with.
func (tm *timer) now() time.Duration {
	if tm.wall {
		return time.Duration(tm.table.proc.K.Now().UnixNano())
	}
	return tm.table.proc.K.Uptime()
}

// left is the time until the timer fires, 0 when it is not armed; called with the table locked.
func (tm *timer) left() time.Duration {
	switch {
	case !tm.armed:
		return 0
	case tm.virtual():
		return tm.due
	}
	return max(0, tm.due-tm.now())
}

// disarm stops the timer; called with the table locked.
func (tm *timer) disarm() {
	tm.armed = false
	if tm.run != nil {
		tm.run.Stop()
		tm.run = nil
	}
}

// set arms the timer to fire at value, and each interval after; a value of 0 disarms it. abs says that value is a moment of
// the timer's clock. Called with the table locked.
func (tm *timer) set(value, interval time.Duration, abs bool) {
	tm.disarm()
	tm.interval, tm.overrun = interval, 0
	if value == 0 {
		return
	}
	tm.armed, tm.due, tm.wall = true, value, abs && tm.clock == abi.CLOCK_REALTIME
	if tm.virtual() {
		return
	}
	if !abs {
		tm.due = addDuration(tm.due, tm.now())
	}
	tm.start()
}

// start has the timer fire when it is due; called with the table locked.
func (tm *timer) start() {
	tm.gen++
	gen := tm.gen
	tm.run = time.AfterFunc(max(0, tm.due-tm.now()), func() { tm.fire(gen) })
}

// fire raises the timer's signal and arms it for its next period. gen is the run that ended: if the timer has been set
// anew since, there is nothing to do.
func (tm *timer) fire(gen int) {
	tm.table.mu.Lock()
	if tm.gen != gen || !tm.armed {
		tm.table.mu.Unlock()
		return
	}
	if tm.interval == 0 {
		tm.disarm()
	} else {
		tm.nextPeriod()
		tm.start()
	}
	signo := tm.signo
	tm.table.mu.Unlock()
	if signo != 0 {
		tm.table.proc.Signal(signo)
	}
}

// nextPeriod moves due to the first moment of the timer's sequence that is still to come, and counts those passed over.
func (tm *timer) nextPeriod() {
	now := tm.now()
	tm.due = addDuration(tm.due, tm.interval)
	if late := now + minTimerPeriod - tm.due; late > 0 {
		missed := (late-1)/tm.interval + 1
		tm.due = addDuration(tm.due, missed*tm.interval)
		tm.overrun = int(min(missed, maxOverrun))
	} else {
		tm.overrun = 0
	}
}

// addDuration is the sum of two lengths of time that are not negative, cut to what a Duration can be.
func addDuration(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// rearmRealtime has the timers that wait for a moment of the wall clock look at it again.
func (tt *timerTable) rearmRealtime() {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	for _, tm := range tt.timers {
		if tm != nil && tm.armed && tm.wall {
			tm.run.Stop()
			tm.start()
		}
	}
}

// deletePosix deletes what timer_create made, for exec.
func (tt *timerTable) deletePosix() { tt.deleteFrom(firstPosixTimer) }

// deleteAll deletes all timers, for exit.
func (tt *timerTable) deleteAll() { tt.deleteFrom(0) }

func (tt *timerTable) deleteFrom(first int) {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	for i, tm := range tt.timers {
		if tm != nil && i >= first {
			tm.disarm()
			tt.timers[i] = nil
		}
	}
}

// defaultSignal is what a timer of a clock raises unless told otherwise.
func defaultSignal(clock int) int {
	switch clock {
	case abi.CLOCK_VIRTUAL:
		return abi.SIGVTALRM
	case abi.CLOCK_PROF:
		return abi.SIGPROF
	}
	return abi.SIGALRM
}

// posix finds a timer of timer_create; called with the table locked. Errors: EINVAL.
func (tt *timerTable) posix(id int) (*timer, error) {
	if id < firstPosixTimer || id >= maxTimers || tt.timers[id] == nil {
		return nil, abi.EINVAL
	}
	return tt.timers[id], nil
}

// itimer is the state of a setitimer timer as the ABI has it; called with the table locked.
func (tt *timerTable) itimer(which int) abi.Itimerval {
	tm := tt.timers[which]
	if tm == nil {
		return abi.Itimerval{}
	}
	return abi.Itimerval{Interval: durationTimeval(tm.interval), Value: durationTimeval(tm.left())}
}

func sysGetitimer(t *Thread, a *Args) (int64, error) {
	which := a.Int(0)
	if which < 0 || which > abi.ITIMER_MONOTONIC {
		return 0, abi.EINVAL
	}
	t.timers.mu.Lock()
	v := t.timers.itimer(which)
	t.timers.mu.Unlock()
	return 0, t.CopyOutStruct(a[1], &v, abi.SizeofItimerval)
}

func sysSetitimer(t *Thread, a *Args) (int64, error) {
	which := a.Int(0)
	if which < 0 || which > abi.ITIMER_MONOTONIC {
		return 0, abi.EINVAL
	}
	var v abi.Itimerval
	if a[1] != 0 {
		if err := t.CopyInStruct(a[1], &v, abi.SizeofItimerval); err != nil {
			return 0, err
		}
	}
	value, err := TimevalDuration(v.Value)
	if err != nil {
		return 0, err
	}
	interval, err := TimevalDuration(v.Interval)
	if err != nil {
		return 0, err
	}
	tt := &t.timers
	tt.mu.Lock()
	old := tt.itimer(which)
	if a[1] != 0 {
		if tt.timers[which] == nil {
			tt.timers[which] = &timer{table: tt, clock: which, signo: defaultSignal(which)}
		}
		tt.timers[which].set(value, interval, false)
	}
	tt.mu.Unlock()
	if a[2] == 0 {
		return 0, nil
	}
	return 0, t.CopyOutStruct(a[2], &old, abi.SizeofItimerval)
}

// timerSignal reads what a sigevent asks for: the signal's number, 0 for none.
//
// Errors: EINVAL for what is not a sigevent, ENOTSUP for a notification that a kernel cannot make.
func (t *Thread) timerSignal(addr uint64) (int, error) {
	var ev abi.Sigevent
	if err := t.CopyInStruct(addr, &ev, abi.SizeofSigevent); err != nil {
		return 0, err
	}
	switch ev.Notify {
	case abi.SIGEV_NONE:
		return 0, nil
	case abi.SIGEV_SIGNAL:
		if ev.Signo <= 0 || ev.Signo >= abi.NSIG {
			return 0, abi.EINVAL
		}
		return int(ev.Signo), nil
	case abi.SIGEV_THREAD, abi.SIGEV_SA:
		return 0, abi.ENOTSUP
	}
	return 0, abi.EINVAL
}

func sysTimerCreate(t *Thread, a *Args) (int64, error) {
	clock := a.Int(0)
	if clock < 0 || clock > abi.CLOCK_MONOTONIC {
		return 0, abi.EINVAL
	}
	signo := defaultSignal(clock)
	if a[1] != 0 {
		var err error
		if signo, err = t.timerSignal(a[1]); err != nil {
			return 0, err
		}
	}
	id, err := t.timers.create(clock, signo)
	if err != nil {
		return 0, err
	}
	if err := t.copyOutUint32(a[2], uint32(id)); err != nil {
		t.timers.delete(id)
		return 0, err
	}
	return 0, nil
}

// create makes a timer. Errors: EAGAIN when the process has as many as it may.
func (tt *timerTable) create(clock, signo int) (int, error) {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	for id := firstPosixTimer; id < maxTimers; id++ {
		if tt.timers[id] == nil {
			tt.timers[id] = &timer{table: tt, clock: clock, signo: signo}
			return id, nil
		}
	}
	return 0, abi.EAGAIN
}

// delete removes a timer of timer_create. Errors: EINVAL.
func (tt *timerTable) delete(id int) error {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	tm, err := tt.posix(id)
	if err != nil {
		return err
	}
	tm.disarm()
	tt.timers[id] = nil
	return nil
}

func sysTimerDelete(t *Thread, a *Args) (int64, error) { return 0, t.timers.delete(a.Int(0)) }

// spec is the timer's state as the ABI has it; called with the table locked.
func (tm *timer) spec() abi.Itimerspec {
	return abi.Itimerspec{Interval: durationTimespec(tm.interval), Value: durationTimespec(tm.left())}
}

func sysTimerSettime(t *Thread, a *Args) (int64, error) {
	var v abi.Itimerspec
	if err := t.CopyInStruct(a[2], &v, abi.SizeofItimerspec); err != nil {
		return 0, err
	}
	value, err := TimespecDuration(v.Value)
	if err != nil {
		return 0, err
	}
	interval, err := TimespecDuration(v.Interval)
	if err != nil {
		return 0, err
	}
	tt := &t.timers
	tt.mu.Lock()
	tm, err := tt.posix(a.Int(0))
	var old abi.Itimerspec
	if err == nil {
		old = tm.spec()
		tm.set(value, interval, a.Int(1)&abi.TIMER_ABSTIME != 0)
	}
	tt.mu.Unlock()
	if err != nil || a[3] == 0 {
		return 0, err
	}
	return 0, t.CopyOutStruct(a[3], &old, abi.SizeofItimerspec)
}

func sysTimerGettime(t *Thread, a *Args) (int64, error) {
	tt := &t.timers
	tt.mu.Lock()
	tm, err := tt.posix(a.Int(0))
	var v abi.Itimerspec
	if err == nil {
		v = tm.spec()
	}
	tt.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return 0, t.CopyOutStruct(a[1], &v, abi.SizeofItimerspec)
}

func sysTimerGetoverrun(t *Thread, a *Args) (int64, error) {
	t.timers.mu.Lock()
	defer t.timers.mu.Unlock()
	tm, err := t.timers.posix(a.Int(0))
	if err != nil {
		return 0, err
	}
	return int64(tm.overrun), nil
}
