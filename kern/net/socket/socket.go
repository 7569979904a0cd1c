package socket

import (
	"sync"
	"sync/atomic"

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
	// Rcvbuf and Sndbuf are SO_RCVBUF and SO_SNDBUF in bytes.
	Rcvbuf, Sndbuf atomic.Int32

	protocol Protocol
	readSel  kern.Selinfo
	writeSel kern.Selinfo

	mu  sync.Mutex
	err error // so_error
}

// Protocol is the protocol's end.
func (so *Socket) Protocol() Protocol { return so.protocol }

// Option says whether a bit of so_options is set.
func (so *Socket) Option(bit uint32) bool { return so.Options.Load()&bit != 0 }

// NotifyRead tells that there may be something to receive, accept or an end of file. The protocol's locks may be held only if
// Poll, which watchers call later, does not need them from inside the notification.
func (so *Socket) NotifyRead() { so.readSel.Notify(0) }

// NotifyWrite tells that there may be room to send, or that connecting has ended.
func (so *Socket) NotifyWrite() { so.writeSel.Notify(0) }

// SetError keeps an asynchronous error for the next call and SO_ERROR, and wakes everyone.
func (so *Socket) SetError(err error) {
	so.mu.Lock()
	so.err = err
	so.mu.Unlock()
	so.NotifyRead()
	so.NotifyWrite()
}
