package kern

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// ReadinessSyscalls are pipe(2), poll(2), select(2), kqueue(2) and their kin; rumpvfs brings them.
func ReadinessSyscalls() []Syscall {
	rows := []Syscall{
		{abi.SYS_poll, sysPoll},
		{abi.SYS___pollts50, sysPollts},
		{abi.SYS___select50, sysSelect},
		{abi.SYS___pselect50, sysPselect},
	}
	rows = append(rows, pipeSyscalls()...)
	return append(rows, kqueueSyscalls()...)
}

// pollEntry is one file that is waited for.
type pollEntry struct {
	file    *File
	poller  Poller // nil: always ready
	events  int
	revents int
}

// newPollEntry holds the file behind a descriptor; one that is not open has POLLNVAL.
func (t *Thread) newPollEntry(fd, events int) pollEntry {
	f, err := t.Desc.Get(fd)
	if err != nil {
		return pollEntry{revents: abi.POLLNVAL}
	}
	e := pollEntry{file: f, events: events}
	e.poller, _ = f.Ops.(Poller)
	return e
}

// look asks the file; it reports whether anything holds.
func (e *pollEntry) look() bool {
	switch {
	case e.file == nil:
	case e.poller == nil:
		e.revents = e.events & (abi.POLLIN | abi.POLLRDNORM | abi.POLLOUT | abi.POLLWRNORM)
	default:
		e.revents = e.poller.Poll(e.file, e.events)
	}
	return e.revents != 0
}

// pollWait looks at all entries and, when nothing holds, waits for one of them until the timeout. It returns
// how many are ready; 0 after the timeout.
//
// Errors: EINTR.
func (t *Thread) pollWait(entries []pollEntry, timeout time.Duration) (int, error) {
	if n := lookAll(entries); n > 0 || timeout == 0 {
		return n, nil
	}
	wake := t.wakeChan()
	w := &Watcher{Notify: func(uint32, int64) { signal(wake) }}
	for i := range entries {
		if entries[i].poller != nil {
			s := entries[i].poller.Selinfo()
			s.Watch(w)
			defer s.Unwatch(w)
		}
	}
	deadline := deadlineAfter(timeout)
	for {
		if n := lookAll(entries); n > 0 {
			return n, nil
		}
		switch err := t.Sleep(wake, deadline); err {
		case nil:
		case abi.EWOULDBLOCK:
			return lookAll(entries), nil
		default:
			return 0, err
		}
	}
}

func lookAll(entries []pollEntry) int {
	n := 0
	for i := range entries {
		if entries[i].look() {
			n++
		}
	}
	return n
}

func (t *Thread) releaseEntries(entries []pollEntry) {
	for _, e := range entries {
		if e.file != nil {
			e.file.Release(t)
		}
	}
}

// sysPoll is poll(fds, nfds, timeout in milliseconds; negative waits for ever).
func sysPoll(t *Thread, a *Args) (int64, error) {
	timeout := Forever
	if ms := a.Int(2); ms >= 0 {
		timeout = time.Duration(ms) * time.Millisecond
	}
	return t.poll(a[0], a.Uint(1), timeout)
}

// sysPollts is pollts(fds, nfds, timeout, signal mask). No signal is ever delivered during a call, so the mask
// has nothing to mask, but it must be readable.
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
	var mask [abi.SizeofSigset]byte
	return t.Mem.CopyIn(addr, mask[:])
}

// poll does poll(2)'s work on the array at addr.
//
// Errors: EINVAL for more entries than a process can have descriptors, EFAULT, EINTR.
func (t *Thread) poll(addr uint64, n uint32, timeout time.Duration) (int64, error) {
	if n > maxDescriptors {
		return 0, abi.EINVAL
	}
	fds := make([]byte, int(n)*abi.SizeofPollfd)
	if err := t.Mem.CopyIn(addr, fds); n > 0 && err != nil {
		return 0, err
	}
	entries := make([]pollEntry, 0, n)
	var pfd abi.Pollfd
	for b := fds; len(b) > 0; b = b[abi.SizeofPollfd:] {
		pfd.Decode(b)
		if pfd.Fd < 0 {
			entries = append(entries, pollEntry{})
			continue
		}
		entries = append(entries, t.newPollEntry(int(pfd.Fd), int(pfd.Events)))
	}
	defer t.releaseEntries(entries)
	ready, err := t.pollWait(entries, timeout)
	if err != nil {
		return 0, err
	}
	for i, e := range entries {
		b := fds[i*abi.SizeofPollfd:]
		pfd.Decode(b)
		pfd.Revents = int16(e.revents)
		pfd.Encode(b)
	}
	if n == 0 {
		return 0, nil
	}
	return int64(ready), t.Mem.CopyOut(addr, fds)
}
