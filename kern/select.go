package kern

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// selectEvents are what the three sets of select(2) ask for, and what makes a descriptor ready in each.
var selectEvents = [3]struct{ ask, ready int }{
	{abi.POLLIN | abi.POLLRDNORM, abi.POLLIN | abi.POLLRDNORM | abi.POLLHUP | abi.POLLERR},
	{abi.POLLOUT | abi.POLLWRNORM, abi.POLLOUT | abi.POLLWRNORM | abi.POLLHUP | abi.POLLERR},
	{abi.POLLPRI | abi.POLLRDBAND, abi.POLLPRI | abi.POLLRDBAND},
}

// sysSelect is select(nd, in, ou, ex, timeval).
func sysSelect(t *Thread, a *Args) (int64, error) {
	timeout := Forever
	if a[4] != 0 {
		var tv abi.Timeval
		if err := t.CopyInStruct(a[4], &tv, abi.SizeofTimeval); err != nil {
			return 0, err
		}
		var err error
		if timeout, err = TimevalDuration(tv); err != nil {
			return 0, err
		}
	}
	return t.selectSets(a.Int(0), [3]uint64{a[1], a[2], a[3]}, timeout)
}

// sysPselect is pselect(nd, in, ou, ex, timespec, signal mask); see sysPollts for the mask.
func sysPselect(t *Thread, a *Args) (int64, error) {
	timeout, err := t.timespecTimeout(a[4])
	if err != nil {
		return 0, err
	}
	if err := t.checkSigmask(a[5]); err != nil {
		return 0, err
	}
	return t.selectSets(a.Int(0), [3]uint64{a[1], a[2], a[3]}, timeout)
}

// selectSets does select(2)'s work on the sets of nd bits at addrs; an address of 0 is an empty set.
//
// Errors: EINVAL for a negative count, EBADF for a bit of a descriptor that is not open, EFAULT, EINTR.
func (t *Thread) selectSets(nd int, addrs [3]uint64, timeout time.Duration) (int64, error) {
	if nd < 0 {
		return 0, abi.EINVAL
	}
	nd = min(nd, maxDescriptors)
	size := (nd + 31) / 32 * 4
	var sets [3][]byte
	for i, addr := range addrs {
		if sets[i] = make([]byte, size); addr == 0 || size == 0 {
			continue
		}
		if err := t.Mem.CopyIn(addr, sets[i]); err != nil {
			return 0, err
		}
	}
	entries, fds, err := t.selectEntries(nd, &sets)
	defer t.releaseEntries(entries)
	if err != nil {
		return 0, err
	}
	if _, err := t.pollWait(entries, timeout); err != nil {
		return 0, err
	}
	n := markSets(&sets, entries, fds)
	for i, addr := range addrs {
		if addr == 0 || size == 0 {
			continue
		}
		if err := t.Mem.CopyOut(addr, sets[i]); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// selectEntries makes an entry for each descriptor that is in a set.
func (t *Thread) selectEntries(nd int, sets *[3][]byte) (entries []pollEntry, fds []int, err error) {
	for fd := range nd {
		events := 0
		for i := range sets {
			if sets[i][fd/8]>>(fd%8)&1 != 0 {
				events |= selectEvents[i].ask
			}
		}
		if events == 0 {
			continue
		}
		e := t.newPollEntry(fd, events)
		if e.file == nil {
			return entries, fds, abi.EBADF
		}
		entries, fds = append(entries, e), append(fds, fd)
	}
	return entries, fds, nil
}

// markSets leaves in the sets the bits of what is ready, and counts them.
func markSets(sets *[3][]byte, entries []pollEntry, fds []int) (n int64) {
	for i := range sets {
		clear(sets[i])
		for j, e := range entries {
			if e.events&selectEvents[i].ask != 0 && e.revents&selectEvents[i].ready != 0 {
				sets[i][fds[j]/8] |= 1 << (fds[j] % 8)
				n++
			}
		}
	}
	return n
}
