package kern

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// selectEvents are what makes a descriptor ready in each of the three sets of select(2).
var selectEvents = [3]int{
	abi.POLLRDNORM | abi.POLLHUP | abi.POLLERR,
	abi.POLLWRNORM | abi.POLLHUP | abi.POLLERR,
	abi.POLLRDBAND,
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
	return t.selectFor(a, timeout)
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
	return t.selectFor(a, timeout)
}

// fdSets are the three sets of select(2), in the form of the ABI: words of 32 bits.
type fdSets struct {
	sets [3][]byte
	addr [3]uint64 // where they are in the client; 0 for one that is empty and stays so
}

func (s *fdSets) has(i, fd int) bool { return s.sets[i] != nil && s.sets[i][fd/8]>>(fd%8)&1 != 0 }

// selectFor does select(2)'s work on the sets that the call's arguments give: it waits and leaves in the sets what is ready.
// Descriptors beyond those that the process may have are not looked at.
//
// Errors: EINVAL for a negative count, EBADF for a bit of a descriptor that is not open, EFAULT, EINTR.
func (t *Thread) selectFor(a *Args, timeout time.Duration) (int64, error) {
	if a.Int(0) < 0 {
		return 0, abi.EINVAL
	}
	nd := min(a.Int(0), t.Desc.limit())
	s := fdSets{addr: [3]uint64{a[1], a[2], a[3]}}
	if err := t.copyInSets(&s, nd); err != nil {
		return 0, err
	}
	entries, set := s.entries(nd)
	if _, err := t.pollWait(entries, timeout); err != nil {
		return 0, err
	}
	for i := range s.sets {
		clear(s.sets[i])
	}
	n := int64(0)
	for j, e := range entries {
		if e.revents&abi.POLLNVAL != 0 {
			return 0, abi.EBADF
		}
		if i := set[j]; e.revents&selectEvents[i] != 0 {
			s.sets[i][e.fd/8] |= 1 << (e.fd % 8)
			n++
		}
	}
	return n, t.copyOutSets(&s)
}

// entries are the bits of the sets, each as an entry to wait for, with the number of its set.
func (s *fdSets) entries(nd int) (entries []pollEntry, set []int) {
	for i := range s.sets {
		for fd := range nd {
			if s.has(i, fd) {
				entries = append(entries, pollEntry{fd: fd, events: selectEvents[i]})
				set = append(set, i)
			}
		}
	}
	return entries, set
}

func (t *Thread) copyInSets(s *fdSets, nd int) error {
	size := (nd + 31) / 32 * 4
	for i, addr := range s.addr {
		if addr == 0 || size == 0 {
			continue
		}
		s.sets[i] = make([]byte, size)
		if err := t.Mem.CopyIn(addr, s.sets[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Thread) copyOutSets(s *fdSets) error {
	for i, set := range s.sets {
		if set == nil {
			continue
		}
		if err := t.Mem.CopyOut(s.addr[i], set); err != nil {
			return err
		}
	}
	return nil
}
