package inpcb

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// rawReceivers are the raw sockets of a table that a datagram is for.
func (tb *table) rawReceivers(d *inet.RawDatagram, exact bool) []*raw {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	var list []*raw
	for p := range tb.pcbs {
		switch {
		case p.proto != d.Protocol && (p.proto != 0 || exact):
		case !p.local.any() && !p.local.is(d.Dst, d.If):
		case !p.foreign.any() && !p.foreign.is(d.Src, d.If):
		default:
			list = append(list, p.self.(*raw))
		}
	}
	return list
}

// is says whether a packet's address, which came in on an interface, is a.
func (a address) is(ip netip.Addr, ifp *ifnet.Interface) bool {
	return a.ip == ip && (a.scope == 0 || a.scope == ifp.Index)
}

// answered4 are the ICMP messages that the kernel answers; raw sockets are not shown them.
var answered4 = map[byte]bool{abi.ICMP_ECHO: true, abi.ICMP_TSTAMP: true}

// rawInput4 shows an IPv4 datagram to raw sockets. As ever, its header has ip_len without the header's length and ip_off, both in the
// machine's byte order.
func (ts *Tables) rawInput4(d *inet.RawDatagram) bool {
	list := ts.raw4.rawReceivers(d, false)
	if len(list) == 0 {
		return false
	}
	b := flatten(d.Packet)
	if len(b) <= d.HeaderLen && d.Protocol == abi.IPPROTO_ICMP || len(b) < d.HeaderLen {
		return false
	}
	if d.Protocol == abi.IPPROTO_ICMP && answered4[b[d.HeaderLen]] {
		return false
	}
	a := arrival{src: d.Src, dst: d.Dst, index: d.If.Index, ttl: header.IPv4(b).TTL()}
	swapHeader(b)
	binary.NativeEndian.PutUint16(b[ipLen:], uint16(len(b)-d.HeaderLen))
	from := address{ip: d.Src}.sockaddr()
	for _, p := range list {
		data := b
		if p.opt.has(optNoHeader) {
			data = b[d.HeaderLen:]
		}
		// A full queue counts what it drops.
		_ = p.q.Append(from, data, p.control(&a), rawFlags(d))
	}
	return true
}

// flatten is a copy of a packet's bytes.
func flatten(p *ifnet.Packet) []byte {
	b := make([]byte, p.Len())
	n, _ := p.Buf.ReadAt(b, 0)
	return b[:n]
}

// rawFlags says whether a datagram was to all or to a group.
func rawFlags(d *inet.RawDatagram) int {
	flags := 0
	if d.Flags&ifnet.Broadcast != 0 {
		flags |= abi.MSG_BCAST
	}
	if d.Flags&ifnet.Multicast != 0 {
		flags |= abi.MSG_MCAST
	}
	return flags
}

// rawInput6 shows the payload of an IPv6 datagram to raw sockets. ICMPv6 is for sockets of that protocol alone, by their filters.
func (ts *Tables) rawInput6(d *inet.RawDatagram) bool {
	icmp := d.Protocol == abi.IPPROTO_ICMPV6
	list := ts.raw6.rawReceivers(d, icmp)
	if len(list) == 0 {
		return false
	}
	b := flatten(d.Packet)
	if len(b) < header.IPv6MinimumSize || len(b) < d.HeaderLen || icmp && len(b) == d.HeaderLen {
		return false
	}
	h := header.IPv6(b)
	tclass, _ := h.TOS()
	a := arrival{src: d.Src, dst: d.Dst, index: d.If.Index, ttl: h.HopLimit(), tclass: tclass}
	from := address{ip: d.Src, scope: d.If.Index}.sockaddr()
	k := packet{src: d.Src, dst: d.Dst, proto: d.Protocol, data: b[d.HeaderLen:]}
	taken := false
	for _, p := range list {
		if icmp && !p.passes(k.data[0]) || !p.goodSum(&k) {
			continue
		}
		taken = true
		_ = p.q.Append(from, k.data, p.control(&a), rawFlags(d))
	}
	return taken
}

// passes says whether ICMP6_FILTER lets a type pass.
func (p *raw) passes(typ byte) bool {
	p.opt.mu.Lock()
	defer p.opt.mu.Unlock()
	return p.opt.filter.Filt[typ>>5]&(1<<(typ&31)) != 0
}
