package inpcb

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// tcp is a TCP socket over an endpoint of the stack.
type tcp struct {
	pcb
	ep    tcpip.Endpoint
	wq    *waiter.Queue
	entry waiter.Entry

	backlog  atomic.Int32 // that the stack has not taken yet; -1 for none
	keepInit atomic.Int32 // TCP_KEEPINIT in seconds

	mu       sync.Mutex
	closed   bool        // by the user
	sized    bool        // SO_RCVBUF or SO_SNDBUF has been set
	giveUp   tcpip.Timer // of a connection that is being made, or of one that is in TIME_WAIT
	timedOut bool        // the connection was given up
}

var (
	_ socket.Protocol      = (*tcp)(nil)
	_ socket.Binder        = (*tcp)(nil)
	_ socket.Connecter     = (*tcp)(nil)
	_ socket.Listener      = (*tcp)(nil)
	_ socket.Shutdowner    = (*tcp)(nil)
	_ socket.Optioner      = (*tcp)(nil)
	_ socket.OptionWatcher = (*tcp)(nil)
	_ socket.Ioctler       = (*tcp)(nil)
	_ socket.Counter       = (*tcp)(nil)
	_ socket.ErrorTaker    = (*tcp)(nil)
	_ socket.Ender         = (*tcp)(nil)
	_ socket.Lingerer      = (*tcp)(nil)
	_ waiter.EventListener = (*tcp)(nil)
)

// newTCP makes a socket. Errors: EAFNOSUPPORT.
func (ts *Tables) newTCP(so *socket.Socket, v6 bool) (*tcp, error) {
	proto := header.IPv4ProtocolNumber
	if v6 {
		proto = header.IPv6ProtocolNumber
	}
	wq := new(waiter.Queue)
	ep, err := ts.stack.NewEndpoint(gtcp.ProtocolNumber, proto, wq)
	if err != nil {
		return nil, abi.EAFNOSUPPORT
	}
	send, recv := ts.tcpSpace()
	so.Sndbuf.Store(send)
	so.Rcvbuf.Store(recv)
	ep.SocketOptions().SetSendBufferSize(int64(send), false)
	ep.SocketOptions().SetReceiveBufferSize(windowSpace*int64(recv), false)
	p := &tcp{ep: ep, wq: wq}
	p.start(ts, so, v6)
	return p, nil
}

// start enters a new socket in its table and connects it with its endpoint. Which ports may be shared is decided by the table, so the
// stack is told that all may.
func (p *tcp) start(ts *Tables, so *socket.Socket, v6 bool) {
	p.self = p
	p.backlog.Store(-1)
	p.init(ts, ts.tcp, so, v6, abi.IPPROTO_TCP)
	p.opt.ttl = ts.defaultTTL()
	ops := p.ep.SocketOptions()
	ops.SetReuseAddress(true)
	ops.SetReusePort(true)
	p.defaultKeepalive()
	p.entry.Init(p, waiter.ReadableEvents|waiter.WritableEvents|waiter.EventErr|waiter.EventHUp)
	p.wq.EventRegister(&p.entry)
}

// NotifyEvent is called by the stack, with locks of the endpoint's held.
func (p *tcp) NotifyEvent(mask waiter.EventMask) {
	p.so.NotifyRead()
	p.so.NotifyWrite()
	if mask&(waiter.EventHUp|waiter.ReadableEvents) != 0 {
		p.ended()
	}
}

// ended sees whether a socket that is closed has come to its end, or is in TIME_WAIT.
func (p *tcp) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		return
	}
	if final(p.epState()) {
		p.stopTimer()
		p.leave()
		return
	}
	if p.giveUp == nil {
		p.giveUp = p.ts.stack.Clock().AfterFunc(p.timeWait(), p.endTimeWait)
	}
}

// stopTimer is called with p.mu held.
func (p *tcp) stopTimer() {
	if p.giveUp != nil {
		p.giveUp.Stop()
		p.giveUp = nil
	}
}

// epState is the endpoint's state.
func (p *tcp) epState() gtcp.EndpointState { return gtcp.EndpointState(p.ep.State()) }

// final says whether a connection is over, or failed.
func final(s gtcp.EndpointState) bool { return s == gtcp.StateClose || s == gtcp.StateError }

// phase is what a state means for the calls of a socket.
type phase int

const (
	idle phase = iota // not connected yet
	listening
	connecting
	established // or being closed, but not over
	over
)

// phases are those of the states; those that are not here are established.
var phases = map[gtcp.EndpointState]phase{
	gtcp.StateInitial: idle, gtcp.StateBound: idle, gtcp.StateListen: listening, gtcp.StateConnecting: connecting,
	gtcp.StateSynSent: connecting, gtcp.StateSynRecv: connecting, gtcp.StateClose: over, gtcp.StateError: over,
}

