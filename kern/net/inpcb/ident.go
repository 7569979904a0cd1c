package inpcb

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// ident is net.inet.tcp.ident and net.inet6.tcp6.ident: the user who has a connection, for identd(8). Which one, two struct
// sockaddr_storage say that are given as a new value: the foreign end and the local one; or, of IPv4, four further numbers of the name: foreign
// address and port, local address and port.
//
// Errors: EINVAL, ESRCH.
func (ts *Tables) ident(r *kern.SysctlRequest) error {
	p, err := ts.connectionOf(r)
	if err != nil {
		return err
	}
	return r.Reply(cint(int(p.uid)))
}

// drop is net.inet.tcp.drop and net.inet6.tcp6.drop, which name a connection as ident does: it is reset, for tcpdrop(8).
//
// Errors: EINVAL, ESRCH, EPERM.
func (ts *Tables) drop(r *kern.SysctlRequest) error {
	switch {
	case r.Room() > 0:
		return abi.EINVAL
	case !r.HasNew() || !r.T.Cred().Root():
		return abi.EPERM
	}
	p, err := ts.connectionOf(r)
	if err != nil {
		return err
	}
	p.self.(*tcp).ep.Abort()
	return nil
}

// connectionOf finds the connection that a request names.
func (ts *Tables) connectionOf(r *kern.SysctlRequest) (*pcb, error) {
	v6 := r.MIB[1] == abi.PF_INET6
	if len(r.Name) == 4 && !v6 {
		foreign := address{ip: numberAddr(r.Name[0]), port: abi.Htons(uint16(r.Name[1]))}
		return ts.tcp.find(v6, foreign, address{ip: numberAddr(r.Name[2]), port: abi.Htons(uint16(r.Name[3]))})
	}
	if len(r.Name) != 0 || !r.HasNew() {
		return nil, abi.EINVAL
	}
	b, err := r.NewValue(2 * abi.SizeofSockaddrStorage)
	if err != nil {
		return nil, err
	}
	var ends [2]address
	for i := range ends {
		if len(b) != 2*abi.SizeofSockaddrStorage {
			return nil, abi.EINVAL
		}
		sa := b[i*abi.SizeofSockaddrStorage:][:abi.SizeofSockaddrStorage]
		if ends[i], err = parse(v6, sa[:min(int(sa[0]), len(sa))]); err != nil {
			return nil, abi.EINVAL
		}
	}
	return ts.tcp.find(v6, ends[0], ends[1])
}

// numberAddr is a struct in_addr in a number of a name.
func numberAddr(n int32) netip.Addr { return netip.AddrFrom4(abi.InAddr{Addr: uint32(n)}.As4()) }

// find is the socket with a connection. Errors: ESRCH.
func (tb *table) find(v6 bool, foreign, local address) (*pcb, error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, p := range tb.ports[local.port] {
		if p.v6 == v6 && p.state == connected && p.foreign == foreign && p.local == local {
			return p, nil
		}
	}
	return nil, abi.ESRCH
}
