package socket_test

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// memory is a domain of sockets that are connected in memory: its addresses are struct sockaddr of three bytes, the last of which is
// the name. It is there to lead the layer down all its paths: it connects when connectAll is called, has urgent data and sends in pieces.
type memory struct {
	mu    sync.Mutex
	bound map[byte]*endpoint
	slow  bool // connecting takes until finish
	made  *endpoint
}

// pfMemory is the domain's number, which nothing else uses.
const pfMemory = abi.PF_PUP

type endpoint struct {
	d    *memory
	so   *socket.Socket
	q    *socket.Queue
	peer *endpoint // guarded by d.mu, as what follows

	name       byte
	listening  bool
	backlog    int
	waiting    []*endpoint
	connecting bool
	shutWrite  bool
	urgent     []byte
	atMark     bool
	closed     bool
	watched    map[int]int
	refuse     int // SetSocketOption refuses this option
}

func newMemory(k *kern.Kernel) *memory {
	d := &memory{bound: map[byte]*endpoint{}}
	socket.Of(k).Register(pfMemory, d)
	return d
}

func (d *memory) Open(_ *kern.Thread, so *socket.Socket) (socket.Protocol, error) {
	switch {
	case so.Proto != 0:
		return nil, abi.EPROTONOSUPPORT
	case so.Type != abi.SOCK_STREAM && so.Type != abi.SOCK_DGRAM:
		return nil, abi.EPROTOTYPE
	}
	so.Sndbuf.Store(4096)
	so.Rcvbuf.Store(4096)
	e, err := d.endpoint(so)
	d.mu.Lock()
	d.made = e
	d.mu.Unlock()
	return e, err
}

func (d *memory) endpoint(so *socket.Socket) (*endpoint, error) {
	e := &endpoint{d: d, so: so, watched: map[int]int{}}
	switch so.Type {
	case abi.SOCK_STREAM:
		e.q = socket.NewStreamQueue(so)
	case abi.SOCK_DGRAM:
		e.q = socket.NewRecordQueue(so)
	}
	e.q.Drained = func() {
		if p := e.other(); p != nil {
			p.so.NotifyWrite()
		}
	}
	return e, nil
}

func (e *endpoint) other() *endpoint {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	return e.peer
}

// last is the endpoint that was made last.
func (d *memory) last() *endpoint {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.made
}

func sockaddr(name byte) []byte { return []byte{3, pfMemory, name} }

func (e *endpoint) Send(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
	to := e.other()
	e.d.mu.Lock()
	if m.Name != nil {
		to = e.d.bound[m.Name[2]]
	}
	shut, connecting := e.shutWrite, e.connecting
	e.d.mu.Unlock()
	switch {
	case shut:
		return 0, abi.EPIPE
	case connecting:
		return 0, abi.EWOULDBLOCK
	case to == nil && m.Name == nil:
		return 0, abi.ENOTCONN
	case to == nil:
		return 0, abi.ECONNREFUSED
	}
	if flags&abi.MSG_OOB != 0 {
		e.d.mu.Lock()
		to.urgent, to.atMark = append([]byte(nil), m.Data...), true
		e.d.mu.Unlock()
		to.so.NotifyRead()
		return len(m.Data), nil
	}
	if e.so.Type == abi.SOCK_STREAM {
		return to.q.Write(int(e.so.Sndbuf.Load()), m.Data, m.Control)
	}
	if err := to.q.AppendWithin(int(e.so.Sndbuf.Load()), sockaddr(e.name), m.Data, m.Control, flags&abi.MSG_EOR); err != nil {
		return 0, err
	}
	return len(m.Data), nil
}

func (e *endpoint) Recv(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
	if flags&abi.MSG_OOB == 0 {
		return e.q.Recv(m, flags)
	}
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	if e.urgent == nil {
		return 0, abi.EINVAL
	}
	n := copy(m.Data, e.urgent)
	if flags&abi.MSG_PEEK == 0 {
		e.urgent, e.atMark = nil, false
	}
	m.Flags = abi.MSG_OOB
	return n, nil
}

func (e *endpoint) Offer(m *socket.Message) (int, bool, error) { return e.q.Offer(m) }
func (e *endpoint) Withdraw() int                              { return e.q.Withdraw() }
func (e *endpoint) PassRights(int) error                       { return nil }

func (e *endpoint) AtMark() bool {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	return e.atMark
}

