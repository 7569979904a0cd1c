package inet

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// fragmentTime is how long fragments of a datagram are waited for: RFC 1122, 3.3.2 and RFC 8200, 4.5 (NetBSD's IPv4 takes 30 seconds).
const (
	fragmentTime4 = 30 * time.Second
	fragmentTime6 = 60 * time.Second
	// maxFragments bounds the fragments of one datagram.
	maxFragments = 256
)

// reassembler puts fragments together: RFC 791, RFC 8200. Fragments that overlap end their datagram (RFC 5722, RFC 8900).
type reassembler struct {
	in    *Inet
	v6    bool
	limit func() int // datagrams that are waited for

	mu     sync.Mutex
	queues map[fragmentKey]*fragmentQueue
	closed bool
}

// fragmentKey is what fragments of one datagram have in common. (IPv6's have no protocol in it.)
type fragmentKey struct {
	src, dst netip.Addr
	id       uint32
	prot     uint8
	scope    uint16
}

// fragmentQueue is what has come of a datagram.
type fragmentQueue struct {
	key   fragmentKey
	parts []fragment // by offset
	total int        // length of the payload; -1 until the last fragment came
	first *datagram  // the fragment at 0: its header is that of the whole; its payload is in parts
	timer *time.Timer
}

// fragment is a piece of the payload.
type fragment struct {
	off, n int
	buf    buffer.Buffer
	flags  ifnet.PacketFlags
}

func (r *reassembler) init(in *Inet, v6 bool) {
	r.in, r.v6, r.queues = in, v6, map[fragmentKey]*fragmentQueue{}
	r.limit = func() int { return int(in.conf.maxFragPackets.Load()) }
	if v6 {
		r.limit = func() int { return int(in.conf.maxFragPackets6.Load()) }
	}
}

// add takes an IPv4 fragment, and returns the whole datagram when it was the last that lacked.
func (r *reassembler) add(d *datagram) *datagram {
	h := d.h4()
	off, n := int(h.FragmentOffset()), d.p.Len()-d.hlen
	if h.More() && n%8 != 0 || n == 0 || off+n+d.hlen > 65535 {
		r.in.Stats.IP.Add(abi.IP_STAT_BADFRAGS, 1)
		d.p.Release()
		return nil
	}
	key := fragmentKey{src: d.src, dst: d.dst, id: uint32(h.ID()), prot: d.prot}
	whole := r.insert(key, d, off, n, h.More())
	if whole == nil {
		return nil
	}
	b := append(header.IPv4(nil), whole.h4()...)
	b.SetTotalLength(uint16(whole.p.Len()))
	b.SetFlagsFragmentOffset(0, 0)
	b.SetChecksum(0)
	b.SetChecksum(^b.CalculateChecksum())
	copy(whole.head[:], b)
	replaceHead(whole.p, len(b), b)
	return whole
}

// insert takes a fragment of n bytes at off of the payload, which begins after d.hlen bytes of d.p, and returns the whole datagram when
// nothing lacks any more: the first fragment's headers and the payload. It owns d.
func (r *reassembler) insert(key fragmentKey, d *datagram, off, n int, more bool) *datagram {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queue(key)
	if q == nil {
		r.count(abi.IP_STAT_FRAGDROPPED, abi.IP6_STAT_FRAGDROPPED, 1)
		d.p.Release()
		return nil
	}
	at, overlap := slices.BinarySearchFunc(q.parts, off, func(f fragment, off int) int { return f.off - off })
	overlap = overlap || at > 0 && q.parts[at-1].off+q.parts[at-1].n > off || at < len(q.parts) && off+n > q.parts[at].off
	last := !more
	bad := overlap || len(q.parts) >= maxFragments || q.total >= 0 && (last || off+n > q.total) ||
		last && len(q.parts) > at
	if bad {
		r.count(abi.IP_STAT_FRAGDROPPED, abi.IP6_STAT_FRAGDROPPED, uint64(len(q.parts)+1))
		d.p.Release()
		r.drop(q)
		return nil
	}
	q.parts = slices.Insert(q.parts, at, fragment{off: off, n: n, buf: d.payload(n), flags: d.p.Flags})
	if last {
		q.total = off + n
	}
	if off == 0 {
		q.first = d
		d.p.Buf.Truncate(int64(d.hlen))
	} else {
		d.p.Release()
	}
	return r.complete(q)
}

