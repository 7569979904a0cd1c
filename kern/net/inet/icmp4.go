package inet

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/abi"
)

// icmpReason is type, code and the second word of an ICMP error.
type icmpReason struct {
	typ, code uint8
	info      uint32
}

const (
	icmpHdrLen = 8
	// maxTTL is the time to live of answers.
	maxTTL = 255
)

// icmpInput acts on an ICMP message for this kernel, then shows it to raw sockets. RFC 792, RFC 1122, 3.2.2. d.p stays its owner's.
func (in *Inet) icmpInput(d *datagram) {
	st := &in.Stats.ICMP
	var b [icmpHdrLen]byte
	if n, _ := d.p.Buf.ReadAt(b[:], int64(d.hlen)); n < len(b) {
		st.Add(abi.ICMP_STAT_TOOSHORT, 1)
		return
	}
	if d.p.Buf.Checksum(d.hlen) != 0xffff {
		st.Add(abi.ICMP_STAT_CHECKSUM, 1)
		return
	}
	typ := b[0]
	if typ <= abi.ICMP_MAXTYPE {
		st.Add(abi.ICMP_STAT_INHIST+int(typ), 1)
	}
	switch typ {
	case abi.ICMP_ECHO:
		in.icmpEcho(d, abi.ICMP_ECHOREPLY, abi.ICMP_STAT_BMCASTECHO)
	case abi.ICMP_TSTAMP:
		in.icmpTimestamp(d)
	case abi.ICMP_MASKREQ:
		in.icmpMask(d)
	case abi.ICMP_UNREACH, abi.ICMP_TIMXCEED, abi.ICMP_PARAMPROB:
		in.icmpControl(d, b)
	case abi.ICMP_REDIRECT:
		in.icmpRedirect(d, b)
	}
	in.rawInput(d)
}

// icmpEcho answers an echo request, to a broadcast only when net.inet.icmp.bmcastecho is on.
func (in *Inet) icmpEcho(d *datagram, typ uint8, refused int) {
	if d.cast != 0 && in.conf.bmcastEcho.Load() == 0 {
		in.Stats.ICMP.Add(refused, 1)
		return
	}
	b := make([]byte, d.p.Len()-d.hlen)
	d.p.Buf.ReadAt(b, int64(d.hlen))
	b[0] = typ
	in.icmpReflect(d, b)
}

// icmpTimestamp answers a timestamp request: milliseconds since midnight (RFC 792).
func (in *Inet) icmpTimestamp(d *datagram) {
	const size = 20
	b := make([]byte, d.p.Len()-d.hlen)
	d.p.Buf.ReadAt(b, int64(d.hlen))
	switch {
	case len(b) < size:
		in.Stats.ICMP.Add(abi.ICMP_STAT_BADLEN, 1)
		return
	case d.cast != 0 && in.conf.bmcastEcho.Load() == 0:
		in.Stats.ICMP.Add(abi.ICMP_STAT_BMCASTTSTAMP, 1)
		return
	}
	now := in.K.Now().UTC()
	ms := uint32(now.Hour()*3600+now.Minute()*60+now.Second())*1000 + uint32(now.Nanosecond()/1e6)
	b[0] = abi.ICMP_TSTAMPREPLY
	binary.BigEndian.PutUint32(b[12:], ms)
	binary.BigEndian.PutUint32(b[16:], ms)
	in.icmpReflect(d, b)
}

// icmpMask answers a request for the netmask, when net.inet.icmp.maskrepl is on.
func (in *Inet) icmpMask(d *datagram) {
	const size = 12
	ia := in.firstAddr(d.ifc.ifp, familyInet)
	if in.conf.maskRepl.Load() == 0 || ia == nil || d.p.Len()-d.hlen < size {
		return
	}
	b := make([]byte, size)
	d.p.Buf.ReadAt(b, int64(d.hlen))
	b[0] = abi.ICMP_MASKREPLY
	copy(b[8:], maskBytes(ia.bits, 4))
	in.icmpReflect(d, b)
}

// icmpReflect sends an answer to the sender of a datagram, from the address that it was sent to.
func (in *Inet) icmpReflect(d *datagram, b []byte) {
	src := d.dst
	if d.ia == nil || d.cast != 0 {
		src = in.replySource(d)
	}
	if !src.IsValid() || d.src == unspecified4 {
		return
	}
	in.Stats.ICMP.Add(abi.ICMP_STAT_REFLECT, 1)
	in.icmpSend(header4{src: src, dst: d.src, ttl: maxTTL, tos: d.head[1]}, b)
}

// replySource is the address of ours that answers to a datagram come from when it was not sent to one: that of the interface which
// it came in on, or which the answer leaves through.
func (in *Inet) replySource(d *datagram) netip.Addr {
	if ia := in.firstAddr(d.ifc.ifp, familyInet); ia != nil && ia.ready() {
		return ia.addr
	}
	if ia := in.sourceFor(d.src, d.ifc, false); ia != nil {
		return ia.addr
	}
	return netip.Addr{}
}

// icmpSend fills in the checksum of a message and sends it.
func (in *Inet) icmpSend(h header4, b []byte) {
	b[2], b[3] = 0, 0
	binary.BigEndian.PutUint16(b[2:], ^checksum.Checksum(b, 0))
	if b[0] <= abi.ICMP_MAXTYPE {
		in.Stats.ICMP.Add(abi.ICMP_STAT_OUTHIST+int(b[0]), 1)
	}
	h.proto = abi.IPPROTO_ICMP
	in.send4(h, b, outgoing{})
}

