package inpcb

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// raw is a raw IP socket: of a protocol, or with protocol 0 of all that the kernel has no use for itself.
type raw struct {
	datagrams
}

var (
	_ socket.Protocol   = (*raw)(nil)
	_ socket.Binder     = (*raw)(nil)
	_ socket.Connecter  = (*raw)(nil)
	_ socket.Shutdowner = (*raw)(nil)
	_ socket.Optioner   = (*raw)(nil)
	_ socket.Ioctler    = (*raw)(nil)
	_ socket.Counter    = (*raw)(nil)
	_ socket.Ender      = (*raw)(nil)
	_ socket.Overflower = (*raw)(nil)
)

func (ts *Tables) newRaw(so *socket.Socket, v6 bool) *raw {
	p := &raw{}
	p.self = p
	tb := ts.raw4
	if v6 {
		tb = ts.raw6
	}
	p.start(ts, tb, so, v6, uint8(so.Proto))
	return p
}

// rawOptions are the options of raw sockets alone, by level and name.
var rawOptions = map[[2]int]option{
	{abi.IPPROTO_IP, abi.IP_HDRINCL}:       flagOption(optHdrIncl),
	{abi.SOL_SOCKET, abi.SO_NOHEADER}:      {flagOption(optNoHeader).get, setNoHeader},
	{abi.IPPROTO_IPV6, abi.IPV6_CHECKSUM}:  {getChecksum, setChecksum},
	{abi.IPPROTO_ICMPV6, abi.ICMP6_FILTER}: {getFilter, setFilter},
}

// rawOption is one that a raw socket of this family and protocol has.
func (p *raw) rawOption(level, name int) (option, bool) {
	switch {
	case level == abi.IPPROTO_IP && p.v6, level == abi.IPPROTO_IPV6 && !p.v6:
		return option{}, false
	case level == abi.IPPROTO_ICMPV6 && (!p.v6 || p.proto != abi.IPPROTO_ICMPV6):
		return option{}, false
	}
	o, ok := rawOptions[[2]int{level, name}]
	return o, ok
}

// Getopt reads an option. Errors: ENOPROTOOPT.
func (p *raw) Getopt(_ *kern.Thread, level, name int) ([]byte, error) {
	if o, ok := p.rawOption(level, name); ok {
		return o.get(&p.pcb)
	}
	return p.getopt(level, name)
}

// Setopt sets an option. Errors: ENOPROTOOPT, EINVAL, ...
func (p *raw) Setopt(t *kern.Thread, level, name int, val []byte) error {
	if o, ok := p.rawOption(level, name); ok {
		return o.set(t, &p.pcb, val)
	}
	return p.setopt(t, level, name, val)
}

