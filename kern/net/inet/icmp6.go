package inet

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// minMTU6 is the least MTU of IPv6, which ICMP errors are to fit into.
	minMTU6 = header.IPv6MinimumMTU
)

// icmp6Func acts on a message for this kernel. b is the whole message.
type icmp6Func func(in *Inet, d *datagram, b []byte)

// icmp6Table is what acts on each type of message.
func icmp6Table() (t [256]icmp6Func) {
	for typ, f := range map[uint8]icmp6Func{
		abi.ICMP6_ECHO_REQUEST:   (*Inet).icmp6Echo,
		abi.ICMP6_DST_UNREACH:    (*Inet).icmp6Control,
		abi.ICMP6_PACKET_TOO_BIG: (*Inet).icmp6Control,
		abi.MLD_LISTENER_QUERY:   (*Inet).mldInput,
		abi.MLD_LISTENER_REPORT:  (*Inet).mldInput,
		abi.ND_ROUTER_ADVERT:     (*Inet).raInput,
		abi.ND_NEIGHBOR_SOLICIT:  (*Inet).nsInput,
		abi.ND_NEIGHBOR_ADVERT:   (*Inet).naInput,
		abi.ND_ROUTER_SOLICIT:    (*Inet).rsInput,
		abi.ND_REDIRECT:          (*Inet).redirectInput,
		abi.ICMP6_NI_QUERY:       (*Inet).niQuery,
	} {
		t[typ] = f
	}
	return t
}

// icmp6Input acts on an ICMPv6 message for this kernel, then shows it to raw sockets. RFC 4443. d.p stays its owner's.
func (in *Inet) icmp6Input(d *datagram) {
	st := &in.Stats.ICMP6
	n := d.p.Len() - d.hlen
	if n < icmpHdrLen {
		st.Add(abi.ICMP6_STAT_TOOSHORT, 1)
		return
	}
	sum := header.PseudoHeaderChecksum(header.ICMPv6ProtocolNumber, toTCPIP(d.src), toTCPIP(d.dst), uint16(n))
	if checksum.Combine(sum, d.p.Buf.Checksum(d.hlen)) != 0xffff {
		st.Add(abi.ICMP6_STAT_CHECKSUM, 1)
		d.ifc.nd6.istat.inError.Add(1)
		return
	}
	b := make([]byte, n)
	d.p.Buf.ReadAt(b, int64(d.hlen))
	st.Add(abi.ICMP6_STAT_INHIST+int(b[0]), 1)
	d.ifc.nd6.istat.count(b[0], b[1], false)
	if f := in.icmp6[b[0]]; f != nil {
		f(in, d, b)
	}
	in.rawInput(d)
}

// answerFrom is the source of an answer to a datagram: the address that it was sent to, or, if that was a group, one to reach the sender by.
func (in *Inet) answerFrom(d *datagram) (src netip.Addr, ok bool) {
	if d.ia != nil {
		return d.dst, true
	}
	ia := in.source6(d.src, d.ifc)
	if ia == nil {
		return src, false
	}
	return ia.addr, true
}

// icmp6Echo answers an echo request.
func (in *Inet) icmp6Echo(d *datagram, b []byte) {
	src, ok := in.answerFrom(d)
	if !ok {
		return
	}
	if d.src == unspecified6 {
		return
	}
	b = append([]byte(nil), b...)
	b[0] = abi.ICMP6_ECHO_REPLY
	in.Stats.ICMP6.Add(abi.ICMP6_STAT_REFLECT, 1)
	in.icmp6Send(header6{src: src, dst: d.src, hlim: d.ifc.hopLimit(), tc: trafficClass(d.h6())}, b, d.ifc)
}

func trafficClass(h header.IPv6) uint8 {
	tc, _ := h.TOS()
	return tc
}

// icmp6Send fills in the checksum of a message and sends it, through ifc where the destination needs one.
func (in *Inet) icmp6Send(h header6, b []byte, ifc *iface) error {
	b[2], b[3] = 0, 0
	sum := header.PseudoHeaderChecksum(header.ICMPv6ProtocolNumber, toTCPIP(h.src), toTCPIP(h.dst), uint16(len(b)))
	binary.BigEndian.PutUint16(b[2:], ^checksum.Checksum(b, sum))
	in.Stats.ICMP6.Add(abi.ICMP6_STAT_OUTHIST+int(b[0]), 1)
	o := outgoing{tentative: b[0] == abi.ND_NEIGHBOR_SOLICIT}
	if scoped(h.dst) {
		o.ifc = ifc
	}
	if ifc != nil {
		ifc.nd6.istat.count(b[0], b[1], true)
	}
	h.proto = abi.IPPROTO_ICMPV6
	return in.send6(h, b, o)
}

