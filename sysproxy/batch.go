package sysproxy

import "sync/atomic"

// copyBelow is up to which size data is copied behind its header rather than
// sent from where it is: a copy of a page costs less than another element of
// a vector.
const copyBelow = 4 << 10

// batch gathers frames that leave in one write. Headers and small data stand
// in one buffer, large data is sent from where it is. A batch is used again
// after reset.
type batch struct {
	buf  []byte
	cuts []cut
	vecs [][]byte
	held []*buffer
	size int // bytes of the data in cuts
	sent atomic.Bool
}

// cut is data that goes after buf[:at].
type cut struct {
	at int
	p  []byte
}

// data appends p. It must stay as it is until the batch was written.
func (b *batch) data(p []byte) {
	if len(p) < copyBelow {
		b.buf = append(b.buf, p...)
		return
	}
	b.cuts = append(b.cuts, cut{len(b.buf), p})
	b.size += len(p)
}

// copied appends a copy of p, for which large comes from pool.
func (b *batch) copied(p []byte, pool *bufferPool) {
	if len(p) < copyBelow {
		b.buf = append(b.buf, p...)
		return
	}
	mem := pool.get(len(p))
	copy(mem.b, p)
	b.data(mem.b[:len(p)])
	b.held = append(b.held, mem)
}

// len is the number of bytes in the batch.
func (b *batch) len() int { return len(b.buf) + b.size }

// seal returns the batch as a vector for writing.
func (b *batch) seal() [][]byte {
	b.vecs = b.vecs[:0]
	from := 0
	for _, c := range b.cuts {
		if c.at > from {
			b.vecs = append(b.vecs, b.buf[from:c.at])
		}
		b.vecs = append(b.vecs, c.p)
		from = c.at
	}
	if from < len(b.buf) {
		b.vecs = append(b.vecs, b.buf[from:])
	}
	return b.vecs
}

// reset empties the batch and lets go of all that it held.
func (b *batch) reset() {
	for i, m := range b.held {
		m.drop()
		b.held[i] = nil
	}
	clear(b.cuts)
	clear(b.vecs[:cap(b.vecs)])
	b.buf, b.cuts, b.vecs, b.held, b.size = b.buf[:0], b.cuts[:0], b.vecs[:0], b.held[:0], 0
}
