package client

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// netFD is a non-blocking socket with deadlines.
type netFD struct {
	p      *Process
	sysfd  int
	id     int64 // the netpoller's
	stream bool
	rd, wr direction

	mu     sync.Mutex
	users  int // calls that use sysfd
	closed bool
}

// direction is reading or writing: whether it may be worth trying, and until when.
type direction struct {
	turn sync.Mutex // one reader, one writer at a time: what is read or written stays together

	mu       sync.Mutex
	ready    bool
	closed   bool
	deadline time.Time
	changed  chan struct{} // one place: ready, closed or deadline changed
}

// newNetFD takes a non-blocking socket over, and closes it on an error.
func newNetFD(p *Process, sysfd int, stream bool) (*netFD, error) {
	fd := &netFD{p: p, sysfd: sysfd, stream: stream}
	fd.rd.init()
	fd.wr.init()
	if err := p.poller.add(fd); err != nil {
		p.sys.Close(sysfd) //nolint:errcheck // the first error counts
		return nil, err
	}
	return fd, nil
}

func (d *direction) init() {
	d.ready = true
	d.changed = make(chan struct{}, 1)
}

func (d *direction) wake() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// notify says that it is worth trying again.
func (d *direction) notify() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = true
	d.wake()
}

func (d *direction) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.wake()
}

func (d *direction) setDeadline(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deadline = t
	d.wake()
}

// check returns what stands against trying now, and whether it is worth it.
func (d *direction) check() (ready bool, deadline time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return false, time.Time{}, net.ErrClosed
	case !d.deadline.IsZero() && !d.deadline.After(time.Now()):
		return false, time.Time{}, os.ErrDeadlineExceeded
	}
	return d.ready, d.deadline, nil
}

// unready is called before a try: what happens from then on counts.
func (d *direction) unready() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = false
}

// await waits until it is worth trying. Errors: net.ErrClosed, os.ErrDeadlineExceeded, what ended the process.
func (d *direction) await(np *netpoller) error {
	ready, deadline, err := d.check()
	if err != nil || ready {
		return err
	}
	np.wait()
	defer np.done()
	for {
		if err := np.failure(); err != nil {
			return err
		}
		d.sleep(deadline)
		if ready, deadline, err = d.check(); err != nil || ready {
			return err
		}
	}
}

// sleep waits for a change or the deadline.
func (d *direction) sleep(deadline time.Time) {
	if deadline.IsZero() {
		<-d.changed
		return
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-d.changed:
	case <-timer.C:
	}
}

// try makes a call that does not block until it succeeds or fails for good. The direction's turn is held.
func (fd *netFD) try(d *direction, call func() error) error {
	for {
		if err := d.await(&fd.p.poller); err != nil {
			return err
		}
		d.unready()
		if err := fd.use(); err != nil {
			return err
		}
		err := call()
		fd.unuse()
		switch err {
		case abi.EAGAIN, abi.EINTR:
			if err == abi.EINTR {
				d.notify()
			}
			continue
		case nil:
			d.notify()
		}
		return err
	}
}

// use keeps the descriptor until unuse. Errors: net.ErrClosed.
func (fd *netFD) use() error {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	if fd.closed {
		return net.ErrClosed
	}
	fd.users++
	return nil
}

func (fd *netFD) unuse() {
	fd.mu.Lock()
	fd.users--
	last := fd.closed && fd.users == 0
	fd.mu.Unlock()
	if last {
		fd.p.sys.Close(fd.sysfd) //nolint:errcheck // Close returned long ago
	}
}

// close closes the socket and wakes everyone who waits at it.
func (fd *netFD) close() error {
	fd.mu.Lock()
	if fd.closed {
		fd.mu.Unlock()
		return net.ErrClosed
	}
	fd.closed = true
	busy := fd.users > 0
	fd.mu.Unlock()
	fd.p.poller.remove(fd)
	fd.rd.close()
	fd.wr.close()
	if busy {
		return nil
	}
	return fd.p.sys.Close(fd.sysfd)
}