// errCounters are the counters of errors by code, ICMP6_STAT_OUTERRHIST.
var errCounters = map[icmpReason]int{
	{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_NOROUTE, 0}:      0,
	{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_ADMIN, 0}:        1,
	{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_BEYONDSCOPE, 0}:  2,
	{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_ADDR, 0}:         3,
	{abi.ICMP6_DST_UNREACH, abi.ICMP6_DST_UNREACH_NOPORT, 0}:       4,
	{abi.ICMP6_PACKET_TOO_BIG, 0, 0}:                               5,
	{abi.ICMP6_TIME_EXCEEDED, abi.ICMP6_TIME_EXCEED_TRANSIT, 0}:    6,
	{abi.ICMP6_TIME_EXCEEDED, abi.ICMP6_TIME_EXCEED_REASSEMBLY, 0}: 7,
	{abi.ICMP6_PARAM_PROB, abi.ICMP6_PARAMPROB_HEADER, 0}:          8,
	{abi.ICMP6_PARAM_PROB, abi.ICMP6_PARAMPROB_NEXTHEADER, 0}:      9,
	{abi.ICMP6_PARAM_PROB, abi.ICMP6_PARAMPROB_OPTION, 0}:          10,
}

// icmp6Error tells the sender of a datagram what is wrong with it, unless that must not be (RFC 4443, 2.4 (e)): of an ICMP error or a
// redirect, of a datagram to a group but for its being too big, or more often than net.inet6.icmp6.errppslimit a second. d.p stays
// its owner's.
func (in *Inet) icmp6Error(d *datagram, why icmpReason) {
	st := &in.Stats.ICMP6
	st.Add(abi.ICMP6_STAT_ERROR, 1)
	if i, ok := errCounters[icmpReason{why.typ, why.code, 0}]; ok {
		st.Add(abi.ICMP6_STAT_OUTERRHIST+i, 1)
	}
	group := d.cast != 0 || d.dst.IsMulticast()
	if d.src == unspecified6 || d.src.IsMulticast() || group && why.typ != abi.ICMP6_PACKET_TOO_BIG {
		st.Add(abi.ICMP6_STAT_CANTERROR, 1)
		return
	}
	if d.prot == abi.IPPROTO_ICMPV6 {
		var b [1]byte
		n, _ := d.p.Buf.ReadAt(b[:], int64(d.hlen))
		if n == 0 || b[0] < abi.ICMP6_ECHO_REQUEST || b[0] == abi.ND_REDIRECT {
			st.Add(abi.ICMP6_STAT_CANTERROR, 1)
			return
		}
	}
	if !in.errs6.allow(int(in.conf.icmp6ErrLimit.Load())) {
		st.Add(abi.ICMP6_STAT_TOOFREQ, 1)
		return
	}
	b := make([]byte, icmpHdrLen+min(d.p.Len(), minMTU6-header.IPv6MinimumSize-icmpHdrLen))
	b[0], b[1] = why.typ, why.code
	binary.BigEndian.PutUint32(b[4:], why.info)
	d.p.Header(b[icmpHdrLen:])
	src, ok := in.answerFrom(d)
	if !ok {
		return
	}
	in.icmp6Send(header6{src: src, dst: d.src, hlim: d.ifc.hopLimit()}, b, d.ifc)
}

// unreach6Kinds are what transport endpoints make of the codes of ICMP6_DST_UNREACH.
var unreach6Kinds = map[uint8]stack.TransportErrorKind{
	abi.ICMP6_DST_UNREACH_NOROUTE: stack.DestinationNetworkUnreachableTransportError,
	abi.ICMP6_DST_UNREACH_NOPORT:  stack.DestinationPortUnreachableTransportError,
}

// icmp6Control hands an error to the protocol of the packet that it is about.
func (in *Inet) icmp6Control(d *datagram, b []byte) {
	te := &transportError{kind: stack.DestinationHostUnreachableTransportError, v6: true, typ: b[0], code: b[1]}
	if b[0] == abi.ICMP6_PACKET_TOO_BIG {
		te.kind, te.info = stack.PacketTooBigTransportError, binary.BigEndian.Uint32(b[4:])
		if te.info < minMTU6 {
			return
		}
		in.Stats.ICMP6.Add(abi.ICMP6_STAT_PMTUCHG, 1)
		in.tooBig(d.ifc, b, te.info)
		te.info -= header.IPv6MinimumSize
	} else if kind, ok := unreach6Kinds[b[1]]; ok {
		te.kind = kind
	}
	in.control(d, d.hlen+icmpHdrLen, te)
}

// solicitedNode is the group that the neighbours who look for an address send to.
func solicitedNode(a netip.Addr) netip.Addr {
	b := a.As16()
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
}
