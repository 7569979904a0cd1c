package gif

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// Lengths of headers, and the congestion bits of a traffic class: RFC 791, 8200, 3168.
const (
	ipv4Len, ipv6Len = 20, 40
	ecnMask          = 3
	ecnCE            = 3
)

// Transmit sends packets to the tunnel's other end. Errors: ENETDOWN without a tunnel, EIO when the way there leads through a tunnel again, those of
// sending.
func (d *tunnel) Transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	e := d.ends.Load()
	err := d.passable(e)
	for _, p := range pkts {
		sent := err
		if sent == nil {
			sent = d.encapsulate(ifp, e, p)
		}
		p.Release()
		if sent != nil {
			ifp.Stats.Oerrors.Add(1)
			err = sent
		}
	}
	return err
}

// passable says why nothing can be sent through the tunnel; nil when something can.
func (d *tunnel) passable(e *ends) error {
	switch {
	case e == nil:
		return abi.ENETDOWN
	case e.scope != nil:
		return nil
	}
	if entry := d.gifs.table.Lookup(e.dst, 0); entry != nil {
		if _, nested := entry.If.Driver.(*tunnel); nested {
			return abi.EIO
		}
	}
	return nil
}

// encapsulate sends a packet within a datagram of the tunnel's family. It does not keep p.
func (d *tunnel) encapsulate(ifp *ifnet.Interface, e *ends, p *ifnet.Packet) error {
	proto := byte(protoIPv4)
	if p.Family == abi.AF_INET6 {
		proto = protoIPv6
	}
	class := ingress(trafficClass(p), ifp.Flags()&abi.IFF_LINK1 != 0)
	in := d.gifs.in
	if e.dst.Is4() {
		return in.WriteIP4(outer4(e, proto, class, byte(in.Int("net.inet.ip.gifttl")), p), inet.RawOptions{If: e.scope})
	}
	return in.WriteIP6(outer6(e, proto, class, byte(in.Int("net.inet6.ip6.gifhlim")), p), inet.RawOptions{If: e.scope, MinMTU: true})
}

// outer4 is a packet within an IPv4 datagram; length, identification and checksum are the stack's to fill in.
func outer4(e *ends, proto, tos, ttl byte, p *ifnet.Packet) []byte {
	b := make([]byte, ipv4Len+p.Len())
	b[0], b[1], b[8], b[9] = 0x45, tos, ttl, proto
	src, dst := e.src.As4(), e.dst.As4()
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	p.Buf.ReadAt(b[ipv4Len:], 0)
	return b
}

func outer6(e *ends, proto, class, hlim byte, p *ifnet.Packet) []byte {
	b := make([]byte, ipv6Len+p.Len())
	binary.BigEndian.PutUint32(b, 6<<28|uint32(class)<<20)
	b[6], b[7] = proto, hlim
	src, dst := e.src.As16(), e.dst.As16()
	copy(b[8:], src[:])
	copy(b[24:], dst[:])
	p.Buf.ReadAt(b[ipv6Len:], 0)
	return b
}

// version is a packet's IP version; 0 of one without a byte.
func version(p *ifnet.Packet) byte {
	var b [1]byte
	p.Header(b[:])
	return b[0] >> 4
}

// trafficClass is a packet's type of service, or traffic class.
func trafficClass(p *ifnet.Packet) byte {
	var b [2]byte
	p.Header(b[:])
	if b[0]>>4 == 6 {
		return b[0]<<4 | b[1]>>4
	}
	return b[1]
}

// ingress is the outer traffic class of an inner one: the same, but that where congestion is told through the tunnel (gif(4)'s link1) the
// mark of congestion begins clear.
func ingress(inner byte, ecn bool) byte {
	if ecn && inner&ecnMask == ecnCE {
		return inner&^ecnMask | 2
	}
	return inner
}

// egress marks the inner packet when the outer one met congestion: RFC 3168. It is false for a packet that must be dropped, since its
// ends do not understand marks.
func egress(p *ifnet.Packet, outer byte) bool {
	inner := trafficClass(p)
	if outer&ecnMask != ecnCE || inner&ecnMask == ecnCE {
		return true
	}
	if inner&ecnMask == 0 {
		return false
	}
	var head [ipv4Len]byte
	if !p.Header(head[:]) {
		return false
	}
	n := 2
	if version(p) == 6 {
		head[1] |= ecnCE << 4
	} else {
		n = ipv4Len
		head[1] |= ecnCE
		fixChecksum(head[:], uint16(inner), uint16(inner|ecnCE))
	}
	p.Buf.TrimFront(int64(n))
	front := buffer.NewViewWithData(head[:n])
	if err := p.Buf.Prepend(front); err != nil {
		front.Release()
		return false
	}
	return true
}

// fixChecksum keeps an IPv4 header's checksum right when a word of it changes: RFC 1624.
func fixChecksum(h []byte, before, after uint16) {
	sum := uint32(^binary.BigEndian.Uint16(h[10:])) + uint32(^before) + uint32(after)
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(h[10:], ^uint16(sum))
}
