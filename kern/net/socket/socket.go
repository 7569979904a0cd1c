package socket

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Socket is an open socket, as struct socket: what the descriptor's file has for Ops, and what a Protocol sees of the layer above.
type Socket struct {
	K     *kern.Kernel
	Layer *Layer
	// Domain, Type and Proto are what socket(2) was called with.
	Domain, Type, Proto int
	// UID is the effective user that made it, whom buffers are accounted to.
	UID uint32

	// Options has the SO_* bits of so_options that are set: abi.SO_BROADCAST, SO_REUSEADDR, ...
	Options atomic.Uint32
	// Rcvbuf and Sndbuf are SO_RCVBUF and SO_SNDBUF in bytes. A Domain's Open may store others than the defaults.
	Rcvbuf, Sndbuf atomic.Int32

	number   uint64
	protocol Protocol
	readSel  kern.Selinfo
	writeSel kern.Selinfo
	pollSel  kern.Selinfo // both

	rcvlowat, sndlowat atomic.Int32
	rcvtimeo, sndtimeo atomic.Int64  // in ticks; 0 for none
	linger             atomic.Int32  // seconds
	restarts           atomic.Uint32 // descriptors of the socket that have been closed
	failed             atomic.Bool   // err is set

	mu      sync.Mutex
	err     error // so_error
	charged int64 // what the user's buffers are charged for this socket
}

// hz is the number of ticks a second in which timeouts are kept.
const hz = 100

// The defaults of a socket whose domain sets no others.
const (
	defaultSpace  = 8192
	defaultSndLow = abi.MCLBYTES
	// leastSndbuf is the smallest send buffer that a socket begins with: the low-water mark, and what a pipe takes at once.
	leastSndbuf = defaultSndLow + abi.PIPE_BUF
)

// newSocket makes a socket without a protocol.
func (l *Layer) newSocket(t *kern.Thread, domain, typ, proto int) *Socket {
	so := &Socket{K: l.k, Layer: l, Domain: domain, Type: typ, Proto: proto, UID: t.Cred().Euid, number: l.sockets.Add(1)}
	so.Rcvbuf.Store(defaultSpace)
	so.Sndbuf.Store(defaultSpace)
	so.rcvlowat.Store(1)
	so.sndlowat.Store(defaultSndLow)
	return so
}

// open makes a socket with its protocol. Errors: EAFNOSUPPORT, ENOBUFS past the user's RLIMIT_SBSIZE, and those of Domain.Open.
func (l *Layer) open(t *kern.Thread, domain, typ, proto int) (*Socket, error) {
	d, err := l.domain(domain)
	if err != nil {
		return nil, err
	}
	so := l.newSocket(t, domain, typ, proto)
	if so.protocol, err = d.Open(t, so); err != nil {
		return nil, err
	}
	if err := so.reserve(t, max(so.Sndbuf.Load(), leastSndbuf), so.Rcvbuf.Load()); err != nil {
		so.protocol.Close(t)
		return nil, err
	}
	return so, nil
}

// accepted makes the socket of a connection that so has taken: with so's options and buffers. It has no protocol yet.
func (so *Socket) accepted(t *kern.Thread) *Socket {
	n := so.Layer.newSocket(t, so.Domain, so.Type, so.Proto)
	n.UID = so.UID
	n.Options.Store(so.Options.Load() &^ abi.SO_ACCEPTCONN)
	n.Rcvbuf.Store(so.Rcvbuf.Load())
	n.Sndbuf.Store(so.Sndbuf.Load())
	n.rcvlowat.Store(so.rcvlowat.Load())
	n.sndlowat.Store(so.sndlowat.Load())
	n.rcvtimeo.Store(so.rcvtimeo.Load())
	n.sndtimeo.Store(so.sndtimeo.Load())
	n.linger.Store(so.linger.Load())
	return n
}

// reserve charges the user for buffers of these sizes and sets them. Errors: ENOBUFS past RLIMIT_SBSIZE.
func (so *Socket) reserve(t *kern.Thread, snd, rcv int32) error {
	want := int64(snd) + int64(rcv)
	used := &so.K.UIDInfo(so.UID).Sbsize
	so.mu.Lock()
	defer so.mu.Unlock()
	more := want - so.charged
	if total := used.Add(more); more > 0 && uint64(total) > t.Rlimit(abi.RLIMIT_SBSIZE).Cur {
		used.Add(-more)
		return abi.ENOBUFS
	}
	so.charged = want
	so.Sndbuf.Store(snd)
	so.Rcvbuf.Store(rcv)
	so.sndlowat.Store(min(so.sndlowat.Load(), snd))
	so.rcvlowat.Store(min(so.rcvlowat.Load(), rcv))
	return nil
}

