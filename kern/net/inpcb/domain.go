package inpcb

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// domain is PF_INET or PF_INET6.
type domain struct {
	ts *Tables
	v6 bool
}

var _ socket.Domain = (*domain)(nil)

// Open makes a socket: SOCK_STREAM is TCP, SOCK_DGRAM is UDP, SOCK_RAW is any protocol and root's.
//
// Errors: EPROTOTYPE for a type that there is not; EPROTONOSUPPORT for a protocol that the type has not; EACCES.
func (d *domain) Open(t *kern.Thread, so *socket.Socket) (socket.Protocol, error) {
	switch so.Type {
	case abi.SOCK_STREAM:
		if so.Proto == 0 || so.Proto == abi.IPPROTO_TCP {
			return d.ts.newTCP(so, d.v6)
		}
	case abi.SOCK_DGRAM:
		if so.Proto == 0 || so.Proto == abi.IPPROTO_UDP {
			return d.ts.newUDP(so, d.v6), nil
		}
	case abi.SOCK_RAW:
		switch {
		case so.Proto < 0 || so.Proto > 255:
		case !t.Cred().Root():
			return nil, abi.EACCES
		default:
			return d.ts.newRaw(so, d.v6), nil
		}
	default:
		if so.Proto == 0 {
			return nil, abi.EPROTOTYPE
		}
	}
	return nil, abi.EPROTONOSUPPORT
}
