package route

import (
	"slices"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// domain is PF_ROUTE, route(4).
type domain struct{ t *Table }

// Open makes a routing socket; its protocol is the family whose messages it hears, AF_UNSPEC those of all.
//
// Errors: EPROTOTYPE and EPROTONOSUPPORT for others than SOCK_RAW.
func (d domain) Open(_ *kern.Thread, so *socket.Socket) (socket.Protocol, error) {
	if so.Type != abi.SOCK_RAW {
		if so.Proto != 0 {
			return nil, abi.EPROTONOSUPPORT
		}
		return nil, abi.EPROTOTYPE
	}
	s := &rawSocket{t: d.t, so: so, queue: socket.NewRecordQueue(so)}
	so.Options.Or(abi.SO_USELOOPBACK)
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	list := append(slices.Clone(d.t.listeners()), s)
	d.t.sockets.Store(&list)
	return s, nil
}

// rawSocket is a routing socket.
type rawSocket struct {
	t        *Table
	so       *socket.Socket
	queue    *socket.Queue
	shutSend atomic.Bool
}

var (
	_ socket.Protocol   = (*rawSocket)(nil)
	_ socket.Connecter  = (*rawSocket)(nil)
	_ socket.Shutdowner = (*rawSocket)(nil)
	_ socket.Counter    = (*rawSocket)(nil)
)

// routeSockaddr is the address of all routing sockets and of the kernel's end: the family alone.
func routeSockaddr() []byte { return []byte{2, abi.PF_ROUTE} }

// Send carries out a request, and gives the answer to all routing sockets that hear of the family, this one too unless SO_USELOOPBACK is off.
//
// Errors: EISCONN with an address, EINVAL for control messages and what is no message, ENOBUFS for next to nothing, EPROTONOSUPPORT for another RTM_VERSION,
// EACCES for all but RTM_GET of others than the superuser, EOPNOTSUPP for types that there are not, those of each type, EPIPE.
func (s *rawSocket) Send(t *kern.Thread, m *socket.Message, flags int) (int, error) {
	switch {
	case s.shutSend.Load():
		return 0, abi.EPIPE
	case flags&abi.MSG_OOB != 0:
		return 0, abi.EOPNOTSUPP
	case len(m.Control) > 0:
		return 0, abi.EINVAL
	case m.Name != nil:
		return 0, abi.EISCONN
	case len(m.Data) < 4:
		return 0, abi.ENOBUFS
	}
	var r request
	data := slices.Clone(m.Data)
	if !r.decodeHeader(data) {
		return 0, abi.EINVAL
	}
	reply, fam, err := s.t.serve(t, &r, data)
	s.t.broadcast(reply, fam, s.unheard())
	if err != nil {
		return 0, err
	}
	return len(m.Data), nil
}

// unheard is the socket itself when it does not want its own messages back.
func (s *rawSocket) unheard() *rawSocket {
	if s.so.Option(abi.SO_USELOOPBACK) {
		return nil
	}
	return s
}

// serve carries out a request whose header has been decoded. The reply says how it went, in rtm_errno or RTF_DONE; fam is the family that
// it is about.
func (t *Table) serve(th *kern.Thread, r *request, data []byte) (reply []byte, fam int, err error) {
	if r.Version != abi.RTM_VERSION {
		setErrno(data, abi.EPROTONOSUPPORT)
		return data, abi.AF_UNSPEC, abi.EPROTONOSUPPORT
	}
	r.Pid = int32(th.PID)
	le.PutUint32(data[rtmPidAt:], uint32(r.Pid))
	err = r.decodeAddrs(data[headerLen:])
	fam = family(r.addrs[abi.RTAX_DST])
	f := requests[r.Type]
	switch {
	case err != nil:
	case r.Type != abi.RTM_GET && !th.Cred().Root():
		err = abi.EACCES
	case f == nil:
		err = abi.EOPNOTSUPP
	default:
		t.Net.Config.Lock()
		reply, err = f(t, r)
		t.Net.Config.Unlock()
	}
	if err != nil {
		setErrno(data, abi.ToErrno(err))
		return data, fam, err
	}
	le.PutUint32(reply[rtmFlagsAt:], le.Uint32(reply[rtmFlagsAt:])|abi.RTF_DONE)
	return reply, fam, nil
}

// Offsets in struct rt_msghdr.
const (
	rtmFlagsAt = 8
	rtmPidAt   = 16
	rtmErrnoAt = 24
)

func setErrno(msg []byte, e abi.Errno) { le.PutUint32(msg[rtmErrnoAt:], uint32(e)) }

// listeners are the routing sockets. The slice is shared: not to be changed.
func (t *Table) listeners() []*rawSocket {
	if p := t.sockets.Load(); p != nil {
		return *p
	}
	return nil
}

// broadcast gives a message about a family, or AF_UNSPEC, to all routing sockets that hear of it, but for one.
func (t *Table) broadcast(msg []byte, fam int, but *rawSocket) {
	for _, s := range t.listeners() {
		if s == but || s.so.Proto != 0 && s.so.Proto != fam {
			continue
		}
		// What finds no room is lost: the queue counts it.
		_ = s.queue.Append(routeSockaddr(), msg, nil, 0)
	}
}

// Recv takes the next message.
func (s *rawSocket) Recv(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
	if flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	return s.queue.Recv(m, flags)
}

// Poll says that sending never waits.
func (s *rawSocket) Poll(events int) int {
	ready := events & (abi.POLLOUT | abi.POLLWRNORM)
	if s.queue.Readable() {
		ready |= events & (abi.POLLIN | abi.POLLRDNORM)
	}
	return ready
}

// Sockname is the family alone.
func (s *rawSocket) Sockname() ([]byte, error) { return routeSockaddr(), nil }

// Peername is the kernel's end: the family alone.
func (s *rawSocket) Peername() ([]byte, error) { return routeSockaddr(), nil }

// Connect is not supported: a routing socket is connected from the start.
func (s *rawSocket) Connect(*kern.Thread, []byte) error { return abi.EOPNOTSUPP }

// Shutdown has no message arrive any more, those that wait being lost, or none be sent.
func (s *rawSocket) Shutdown(t *kern.Thread, how int) error {
	if how != abi.SHUT_WR {
		s.queue.Close(t)
	}
	if how != abi.SHUT_RD {
		s.shutSend.Store(true)
	}
	return nil
}

// Counts are for FIONREAD and its kin: sending takes no room.
func (s *rawSocket) Counts() (readable, queued, space int) {
	return s.queue.Bytes(), 0, int(s.so.Sndbuf.Load())
}

// Close ends the socket.
func (s *rawSocket) Close(t *kern.Thread) error {
	s.t.mu.Lock()
	list := slices.DeleteFunc(slices.Clone(s.t.listeners()), func(o *rawSocket) bool { return o == s })
	s.t.sockets.Store(&list)
	s.t.mu.Unlock()
	s.queue.Close(t)
	return nil
}