// setNoHeader is SO_NOHEADER: datagrams are received without their IP header. On IPv6 they always are.
func setNoHeader(t *kern.Thread, p *pcb, val []byte) error {
	v, err := getint(val)
	switch {
	case err != nil:
		return err
	case p.v6 && v == 0:
		return abi.EINVAL
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	p.opt.flags &^= optNoHeader
	if v != 0 {
		p.opt.flags = p.opt.flags&^optHdrIncl | optNoHeader
	}
	return nil
}

// icmp6Sum is where ICMPv6 has its checksum.
const icmp6Sum = 2

func getChecksum(p *pcb) ([]byte, error) {
	if p.proto == abi.IPPROTO_ICMPV6 {
		return cint(icmp6Sum), nil
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	return cint(int(p.opt.cksum)), nil
}

// setChecksum is IPV6_CHECKSUM: where in a packet the kernel computes and checks one; -1 for nowhere. Errors: EINVAL.
func setChecksum(_ *kern.Thread, p *pcb, val []byte) error {
	v, err := getint(val)
	switch {
	case err != nil:
		return err
	case v != -1 && v%2 != 0, v < -1:
		return abi.EINVAL
	case p.proto == abi.IPPROTO_ICMPV6:
		if v != icmp6Sum {
			return abi.EINVAL
		}
		return nil
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	p.opt.cksum = v
	return nil
}

func getFilter(p *pcb) ([]byte, error) {
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	return p.opt.filter.Append(nil), nil
}

func setFilter(_ *kern.Thread, p *pcb, val []byte) error {
	if len(val) != abi.SizeofIcmp6Filter {
		return abi.EINVAL
	}
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	return p.opt.filter.Decode(val)
}

// Bind gives the socket its own address: only what is sent there is received. Errors: EINVAL, EAFNOSUPPORT, EADDRNOTAVAIL.
func (p *raw) Bind(_ *kern.Thread, sa []byte) error {
	a, err := p.parseRaw(sa)
	if err != nil {
		return err
	}
	if err := p.ts.local(a, false); err != nil {
		return err
	}
	p.tb.mu.Lock()
	defer p.tb.mu.Unlock()
	p.local = a
	return nil
}

// parseRaw reads an address, whose port means nothing. Errors: EINVAL, EAFNOSUPPORT, EADDRNOTAVAIL for an IPv4-mapped one.
func (p *raw) parseRaw(sa []byte) (address, error) {
	a, err := parse(p.v6, sa)
	if err == nil && a.ip.Is4In6() {
		err = abi.EADDRNOTAVAIL
	}
	a.port = 0
	return a, err
}

// Connect sets the address that datagrams are sent to and received from. Errors: EINVAL, EAFNOSUPPORT, EADDRNOTAVAIL, EHOSTUNREACH.
func (p *raw) Connect(_ *kern.Thread, sa []byte) error {
	p.setForeign(address{}, address{}, false)
	foreign, err := p.parseRaw(sa)
	if err != nil {
		return err
	}
	local, _, _ := p.names()
	if p.v6 {
		if local, err = p.ts.source(local, foreign, p.multicastIf(foreign.ip)); err != nil {
			return err
		}
	}
	p.setForeign(local, foreign, true)
	return nil
}

// setForeign connects the socket, or disconnects it and leaves its own address alone.
func (p *raw) setForeign(local, foreign address, on bool) {
	p.tb.mu.Lock()
	defer p.tb.mu.Unlock()
	p.foreign, p.state = unspecified(p.v6), attached
	if on {
		p.local, p.foreign, p.state = local, foreign, connected
	}
}

// Close ends the socket.
func (p *raw) Close(t *kern.Thread) error {
	p.dropAll()
	p.leave()
	p.q.Close(t)
	return nil
}

// Send sends a datagram: its data, or with IP_HDRINCL a whole one.
//
// Errors: EPIPE, EISCONN, EDESTADDRREQ, EMSGSIZE, EINVAL for a header that is none, and for control messages of IPv4, EADDRNOTAVAIL,
// EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENOBUFS.
func (p *raw) Send(_ *kern.Thread, m *socket.Message, flags int) (int, error) {
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
	k := &packet{
		src: local.ip, dst: foreign.ip, scope: foreign.scope, proto: p.proto, data: m.Data,
		opts: opts, flags: flags, anyCast: true,
	}
	switch {
	case p.v6:
		err = p.send6(k, local, foreign)
	case p.opt.has(optHdrIncl):
		err = p.sendWhole(k)
	default:
		k.ttl = abi.MAXTTL
		if k.dst.IsMulticast() {
			k.ttl = p.ttlTo(k.dst, 0)
		}
		err = p.write(k)
	}
	if err != nil {
		return 0, err
	}
	return len(m.Data), nil
}

// sendWhole sends a datagram with its IPv4 header, whose ip_len and ip_off are in the machine's byte order. Errors: EINVAL, EMSGSIZE, and write's.
func (p *raw) sendWhole(k *packet) error {
	switch {
	case len(k.data) > abi.IP_MAXPACKET:
		return abi.EMSGSIZE
	case len(k.data) < header.IPv4MinimumSize, int(le.Uint16(k.data[ipLen:])) != len(k.data):
		return abi.EINVAL
	}
	b := slices.Clone(k.data)
	swapHeader(b)
	k.whole = true
	k.dst = netip.AddrFrom4([4]byte(b[16:20]))
	return p.writeIP4(b, k)
}

// Where ip_len and ip_off are in a header.
const (
	ipLen = 2
	ipOff = 6
)

// swapHeader changes ip_len and ip_off between the machine's byte order and the network's.
func swapHeader(b []byte) {
	for _, at := range []int{ipLen, ipOff} {
		binary.BigEndian.PutUint16(b[at:], le.Uint16(b[at:]))
	}
}

// send6 sends the payload of an IPv6 datagram, with a checksum where there is to be one. Errors: EINVAL when there is no room for it.
func (p *raw) send6(k *packet, local, foreign address) (err error) {
	if k.src, err = p.sourceOf(local, foreign, &k.opts); err != nil {
		return err
	}
	p.opt.mu.Lock()
	at := int(p.opt.cksum)
	p.opt.mu.Unlock()
	if p.proto == abi.IPPROTO_ICMPV6 {
		at = icmp6Sum
	}
	if at >= 0 {
		if at+2 > len(k.data) {
			return abi.EINVAL
		}
		k.data = slices.Clone(k.data)
		binary.BigEndian.PutUint16(k.data[at:], 0)
		binary.BigEndian.PutUint16(k.data[at:], k.transportSum())
	}
	return p.write(k)
}

// goodSum says whether a received payload has the checksum that the socket's option wants.
func (p *raw) goodSum(k *packet) bool {
	p.opt.mu.Lock()
	at := p.opt.cksum
	p.opt.mu.Unlock()
	return at < 0 || p.proto == abi.IPPROTO_ICMPV6 || k.transportSum() == 0
}