// icmpError tells the sender of a datagram what is wrong with it, unless that must not be (RFC 1122, 3.2.2): of an ICMP error, of a broadcast, of
// a fragment but the first, or more often than net.inet.icmp.errppslimit a second. d.p stays its owner's.
func (in *Inet) icmpError(d *datagram, why icmpReason) {
	st := &in.Stats.ICMP
	if why.typ != abi.ICMP_REDIRECT {
		st.Add(abi.ICMP_STAT_ERROR, 1)
	}
	if d.cast != 0 || d.h4().FragmentOffset() != 0 || !answerable4(d.src) {
		return
	}
	if d.prot == abi.IPPROTO_ICMP && why.typ != abi.ICMP_REDIRECT {
		var b [1]byte
		d.p.Buf.ReadAt(b[:], int64(d.hlen))
		if !isQuery4(b[0]) {
			st.Add(abi.ICMP_STAT_OLDICMP, 1)
			return
		}
	}
	if !in.errs4.allow(int(in.conf.icmpErrLimit.Load())) {
		return
	}
	n := min(d.p.Len()-d.hlen, max(8, int(in.conf.returnDataBytes.Load())))
	b := make([]byte, icmpHdrLen+d.hlen+n)
	b[0], b[1] = why.typ, why.code
	binary.BigEndian.PutUint32(b[4:], why.info)
	d.p.Header(b[icmpHdrLen:])
	src := d.dst
	if d.ia == nil {
		src = in.replySource(d)
	}
	if src.IsValid() {
		in.icmpSend(header4{src: src, dst: d.src, ttl: maxTTL}, b)
	}
}

// answerable4 says whether an ICMP error may be sent to an address.
func answerable4(a netip.Addr) bool {
	return a != unspecified4 && a != broadcast4 && !a.IsMulticast() && a.As4()[0] < 240
}

// isQuery4 says whether an ICMP message is one that is answered: an error about it may be sent.
func isQuery4(typ uint8) bool {
	switch typ {
	case abi.ICMP_ECHO, abi.ICMP_ECHOREPLY, abi.ICMP_TSTAMP, abi.ICMP_TSTAMPREPLY, abi.ICMP_IREQ, abi.ICMP_IREQREPLY, abi.ICMP_MASKREQ, abi.ICMP_MASKREPLY:
		return true
	}
	return false
}

// unreachKinds are what transport endpoints make of the codes of ICMP_UNREACH.
var unreachKinds = map[uint8]stack.TransportErrorKind{
	abi.ICMP_UNREACH_NET:      stack.DestinationNetworkUnreachableTransportError,
	abi.ICMP_UNREACH_HOST:     stack.DestinationHostUnreachableTransportError,
	abi.ICMP_UNREACH_PROTOCOL: stack.DestinationProtoUnreachableTransportError,
	abi.ICMP_UNREACH_PORT:     stack.DestinationPortUnreachableTransportError,
	abi.ICMP_UNREACH_NEEDFRAG: stack.PacketTooBigTransportError,
	abi.ICMP_UNREACH_SRCFAIL:  stack.SourceRouteFailedTransportError,
}

// icmpControl hands an error to the protocol of the packet that it is about.
func (in *Inet) icmpControl(d *datagram, b [icmpHdrLen]byte) {
	if b[0] != abi.ICMP_UNREACH {
		return
	}
	kind, ok := unreachKinds[b[1]]
	if !ok {
		kind = stack.DestinationHostUnreachableTransportError
	}
	te := &transportError{kind: kind, typ: b[0], code: b[1]}
	if kind == stack.PacketTooBigTransportError {
		if te.info = uint32(binary.BigEndian.Uint16(b[6:])); te.info < minMTU4 {
			return
		}
		in.Stats.ICMP.Add(abi.ICMP_STAT_PMTUCHG, 1)
		te.info -= header.IPv4MinimumSize
	}
	in.control(d, d.hlen+icmpHdrLen, te)
}

// minMTU4 is the least MTU that is believed: RFC 791 asks for 68, and less than this is an attack.
const minMTU4 = 296

// icmpRedirect takes a better way to a host from a router in our network (RFC 1122, 3.2.2.2), unless we route ourselves.
func (in *Inet) icmpRedirect(d *datagram, b [icmpHdrLen]byte) {
	if in.conf.redirAccept.Load() == 0 || b[1] > abi.ICMP_REDIRECT_TOSHOST {
		return
	}
	var quoted [header.IPv4MinimumSize]byte
	if n, _ := d.p.Buf.ReadAt(quoted[:], int64(d.hlen+icmpHdrLen)); n < len(quoted) {
		in.Stats.ICMP.Add(abi.ICMP_STAT_BADLEN, 1)
		return
	}
	gw, dst := netip.AddrFrom4([4]byte(b[4:])), fromTCPIP(header.IPv4(quoted[:]).DestinationAddress())
	ifc, author := d.ifc, d.src
	in.later.do(func() { in.redirected(ifc, dst, gw, author) })
}

// onLinkAddr is the address of an interface that a neighbour is in the network of; nil without one.
func (in *Inet) onLinkAddr(ifc *iface, a netip.Addr) *ifaddr {
	for _, ia := range in.addrs.Load().list {
		if ia.ifc == ifc && ia.addr.Is4() == a.Is4() && ia.prefix().Contains(a) {
			return ia
		}
	}
	return nil
}
