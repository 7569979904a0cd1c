package pty

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// masters is the driver of the masters.
type masters struct{ ps *Ptys }

// Open opens a master: one at a time. Errors: ENXIO; EIO while it is open.
func (d masters) Open(t *kern.Thread, dev uint64, _ uint32) (kern.Ops, error) {
	pt, err := d.ps.pair(kern.Minor(dev))
	if err != nil {
		return nil, err
	}
	pt.tty.Lock()
	defer pt.tty.Unlock()
	if pt.tty.Attached() {
		return nil, abi.EIO
	}
	pt.packet, pt.control, pt.told, pt.noStop = false, false, false, false
	pt.news, pt.request = 0, 0
	pt.tty.Attach()
	return &master{pt}, nil
}

// master is an open master.
type master struct{ pt *pair }

var (
	_ kern.Reader      = (*master)(nil)
	_ kern.Writer      = (*master)(nil)
	_ kern.Poller      = (*master)(nil)
	_ kern.KnoteFilter = (*master)(nil)
	_ kern.Ioctler     = (*master)(nil)
)

// Close hangs the terminal up.
func (m *master) Close(*kern.Thread, *kern.File) error {
	m.pt.tty.Lock()
	m.pt.tty.Detach()
	m.pt.tty.Unlock()
	m.pt.sel.Notify(0)
	return nil
}

// Read takes what the terminal has sent; 0 when the terminal has been closed and all is read. In packet mode, and in user control
// mode, a byte of control comes first: 0 with data, otherwise what has happened (pty(4)).
//
// Errors: EINVAL for an empty buffer, EAGAIN, EINTR.
func (m *master) Read(t *kern.Thread, f *kern.File, p []byte, _ int64) (n int, err error) {
	if len(p) == 0 {
		return 0, abi.EINVAL
	}
	err = t.WaitFor(&m.pt.sel, timeout(f), func() bool {
		var done bool
		n, done = m.pt.take(p)
		return done
	})
	return n, err
}

// timeout is how long a call on a file waits.
func timeout(f *kern.File) time.Duration {
	if f.Nonblock() {
		return 0
	}
	return kern.Forever
}

// take reads what there is; done is false when there is nothing yet.
func (pt *pair) take(p []byte) (n int, done bool) {
	pt.tty.Lock()
	defer pt.tty.Unlock()
	switch {
	case pt.packet && pt.news != 0 && pt.tty.Opened():
		return pt.takeNews(p), true
	case pt.control && pt.request != 0 && pt.tty.Opened():
		p[0], pt.request = pt.request, 0
		return 1, true
	case pt.tty.Pending() > 0:
		if pt.packet || pt.control {
			p[0], n = abi.TIOCPKT_DATA, 1
		}
		return n + pt.tty.Take(p[n:]), true
	}
	return 0, !pt.tty.Up()
}

// takeNews reads what has happened in packet mode: a byte of TIOCPKT_*, with TIOCPKT_IOCTL followed by the terminal's modes as far as
// there is room.
func (pt *pair) takeNews(p []byte) int {
	news := pt.news
	p[0], pt.news = news, 0
	if news&abi.TIOCPKT_IOCTL == 0 {
		return 1
	}
	m := pt.tty.Modes()
	return 1 + copy(p[1:], m.Append(nil))
}

// Write types at the terminal; it waits until the terminal is open and has room. In remote mode what is written is one record.
//
// Errors: EIO when the terminal has been closed; EAGAIN; EINTR.
func (m *master) Write(t *kern.Thread, f *kern.File, p []byte, _ int64) (n int, err error) {
	if m.remote() {
		return m.writeRecord(t, f, p)
	}
	for n < len(p) {
		werr := t.WaitFor(&m.pt.sel, timeout(f), func() bool {
			var fed int
			var done bool
			fed, done, err = m.pt.feed(p[n:])
			n += fed
			return done
		})
		if err == nil {
			err = werr
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// feed types as much as there is room for; done is false when that is nothing. Errors: EIO.
func (pt *pair) feed(p []byte) (n int, done bool, err error) {
	pt.tty.Lock()
	defer pt.tty.Unlock()
	if !pt.tty.Opened() {
		return 0, !pt.tty.Up(), eioUnless(pt.tty.Up())
	}
	for n < len(p) && !pt.tty.Full() {
		pt.tty.Input(p[n])
		n++
	}
	return n, n > 0, nil
}

// eioUnless is EIO, but nil while a terminal may still be opened.
func eioUnless(up bool) error {
	if up {
		return nil
	}
	return abi.EIO
}

func (m *master) remote() bool {
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	return m.pt.tty.Remote()
}

// writeRecord gives the terminal a record, when it has read the one before. What there is no room for is not written.
func (m *master) writeRecord(t *kern.Thread, f *kern.File, p []byte) (n int, err error) {
	werr := t.WaitFor(&m.pt.sel, timeout(f), func() (done bool) {
		m.pt.tty.Lock()
		defer m.pt.tty.Unlock()
		if !m.pt.tty.Opened() {
			err = eioUnless(m.pt.tty.Up())
			return err != nil
		}
		n, done = m.pt.tty.Record(p)
		return done
	})
	if err == nil {
		err = werr
	}
	return n, err
}

// Poll says what can be done without waiting: POLLHUP when the terminal has been closed.
func (m *master) Poll(_ *kern.File, events int) int {
	m.pt.tty.Lock()
	defer m.pt.tty.Unlock()
	ready := 0
	if m.pt.readable() {
		ready |= abi.POLLIN | abi.POLLRDNORM
	}
	if m.pt.writable() {
		ready |= abi.POLLOUT | abi.POLLWRNORM
	}
	ready &= events
	if !m.pt.tty.Up() {
		ready |= abi.POLLHUP
	}
	return ready
}

// readable says whether a read would give something; called with the terminal locked.
func (pt *pair) readable() bool {
	return pt.tty.Pending() > 0 ||
		pt.tty.Opened() && (pt.packet && pt.news != 0 || pt.control && pt.request != 0)
}

// writable says whether there is room for input; called with the terminal locked.
func (pt *pair) writable() bool {
	switch {
	case !pt.tty.Opened():
		return false
	case pt.tty.Remote():
		return !pt.tty.HasRecord()
	}
	return !pt.tty.Full()
}

// Selinfo is where changes of Poll are told.
func (m *master) Selinfo() *kern.Selinfo { return &m.pt.sel }

// Knote is EVFILT_READ, with the bytes to read for data, and EVFILT_WRITE, with the room. Errors: EINVAL.
func (m *master) Knote(_ *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter != abi.EVFILT_READ && filter != abi.EVFILT_WRITE {
		return nil, nil, abi.EINVAL
	}
	pt := m.pt
	return &pt.sel, func(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
		pt.tty.Lock()
		defer pt.tty.Unlock()
		if !pt.tty.Up() && pt.tty.Pending() == 0 {
			return true, 0, 0, abi.EV_EOF
		}
		if filter == abi.EVFILT_WRITE {
			return pt.writable(), int64(pt.tty.InputRoom()), 0, 0
		}
		data = int64(pt.tty.Queued())
		if pt.packet && pt.news != 0 || pt.control && pt.request != 0 {
			data++
		}
		return pt.readable(), data, 0, 0
	}, nil
}
