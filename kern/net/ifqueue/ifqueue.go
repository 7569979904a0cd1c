// Package ifqueue is the send queue of an interface whose other end is a program: what the driver is given to send, the program reads through a
// device, one packet a read. tap(4) and tun(4) are made of it.
package ifqueue

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Limit is how many packets a queue holds: IFQ_MAXLEN.
const Limit = 256

// Queue is such a queue. It is a device's kern.Poller and kern.KnoteFilter. The zero value is ready.
type Queue struct {
	sel kern.Selinfo

	mu     sync.Mutex
	pkts   []*ifnet.Packet
	closed bool
}

var (
	_ kern.Poller      = (*Queue)(nil)
	_ kern.KnoteFilter = (*Queue)(nil)
)

// Put appends packets, which it owns, without waiting. Errors: ENOBUFS when there was not room for all, ENETDOWN after Close.
func (q *Queue) Put(pkts []*ifnet.Packet) error {
	q.mu.Lock()
	n := min(len(pkts), Limit-len(q.pkts))
	if q.closed {
		n = 0
	}
	q.pkts = append(q.pkts, pkts[:n]...)
	closed := q.closed
	q.mu.Unlock()
	if n > 0 {
		q.sel.Notify(0)
	}
	for _, p := range pkts[n:] {
		p.Release()
	}
	switch {
	case closed:
		return abi.ENETDOWN
	case n < len(pkts):
		return abi.ENOBUFS
	}
	return nil
}

// Get takes the first packet, which it waits for unless nonblock. Errors: EWOULDBLOCK, EINTR, ENXIO after Close.
func (q *Queue) Get(t *kern.Thread, nonblock bool) (*ifnet.Packet, error) {
	timeout := kern.Forever
	if nonblock {
		timeout = 0
	}
	var p *ifnet.Packet
	var closed bool
	err := t.WaitFor(&q.sel, timeout, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		closed = q.closed
		if len(q.pkts) > 0 {
			p = q.pkts[0]
			q.pkts[0] = nil
			q.pkts = q.pkts[1:]
		}
		return p != nil || closed
	})
	if err == nil && p == nil {
		err = abi.ENXIO
	}
	return p, err
}

// First is the length of the first packet in bytes, 0 without one: FIONREAD.
func (q *Queue) First() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pkts) == 0 {
		return 0
	}
	return q.pkts[0].Len()
}

// Purge drops what is queued.
func (q *Queue) Purge() {
	q.mu.Lock()
	pkts := q.pkts
	q.pkts = nil
	q.mu.Unlock()
	for _, p := range pkts {
		p.Release()
	}
}

// Close ends the queue: the interface is no more. Who waits, and who reads from now on, gets ENXIO.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.Purge()
	q.sel.Notify(0)
}

// Poll is POLLIN with a packet to read, and POLLOUT always.
func (q *Queue) Poll(_ *kern.File, events int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	ready := abi.POLLOUT | abi.POLLWRNORM
	if len(q.pkts) > 0 {
		ready |= abi.POLLIN | abi.POLLRDNORM
	}
	if q.closed {
		return events&ready | abi.POLLHUP
	}
	return events & ready
}

// Selinfo is where packets are announced.
func (q *Queue) Selinfo() *kern.Selinfo { return &q.sel }

// Knote is EVFILT_READ, with the length of the first packet, and EVFILT_WRITE, which always is there. Errors: EINVAL.
func (q *Queue) Knote(_ *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter != abi.EVFILT_READ && filter != abi.EVFILT_WRITE {
		return nil, nil, abi.EINVAL
	}
	return &q.sel, func(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
		q.mu.Lock()
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return true, 0, 0, abi.EV_EOF
		}
		if filter == abi.EVFILT_WRITE {
			return true, 0, 0, 0
		}
		data = int64(q.First())
		return data > 0, data, 0, 0
	}, nil
}
