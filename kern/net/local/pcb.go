package local

import (
	"bytes"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// pcb is one end of local communication: a socket's, or that of a connection that waits to be accepted.
type pcb struct {
	d    *Domain
	typ  int
	q    *socket.Queue // what has arrived
	made time.Time
	ino  uint64

	so   atomic.Pointer[socket.Socket] // nil until it is accepted
	peer atomic.Pointer[pcb]           // changed under d.mu
	// cantSend says that nothing can be sent any more: shutdown(2), or the peer has gone.
	cantSend atomic.Bool
	// The options that the other end looks at when it sends.
	wantCreds, wantOldCreds atomic.Bool
	// connecting is set with LOCAL_CONNWAIT until the other end is accepted.
	connecting atomic.Bool

	// What follows is guarded by d.mu.
	addr      []byte // struct sockaddr_un, nil for none
	vnode     *vfs.Vnode
	busy      bool // a path is being looked up for bind or connect
	connWait  bool
	listening bool
	backlog   int
	waiting   []*pcb            // connections to be accepted
	from      map[*pcb]struct{} // datagram sockets that are connected to this one
	binder    *abi.Unpcbid      // who has bound it
	connid    *abi.Unpcbid      // who is at the other end
}

var (
	_ socket.Binder       = (*pcb)(nil)
	_ socket.Connecter    = (*pcb)(nil)
	_ socket.Listener     = (*pcb)(nil)
	_ socket.Pairer       = (*pcb)(nil)
	_ socket.Shutdowner   = (*pcb)(nil)
	_ socket.Optioner     = (*pcb)(nil)
	_ socket.Counter      = (*pcb)(nil)
	_ socket.Ender        = (*pcb)(nil)
	_ socket.Backlogger   = (*pcb)(nil)
	_ socket.RightsPasser = (*pcb)(nil)
	_ socket.Overflower   = (*pcb)(nil)
	_ socket.Stater       = (*pcb)(nil)
	_ socket.Rendezvous   = (*pcb)(nil)
)

// connects says whether the type is one of connections.
func (p *pcb) connects() bool { return p.typ != abi.SOCK_DGRAM }

func (p *pcb) notifyWrite() {
	if so := p.so.Load(); so != nil {
		so.NotifyWrite()
	}
}

// drained tells the peer that there is room again.
func (p *pcb) drained() {
	if peer := p.peer.Load(); peer != nil && p.connects() {
		peer.notifyWrite()
	}
}

// noName is the address of a socket without one.
func noName() []byte { return []byte{2, abi.AF_LOCAL} }

// name is the socket's address; called with d.mu held.
func (p *pcb) name() []byte {
	if p.addr == nil {
		return noName()
	}
	return p.addr
}

// Sockname is the address that the socket is bound to.
func (p *pcb) Sockname() ([]byte, error) {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	return p.name(), nil
}

// Peername is the other end's address. Errors: ENOTCONN.
func (p *pcb) Peername() ([]byte, error) {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	peer := p.peer.Load()
	if peer == nil || p.connecting.Load() {
		return nil, abi.ENOTCONN
	}
	return peer.name(), nil
}

// sunPath is the path in a struct sockaddr_un. Errors: EAFNOSUPPORT.
func sunPath(addr []byte) ([]byte, error) {
	if socket.Family(addr) != abi.AF_LOCAL {
		return nil, abi.EAFNOSUPPORT
	}
	path := addr[2:]
	if i := bytes.IndexByte(path, 0); i >= 0 {
		path = path[:i]
	}
	return path, nil
}

// begin says that a path is being looked up for the socket: one at a time. Errors: EALREADY, and what check says.
func (p *pcb) begin(check func() error) error {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	if err := check(); err != nil {
		return err
	}
	if p.busy {
		return abi.EALREADY
	}
	p.busy = true
	return nil
}

func (p *pcb) done() {
	p.d.mu.Lock()
	p.busy = false
	p.d.mu.Unlock()
}

func credID(t *kern.Thread) *abi.Unpcbid {
	c := t.Cred()
	return &abi.Unpcbid{Pid: int32(t.PID), Euid: c.Euid, Egid: c.Egid}
}

// Bind makes the socket's node in the file system.
//
// Errors: EINVAL when it is bound already, EADDRINUSE for a path that is there, EAFNOSUPPORT, EALREADY, and those of a lookup.
func (p *pcb) Bind(t *kern.Thread, addr []byte) error {
	path, err := sunPath(addr)
	if err != nil {
		return err
	}
	err = p.begin(func() error {
		if p.vnode != nil {
			return abi.EINVAL
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer p.done()
	vp, err := p.d.vfs.MakeSocket(t, path)
	if err != nil {
		return err
	}
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	p.vnode, p.addr, p.binder = vp, addr, credID(t)
	p.d.bound[vp] = p
	return nil
}

// Listen lets connections wait. Errors: EOPNOTSUPP for datagrams; EINVAL when it is not bound, or connected.
func (p *pcb) Listen(_ *kern.Thread, backlog int) error {
	if !p.connects() {
		return abi.EOPNOTSUPP
	}
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	if p.vnode == nil || p.peer.Load() != nil {
		return abi.EINVAL
	}
	p.listening, p.backlog = true, backlog
	return nil
}

// Backlog is how many connections wait.
func (p *pcb) Backlog() int {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	return len(p.waiting)
}

// Poll says what can be done. A listening socket can be read when a connection waits.
func (p *pcb) Poll(events int) int {
	got := 0
	const in, out = abi.POLLIN | abi.POLLRDNORM, abi.POLLOUT | abi.POLLWRNORM
	if events&in != 0 && (p.q.Readable() || p.Backlog() > 0) {
		got |= events & in
	}
	if events&out != 0 && p.writable() {
		got |= events & out
	}
	return got
}

func (p *pcb) writable() bool {
	if p.cantSend.Load() || !p.connects() {
		return true
	}
	_, _, space := p.Counts()
	return space > 0
}

// Counts are the bytes that have arrived, those that the peer has not received, and how many more there is room for.
func (p *pcb) Counts() (readable, queued, space int) {
	readable = p.q.Bytes()
	limit := p.limit()
	if !p.connects() {
		return readable, 0, limit
	}
	peer := p.peer.Load()
	if peer == nil || p.connecting.Load() {
		return readable, 0, 0
	}
	return readable, peer.q.Bytes(), peer.q.Room(limit)
}

// limit is how much may be on its way to the peer.
func (p *pcb) limit() int {
	if so := p.so.Load(); so != nil {
		return int(so.Sndbuf.Load())
	}
	return streamSpace
}

// Ended says which directions are over.
func (p *pcb) Ended() (recv, send bool) { return p.q.Ended(), p.cantSend.Load() }

// Overflowed is how many datagrams found no room.
func (p *pcb) Overflowed() int { return int(p.q.Lost()) }

// PassRights says that descriptors are passed. Errors: EAGAIN for more files on their way than may be.
func (p *pcb) PassRights(n int) error {
	if p.d.inFlight()+n > maxInFlight {
		return abi.EAGAIN
	}
	return nil
}

// Stat fills in what fstat(2) tells of a local socket: a stream's block is what its sender and its receiver hold.
func (p *pcb) Stat(st *abi.Stat) {
	if peer := p.peer.Load(); peer != nil && p.connects() {
		st.Blksize += int32(peer.q.Bytes())
	}
	made := kern.Timespec(p.made)
	st.Dev, st.Ino = noDev, p.ino
	st.Atim, st.Mtim, st.Ctim = made, made, made
}

// noDev is the number of no device, NODEV.
const noDev = ^uint64(0)
