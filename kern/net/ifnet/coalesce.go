package ifnet

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Coalescer puts TCP segments that were received together and follow one another into large ones, which cost the protocols as much as one small
// one. Segments undoes it: a large segment that is forwarded leaves as it came. A driver that receives in batches has one, for one
// goroutine, and calls its Input instead of the interface's.
type Coalescer struct {
	first *Packet // of the segment in the making; nil without
	h     headers // of first, hlen bytes with TCP's
	hlen  int
	size  int    // bytes of payload of first
	total int    // bytes of payload of all
	count int    // segments
	next  uint32 // the sequence number that follows
	id    uint16 // of IPv4, of the last one
	ended bool   // nothing may follow: PSH, or a segment shorter than the first

	other headers // of the packet that is looked at
}

// IPv4's DF bit, and the flags of TCP that a segment in the middle of a stream has; PSH may be there, too.
const (
	ipv4DF  = 0x4000
	tcpACK  = 0x10
	maxIP   = 1<<16 - 1
	tcpWnd  = 14 // offset of the window
	tcpUrg  = 18 // of the urgent pointer, and the options behind it
	ipv4Sum = 10
)

// Input is ifp.Input after coalescing. Taps see packets as they came, and the interface's counters count those.
func (c *Coalescer) Input(ifp *Interface, pkts []*Packet) {
	if len(ifp.tapList()) > 0 {
		ifp.Input(pkts...)
		return
	}
	n, bytes := len(pkts), lengths(pkts)
	pkts = c.Coalesce(pkts, int(ifp.HdrLen))
	ifp.Stats.Ipackets.Add(uint64(n - len(pkts)))
	ifp.Stats.Ibytes.Add(bytes - lengths(pkts))
	ifp.Input(pkts...)
}

func lengths(pkts []*Packet) (n uint64) {
	for _, p := range pkts {
		n += uint64(p.Len())
	}
	return n
}

// Coalesce joins what can be joined of frames with linkLen bytes of link header, which it owns, and gives what is left, in the same memory. Only
// whole segments with good checksums, that differ in nothing but what a stream that was cut differs in, are joined.
func (c *Coalescer) Coalesce(pkts []*Packet, linkLen int) []*Packet {
	if len(pkts) < 2 {
		return pkts
	}
	out := pkts[:0]
	for _, p := range pkts {
		hlen := c.other.bulk(p, linkLen)
		switch {
		case hlen == 0:
			out = append(c.flush(out), p)
		case c.follows(p, hlen):
			c.add(p, hlen)
		default:
			out = c.flush(out)
			c.begin(p, hlen)
		}
	}
	return c.flush(out)
}

// bulk reads the headers of a packet, and gives their length if it may be joined with others: a segment with data and no flags but ACK and PSH, in
// an IP packet without options or extensions that the link has not padded.
func (h *headers) bulk(p *Packet, linkLen int) (hlen int) {
	h.v6 = false
	if p.Segment.Size != 0 || p.Flags&(ChecksumGood|ChecksumMissing) != 0 || !h.parse(p, linkLen) || h.proto != protoTCP || h.end != p.Len() {
		return 0
	}
	if linkLen == EtherHdrLen && h.v6 != (binary.BigEndian.Uint16(h.buf[etherTypeAt:]) == abi.ETHERTYPE_IPV6) {
		return 0 // of another protocol, a VLAN
	}
	ipLen := ipv4MinLen
	if h.v6 {
		ipLen = ipv6HdrLen
	}
	t := h.transport
	hlen = t + int(h.buf[t+12]>>4)*4
	if t-h.network != ipLen || h.buf[t+tcpFlagsAt]&^tcpPSH != tcpACK || hlen < t+tcpMinLen || hlen > h.n || hlen >= h.end {
		return 0
	}
	return hlen
}

func (h *headers) seq() uint32 { return binary.BigEndian.Uint32(h.buf[h.transport+4:]) }

