package kern

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// readinessSyscalls are pipe(2), poll(2), select(2), kqueue(2) and their kin. Every kernel has them: ping(8) polls on
// one that has sockets and no file systems.
func readinessSyscalls() []Syscall {
	rows := []Syscall{
		{abi.SYS_poll, sysPoll},
		{abi.SYS___pollts50, sysPollts},
		{abi.SYS___select50, sysSelect},
		{abi.SYS___pselect50, sysPselect},
	}
	rows = append(rows, pipeSyscalls()...)
	return append(rows, kqueueSyscalls()...)
}

// alwaysReady are the events of a file that never has to be waited for.
const alwaysReady = abi.POLLIN | abi.POLLRDNORM | abi.POLLOUT | abi.POLLWRNORM

// pollEntry is one descriptor that is waited for.
type pollEntry struct {
	fd      int // negative ones are passed over
	events  int // what is asked for; POLLERR and POLLHUP count only if they are
	revents int
}

// look asks the file behind the descriptor, whichever that is now. The file is not held while it is waited for: another
// thread may close it.
func (e *pollEntry) look(t *Thread) {
	e.revents = 0
	if e.fd < 0 {
		return
	}
	f, err := t.Desc.Get(e.fd)
	if err != nil {
		e.revents = abi.POLLNVAL
		return
	}
	defer f.Release(t)
	if p, ok := f.Ops.(Poller); ok {
		e.revents = p.Poll(f, e.events) & e.events
	} else {
		e.revents = e.events & alwaysReady
	}
}

// selinfo is where the file's events are announced; nil for a file that is always ready.
func (e *pollEntry) selinfo(t *Thread) *Selinfo {
	f, err := t.Desc.Get(e.fd)
	if err != nil {
		return nil
	}
	defer f.Release(t)
	if p, ok := f.Ops.(Poller); ok {
		return p.Selinfo()
	}
	return nil
}

// lookAll looks at all entries and counts those that are ready.
func (t *Thread) lookAll(entries []pollEntry) int {
	n := 0
	for i := range entries {
		if entries[i].look(t); entries[i].revents != 0 {
			n++
		}
	}
	return n
}

// pollWait looks at all entries and, when nothing holds, waits for one of them until the timeout. It returns
// how many are ready; 0 after the timeout.
//
// Errors: EINTR.
func (t *Thread) pollWait(entries []pollEntry, timeout time.Duration) (int, error) {
	if n := t.lookAll(entries); n > 0 || timeout == 0 {
		return n, nil
	}
	wake := t.wakeChan()
	w := &Watcher{Notify: func(uint32, int64) { signal(wake) }}
	var watched []*Selinfo
	for i := range entries {
		if s := entries[i].selinfo(t); s != nil {
			s.Watch(w)
			watched = append(watched, s)
		}
	}
	defer func() {
		for _, s := range watched {
			s.Unwatch(w)
		}
	}()
	deadline := deadlineAfter(timeout)
	for {
		if n := t.lookAll(entries); n > 0 {
			return n, nil
		}
		if err := t.Sleep(wake, deadline); err == abi.EWOULDBLOCK {
			return t.lookAll(entries), nil
		} else if err != nil {
			return 0, err
		}
	}
}

// sysPoll is poll(fds, nfds, timeout in milliseconds; INFTIM waits for ever).
func sysPoll(t *Thread, a *Args) (int64, error) {
	ms := a.Int(2)
	switch {
	case ms == -1:
		return t.poll(a[0], a.Uint(1), Forever)
	case ms < 0:
		return 0, abi.EINVAL
	}
	return t.poll(a[0], a.Uint(1), time.Duration(ms)*time.Millisecond)
}

// sysPollts is pollts(fds, nfds, timeout, signal mask). The mask must be readable and is the client's affair: it is there
// that signals are delivered.
func sysPollts(t *Thread, a *Args) (int64, error) {
	timeout, err := t.timespecTimeout(a[2])
	if err != nil {
		return 0, err
	}
	if err := t.checkSigmask(a[3]); err != nil {
		return 0, err
	}
	return t.poll(a[0], a.Uint(1), timeout)
}

// timespecTimeout reads a timeout; address 0 is Forever. Errors: EFAULT, EINVAL.
func (t *Thread) timespecTimeout(addr uint64) (time.Duration, error) {
	if addr == 0 {
		return Forever, nil
	}
	var ts abi.Timespec
	if err := t.CopyInStruct(addr, &ts, abi.SizeofTimespec); err != nil {
		return 0, err
	}
	return TimespecDuration(ts)
}

// checkSigmask reads a signal mask; address 0 is none. Errors: EFAULT.
func (t *Thread) checkSigmask(addr uint64) error {
	if addr == 0 {
		return nil
	}
	return t.Mem.CopyIn(addr, t.small(abi.SizeofSigset))
}

// pollSpare is how many entries more than a process has descriptors poll(2) takes.
const pollSpare = 1000

// poll does poll(2)'s work on the n structures at addr.
//
// Errors: EINVAL for many more entries than the process has descriptors, EFAULT, EINTR.
func (t *Thread) poll(addr uint64, n uint32, timeout time.Duration) (int64, error) {
	if int64(n) > int64(t.Desc.last())+1+pollSpare {
		return 0, abi.EINVAL
	}
	fds := t.small(int(n) * abi.SizeofPollfd)
	if len(fds) > 0 {
		if err := t.Mem.CopyIn(addr, fds); err != nil {
			return 0, err
		}
	}
	entries := make([]pollEntry, n)
	pfds := make([]abi.Pollfd, n)
	for i := range pfds {
		if err := pfds[i].Decode(fds[i*abi.SizeofPollfd:]); err != nil {
			return 0, err
		}
		entries[i] = pollEntry{fd: int(pfds[i].Fd), events: int(uint16(pfds[i].Events)) | abi.POLLERR | abi.POLLHUP}
	}
	ready, err := t.pollWait(entries, timeout)
	if err != nil || n == 0 {
		return 0, err
	}
	fds = fds[:0]
	for i := range pfds {
		pfds[i].Revents = int16(entries[i].revents)
		fds = pfds[i].Append(fds)
	}
	return int64(ready), t.Mem.CopyOut(addr, fds)
}