func phaseOf(s gtcp.EndpointState) phase {
	if ph, ok := phases[s]; ok {
		return ph
	}
	return established
}

func (p *tcp) phase() phase { return phaseOf(p.epState()) }

// Bind gives the socket its own address.
//
// Errors: EINVAL (bound already, or an IPv4-mapped address on a socket for IPv6 alone), EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EACCES.
func (p *tcp) Bind(t *kern.Thread, sa []byte) error {
	a, err := p.parse(sa)
	if err != nil {
		return err
	}
	if err := p.ts.local(a, false); err != nil {
		return err
	}
	return p.bindTo(t, a)
}

// parse reads an address. Errors: EINVAL, EAFNOSUPPORT, ENXIO.
func (p *pcb) parse(sa []byte) (address, error) {
	a, err := parse(p.v6, sa)
	if err == nil && a.ip.Is4In6() && p.only6() {
		err = abi.EINVAL
	}
	return a, err
}

// bindTo binds the socket and its endpoint.
func (p *tcp) bindTo(t *kern.Thread, a address) error {
	err := p.bind(t, a)
	if err == abi.EAGAIN && p.ts.recycle(p.v6) {
		err = p.bind(t, a)
	}
	if err != nil {
		return err
	}
	local, _, _ := p.names()
	p.ep.SocketOptions().SetV6Only(p.only6())
	if err := p.ep.Bind(local.full()); err != nil {
		p.unbind()
		return errnoOf(err)
	}
	return nil
}

// Connect begins to connect. Errors: EINPROGRESS, EALREADY, EISCONN, EINVAL after a connection that failed or is over, EADDRINUSE,
// EADDRNOTAVAIL, EAFNOSUPPORT, EHOSTUNREACH, ENETUNREACH, EAGAIN without a free port.
func (p *tcp) Connect(t *kern.Thread, sa []byte) error {
	switch p.phase() {
	case connecting:
		return abi.EALREADY
	case established:
		return abi.EISCONN
	case over:
		return abi.EINVAL
	}
	foreign, err := p.parse(sa)
	if err == nil {
		foreign, err = p.ts.destination(foreign)
	}
	if err != nil {
		return err
	}
	if ip := foreign.ip.Unmap(); ip.IsMulticast() || ip.Is4() && p.ts.in.IsBroadcast(ip) {
		return abi.EADDRNOTAVAIL
	}
	local, _, _ := p.names()
	src, err := p.ts.source(local, foreign, nil)
	if err == nil && p.so.Option(abi.SO_DONTROUTE) {
		err = p.ts.direct(foreign)
	}
	if err != nil {
		return err
	}
	if local.port == 0 {
		if err := p.bindTo(t, unspecified(p.v6)); err != nil {
			return err
		}
	}
	if err := p.connectTo(src, foreign); err != nil {
		return err
	}
	return p.connect(local, foreign)
}