func (h *headers) ipID() uint16 { return binary.BigEndian.Uint16(h.buf[h.network+4:]) }

// begin makes p, whose headers have been read, the first of a segment.
func (c *Coalescer) begin(p *Packet, hlen int) {
	c.h = c.other
	c.first, c.hlen, c.count = p, hlen, 1
	c.size = c.h.end - hlen
	c.total, c.ended = c.size, false
	c.passed()
}

// passed notes where the stream is after the packet that was looked at.
func (c *Coalescer) passed() {
	h, n := &c.other, c.other.end-c.hlen
	c.next, c.id = h.seq()+uint32(n), h.ipID()
	if n < c.size || h.buf[h.transport+tcpFlagsAt]&tcpPSH != 0 {
		c.ended = true
	}
}

// follows says whether the packet that is looked at continues the segment in the making, and both are intact.
func (c *Coalescer) follows(p *Packet, hlen int) bool {
	if c.first == nil || c.ended || hlen != c.hlen {
		return false
	}
	a, b, n := &c.h, &c.other, c.other.end-hlen
	if a.v6 != b.v6 || b.seq() != c.next || n > c.size || hlen-b.network+c.total+n > maxIP || !c.alike() {
		return false
	}
	return (c.count > 1 || a.intact(c.first)) && b.intact(p)
}

// alike compares the headers, but for what cutting changes.
func (c *Coalescer) alike() bool {
	a, b := c.h.buf[:c.hlen], c.other.buf[:c.hlen]
	same := func(from, to int) bool { return string(a[from:to]) == string(b[from:to]) }
	n, t := c.h.network, c.h.transport
	if c.h.v6 {
		if !same(0, n+4) || !same(n+6, t) {
			return false
		}
	} else {
		whole := binary.BigEndian.Uint16(b[n+6:])&ipv4DF != 0
		if !same(0, n+2) || !same(n+6, n+ipv4Sum) || !same(n+12, t) || !whole && c.other.ipID() != c.id+1 {
			return false
		}
	}
	return same(t, t+4) && same(t+8, t+tcpFlagsAt) && same(t+tcpWnd, t+tcpSumAt) && same(t+tcpUrg, c.hlen)
}

// intact checks the checksums of a packet.
func (h *headers) intact(p *Packet) bool {
	if !h.v6 && checksum.Checksum(h.buf[h.network:h.transport], 0) != 0xffff {
		return false
	}
	return checksum.Combine(p.Buf.Checksum(h.transport), h.pseudo(h.end-h.transport)) == 0xffff
}

// add adds the payload of p, whose headers have been read and are as they must be.
func (c *Coalescer) add(p *Packet, hlen int) {
	p.Buf.TrimFront(int64(hlen))
	c.first.Buf.Merge(&p.Buf)
	c.total += c.other.end - hlen
	c.count++
	c.passed()
	c.h.buf[c.h.transport+tcpFlagsAt] |= c.other.buf[c.h.transport+tcpFlagsAt] & tcpPSH
}

// flush appends the segment in the making.
func (c *Coalescer) flush(out []*Packet) []*Packet {
	p := c.first
	if p == nil {
		return out
	}
	c.first = nil
	if c.count > 1 {
		be, head, n := binary.BigEndian, c.h.buf[:c.hlen], c.h.network
		if length := c.hlen - n + c.total; c.h.v6 {
			be.PutUint16(head[n+4:], uint16(length-ipv6HdrLen))
		} else {
			be.PutUint16(head[n+2:], uint16(length))
			be.PutUint16(head[n+ipv4Sum:], 0)
			be.PutUint16(head[n+ipv4Sum:], ^checksum.Checksum(head[n:n+ipv4MinLen], 0))
		}
		p.replaceHead(c.hlen, head)
		p.Flags |= ChecksumGood | ChecksumMissing
		p.Segment = Segment{Size: uint16(c.size), HeaderLen: uint16(c.h.transport - n), V6: c.h.v6}
	}
	return append(out, p)
}
