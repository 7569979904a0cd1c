package client

import "github.com/rumpctrl/rumpctrl/abi"

// Poll waits until a descriptor is ready or timeout milliseconds have passed, -1 for
// ever, and returns how many are ready: poll(2). It sets Revents.
func (s *Sys) Poll(fds []abi.Pollfd, timeout int) (int, error) {
	return s.poll(abi.SYS_poll, fds, func(r *request) { r.int(timeout) })
}

// Pollts is Poll with a time; nil waits for ever: pollts(2).
func (s *Sys) Pollts(fds []abi.Pollfd, timeout *abi.Timespec) (int, error) {
	return s.poll(abi.SYS___pollts50, fds, func(r *request) {
		r.timespec(timeout)
		r.dst(nil)
	})
}

func (s *Sys) poll(num int, fds []abi.Pollfd, rest func(*request)) (int, error) {
	b := make([]byte, 0, len(fds)*abi.SizeofPollfd)
	for i := range fds {
		b = fds[i].Append(b)
	}
	r := s.request(num)
	r.inout(b)
	r.int(len(fds))
	rest(&r)
	n, err := r.num()
	if err != nil {
		return 0, err
	}
	for i := range fds {
		if err := fds[i].Decode(b[i*abi.SizeofPollfd:]); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// timespec adds the address of a time, or null.
func (r *request) timespec(ts *abi.Timespec) {
	if ts == nil {
		r.dst(nil)
		return
	}
	r.src(ts.Append(nil))
}

// Select waits as Poll does, for descriptors below nd in the sets that are not nil, and
// leaves those that are ready in them: select(2).
func (s *Sys) Select(nd int, rd, wr, ex *abi.FdSet, timeout *abi.Timeval) (int, error) {
	r := s.request(abi.SYS___select50)
	return s.selects(&r, nd, [3]*abi.FdSet{rd, wr, ex}, func() {
		var tv []byte
		if timeout != nil {
			tv = timeout.Append(nil)
		}
		r.src(tv)
	})
}

// Pselect is Select with a finer time: pselect(2).
func (s *Sys) Pselect(nd int, rd, wr, ex *abi.FdSet, timeout *abi.Timespec) (int, error) {
	r := s.request(abi.SYS___pselect50)
	return s.selects(&r, nd, [3]*abi.FdSet{rd, wr, ex}, func() {
		r.timespec(timeout)
		r.dst(nil)
	})
}

func (s *Sys) selects(r *request, nd int, sets [3]*abi.FdSet, rest func()) (int, error) {
	var raw [3][]byte
	r.int(nd)
	for i, set := range sets {
		if set == nil {
			r.dst(nil)
			continue
		}
		raw[i] = set.Append(nil)
		r.inout(raw[i])
	}
	rest()
	n, err := r.num()
	if err != nil {
		return 0, err
	}
	for i, set := range sets {
		if set == nil {
			continue
		}
		if err := set.Decode(raw[i]); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Kqueue makes an event queue and returns its descriptor; flags are abi.O_CLOEXEC and
// O_NONBLOCK: kqueue1(2).
func (s *Sys) Kqueue(flags int) (int, error) {
	if flags == 0 {
		return s.number(abi.SYS_kqueue)
	}
	return s.number(abi.SYS_kqueue1, flags)
}

// Kevent changes what a queue watches and waits for events, at most timeout; nil is
// for ever: kevent(2). It returns how many events it has set. With no room for events it
// does not wait.
func (s *Sys) Kevent(kq int, changes, events []abi.Kevent, timeout *abi.Timespec) (int, error) {
	in := make([]byte, 0, len(changes)*abi.SizeofKevent)
	for i := range changes {
		in = changes[i].Append(in)
	}
	out := make([]byte, len(events)*abi.SizeofKevent)
	r := s.request(abi.SYS___kevent50)
	r.int(kq)
	r.src(in)
	r.word(uint64(len(changes)))
	r.dst(out)
	r.word(uint64(len(events)))
	r.timespec(timeout)
	n, err := r.num()
	if err != nil {
		return 0, err
	}
	if n < 0 || n > len(events) {
		return 0, errCount
	}
	for i := range n {
		if err := events[i].Decode(out[i*abi.SizeofKevent:]); err != nil {
			return 0, err
		}
	}
	return n, nil
}