// Grow gives the socket larger buffers, as reserve does, for protocols that size them by themselves.
func (so *Socket) Grow(t *kern.Thread, snd, rcv int32) error { return so.reserve(t, snd, rcv) }

// unreserve gives back what reserve has charged.
func (so *Socket) unreserve() {
	so.mu.Lock()
	defer so.mu.Unlock()
	so.K.UIDInfo(so.UID).Sbsize.Add(-so.charged)
	so.charged = 0
}

// Number tells the socket from all others of the kernel: ki_fdata of kern.file2, ki_sockaddr of the lists of sockets.
func (so *Socket) Number() uint64 { return so.number }

// Owner is the effective user that made the socket.
func (so *Socket) Owner() uint32 { return so.UID }

// Protocol is the protocol's end.
func (so *Socket) Protocol() Protocol { return so.protocol }

// Option says whether a bit of so_options is set.
func (so *Socket) Option(bit uint32) bool { return so.Options.Load()&bit != 0 }

// setOption sets or clears a bit of so_options.
func (so *Socket) setOption(bit uint32, on bool) {
	if on {
		so.Options.Or(bit)
	} else {
		so.Options.And(^bit)
	}
}

// Linger is SO_LINGER: whether close is to wait until what has been sent has arrived, and how long. On and 0 is to drop the connection.
func (so *Socket) Linger() (on bool, d time.Duration) {
	return so.Option(abi.SO_LINGER), time.Duration(so.linger.Load()) * time.Second
}

// NotifyRead tells that there may be something to receive, accept or an end of file. The protocol's locks may be held only if
// Poll, which watchers call later, does not need them from inside the notification.
func (so *Socket) NotifyRead() {
	so.readSel.Notify(0)
	so.pollSel.Notify(0)
}

// NotifyWrite tells that there may be room to send, or that connecting has ended.
func (so *Socket) NotifyWrite() {
	so.writeSel.Notify(0)
	so.pollSel.Notify(0)
}

// SetError keeps an asynchronous error for the next call and SO_ERROR, and wakes everyone.
func (so *Socket) SetError(err error) {
	so.mu.Lock()
	so.err = err
	so.failed.Store(err != nil)
	so.mu.Unlock()
	so.NotifyRead()
	so.NotifyWrite()
}

// pendingError is the asynchronous error, which stays; nil for none.
func (so *Socket) pendingError() error {
	if !so.failed.Load() {
		return nil
	}
	so.mu.Lock()
	defer so.mu.Unlock()
	return so.err
}

// takeError is the asynchronous error, the socket's or the protocol's, and clears it; nil for none.
func (so *Socket) takeError() error {
	if so.failed.Load() {
		so.mu.Lock()
		err := so.err
		so.err = nil
		so.failed.Store(false)
		so.mu.Unlock()
		if err != nil {
			return err
		}
	}
	if e, ok := so.protocol.(ErrorTaker); ok {
		return e.TakeError()
	}
	return nil
}

// ended says which directions are over.
func (so *Socket) ended() (recv, send bool) {
	if e, ok := so.protocol.(Ender); ok {
		return e.Ended()
	}
	return false, false
}

// timeout is SO_RCVTIMEO or SO_SNDTIMEO as a wait takes it.
func timeout(ticks *atomic.Int64) time.Duration {
	if n := ticks.Load(); n > 0 {
		return time.Duration(n) * (time.Second / hz)
	}
	return kern.Forever
}

// wait waits at a Selinfo until try says true; without waiting, it tries once.
//
// Errors: EWOULDBLOCK, at once with nonblock or after the timeout; EINTR; EBADF when the calling process has closed the socket meanwhile.
func (so *Socket) wait(t *kern.Thread, sel *kern.Selinfo, nonblock bool, limit time.Duration, try func() bool) error {
	if nonblock {
		limit = 0
	}
	var closed error
	seen := so.restarts.Load()
	err := t.WaitFor(sel, limit, func() bool {
		if try() {
			return true
		}
		if now := so.restarts.Load(); now != seen {
			seen = now
			if !so.inTable(t) {
				closed = abi.EBADF
			}
		}
		return closed != nil
	})
	if err == nil {
		err = closed
	}
	return err
}

// inTable says whether a descriptor of the calling process is the socket's.
func (so *Socket) inTable(t *kern.Thread) bool {
	found := false
	t.Desc.Open(func(_ int, f *kern.File) { found = found || f.Ops == kern.Ops(so) })
	return found
}