// payload copies what follows the header. A few bytes that wait would keep all of a frame of a large MTU in memory otherwise.
func (d *datagram) payload(n int) buffer.Buffer {
	v := buffer.NewViewSize(n)
	d.p.Buf.ReadAt(v.AsSlice(), int64(d.hlen))
	return buffer.MakeWithView(v)
}

// queue finds the datagram's fragments, or begins them; nil when there are too many already. Called with mu held.
func (r *reassembler) queue(key fragmentKey) *fragmentQueue {
	if q := r.queues[key]; q != nil {
		return q
	}
	if r.closed || len(r.queues) >= r.limit() {
		return nil
	}
	q := &fragmentQueue{key: key, total: -1}
	wait := fragmentTime4
	if r.v6 {
		wait = fragmentTime6
	}
	q.timer = time.AfterFunc(wait, func() { r.expire(q) })
	r.queues[key] = q
	return q
}

// complete joins the payload when it is whole. Called with mu held.
func (r *reassembler) complete(q *fragmentQueue) *datagram {
	if q.total < 0 || q.first == nil {
		return nil
	}
	end := 0
	for i := range q.parts {
		if q.parts[i].off != end {
			return nil
		}
		end += q.parts[i].n
	}
	d := q.first
	q.first = nil
	good := ifnet.ChecksumGood
	for i := range q.parts {
		good &= q.parts[i].flags
		d.p.Buf.Merge(&q.parts[i].buf)
	}
	d.p.Flags = d.p.Flags&^(ifnet.ChecksumGood|ifnet.ChecksumMissing) | good
	q.parts = nil
	r.drop(q)
	return d
}

// drop forgets a datagram. Called with mu held.
func (r *reassembler) drop(q *fragmentQueue) {
	q.timer.Stop()
	if r.queues[q.key] == q {
		delete(r.queues, q.key)
	}
	for i := range q.parts {
		q.parts[i].buf.Release()
	}
	q.parts = nil
	if q.first != nil {
		q.first.p.Release()
		q.first = nil
	}
}

// expire gives up a datagram whose rest does not come, and tells the sender when the first fragment is there.
func (r *reassembler) expire(q *fragmentQueue) {
	r.mu.Lock()
	if r.queues[q.key] != q {
		r.mu.Unlock()
		return
	}
	r.count(abi.IP_STAT_FRAGTIMEOUT, abi.IP6_STAT_FRAGTIMEOUT, uint64(len(q.parts)))
	var first *datagram
	if q.first != nil {
		first, q.first = q.first, nil
		part := q.parts[0].buf.Clone()
		first.p.Buf.Merge(&part)
	}
	r.drop(q)
	r.mu.Unlock()
	if first == nil {
		return
	}
	if r.v6 {
		r.in.icmp6Error(first, icmpReason{abi.ICMP6_TIME_EXCEEDED, abi.ICMP6_TIME_EXCEED_REASSEMBLY, 0})
	} else {
		r.in.icmpError(first, icmpReason{abi.ICMP_TIMXCEED, abi.ICMP_TIMXCEED_REASS, 0})
	}
	first.p.Release()
}

// count adds to the family's counter.
func (r *reassembler) count(stat4, stat6 int, n uint64) {
	if r.v6 {
		r.in.Stats.IP6.Add(stat6, n)
	} else {
		r.in.Stats.IP.Add(stat4, n)
	}
}

// close forgets everything for good.
func (r *reassembler) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, q := range r.queues {
		r.drop(q)
	}
}

// replaceHead puts head in the place of the packet's first n bytes. The packet's bytes may be shared: others keep theirs.
func replaceHead(p *ifnet.Packet, n int, head []byte) {
	p.Buf.TrimFront(int64(n))
	b := buffer.MakeWithView(buffer.NewViewWithData(head))
	b.Merge(&p.Buf)
	p.Buf = b
}
