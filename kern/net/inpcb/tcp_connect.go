package inpcb

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

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

// bindTo binds the socket. Its endpoint follows when it is known what for: see bindEndpoint.
func (p *tcp) bindTo(t *kern.Thread, a address) error {
	err := p.bind(t, a)
	if err == abi.EAGAIN && p.ts.recycle(p.v6) {
		err = p.bind(t, a)
	}
	return err
}

// bindEndpoint binds the endpoint to the socket's address, once. The stack ties an endpoint to the interface that its address is found on, which
// any is: so it is told the one that leads to where the socket connects to; 0 for one that listens.
func (p *tcp) bindEndpoint(nic uint16) error {
	if p.epState() != gtcp.StateInitial {
		return nil
	}
	local, _, _ := p.names()
	f := local.full()
	if f.Addr.Len() > 0 && f.NIC == 0 {
		f.NIC = tcpip.NICID(nic)
	}
	p.ep.SocketOptions().SetV6Only(p.only6())
	return errnoOf(p.ep.Bind(f))
}

// connectErrnos are why a socket cannot connect.
var connectErrnos = map[phase]error{connecting: abi.EALREADY, established: abi.EISCONN, over: abi.EINVAL}

// Connect begins to connect. Errors: EINPROGRESS, EALREADY, EISCONN, EINVAL after a connection that failed or is over, EADDRINUSE,
// EADDRNOTAVAIL, EAFNOSUPPORT, EHOSTUNREACH, ENETUNREACH, EAGAIN without a free port.
func (p *tcp) Connect(t *kern.Thread, sa []byte) error {
	if err := connectErrnos[p.phase()]; err != nil {
		return err
	}
	foreign, err := p.target(sa)
	if err != nil {
		return err
	}
	local, _, _ := p.names()
	src, err := p.ts.source(local, foreign, nil)
	if err != nil {
		return err
	}
	if local.port == 0 {
		if err := p.bindTo(t, unspecified(p.v6)); err != nil {
			return err
		}
	}
	nic := uint16(0)
	if ifp := p.ts.routeTo(foreign); ifp != nil {
		nic = ifp.Index
	}
	if err := p.bindEndpoint(nic); err != nil {
		return err
	}
	if err := p.connectTo(src, foreign); err != nil {
		return err
	}
	return p.connect(local, foreign)
}

// target reads the address to connect to. Errors: EINVAL, EAFNOSUPPORT, EADDRNOTAVAIL, ENXIO; ENETUNREACH with SO_DONTROUTE.
func (p *tcp) target(sa []byte) (address, error) {
	a, err := p.parse(sa)
	if err == nil {
		a, err = p.ts.destination(a)
	}
	if err != nil {
		return a, err
	}
	if ip := a.ip.Unmap(); ip.IsMulticast() || ip.Is4() && p.ts.in.IsBroadcast(ip) {
		return a, abi.EADDRNOTAVAIL
	}
	if p.so.Option(abi.SO_DONTROUTE) {
		err = p.ts.direct(a)
	}
	return a, err
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
	if err := p.bindEndpoint(0); err != nil {
		return err
	}
	p.apply()
	return p.setBacklog(int32(backlog) + 1)
}

// setBacklog tells the stack how long its queue may be: never less than before. When its queue is made shorter than the handshakes that are under way, the stack
// takes any number of further ones, of which each costs 3 KB, for nothing but a SYN.
func (p *tcp) setBacklog(n int32) error {
	for {
		old := p.backlog.Load()
		if old > n {
			n = old
		}
		if p.backlog.CompareAndSwap(old, n) {
			return errnoOf(p.ep.Listen(int(n)))
		}
	}
}

// Accept takes the first connection that waits.
//
// Errors: EWOULDBLOCK, EINVAL for a socket that does not listen, ECONNABORTED for a connection that its peer has reset.
func (p *tcp) Accept(t *kern.Thread, so *socket.Socket) (socket.Protocol, []byte, error) {
	ep, wq, err := p.ep.Accept(nil)
	if err != nil {
		return nil, nil, errnoOf(err)
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
	p.inheritSizes(from)
	p.inheritKeepalive(from)
	p.apply()
}