// read reads what there is, at most len(b) bytes. Errors: io.EOF, as await, abi.Errno.
func (fd *netFD) read(b []byte) (int, error) {
	fd.rd.turn.Lock()
	defer fd.rd.turn.Unlock()
	if len(b) == 0 && fd.stream {
		_, _, err := fd.rd.check()
		return 0, err
	}
	b = b[:min(len(b), maxIO)]
	n := 0
	err := fd.try(&fd.rd, func() (err error) {
		n, err = fd.p.sys.recv(fd.sysfd, b)
		return err
	})
	if err == nil && n == 0 && fd.stream {
		err = io.EOF
	}
	return max(n, 0), err
}

// write writes all of b, a datagram in one piece.
func (fd *netFD) write(b []byte) (int, error) {
	fd.wr.turn.Lock()
	defer fd.wr.turn.Unlock()
	done := 0
	for {
		piece := b[done:]
		if fd.stream {
			piece = piece[:min(len(piece), maxIO)]
		}
		err := fd.try(&fd.wr, func() error {
			n, err := fd.p.sys.Sendto(fd.sysfd, piece, abi.MSG_NOSIGNAL, nil)
			done += max(n, 0)
			return err
		})
		if err != nil || done == len(b) || !fd.stream {
			return done, err
		}
	}
}

// recvFrom receives a datagram and its sender's address.
func (fd *netFD) recvFrom(b []byte) (n int, from []byte, err error) {
	fd.rd.turn.Lock()
	defer fd.rd.turn.Unlock()
	err = fd.try(&fd.rd, func() (err error) {
		n, from, err = fd.p.sys.Recvfrom(fd.sysfd, b, 0)
		return err
	})
	return max(n, 0), from, err
}

// sendTo sends a datagram.
func (fd *netFD) sendTo(b, to []byte) (n int, err error) {
	fd.wr.turn.Lock()
	defer fd.wr.turn.Unlock()
	err = fd.try(&fd.wr, func() (err error) {
		n, err = fd.p.sys.Sendto(fd.sysfd, b, abi.MSG_NOSIGNAL, to)
		return err
	})
	return max(n, 0), err
}

// connect connects and waits until that has succeeded or failed.
func (fd *netFD) connect(to []byte) error {
	fd.wr.turn.Lock()
	defer fd.wr.turn.Unlock()
	fd.wr.unready()
	err := fd.p.sys.Connect(fd.sysfd, to)
	if err == nil {
		fd.wr.notify()
		return nil
	}
	if err != abi.EINPROGRESS && err != abi.EINTR {
		return err
	}
	return fd.connected()
}

// connected waits for the end of a connect that is under way. What wakes may have been something else: then there is no error and no peer.
func (fd *netFD) connected() error {
	for {
		if err := fd.wr.await(&fd.p.poller); err != nil {
			return err
		}
		fd.wr.unready()
		n, err := fd.p.sys.GetsockoptInt(fd.sysfd, abi.SOL_SOCKET, abi.SO_ERROR)
		if err != nil {
			return err
		}
		if n != 0 {
			return abi.Errno(n)
		}
		_, err = fd.p.sys.Getpeername(fd.sysfd)
		if err != abi.ENOTCONN {
			fd.wr.notify()
			return err
		}
	}
}

// accept waits for a connection.
func (fd *netFD) accept() (sysfd int, from []byte, err error) {
	fd.rd.turn.Lock()
	defer fd.rd.turn.Unlock()
	err = fd.try(&fd.rd, func() (err error) {
		sysfd, from, err = fd.p.sys.Accept(fd.sysfd, abi.SOCK_CLOEXEC|abi.SOCK_NONBLOCK|abi.SOCK_NOSIGPIPE)
		if err == abi.ECONNABORTED {
			err = abi.EINTR
		}
		return err
	})
	return sysfd, from, err
}
