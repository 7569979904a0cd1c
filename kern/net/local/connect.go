package local

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// Connect connects to the socket that is bound to a path. A connection is there at once, and waits to be accepted; with LOCAL_CONNWAIT at either
// end it is under way until then. A datagram socket that is connected is disconnected first; AF_UNSPEC does nothing else.
//
// Errors: EISCONN; EALREADY, EINPROGRESS; ECONNREFUSED when nobody is bound or listens there, or too many wait; EPROTOTYPE; ENOTSOCK; EACCES;
// EAFNOSUPPORT, for AF_UNSPEC too; and those of a lookup.
func (p *pcb) Connect(t *kern.Thread, addr []byte) error {
	err := p.begin(func() error {
		switch {
		case p.connecting.Load():
			return abi.EALREADY
		case p.connects() && (p.peer.Load() != nil || p.cantSend.Load()):
			return abi.EISCONN
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer p.done()
	if !p.connects() {
		p.disconnect()
	}
	vp, err := p.d.lookup(t, addr)
	if err != nil {
		return err
	}
	defer vp.Release(t)
	if p.connects() {
		return p.connectStream(t, vp)
	}
	return p.connectDatagram(vp)
}

// lookup is the node that an address leads to, held.
func (d *Domain) lookup(t *kern.Thread, addr []byte) (*vfs.Vnode, error) {
	path, err := sunPath(addr)
	if err != nil {
		return nil, err
	}
	return d.vfs.LookupSocket(t, path)
}

// at is the socket that is bound to a node; called with d.mu held. Errors: ECONNREFUSED, EPROTOTYPE.
func (d *Domain) at(vp *vfs.Vnode, typ int) (*pcb, error) {
	to := d.bound[vp]
	if to == nil {
		return nil, abi.ECONNREFUSED
	}
	if to.typ != typ {
		return nil, abi.EPROTOTYPE
	}
	return to, nil
}

func (p *pcb) connectDatagram(vp *vfs.Vnode) error {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	to, err := p.d.at(vp, p.typ)
	if err != nil {
		return err
	}
	p.follow(to)
	return nil
}

// follow connects a datagram socket to another; called with d.mu held.
func (p *pcb) follow(to *pcb) {
	if to.from == nil {
		to.from = map[*pcb]struct{}{}
	}
	to.from[p] = struct{}{}
	p.peer.Store(to)
}

// disconnect takes a datagram socket's connection away.
func (p *pcb) disconnect() {
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	if to := p.peer.Swap(nil); to != nil {
		delete(to.from, p)
	}
}

// connectStream queues a connection at the socket that listens at vp.
func (p *pcb) connectStream(t *kern.Thread, vp *vfs.Vnode) error {
	end := p.d.newPCB(p.typ, nil)
	p.d.mu.Lock()
	to, err := p.d.at(vp, p.typ)
	if err == nil && (!to.listening || len(to.waiting) > 3*to.backlog/2) {
		err = abi.ECONNREFUSED
	}
	if err != nil {
		delete(p.d.pcbs, end)
		p.d.mu.Unlock()
		return err
	}
	end.addr, end.connWait = to.addr, to.connWait
	end.wantCreds.Store(to.wantCreds.Load())
	end.wantOldCreds.Store(to.wantOldCreds.Load())
	end.connid, p.connid = credID(t), to.binder
	connecting := p.connWait || end.connWait
	p.connecting.Store(connecting)
	end.peer.Store(p)
	p.peer.Store(end)
	to.waiting = append(to.waiting, end)
	p.d.mu.Unlock()
	to.so.Load().NotifyRead()
	if connecting {
		return abi.EINPROGRESS
	}
	p.notifyWrite()
	return nil
}

// Accept takes the first connection that waits; one whose other end has gone meanwhile still has what that sent.
//
// Errors: EINVAL, EWOULDBLOCK.
func (p *pcb) Accept(_ *kern.Thread, so *socket.Socket) (socket.Protocol, []byte, error) {
	p.d.mu.Lock()
	if !p.listening {
		p.d.mu.Unlock()
		return nil, nil, abi.EINVAL
	}
	if len(p.waiting) == 0 {
		p.d.mu.Unlock()
		return nil, nil, abi.EWOULDBLOCK
	}
	end := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	end.so.Store(so)
	name, peer := noName(), end.peer.Load()
	if peer != nil {
		name = peer.name()
	}
	p.d.mu.Unlock()
	end.q.SetSocket(so)
	if peer != nil && peer.connecting.Swap(false) {
		peer.notifyWrite()
	}
	return end, name, nil
}

// Pair connects two sockets with each other.
func (p *pcb) Pair(t *kern.Thread, other socket.Protocol) error {
	o := other.(*pcb)
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	if !p.connects() {
		p.follow(o)
		o.follow(p)
		return nil
	}
	p.peer.Store(o)
	o.peer.Store(p)
	p.connid, o.connid = credID(t), credID(t)
	return nil
}

// Shutdown ends a direction: nothing is received any more and what has arrived is dropped; or nothing is sent any more, and the peer of a
// connection is at the end of what it receives.
func (p *pcb) Shutdown(t *kern.Thread, how int) error {
	if how != abi.SHUT_WR {
		p.q.Close(t)
	}
	if how == abi.SHUT_RD {
		return nil
	}
	p.cantSend.Store(true)
	if peer := p.peer.Load(); peer != nil && p.connects() {
		peer.q.End()
	}
	p.notifyWrite()
	return nil
}

// Close ends the socket: the peer of a connection receives what is there and then the end, those that were connected to a datagram socket
// ECONNRESET, and connections that wait are dropped.
func (p *pcb) Close(t *kern.Thread) error {
	d := p.d
	d.mu.Lock()
	vp, waiting := p.vnode, p.waiting
	if vp != nil {
		delete(d.bound, vp)
	}
	delete(d.pcbs, p)
	p.vnode, p.waiting, p.listening = nil, nil, false
	peer := p.peer.Swap(nil)
	var reset []*pcb
	if peer != nil && !p.connects() {
		delete(peer.from, p)
		peer = nil
	}
	for q := range p.from {
		q.peer.Store(nil)
		reset = append(reset, q)
	}
	p.from = nil
	if peer != nil {
		peer.peer.Store(nil)
	}
	d.mu.Unlock()
	for _, end := range waiting {
		end.Close(t)
	}
	p.left(t, peer, reset)
	if vp != nil {
		vp.Release(t)
	}
	d.collect(t, nil)
	return nil
}

// left tells the others that a socket has been closed.
func (p *pcb) left(t *kern.Thread, peer *pcb, reset []*pcb) {
	p.cantSend.Store(true)
	p.q.Close(t)
	if peer != nil {
		peer.gone()
	}
	for _, q := range reset {
		q.so.Load().SetError(abi.ECONNRESET)
	}
}

// gone is called for the end of a connection whose other end has been closed. One that has not been accepted is refused.
func (p *pcb) gone() {
	refused := p.connecting.Swap(false)
	p.cantSend.Store(true)
	p.q.End()
	if so := p.so.Load(); so != nil && refused {
		so.SetError(abi.ECONNREFUSED)
	}
	p.notifyWrite()
}
