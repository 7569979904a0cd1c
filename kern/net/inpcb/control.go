package inpcb

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// arrival is what control messages tell of a received datagram.
type arrival struct {
	src, dst netip.Addr // as in its header
	index    uint16     // the interface that it came in on
	ttl      uint8      // or hop limit
	tclass   uint8
}

// control makes the control messages that the socket's options ask for, in the original's order.
func (p *pcb) control(a *arrival) []socket.Control {
	var list []socket.Control
	if p.so.Option(abi.SO_TIMESTAMP) {
		now := p.ts.k.Now()
		tv := abi.Timeval{Sec: now.Unix(), Usec: int32(now.Nanosecond() / 1000)}
		list = append(list, socket.Control{Level: abi.SOL_SOCKET, Type: abi.SCM_TIMESTAMP, Data: tv.Append(nil)})
	}
	p.opt.mu.Lock()
	flags := p.opt.flags
	p.opt.mu.Unlock()
	if flags&controlOpts == 0 {
		return list
	}
	level, rows := abi.IPPROTO_IP, controls4
	switch {
	case p.v6 && a.dst.Is6():
		level, rows = abi.IPPROTO_IPV6, controls6
	case p.v6:
		return list
	}
	for _, r := range rows {
		if flags&r.flag != 0 {
			list = append(list, socket.Control{Level: level, Type: r.typ, Data: r.data(a)})
		}
	}
	return list
}

// controlRow is a control message: which option asks for it, and its data.
type controlRow struct {
	flag optFlags
	typ  int
	data func(a *arrival) []byte
}

// controls4 are those of IPPROTO_IP. IP_RECVPKTINFO has the sender's address and IP_PKTINFO the receiver's, as the original does.
var controls4 = []controlRow{
	{optRecvDstAddr, abi.IP_RECVDSTADDR, func(a *arrival) []byte { return a.dst.AsSlice() }},
	{optRecvPktinfo, abi.IP_RECVPKTINFO, func(a *arrival) []byte { return inPktinfo(a.src, a.index) }},
	{optPktinfo, abi.IP_PKTINFO, func(a *arrival) []byte { return inPktinfo(a.dst, a.index) }},
	{optRecvIf, abi.IP_RECVIF, func(a *arrival) []byte {
		return []byte{sdlSize, abi.AF_LINK, byte(a.index), byte(a.index >> 8), 0, 0, 0, 0}
	}},
	{optRecvTTL, abi.IP_RECVTTL, func(a *arrival) []byte { return []byte{a.ttl} }},
}

// sdlSize is the length of a struct sockaddr_dl that has an index and nothing else.
const sdlSize = 8

func inPktinfo(a netip.Addr, index uint16) []byte {
	i := abi.InPktinfo{Addr: abi.InAddrFrom4(a.As4()), Ifindex: uint32(index)}
	return i.Append(nil)
}

// controls6 are those of IPPROTO_IPV6.
var controls6 = []controlRow{
	{optRecvPktinfo6, abi.IPV6_PKTINFO, func(a *arrival) []byte {
		i := abi.In6Pktinfo{Addr: abi.In6Addr{Addr: a.dst.As16()}, Ifindex: uint32(a.index)}
		return i.Append(nil)
	}},
	{optRecvHopLimit, abi.IPV6_HOPLIMIT, func(a *arrival) []byte { return cint(int(a.ttl)) }},
	{optRecvTClass, abi.IPV6_TCLASS, func(a *arrival) []byte { return cint(int(a.tclass)) }},
}

// pktopts are the particulars of one packet to be sent: the socket's, and over them those of its control messages.
//
// Errors: EINVAL for control messages on IPv4; ENOPROTOOPT, ENXIO, EOPNOTSUPP.
func (p *pcb) pktopts(control []socket.Control) (pktopts, error) {
	if !p.v6 && len(control) > 0 {
		return pktopts{}, abi.EINVAL
	}
	p.opt.mu.Lock()
	o := p.opt.sticky
	p.opt.mu.Unlock()
	for _, c := range control {
		if c.Level != abi.IPPROTO_IPV6 {
			continue
		}
		if err := p.setPktopt(&o, c.Type, c.Data, false); err != nil {
			return o, err
		}
	}
	return o, nil
}
