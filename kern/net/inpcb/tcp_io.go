package inpcb

import (
	"bytes"

	"gvisor.dev/gvisor/pkg/tcpip"
	gtcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// Send sends as much as there is room for. Errors: EWOULDBLOCK, ENOTCONN, EPIPE, EOPNOTSUPP for MSG_OOB, EINVAL for control messages.
func (p *tcp) Send(t *kern.Thread, m *socket.Message, flags int) (int, error) {
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
	for done := 0; ; {
		n, err := p.ep.Write(bytes.NewReader(m.Data[done:]), tcpip.WriteOptions{})
		done += int(n)
		if _, full := err.(*tcpip.ErrWouldBlock); done < len(m.Data) && (full || err == nil) && p.growSend(t) {
			continue
		}
		if done > 0 || err == nil {
			return done, nil
		}
		return 0, p.errno(err)
	}
}

// Recv receives what is there. Errors: EWOULDBLOCK, ENOTCONN, ECONNRESET, ETIMEDOUT, EOPNOTSUPP for MSG_OOB.
func (p *tcp) Recv(t *kern.Thread, m *socket.Message, flags int) (int, error) {
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
			p.taken(t, r.Count)
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