func (e *endpoint) Poll(events int) int {
	got := 0
	if e.q.Readable() || e.Backlog() > 0 {
		got |= events & (abi.POLLIN | abi.POLLRDNORM)
	}
	if e.AtMark() {
		got |= events & abi.POLLPRI
	}
	if to := e.other(); to != nil {
		e.d.mu.Lock()
		ready := !e.connecting
		e.d.mu.Unlock()
		if ready && to.q.Room(int(e.so.Sndbuf.Load())) > 0 {
			got |= events & (abi.POLLOUT | abi.POLLWRNORM)
		}
	}
	return got
}

func (e *endpoint) Counts() (readable, queued, space int) {
	to := e.other()
	if to == nil {
		return e.q.Bytes(), 0, 0
	}
	return e.q.Bytes(), to.q.Bytes(), to.q.Room(int(e.so.Sndbuf.Load()))
}

func (e *endpoint) Ended() (recv, send bool) {
	e.d.mu.Lock()
	send = e.shutWrite
	e.d.mu.Unlock()
	return e.q.Ended(), send
}

func (e *endpoint) Overflowed() int { return int(e.q.Lost()) }

func (e *endpoint) Sockname() ([]byte, error) { return sockaddr(e.name), nil }

func (e *endpoint) Peername() ([]byte, error) {
	if p := e.other(); p != nil {
		return sockaddr(p.name), nil
	}
	return nil, abi.ENOTCONN
}

func (e *endpoint) Bind(_ *kern.Thread, addr []byte) error {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	if e.d.bound[addr[2]] != nil {
		return abi.EADDRINUSE
	}
	e.name = addr[2]
	e.d.bound[e.name] = e
	return nil
}

func (e *endpoint) Listen(_ *kern.Thread, backlog int) error {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	e.listening, e.backlog = true, backlog
	return nil
}

func (e *endpoint) Backlog() int {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	return len(e.waiting)
}

// Connect is done at once, or when finish is called if the domain is slow.
func (e *endpoint) Connect(_ *kern.Thread, addr []byte) error {
	e.d.mu.Lock()
	if e.connecting {
		e.d.mu.Unlock()
		return abi.EALREADY
	}
	to := e.d.bound[addr[2]]
	if to == nil || !to.listening {
		e.d.mu.Unlock()
		return abi.ECONNREFUSED
	}
	to.waiting = append(to.waiting, e)
	e.connecting = e.d.slow
	slow := e.d.slow
	e.d.mu.Unlock()
	to.so.NotifyRead()
	if slow {
		return abi.EINPROGRESS
	}
	return nil
}

// finish ends the connecting of an endpoint, with an error if there is one.
func (e *endpoint) finish(err error) {
	e.d.mu.Lock()
	e.connecting = false
	e.d.mu.Unlock()
	if err != nil {
		e.so.SetError(err)
	}
	e.so.NotifyWrite()
}

func (e *endpoint) Accept(_ *kern.Thread, so *socket.Socket) (socket.Protocol, []byte, error) {
	e.d.mu.Lock()
	if len(e.waiting) == 0 {
		e.d.mu.Unlock()
		return nil, nil, abi.EWOULDBLOCK
	}
	from := e.waiting[0]
	e.waiting = e.waiting[1:]
	e.d.mu.Unlock()
	n, err := e.d.endpoint(so)
	if err != nil {
		return nil, nil, err
	}
	n.name = e.name
	n.join(from)
	return n, sockaddr(from.name), nil
}

func (e *endpoint) join(p *endpoint) {
	e.d.mu.Lock()
	e.peer, p.peer = p, e
	e.d.mu.Unlock()
	e.so.NotifyWrite()
	p.so.NotifyWrite()
}

func (e *endpoint) Pair(_ *kern.Thread, other socket.Protocol) error {
	e.join(other.(*endpoint))
	return nil
}

func (e *endpoint) Shutdown(t *kern.Thread, how int) error {
	if how != abi.SHUT_WR {
		e.q.Close(t)
	}
	if how != abi.SHUT_RD {
		e.d.mu.Lock()
		e.shutWrite = true
		e.d.mu.Unlock()
		if p := e.other(); p != nil {
			p.q.End()
		}
		e.so.NotifyWrite()
	}
	return nil
}

func (e *endpoint) SetSocketOption(name, value int) error {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	if name == e.refuse {
		return abi.EOPNOTSUPP
	}
	e.watched[name] = value
	return nil
}

func (e *endpoint) Close(t *kern.Thread) error {
	e.q.Close(t)
	p := e.other()
	e.d.mu.Lock()
	if e.d.bound[e.name] == e {
		delete(e.d.bound, e.name)
	}
	e.peer, e.closed = nil, true
	if p != nil {
		p.peer, p.shutWrite = nil, true
	}
	e.d.mu.Unlock()
	if p != nil {
		p.q.End()
		p.so.NotifyWrite()
	}
	return nil
}
