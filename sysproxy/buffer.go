package sysproxy

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// buffer is a piece of pooled memory. It goes back to its pool when the last
// reference to it is dropped.
type buffer struct {
	b    []byte
	pool *bufferPool
	refs atomic.Int32
}

func (b *buffer) hold() { b.refs.Add(1) }

func (b *buffer) drop() {
	if b.refs.Add(-1) == 0 {
		b.pool.put(b)
	}
}

// shared tells whether somebody besides the caller holds b.
func (b *buffer) shared() bool { return b.refs.Load() > 1 }

const (
	minBufferBits = 12 // 4 KiB
	maxBufferBits = 20 // 1 MiB; larger buffers are not kept
)

// bufferPool keeps buffers by powers of two. The zero value is ready for use.
type bufferPool struct {
	class [maxBufferBits - minBufferBits + 1]sync.Pool
}

// get returns a buffer of at least n bytes with one reference.
func (p *bufferPool) get(n int) *buffer {
	log := max(bits.Len(uint(max(n, 1)-1)), minBufferBits)
	if log > maxBufferBits {
		b := &buffer{b: make([]byte, n), pool: p}
		b.refs.Store(1)
		return b
	}
	b, _ := p.class[log-minBufferBits].Get().(*buffer)
	if b == nil {
		b = &buffer{b: make([]byte, 1<<log), pool: p}
	}
	b.refs.Store(1)
	return b
}

func (p *bufferPool) put(b *buffer) {
	log := bits.Len(uint(len(b.b) - 1))
	if log <= maxBufferBits {
		p.class[log-minBufferBits].Put(b)
	}
}