// connect has the endpoint connect; local is what the socket was bound to.
func (p *tcp) connect(local, foreign address) error {
	p.apply()
	err := p.ep.Connect(foreign.full())
	if _, ok := err.(*tcpip.ErrConnectStarted); !ok && err != nil {
		p.disconnect(local)
		return errnoOf(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.giveUp == nil {
		p.giveUp = p.ts.stack.Clock().AfterFunc(time.Duration(p.keepInit.Load())*time.Second, p.connectTimedOut)
	}
	return abi.EINPROGRESS
}

// connectTimedOut gives a connection up that has not been made in time.
func (p *tcp) connectTimedOut() {
	p.mu.Lock()
	p.giveUp = nil
	late := p.phase() == connecting && !p.closed
	p.timedOut = late
	p.mu.Unlock()
	if late {
		p.ep.Abort()
		p.so.NotifyRead()
		p.so.NotifyWrite()
	}
}

// Peername is the address of the other end. Errors: ENOTCONN, while connecting too.
func (p *tcp) Peername() ([]byte, error) {
	if p.phase() != established {
		return nil, abi.ENOTCONN
	}
	return p.pcb.Peername()
}

// Listen lets backlog connections wait. NetBSD takes new ones as long as no more than backlog wait, so that backlog and one more can.
//
// Errors: EINVAL for a connected socket; EACCES, EAGAIN.
func (p *tcp) Listen(t *kern.Thread, backlog int) error {
	switch p.phase() {
	case connecting, established, over:
		return abi.EINVAL
	}
	if local, _, _ := p.names(); local.port == 0 {
		if err := p.bindTo(t, unspecified(p.v6)); err != nil {
			return err
		}
	}
	p.apply()
	return p.setBacklog(int32(backlog) + 1)
}

// setBacklog tells the stack how long its queue may be. It takes no length that is exceeded already: that is tried again when a
// connection has been taken.
func (p *tcp) setBacklog(n int32) error {
	again := p.phase() == listening
	p.backlog.Store(-1)
	err := p.ep.Listen(int(n))
	if _, ok := err.(*tcpip.ErrInvalidEndpointState); ok && again {
		p.backlog.Store(n)
		return nil
	}
	return errnoOf(err)
}

// Accept takes the first connection that waits.
//
// Errors: EWOULDBLOCK, EINVAL for a socket that does not listen, ECONNABORTED for a connection that its peer has reset.
func (p *tcp) Accept(t *kern.Thread, so *socket.Socket) (socket.Protocol, []byte, error) {
	ep, wq, err := p.ep.Accept(nil)
	if err != nil {
		return nil, nil, errnoOf(err)
	}
	if more := p.backlog.Load(); more >= 0 {
		_ = p.setBacklog(more)
	}
	n := &tcp{ep: ep, wq: wq}
	n.start(p.ts, so, p.v6)
	local, lerr := ep.GetLocalAddress()
	foreign, ferr := ep.GetRemoteAddress()
	if lerr != nil || ferr != nil {
		n.Close(t)
		return nil, nil, abi.ECONNABORTED
	}
	peer := fromFull(p.v6, foreign)
	n.accepted(p, fromFull(p.v6, local), peer)
	return n, peer.sockaddr(), nil
}

// accepted gives a new connection its addresses and the options of the socket that it was made for.
func (p *tcp) accepted(from *tcp, local, foreign address) {
	tb := p.tb
	tb.mu.Lock()
	tb.setPort(&p.pcb, local.port)
	p.local, p.foreign, p.state, p.v6only = local, foreign, connected, from.v6only
	tb.mu.Unlock()
	from.opt.mu.Lock()
	p.opt.tos, p.opt.ttl, p.opt.hops = from.opt.tos, from.opt.ttl, from.opt.hops
	p.opt.sticky.tclass = from.opt.sticky.tclass
	from.opt.mu.Unlock()
	p.ep.SocketOptions().SetDelayOption(from.ep.SocketOptions().GetDelayOption())
	p.inheritBuffers(from)
	p.inheritKeepalive(from)
	p.apply()
}

// Send sends as much as there is room for. Errors: EWOULDBLOCK, ENOTCONN, EPIPE, EOPNOTSUPP for MSG_OOB, EINVAL for control messages.
func (p *tcp) Send(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
	switch {
	case flags&abi.MSG_OOB != 0:
		return 0, abi.EOPNOTSUPP
	case len(m.Control) > 0:
		return 0, abi.EINVAL
	}
	if ph := p.phase(); ph != established && ph != over {
		return 0, abi.ENOTCONN
	}
	if len(m.Data) == 0 {
		return 0, nil
	}
	n, err := p.ep.Write(bytes.NewReader(m.Data), tcpip.WriteOptions{})
	if n > 0 || err == nil {
		return int(n), nil
	}
	return 0, p.errno(err)
}

// Recv receives what is there. Errors: EWOULDBLOCK, ENOTCONN, ECONNRESET, ETIMEDOUT, EOPNOTSUPP for MSG_OOB.
func (p *tcp) Recv(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
	if flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	switch p.phase() {
	case idle, listening:
		return 0, abi.ENOTCONN
	}
	if len(m.Data) == 0 {
		if p.Poll(abi.POLLIN) == 0 {
			return 0, abi.EWOULDBLOCK
		}
		return 0, nil
	}
	w := tcpip.SliceWriter(m.Data)
	r, err := p.ep.Read(&w, tcpip.ReadOptions{Peek: flags&abi.MSG_PEEK != 0})
	switch err.(type) {
	case nil:
		if flags&abi.MSG_PEEK == 0 {
			p.ep.ModerateRecvBuf(r.Count)
		}
		return r.Count, nil
	case *tcpip.ErrClosedForReceive:
		return 0, nil
	}
	return 0, p.errno(err)
}

// errno is an error of the endpoint, which the stack may keep twice and is told once; a connection that was given up timed out.
func (p *tcp) errno(err tcpip.Error) error {
	if _, ok := err.(*tcpip.ErrWouldBlock); ok || err == nil {
		return errnoOf(err)
	}
	p.ep.SocketOptions().GetLastError()
	if _, ok := err.(*tcpip.ErrAborted); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.timedOut {
			return abi.ETIMEDOUT
		}
	}
	return errnoOf(err)
}

// asyncErrnos are the errors of ICMP that the stack has other names for than inetctlerrmap has.
var asyncErrnos = map[error]error{
	abi.ENETUNREACH: abi.EHOSTUNREACH, abi.ENETDOWN: abi.EHOSTUNREACH, abi.EHOSTDOWN: abi.EHOSTUNREACH,
	abi.EOPNOTSUPP: abi.EHOSTUNREACH, abi.ENOPROTOOPT: abi.ECONNREFUSED,
}

// TakeError is what the connection failed with, once. What ICMP says of a connection that is made is no failure.
func (p *tcp) TakeError() error {
	err := p.errno(p.ep.SocketOptions().GetLastError())
	if p.phase() == established {
		return nil
	}
	if e, ok := asyncErrnos[err]; ok {
		return e
	}
	return err
}

// Poll says what can be done without waiting. A socket that is not connected yet can do nothing, one whose connection is over anything.
func (p *tcp) Poll(events int) int {
	const read, write = abi.POLLIN | abi.POLLRDNORM, abi.POLLOUT | abi.POLLWRNORM
	got := 0
	switch p.phase() {
	case idle, connecting:
		return 0
	case over:
		return events & (read | write)
	}
	ready := p.ep.Readiness(waiter.ReadableEvents | waiter.WritableEvents)
	if ready&waiter.ReadableEvents != 0 {
		got |= read
	}
	if ready&waiter.WritableEvents != 0 {
		got |= write
	}
	return got & events
}

// Counts are the bytes that wait to be read, and the room for others. How much the peer has not taken yet the stack does not tell.
func (p *tcp) Counts() (readable, queued, space int) {
	if p.phase() == listening {
		return 0, 0, 0
	}
	readable, err := p.ep.GetSockOptInt(tcpip.ReceiveQueueSizeOption)
	if err != nil {
		readable = 0
	}
	if p.Poll(abi.POLLOUT) != 0 {
		space = int(p.so.Sndbuf.Load())
	}
	return readable, 0, space
}

// Ended says which directions are over.
func (p *tcp) Ended() (recv, send bool) {
	switch p.epState() {
	case gtcp.StateCloseWait:
		recv = true
	case gtcp.StateFinWait1, gtcp.StateFinWait2:
		send = true
	case gtcp.StateClosing, gtcp.StateLastAck, gtcp.StateTimeWait, gtcp.StateClose, gtcp.StateError:
		recv, send = true, true
	}
	return recv, send
}

// shutdowns are shutdown(2)'s ways.
var shutdowns = map[int]tcpip.ShutdownFlags{
	abi.SHUT_RD: tcpip.ShutdownRead, abi.SHUT_WR: tcpip.ShutdownWrite, abi.SHUT_RDWR: tcpip.ShutdownRead | tcpip.ShutdownWrite,
}

// Shutdown ends directions. Errors: ENOTCONN.
func (p *tcp) Shutdown(_ *kern.Thread, how int) error {
	if ph := p.phase(); ph != established && ph != connecting {
		return abi.ENOTCONN
	}
	return errnoOf(p.ep.Shutdown(shutdowns[how]))
}

// Close closes the connection, which goes on in the background until the peer has taken everything.
func (p *tcp) Close(*kern.Thread) error {
	p.mu.Lock()
	p.stopTimer()
	p.closed = true
	p.mu.Unlock()
	p.dropAll()
	p.setLinger()
	p.ep.Close()
	p.ended()
	return nil
}

// Closed says whether the peer has taken all that was sent and the connection is, on this side, closed.
func (p *tcp) Closed() bool {
	s := p.epState()
	return final(s) || s == gtcp.StateTimeWait || s == gtcp.StateFinWait2 || s == gtcp.StateInitial || s == gtcp.StateBound
}

// endTimeWait ends TIME_WAIT where NetBSD does: the stack knows one length of it for all connections.
func (p *tcp) endTimeWait() {
	p.mu.Lock()
	p.giveUp = nil
	waits := p.epState() == gtcp.StateTimeWait
	p.mu.Unlock()
	if waits {
		p.ep.Abort()
	}
	p.ended()
}

// recycled is how many connections recycle ends at once.
const recycled = 256

// recycle ends the oldest connections in TIME_WAIT, of those within the host, which no segment can be late for: all ports are taken. It says
// whether there were any.
func (ts *Tables) recycle(v6 bool) bool {
	n := 0
	list := ts.tcp.list(v6)
	for i := len(list) - 1; i >= 0 && n < recycled; i-- {
		if p := list[i].self.(*tcp); p.epState() == gtcp.StateTimeWait && p.within() {
			p.endTimeWait()
			n++
		}
	}
	return n > 0
}

// within says whether the connection is one within the host.
func (p *pcb) within() bool {
	_, foreign, _ := p.names()
	_, own := p.ts.in.LocalAddr(foreign.ip.Unmap(), foreign.scope)
	return own
}

// Ioctl serves those of interfaces' addresses.
func (p *tcp) Ioctl(t *kern.Thread, cmd uint32, data []byte) error { return p.ioctl(t, cmd, data) }
