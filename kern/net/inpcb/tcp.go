package inpcb

import (
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// tcp is a TCP socket over an endpoint of the stack.
type tcp struct {
	pcb
	ep    tcpip.Endpoint
	wq    *waiter.Queue
	entry waiter.Entry

	backlog  atomic.Int32 // the length of the stack's queue of connections that wait to be accepted
	keepInit atomic.Int32 // TCP_KEEPINIT in seconds
	size     autosize

	mu       sync.Mutex
	closed   bool        // by the user
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
	ep.SocketOptions().SetReceiveBufferSize(inet.WindowSpace*int64(recv), false)
	p := &tcp{ep: ep, wq: wq}
	p.start(ts, so, v6)
	return p, nil
}

// start enters a new socket in its table and connects it with its endpoint. Which ports may be shared is decided by the table, so the
// stack is told that all may.
func (p *tcp) start(ts *Tables, so *socket.Socket, v6 bool) {
	p.self = p
	p.init(ts, ts.tcp, so, v6, abi.IPPROTO_TCP)
	p.opt.ttl = ts.defaultTTL()
	ops := p.ep.SocketOptions()
	ops.SetReuseAddress(true)
	ops.SetReusePort(true)
	p.setSend(so.Sndbuf.Load())
	p.defaultKeepalive()
	p.entry.Init(p, waiter.ReadableEvents|waiter.WritableEvents|waiter.EventErr|waiter.EventHUp)
	p.wq.EventRegister(&p.entry)
}

// NotifyEvent is called by the stack, with locks of the endpoint's held.
func (p *tcp) NotifyEvent(mask waiter.EventMask) {
	p.so.NotifyRead()
	p.so.NotifyWrite()
	if mask&(waiter.EventHUp|waiter.ReadableEvents) != 0 {
		p.afterClose()
	}
}

// afterClose sees whether a socket that is closed has come to its end, or is in TIME_WAIT.
func (p *tcp) afterClose() {
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

// Close closes the connection, which goes on in the background until the peer has taken everything.
func (p *tcp) Close(*kern.Thread) error {
	p.mu.Lock()
	p.stopTimer()
	p.closed = true
	p.mu.Unlock()
	p.dropAll()
	p.setLinger()
	p.ep.Close()
	p.afterClose()
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
	p.afterClose()
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

// Ioctl serves those of interfaces' addresses.
func (p *tcp) Ioctl(t *kern.Thread, cmd uint32, data []byte) error { return p.ioctl(t, cmd, data) }
