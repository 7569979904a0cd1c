package inpcb

import (
	"net/netip"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/ports"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// datagrams is what UDP and raw sockets have in common: they receive into a queue and send at once.
type datagrams struct {
	pcb
	q *socket.Queue

	mu       sync.Mutex
	sendOver bool // shut for sending
}

// udp is a UDP socket. While it is bound it is an endpoint of the stack's, by its addresses and ports.
type udp struct {
	datagrams

	reg        sync.Mutex // held while the registration with the stack changes
	registered bool
	id         stack.TransportEndpointID
	protos     []tcpip.NetworkProtocolNumber
	nic        tcpip.NICID
}

var (
	_ socket.Protocol         = (*udp)(nil)
	_ socket.Binder           = (*udp)(nil)
	_ socket.Connecter        = (*udp)(nil)
	_ socket.Shutdowner       = (*udp)(nil)
	_ socket.Optioner         = (*udp)(nil)
	_ socket.Ioctler          = (*udp)(nil)
	_ socket.Counter          = (*udp)(nil)
	_ socket.Ender            = (*udp)(nil)
	_ socket.Overflower       = (*udp)(nil)
	_ stack.TransportEndpoint = (*udp)(nil)
)

func (ts *Tables) newUDP(so *socket.Socket, v6 bool) *udp {
	p := &udp{}
	p.self = p
	p.start(ts, ts.udp, so, v6, abi.IPPROTO_UDP)
	p.opt.ttl = ts.defaultTTL()
	send, recv := ts.udpSpace(v6)
	so.Sndbuf.Store(send)
	so.Rcvbuf.Store(recv)
	return p
}

func (p *datagrams) start(ts *Tables, tb *table, so *socket.Socket, v6 bool, proto uint8) {
	p.q = socket.NewRecordQueue(so)
	p.init(ts, tb, so, v6, proto)
}

// Recv receives a datagram. Errors: EWOULDBLOCK; EOPNOTSUPP for MSG_OOB.
func (p *datagrams) Recv(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
	if flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	return p.q.Recv(m, flags)
}

// Poll says what can be done without waiting: sending always.
func (p *datagrams) Poll(events int) int {
	got := abi.POLLOUT | abi.POLLWRNORM
	if p.q.Readable() {
		got |= abi.POLLIN | abi.POLLRDNORM
	}
	return got & events
}

// Counts are the bytes that wait, and how long a datagram may be. None waits to be sent.
func (p *datagrams) Counts() (readable, queued, space int) {
	return p.q.Bytes(), 0, int(p.so.Sndbuf.Load())
}

// Ended says which directions are over.
func (p *datagrams) Ended() (recv, send bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.q.Ended(), p.sendOver
}

// Overflowed counts the datagrams that found no room.
func (p *datagrams) Overflowed() int { return int(p.q.Lost()) }

// Shutdown ends directions; the peer is not told.
func (p *datagrams) Shutdown(t *kern.Thread, how int) error {
	if how != abi.SHUT_WR {
		p.q.Close(t)
	}
	if how != abi.SHUT_RD {
		p.mu.Lock()
		p.sendOver = true
		p.mu.Unlock()
		p.so.NotifyWrite()
	}
	return nil
}

// Getopt reads an option. Errors: ENOPROTOOPT.
func (p *udp) Getopt(_ *kern.Thread, level, name int) ([]byte, error) { return p.getopt(level, name) }

// Setopt sets an option. Errors: ENOPROTOOPT, EINVAL, ...
func (p *udp) Setopt(t *kern.Thread, level, name int, val []byte) error {
	return p.setopt(t, level, name, val)
}

// Ioctl serves those of interfaces' addresses.
func (p *datagrams) Ioctl(t *kern.Thread, cmd uint32, data []byte) error {
	return p.ioctl(t, cmd, data)
}

// Bind gives the socket its own address, which may be a multicast group or a broadcast address.
//
// Errors: EINVAL (bound already), EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EACCES.
func (p *udp) Bind(t *kern.Thread, sa []byte) error {
	a, err := p.parse(sa)
	if err != nil {
		return err
	}
	if err := p.ts.local(a, true); err != nil {
		return err
	}
	return p.bindTo(t, a)
}

func (p *udp) bindTo(t *kern.Thread, a address) error {
	p.reg.Lock()
	defer p.reg.Unlock()
	if err := p.bind(t, a); err != nil {
		return err
	}
	if err := p.register(); err != nil {
		p.unbind()
		return err
	}
	return nil
}

// register enters the socket in the stack by its present addresses, in place of those it was entered by. Called with p.reg held.
func (p *udp) register() error {
	p.unregister()
	local, foreign, _ := p.names()
	p.id = stack.TransportEndpointID{
		LocalPort: local.port, LocalAddress: tcpipAddr(local.ip.Unmap()),
		RemotePort: foreign.port, RemoteAddress: tcpipAddr(foreign.ip.Unmap()),
	}
	p.protos, p.nic = p.netProtos(local, foreign), tcpip.NICID(local.scope)
	err := p.ts.stack.RegisterTransportEndpoint(p.protos, header.UDPProtocolNumber, p.id, p, sharePorts, p.nic)
	p.registered = err == nil
	return errnoOf(err)
}

// unregister takes it out. Called with p.reg held.
func (p *udp) unregister() {
	if p.registered {
		p.ts.stack.UnregisterTransportEndpoint(p.protos, header.UDPProtocolNumber, p.id, p, sharePorts, p.nic)
		p.registered = false
	}
}

// sharePorts lets the stack enter sockets with the same addresses and ports: whether they may is the table's to say. The newest gets what
// is for one of them alone.
var sharePorts = ports.Flags{MostRecent: true}

// netProtos are the network protocols whose datagrams the socket receives.
func (p *pcb) netProtos(local, foreign address) []tcpip.NetworkProtocolNumber {
	p.tb.mu.Lock()
	f := p.families(local)
	if !foreign.any() {
		f = p.families(foreign)
	}
	p.tb.mu.Unlock()
	var list []tcpip.NetworkProtocolNumber
	if f&inet4 != 0 {
		list = append(list, header.IPv4ProtocolNumber)
	}
	if f&inet6 != 0 {
		list = append(list, header.IPv6ProtocolNumber)
	}
	return list
}

// Connect sets the address that datagrams are sent to, and the only one they are received from. A socket that is connected loses its connection even
// if the new address is no good: so it is disconnected.
//
// Errors: EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, EHOSTUNREACH, ENETUNREACH, EAGAIN without a free port.
func (p *udp) Connect(t *kern.Thread, sa []byte) error {
	if _, _, st := p.names(); st == connected {
		p.reg.Lock()
		p.disconnect(unspecified(p.v6))
		err := p.register()
		p.reg.Unlock()
		if err != nil {
			return err
		}
	}
	foreign, err := p.parse(sa)
	if err == nil {
		foreign, err = p.ts.destination(foreign)
	}
	if err != nil {
		return err
	}
	local, _, _ := p.names()
	src, err := p.ts.source(local, foreign, p.multicastIf(foreign.ip.Unmap()))
	if err != nil {
		return err
	}
	if local.port == 0 {
		if err := p.bindTo(t, local); err != nil {
			return err
		}
	}
	p.reg.Lock()
	defer p.reg.Unlock()
	if err := p.connectTo(src, foreign); err != nil {
		return err
	}
	return p.register()
}

// Close ends the socket.
func (p *udp) Close(t *kern.Thread) error {
	p.reg.Lock()
	p.unregister()
	p.reg.Unlock()
	p.dropAll()
	p.leave()
	p.q.Close(t)
	return nil
}

// udpMax is the longest datagram's data.
const udpMax = abi.IP_MAXPACKET - abi.SizeofIp - abi.SizeofUdphdr

// Send sends a datagram.
//
// Errors: EPIPE, EISCONN, EDESTADDRREQ, EMSGSIZE, EACCES (a broadcast without SO_BROADCAST), EINVAL for control messages of IPv4,
// EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENOBUFS.
func (p *udp) Send(t *kern.Thread, m *socket.Message, flags int) (int, error) {
	if err := p.sendable(flags); err != nil {
		return 0, err
	}
	opts, err := p.pktopts(m.Control)
	if err != nil {
		return 0, err
	}
	local, foreign, err := p.destinationOf(m.Name)
	if err != nil {
		return 0, err
	}
	if len(m.Data) > udpMax {
		return 0, abi.EMSGSIZE
	}
	src, err := p.sourceOf(local, foreign, &opts)
	if err != nil {
		return 0, err
	}
	if local.port == 0 {
		if err := p.bindTo(t, local); err != nil {
			return 0, err
		}
		local, _, _ = p.names()
	}
	k := &packet{
		src: src.Unmap(), dst: foreign.ip.Unmap(), scope: foreign.scope, proto: abi.IPPROTO_UDP,
		data: m.Data, opts: opts, flags: flags,
	}
	p.udpHeader(k, local.port, foreign.port)
	if err := p.write(k); err != nil {
		return 0, err
	}
	p.ts.countSent(k.dst)
	return len(m.Data), nil
}

// sendable says why nothing can be sent. Errors: EOPNOTSUPP for MSG_OOB, EPIPE.
func (p *datagrams) sendable(flags int) error {
	if flags&abi.MSG_OOB != 0 {
		return abi.EOPNOTSUPP
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sendOver {
		return abi.EPIPE
	}
	return nil
}

// destinationOf is where a datagram is to go, to an address or to the connected one, and the socket's own address.
//
// Errors: EISCONN, EDESTADDRREQ, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENXIO.
func (p *pcb) destinationOf(name []byte) (local, foreign address, err error) {
	local, foreign, st := p.names()
	switch {
	case name == nil && st != connected:
		return local, foreign, abi.EDESTADDRREQ
	case name == nil:
		return local, foreign, nil
	case st == connected:
		return local, foreign, abi.EISCONN
	}
	if foreign, err = p.parse(name); err != nil {
		return local, foreign, err
	}
	if p.proto == abi.IPPROTO_UDP {
		foreign, err = p.ts.destination(foreign)
	}
	if err == nil && foreign.ip.Is4In6() && !local.any() && !local.ip.Is4In6() {
		err = abi.EINVAL
	}
	return local, foreign, err
}

// sourceOf is the address that a datagram is to come from: what IPV6_PKTINFO says, what the socket is bound to, or what suits the route.
//
// Errors: EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH, ENXIO.
func (p *pcb) sourceOf(local, foreign address, opts *pktopts) (netip.Addr, error) {
	if opts.addr.IsValid() && foreign.ip.Unmap().Is6() {
		from := address{ip: opts.addr, scope: max(opts.index, foreign.scope)}
		return from.ip, p.ts.local(from, false)
	}
	ifp := p.multicastIf(foreign.ip.Unmap())
	if opts.index != 0 {
		ifp = p.ts.net.ByIndex(opts.index)
	}
	if ip := local.ip.Unmap(); ip.IsMulticast() || ip.Is4() && p.ts.in.IsBroadcast(ip) {
		local.ip = unspecified(p.v6).ip
	}
	src, err := p.ts.source(local, foreign, ifp)
	return src.ip, err
}

// udpHeader makes the header of a datagram, with its checksum, and its time to live.
func (p *udp) udpHeader(k *packet, sport, dport uint16) {
	p.opt.mu.Lock()
	ttl, tos := p.opt.ttl, p.opt.tos
	p.opt.mu.Unlock()
	if k.dst.Is4() {
		k.ttl, k.tos = p.ttlTo(k.dst, ttl), tos
	}
	h := header.UDP(make([]byte, header.UDPMinimumSize))
	h.Encode(&header.UDPFields{SrcPort: sport, DstPort: dport, Length: uint16(len(h) + len(k.data))})
	k.head = h
	sum := k.transportSum()
	if sum == 0 {
		sum = 0xffff
	}
	h.SetChecksum(sum)
}
