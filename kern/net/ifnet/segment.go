package ifnet

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
)

// Protocol numbers of IP and the lengths and offsets of headers that this file knows: RFC 791, 8200, 9293, 768.
const (
	protoTCP, protoUDP     = 6, 17
	ipv4MinLen, ipv6HdrLen = 20, 40
	tcpMinLen, udpHdrLen   = 20, 8
	maxHeaders             = 256 // link, network with extensions, transport: enough for all that we send
	tcpFlagsAt, tcpSumAt   = 13, 16
	tcpFIN, tcpPSH, tcpCWR = 0x01, 0x08, 0x80
	udpSumAt               = 6
	ipv6HopOpts, ipv6Route = 0, 43
	ipv6Dest               = 60
)

// headers says where things are in the first bytes of a packet.
type headers struct {
	buf       [maxHeaders]byte
	n         int // bytes of buf that are filled
	network   int // offset of the IP header
	transport int // offset of the TCP or UDP header
	end       int // where the IP packet ends: padding may follow
	v6        bool
	proto     byte
}

// parse reads the headers of an IP packet after linkLen bytes of link header. It says whether it is a whole TCP segment or UDP datagram
// that it understands.
func (h *headers) parse(p *Packet, linkLen int) bool {
	h.n, _ = p.Buf.ReadAt(h.buf[:], 0)
	h.network = linkLen
	b := h.buf[:h.n]
	if len(b) < linkLen+ipv4MinLen {
		return false
	}
	ok := false
	switch b[linkLen] >> 4 {
	case 4:
		ok = h.parse4(b[linkLen:])
	case 6:
		h.v6 = true
		ok = h.parse6(b[linkLen:])
	}
	if !ok || h.end > p.Len() {
		return false
	}
	switch h.proto {
	case protoTCP:
		return h.n >= h.transport+tcpMinLen && h.end >= h.transport+tcpMinLen
	case protoUDP:
		return h.n >= h.transport+udpHdrLen && h.end >= h.transport+udpHdrLen
	}
	return false
}

func (h *headers) parse4(ip []byte) bool {
	hlen := int(ip[0]&0xf) * 4
	fragment := binary.BigEndian.Uint16(ip[6:])&0x3fff != 0
	h.proto = ip[9]
	h.transport = h.network + hlen
	h.end = h.network + int(binary.BigEndian.Uint16(ip[2:]))
	return hlen >= ipv4MinLen && !fragment
}

func (h *headers) parse6(ip []byte) bool {
	if len(ip) < ipv6HdrLen {
		return false
	}
	h.end = h.network + ipv6HdrLen + int(binary.BigEndian.Uint16(ip[4:]))
	next, at := ip[6], ipv6HdrLen
	for next == ipv6HopOpts || next == ipv6Route || next == ipv6Dest {
		if len(ip) < at+8 {
			return false
		}
		next, at = ip[at], at+(int(ip[at+1])+1)*8
	}
	h.proto, h.transport = next, h.network+at
	return true
}

// pseudo is the sum of the pseudo header for length bytes of transport header and data.
func (h *headers) pseudo(length int) uint16 {
	ip := h.buf[h.network:]
	addrs := ip[12:20]
	if h.v6 {
		addrs = ip[8:40]
	}
	sum := checksum.Checksum(addrs, 0)
	var tail [6]byte
	binary.BigEndian.PutUint32(tail[:], uint32(length))
	tail[5] = h.proto
	return checksum.Checksum(tail[:4], checksum.Combine(sum, uint16(tail[5])))
}

// FinishChecksum fills in the transport checksum of a packet with ChecksumMissing, which has linkLen bytes of link header. What is no whole
// TCP segment or UDP datagram is left as it is; the flag goes either way.
func FinishChecksum(p *Packet, linkLen int) {
	p.Flags &^= ChecksumMissing
	var h headers
	if !h.parse(p, linkLen) {
		return
	}
	at := h.transport + tcpSumAt
	if h.proto == protoUDP {
		at = h.transport + udpSumAt
	}
	head := h.buf[:at+2]
	head[at], head[at+1] = 0, 0
	p.replaceHead(len(head), head)
	data := p.Buf.Clone()
	defer data.Release()
	data.Truncate(int64(h.end))
	sum := ^checksum.Combine(data.Checksum(h.transport), h.pseudo(h.end-h.transport))
	if sum == 0 && h.proto == protoUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(head[at:], sum)
	p.replaceHead(len(head), head)
}

// Segments cuts a large TCP segment (Packet.Segment), which has linkLen bytes of link header, into segments of Size bytes of payload, complete
// with their checksums, as RFC 9293 has them: PSH and FIN only on the last, CWR only on the first. It owns p. A packet that is none comes back as it is.
func Segments(p *Packet, linkLen int) []*Packet {
	size := int(p.Segment.Size)
	var h headers
	p.Segment = Segment{}
	if size == 0 || !h.parse(p, linkLen) || h.proto != protoTCP {
		FinishChecksum(p, linkLen)
		return []*Packet{p}
	}
	hlen := h.transport + int(h.buf[h.transport+12]>>4)*4
	if hlen < h.transport+tcpMinLen || hlen > h.n || hlen > h.end {
		FinishChecksum(p, linkLen)
		return []*Packet{p}
	}
	defer p.Release()
	payload := h.end - hlen
	out := make([]*Packet, 0, payload/size+1)
	r := p.Buf.AsBufferReader()
	if _, err := r.Read(make([]byte, hlen)); err != nil {
		return nil
	}
	for off := 0; off < payload || off == 0; off += size {
		n := min(size, payload-off)
		v := buffer.NewViewSize(hlen + n)
		frame := v.AsSlice()
		copy(frame, h.buf[:hlen])
		readFull(&r, frame[hlen:])
		h.patch(frame, off, len(out), off+n >= payload)
		out = append(out, &Packet{Buf: buffer.MakeWithView(v), Family: p.Family, Flags: p.Flags &^ ChecksumMissing})
	}
	return out
}

func readFull(r *buffer.BufferReader, b []byte) {
	for len(b) > 0 {
		n, err := r.Read(b)
		if err != nil {
			return
		}
		b = b[n:]
	}
}

// patch makes the headers at the start of a frame those of the segment number i at offset off of the payload.
func (h *headers) patch(frame []byte, off, i int, last bool) {
	be := binary.BigEndian
	ip, tcp := frame[h.network:h.transport], frame[h.transport:]
	if h.v6 {
		be.PutUint16(ip[4:], uint16(len(frame)-h.network-ipv6HdrLen))
	} else {
		be.PutUint16(ip[2:], uint16(len(frame)-h.network))
		be.PutUint16(ip[4:], be.Uint16(ip[4:])+uint16(i))
		be.PutUint16(ip[10:], 0)
		be.PutUint16(ip[10:], ^checksum.Checksum(ip, 0))
	}
	be.PutUint32(tcp[4:], be.Uint32(tcp[4:])+uint32(off))
	if !last {
		tcp[tcpFlagsAt] &^= tcpFIN | tcpPSH
	}
	if i > 0 {
		tcp[tcpFlagsAt] &^= tcpCWR
	}
	be.PutUint16(tcp[tcpSumAt:], 0)
	be.PutUint16(tcp[tcpSumAt:], ^checksum.Checksum(tcp, h.pseudo(len(tcp))))
}
