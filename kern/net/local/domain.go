package local

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// The sizes of buffers that sockets begin with. What a stream's sender may have on its way is its own SO_SNDBUF; a datagram's is bounded by
// its receiver's SO_RCVBUF.
const (
	streamSpace  = 4096
	datagramSend = 2048
	datagramRecv = 4096
)

// Domain is the local sockets of a kernel.
type Domain struct {
	k   *kern.Kernel
	vfs *vfs.VFS

	// passing is held shared while files are sent or received in messages, so that the collector sees them stand still.
	passing sync.RWMutex
	passed  atomic.Bool // files have been sent since the collector last found none

	// mu guards the domain's tables and all that connects sockets with each other; what needs the file system or may wait is done without.
	mu      sync.Mutex
	bound   map[*vfs.Vnode]*pcb
	pcbs    map[*pcb]struct{}
	lastIno uint64
}

// Attach brings the domain to a kernel that has sockets and files.
func Attach(k *kern.Kernel) error {
	d := &Domain{k: k, vfs: vfs.Of(k), bound: map[*vfs.Vnode]*pcb{}, pcbs: map[*pcb]struct{}{}}
	socket.Of(k).Register(abi.PF_LOCAL, d)
	return d.createSysctls()
}

// Open makes a socket's end. Errors: EPROTONOSUPPORT for any protocol but 0, EPROTOTYPE.
func (d *Domain) Open(_ *kern.Thread, so *socket.Socket) (socket.Protocol, error) {
	switch {
	case so.Proto != 0:
		return nil, abi.EPROTONOSUPPORT
	case so.Type == abi.SOCK_STREAM, so.Type == abi.SOCK_SEQPACKET:
		so.Sndbuf.Store(streamSpace)
		so.Rcvbuf.Store(streamSpace)
	case so.Type == abi.SOCK_DGRAM:
		so.Sndbuf.Store(datagramSend)
		so.Rcvbuf.Store(datagramRecv)
	default:
		return nil, abi.EPROTOTYPE
	}
	return d.newPCB(so.Type, so), nil
}

// newPCB makes an end; so is nil for that of a connection that waits to be accepted.
func (d *Domain) newPCB(typ int, so *socket.Socket) *pcb {
	p := &pcb{d: d, typ: typ, made: d.k.Now()}
	if typ == abi.SOCK_STREAM {
		p.q = socket.NewStreamQueue(so)
	} else {
		p.q = socket.NewRecordQueue(so)
	}
	p.q.Drained = p.drained
	if so != nil {
		p.so.Store(so)
	}
	d.mu.Lock()
	d.lastIno++
	p.ino = d.lastIno
	d.pcbs[p] = struct{}{}
	d.mu.Unlock()
	return p
}
