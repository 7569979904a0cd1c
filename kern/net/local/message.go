package local

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

var le = binary.LittleEndian

// maxInFlight is how many files may be on their way in messages: half of those that a kernel may have open.
const maxInFlight = 1772 / 2

// Send puts a message into the peer's queue.
//
// Errors: EPIPE, ENOTCONN, EWOULDBLOCK; of datagrams EISCONN, EDESTADDRREQ, ENOBUFS when the receiver has no room, and those of connecting;
// EINVAL for control messages other than one SCM_RIGHTS.
func (p *pcb) Send(t *kern.Thread, m *socket.Message, flags int) (int, error) {
	if flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	if p.cantSend.Load() {
		return 0, abi.EPIPE
	}
	if len(m.Control) == 0 {
		return p.send(t, m, flags)
	}
	if c := &m.Control[0]; len(m.Control) > 1 || c.Level != abi.SOL_SOCKET || c.Type != abi.SCM_RIGHTS {
		return 0, abi.EINVAL
	}
	p.d.passing.RLock()
	defer p.d.passing.RUnlock()
	p.d.passed.Store(true)
	return p.send(t, m, flags)
}

func (p *pcb) send(t *kern.Thread, m *socket.Message, flags int) (int, error) {
	if p.connects() {
		return p.sendConnected(t, m, flags)
	}
	to, err := p.receiver(t, m)
	if err != nil {
		return 0, err
	}
	p.d.mu.Lock()
	name := p.name()
	p.d.mu.Unlock()
	if err := to.q.Append(name, m.Data, to.withCreds(t, m.Control), 0); err != nil {
		return 0, err
	}
	return len(m.Data), nil
}

// receiver is the socket that a datagram goes to.
func (p *pcb) receiver(t *kern.Thread, m *socket.Message) (*pcb, error) {
	peer := p.peer.Load()
	switch {
	case m.Name == nil && peer == nil:
		return nil, abi.EDESTADDRREQ
	case m.Name == nil:
		return peer, nil
	case peer != nil:
		return nil, abi.EISCONN
	}
	vp, err := p.d.lookup(t, m.Name)
	if err != nil {
		return nil, err
	}
	defer vp.Release(t)
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	return p.d.at(vp, p.typ)
}

// sendConnected sends over a connection: as much as may be on its way, or a record if there is room for it.
func (p *pcb) sendConnected(t *kern.Thread, m *socket.Message, flags int) (int, error) {
	peer := p.peer.Load()
	if peer == nil || p.connecting.Load() {
		if p.cantSend.Load() {
			return 0, abi.EPIPE
		}
		return 0, abi.ENOTCONN
	}
	control := peer.withCreds(t, m.Control)
	n, err := len(m.Data), error(nil)
	if p.typ == abi.SOCK_STREAM {
		n, err = peer.q.Write(p.limit(), m.Data, control)
	} else {
		err = peer.q.AppendWithin(p.limit(), nil, m.Data, control, flags&abi.MSG_EOR)
	}
	if err != nil {
		return 0, err
	}
	if len(control) > len(m.Control) { // over a connection credentials are sent once
		peer.wantCreds.Store(false)
		peer.wantOldCreds.Store(false)
	}
	return n, nil
}

// scmOcreds is SCM_OCREDS, the credentials of older releases.
const scmOcreds = 0x04

// withCreds appends the sender's credentials to control messages for the receiver p if it wants them: struct sockcred, or what that was
// before it had the process in it.
func (p *pcb) withCreds(t *kern.Thread, control []socket.Control) []socket.Control {
	if !p.wantCreds.Load() && !p.wantOldCreds.Load() {
		return control
	}
	c := t.Cred()
	var b []byte
	for _, v := range []uint32{c.Ruid, c.Euid, c.Rgid, c.Egid, uint32(len(c.Groups))} {
		b = le.AppendUint32(b, v)
	}
	for _, g := range c.Groups {
		b = le.AppendUint32(b, g)
	}
	n := len(control)
	control = control[:n:n]
	if p.wantCreds.Load() {
		data := append(le.AppendUint32(nil, uint32(t.PID)), b...)
		control = append(control, socket.Control{Level: abi.SOL_SOCKET, Type: abi.SCM_CREDS, Data: data})
	}
	if p.wantOldCreds.Load() {
		control = append(control, socket.Control{Level: abi.SOL_SOCKET, Type: scmOcreds, Data: b})
	}
	return control
}

// Recv takes out what has arrived. Errors: EWOULDBLOCK, ENOTCONN, EOPNOTSUPP for MSG_OOB.
func (p *pcb) Recv(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
	if flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	p.d.passing.RLock()
	defer p.d.passing.RUnlock()
	n, err := p.q.Recv(m, flags)
	return n, p.recvError(err)
}

// recvError is the error of receiving nothing: a connection that was never made has nothing to wait for.
func (p *pcb) recvError(err error) error {
	if err != abi.EWOULDBLOCK || !p.connects() || p.peer.Load() != nil {
		return err
	}
	if p.q.Ended() {
		return err
	}
	return abi.ENOTCONN
}

// Offer is Recv for a receiver that is about to wait.
func (p *pcb) Offer(m *socket.Message) (n int, taken bool, err error) {
	if p.typ != abi.SOCK_STREAM || p.peer.Load() == nil {
		n, err = p.Recv(nil, m, 0)
		return n, false, err
	}
	p.d.passing.RLock()
	defer p.d.passing.RUnlock()
	n, taken, err = p.q.Offer(m)
	return n, taken, err
}

// Withdraw takes back what Offer has left.
func (p *pcb) Withdraw() int { return p.q.Withdraw() }

// The options of level 0.
var options = map[int]struct {
	get func(p *pcb) bool
	set func(p *pcb, on bool)
}{
	abi.LOCAL_CREDS:  {func(p *pcb) bool { return p.wantCreds.Load() }, func(p *pcb, on bool) { p.wantCreds.Store(on) }},
	abi.LOCAL_OCREDS: {func(p *pcb) bool { return p.wantOldCreds.Load() }, func(p *pcb, on bool) { p.wantOldCreds.Store(on) }},
	abi.LOCAL_CONNWAIT: {func(p *pcb) bool { p.d.mu.Lock(); defer p.d.mu.Unlock(); return p.connWait },
		func(p *pcb, on bool) { p.d.mu.Lock(); defer p.d.mu.Unlock(); p.connWait = on }},
}

// Getopt is an option's value. LOCAL_PEEREID is who connected, or who bound the socket that was connected to.
//
// Errors: ENOPROTOOPT; EINVAL for LOCAL_PEEREID without a connection.
func (p *pcb) Getopt(_ *kern.Thread, level, name int) ([]byte, error) {
	if level == 0 && name == abi.LOCAL_PEEREID {
		p.d.mu.Lock()
		defer p.d.mu.Unlock()
		if p.connid == nil {
			return nil, abi.EINVAL
		}
		return p.connid.Append(nil), nil
	}
	o, ok := options[name]
	if !ok || level != 0 {
		return nil, abi.ENOPROTOOPT
	}
	var v uint32
	if o.get(p) {
		v = 1
	}
	return le.AppendUint32(nil, v), nil
}

// Setopt sets an option. Errors: ENOPROTOOPT; EINVAL for a value that is no int.
func (p *pcb) Setopt(_ *kern.Thread, level, name int, val []byte) error {
	o, ok := options[name]
	if !ok || level != 0 {
		return abi.ENOPROTOOPT
	}
	if len(val) != 4 {
		return abi.EINVAL
	}
	o.set(p, le.Uint32(val) != 0)
	return nil
}
