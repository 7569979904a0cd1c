package client

import "github.com/rumpctrl/rumpctrl/abi"

// ClockGettime sets ts to a clock of abi.CLOCK_*: clock_gettime(2).
func (s *Sys) ClockGettime(clock int, ts *abi.Timespec) error {
	return s.clock(abi.SYS___clock_gettime50, clock, ts)
}

// ClockGetres sets ts to the resolution of a clock: clock_getres(2).
func (s *Sys) ClockGetres(clock int, ts *abi.Timespec) error {
	return s.clock(abi.SYS___clock_getres50, clock, ts)
}

func (s *Sys) clock(num, clock int, ts *abi.Timespec) error {
	b := s.scratch()
	defer s.free(b)
	r := s.request(num)
	r.int(clock)
	r.dst(b[:abi.SizeofTimespec])
	if err := r.do(); err != nil {
		return err
	}
	return ts.Decode(b[:])
}

// ClockSettime sets a clock: clock_settime(2).
func (s *Sys) ClockSettime(clock int, ts abi.Timespec) error {
	r := s.request(abi.SYS___clock_settime50)
	r.int(clock)
	r.src(ts.Append(nil))
	return r.do()
}

// Nanosleep sleeps. If it is interrupted (EINTR) it sets rem, if that is not nil, to what
// was left: nanosleep(2).
func (s *Sys) Nanosleep(ts abi.Timespec, rem *abi.Timespec) error {
	r := s.request(abi.SYS___nanosleep50)
	r.src(ts.Append(nil))
	return r.remaining(rem, r.do)
}

// ClockNanosleep is Nanosleep by a clock or, with abi.TIMER_ABSTIME, until a time of
// it: clock_nanosleep(2).
func (s *Sys) ClockNanosleep(clock, flags int, ts abi.Timespec, rem *abi.Timespec) error {
	r := s.request(abi.SYS_clock_nanosleep)
	r.int(clock)
	r.int(flags)
	r.src(ts.Append(nil))
	return r.remaining(rem, r.errno)
}

// remaining ends a sleep, whose last argument is for what is left of it.
func (r *request) remaining(rem *abi.Timespec, do func() error) error {
	if rem == nil {
		r.dst(nil)
		return do()
	}
	b := rem.Append(nil)
	r.dst(b)
	if err := do(); err != nil {
		if derr := rem.Decode(b); derr != nil {
			return derr
		}
		return err
	}
	return nil
}

// Gettimeofday sets tv to the time of day: gettimeofday(2).
func (s *Sys) Gettimeofday(tv *abi.Timeval) error {
	b := make([]byte, abi.SizeofTimeval)
	r := s.request(abi.SYS___gettimeofday50)
	r.dst(b)
	r.dst(nil)
	if err := r.do(); err != nil {
		return err
	}
	return tv.Decode(b)
}

// Settimeofday sets the time of day: settimeofday(2).
func (s *Sys) Settimeofday(tv abi.Timeval) error {
	r := s.request(abi.SYS___settimeofday50)
	r.src(tv.Append(nil))
	r.dst(nil)
	return r.do()
}

// Adjtime has the clock catch up with delta and sets old, if it is not nil, to what was
// left of the previous adjustment: adjtime(2). A nil delta changes nothing.
func (s *Sys) Adjtime(delta, old *abi.Timeval) error {
	r := s.request(abi.SYS___adjtime50)
	var d, o []byte
	if delta != nil {
		d = delta.Append(nil)
	}
	if old != nil {
		o = old.Append(nil)
	}
	r.src(d)
	r.dst(o)
	if err := r.do(); err != nil || old == nil {
		return err
	}
	return old.Decode(o)
}

// Getitimer sets it to an interval timer of abi.ITIMER_*: getitimer(2).
func (s *Sys) Getitimer(which int, it *abi.Itimerval) error {
	b := it.Append(nil)
	r := s.request(abi.SYS___getitimer50)
	r.int(which)
	r.dst(b)
	if err := r.do(); err != nil {
		return err
	}
	return it.Decode(b)
}

// Setitimer sets an interval timer and old, if it is not nil, to what it was: setitimer(2).
func (s *Sys) Setitimer(which int, it abi.Itimerval, old *abi.Itimerval) error {
	r := s.request(abi.SYS___setitimer50)
	r.int(which)
	r.src(it.Append(nil))
	var o []byte
	if old != nil {
		o = old.Append(nil)
	}
	r.dst(o)
	if err := r.do(); err != nil || old == nil {
		return err
	}
	return old.Decode(o)
}

// TimerCreate makes a timer on a clock and returns its number; a nil event raises SIGALRM:
// timer_create(2).
func (s *Sys) TimerCreate(clock int, event *abi.Sigevent) (int, error) {
	var ev, no []byte
	if event != nil {
		ev = event.Append(nil)
	}
	no = make([]byte, 4)
	r := s.request(abi.SYS_timer_create)
	r.int(clock)
	r.src(ev)
	r.dst(no)
	if err := r.do(); err != nil {
		return -1, err
	}
	return getInt32(no), nil
}

// TimerDelete deletes a timer: timer_delete(2).
func (s *Sys) TimerDelete(timer int) error { return s.ints(abi.SYS_timer_delete, timer) }

// TimerGetoverrun returns how often the timer expired without notice: timer_getoverrun(2).
func (s *Sys) TimerGetoverrun(timer int) (int, error) {
	return s.number(abi.SYS_timer_getoverrun, timer)
}

// TimerGettime sets it to what a timer is set to: timer_gettime(2).
func (s *Sys) TimerGettime(timer int, it *abi.Itimerspec) error {
	b := it.Append(nil)
	r := s.request(abi.SYS___timer_gettime50)
	r.int(timer)
	r.dst(b)
	if err := r.do(); err != nil {
		return err
	}
	return it.Decode(b)
}

// TimerSettime sets a timer and old, if it is not nil, to what it was set to: timer_settime(2).
func (s *Sys) TimerSettime(timer, flags int, it abi.Itimerspec, old *abi.Itimerspec) error {
	r := s.request(abi.SYS___timer_settime50)
	r.int(timer)
	r.int(flags)
	r.src(it.Append(nil))
	var o []byte
	if old != nil {
		o = old.Append(nil)
	}
	r.dst(o)
	if err := r.do(); err != nil || old == nil {
		return err
	}
	return old.Decode(o)
}
