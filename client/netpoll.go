package client

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// netpoller tells which of a process's sockets have become ready. It is one kqueue(2) on the kernel with every socket in it,
// edge triggered, and one goroutine that asks it, only while somebody waits: a socket that is read as fast as it fills costs no call
// but those that read it.
type netpoller struct {
	sys *Sys

	mu      sync.Mutex
	kq      int // -1 without
	next    int64
	fds     map[int64]*netFD
	waiters int  // goroutines that wait for readiness
	asking  bool // the goroutine runs
	err     error
}

// pollBatch is how many events one call takes.
const pollBatch = 64

// add has the queue watch a socket, in both directions.
func (np *netpoller) add(fd *netFD) error {
	np.mu.Lock()
	defer np.mu.Unlock()
	if np.err != nil {
		return np.err
	}
	if np.fds == nil {
		kq, err := np.sys.Kqueue(abi.O_CLOEXEC)
		if err != nil {
			return err
		}
		np.kq, np.fds = kq, map[int64]*netFD{}
	}
	np.next++
	fd.id = np.next
	ev := abi.Kevent{Ident: uint64(fd.sysfd), Flags: abi.EV_ADD | abi.EV_CLEAR, Udata: fd.id}
	rd, wr := ev, ev
	rd.Filter, wr.Filter = abi.EVFILT_READ, abi.EVFILT_WRITE
	if _, err := np.sys.Kevent(np.kq, []abi.Kevent{rd, wr}, nil, nil); err != nil {
		return err
	}
	np.fds[fd.id] = fd
	return nil
}

// remove forgets a socket that is about to be closed, which takes it out of the queue.
func (np *netpoller) remove(fd *netFD) {
	np.mu.Lock()
	defer np.mu.Unlock()
	delete(np.fds, fd.id)
}

// wait is called before a goroutine waits, done after: in between the queue is asked.
func (np *netpoller) wait() {
	np.mu.Lock()
	defer np.mu.Unlock()
	np.waiters++
	if !np.asking && np.err == nil {
		np.asking = true
		go np.ask()
	}
}

func (np *netpoller) done() {
	np.mu.Lock()
	defer np.mu.Unlock()
	np.waiters--
}

// ask asks the queue until nobody waits, or the process is at its end.
func (np *netpoller) ask() {
	events := make([]abi.Kevent, pollBatch)
	for np.wanted() {
		n, err := np.sys.Kevent(np.kq, nil, events, nil)
		if err == abi.EINTR {
			continue
		}
		if err != nil {
			np.fail(err)
			return
		}
		np.tell(events[:n])
	}
}

// wanted says whether to go on; if not, the next wait starts a goroutine anew.
func (np *netpoller) wanted() bool {
	np.mu.Lock()
	defer np.mu.Unlock()
	np.asking = np.waiters > 0
	return np.asking
}

// tell passes events on. One for a socket that has gone is dropped: identifiers are not used twice.
func (np *netpoller) tell(events []abi.Kevent) {
	np.mu.Lock()
	defer np.mu.Unlock()
	for i := range events {
		fd := np.fds[events[i].Udata]
		if fd == nil {
			continue
		}
		switch events[i].Filter {
		case abi.EVFILT_READ:
			fd.rd.notify()
		case abi.EVFILT_WRITE:
			fd.wr.notify()
		}
	}
}

// fail wakes everyone for good: the kernel has gone.
func (np *netpoller) fail(err error) {
	np.mu.Lock()
	defer np.mu.Unlock()
	np.err, np.asking = err, false
	for _, fd := range np.fds {
		fd.rd.notify()
		fd.wr.notify()
	}
}

// failure is why the queue cannot be asked any more; nil while it can.
func (np *netpoller) failure() error {
	np.mu.Lock()
	defer np.mu.Unlock()
	return np.err
}
