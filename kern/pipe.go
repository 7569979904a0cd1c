package kern

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// pipeSize is how much a pipe holds, bigPipeSize how much one that is written to in large pieces may grow to.
	pipeSize    = 16 << 10
	bigPipeSize = 64 << 10
	// The defaults of kern.pipe: bytes of all buffers together, and how many pipes may be big.
	defaultPipeKVA  = 8 << 20
	defaultBigPipes = 32
	pipeLoanLimit   = 16 << 20
)

// pipeStats are the limits and the use of the kernel's pipes, kern.pipe.
type pipeStats struct {
	maxKVA, maxBig atomic.Int32
	kva, big       atomic.Int32
}

func (s *pipeStats) init() {
	s.maxKVA.Store(defaultPipeKVA)
	s.maxBig.Store(defaultBigPipes)
}

// nodes are kern.pipe. There is no transfer by lent pages: its limit is shown and cannot be changed.
func (s *pipeStats) nodes() []SysctlNode {
	used := func(v *atomic.Int32) *SysctlValue {
		return SysctlInt(func(*SysctlRequest) (int32, error) { return v.Load(), nil }, nil)
	}
	return []SysctlNode{
		{Path: "kern.pipe", Num: abi.KERN_PIPE, Flags: permanent},
		{Path: "kern.pipe.maxkvasz", Num: 1, Flags: permanent, Value: SysctlIntVar(&s.maxKVA, 0, math.MaxInt32)},
		{Path: "kern.pipe.maxloankvasz", Num: 2, Flags: permanent, Value: SysctlConst(pipeLoanLimit)},
		{Path: "kern.pipe.maxbigpipes", Num: 3, Flags: permanent, Value: SysctlIntVar(&s.maxBig, 0, math.MaxInt32)},
		{Path: "kern.pipe.nbigpipes", Num: 4, Flags: permanent, Value: used(&s.big)},
		{Path: "kern.pipe.kvasize", Num: 5, Flags: permanent, Value: used(&s.kva)},
	}
}

// alloc takes n bytes of the pipes' memory, if they are there.
func (s *pipeStats) alloc(n int) bool {
	if s.kva.Add(int32(n)) > s.maxKVA.Load() {
		s.kva.Add(int32(-n))
		return false
	}
	return true
}

// scarce says that more than half of the pipes' memory is taken: empty pipes give theirs back then.
func (s *pipeStats) scarce() bool { return s.kva.Load() > s.maxKVA.Load()/2 }

// allocBig counts one more big pipe, if there may be one.
func (s *pipeStats) allocBig() bool {
	if s.big.Add(1) > s.maxBig.Load() {
		s.big.Add(-1)
		return false
	}
	return true
}

// Pipe is a buffer of bytes with reading and writing ends: what pipe(2) makes, and what a fifo is about. The zero value is
// a pipe that nobody has open. Ends can be opened any number of times: Attach and Detach count them. All methods may be
// called from any goroutine.
//
// A fifo's Ops call Read and Write with the file's O_NONBLOCK, and Poll and Knote for what the file is open for.
type Pipe struct {
	readSel  Selinfo // announces data, and that the last writer has gone
	writeSel Selinfo // announces room, and that the last reader has gone

	mu               sync.Mutex
	stats            *pipeStats // of the kernel that the buffer is accounted to; nil without a buffer
	buf              []byte     // a ring, made when first written to
	first, n         int        // where the data begins, how much it is
	readers, writers int
	hadWriter        bool // there has been a writer: that there is none is an end of file
	big              bool
	atime, mtime     time.Time
}

// Selinfos are where the reading side's and the writing side's events are announced. Each is also notified when an end of
// the other side is attached or detached.
func (p *Pipe) Selinfos() (readable, writable *Selinfo) { return &p.readSel, &p.writeSel }

// Attach counts an open end: for reading, writing or both.
func (p *Pipe) Attach(read, write bool) { p.count(read, write, +1) }

// Detach undoes Attach. Without readers, writers get EPIPE; without writers, readers are at end of file when they have read
// what is there; without either, it is dropped.
func (p *Pipe) Detach(read, write bool) { p.count(read, write, -1) }

func (p *Pipe) count(read, write bool, by int) {
	p.mu.Lock()
	if read {
		p.readers += by
	}
	if write {
		p.writers += by
		p.hadWriter = true
	}
	if p.readers == 0 && p.writers == 0 {
		p.free()
	}
	p.mu.Unlock()
	if write {
		p.readSel.Notify(0)
	}
	if read {
		p.writeSel.Notify(0)
	}
}

// Readers is how many times the pipe is open for reading.
func (p *Pipe) Readers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.readers
}

// Writers is how many times the pipe is open for writing.
func (p *Pipe) Writers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.writers
}

// free drops the buffer with what is in it; called with the lock held.
func (p *Pipe) free() {
	if p.buf == nil {
		return
	}
	p.stats.kva.Add(int32(-len(p.buf)))
	if p.big {
		p.stats.big.Add(-1)
	}
	p.stats, p.buf, p.first, p.n, p.big = nil, nil, 0, 0, false
}

// reserve sees to it that there is a buffer, a big one if want bytes wait to be written to an empty pipe; called with the lock
// held. Errors: ENOMEM past kern.pipe.maxkvasz.
func (p *Pipe) reserve(s *pipeStats, want int) error {
	if want > pipeSize && p.n == 0 && !p.big && s.allocBig() {
		if s.alloc(bigPipeSize) {
			s.kva.Add(int32(-len(p.buf)))
			p.stats, p.buf, p.first, p.big = s, make([]byte, bigPipeSize), 0, true
			return nil
		}
		s.big.Add(-1)
	}
	if p.buf != nil {
		return nil
	}
	if !s.alloc(pipeSize) {
		return abi.ENOMEM
	}
	p.stats, p.buf = s, make([]byte, pipeSize)
	return nil
}

// Buffered is the number of bytes that wait to be read.
func (p *Pipe) Buffered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

// Room is the number of bytes that can be written without waiting.
func (p *Pipe) Room() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.space()
}

// readable says whether a read would not wait.
func (p *Pipe) readable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n > 0 || p.writers == 0
}

// Read takes bytes out: what there is, at most len(b). It waits while there is nothing and a writer, unless nonblock.
// 0 is end of file.
//
// Errors: EAGAIN, EINTR.
func (p *Pipe) Read(t *Thread, b []byte, nonblock bool) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if n, done := p.take(t.K.Now(), b); done {
			if n > 0 {
				p.writeSel.Notify(0)
			}
			return n, nil
		}
		if nonblock {
			return 0, abi.EAGAIN
		}
		if err := t.WaitFor(&p.readSel, Forever, p.readable); err != nil {
			return 0, err
		}
	}
}

// take moves what there is to b; done says that there was something, or will be nothing more.
func (p *Pipe) take(now time.Time, b []byte) (n int, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 {
		return 0, p.writers == 0
	}
	p.atime = now
	for n < len(b) && p.n > 0 {
		m := copy(b[n:], p.buf[p.first:min(p.first+p.n, len(p.buf))])
		p.first = (p.first + m) % len(p.buf)
		p.n -= m
		n += m
	}
	if p.n == 0 {
		p.first = 0
		if p.stats.scarce() {
			p.free()
		}
	}
	return n, true
}

// writable says whether a write of want bytes would not wait: up to PIPE_BUF go in as a whole.
func (p *Pipe) writable(want int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.readers == 0 || p.space() >= min(want, abi.PIPE_BUF)
}

// space is the room in the buffer; called with the lock held.
func (p *Pipe) space() int {
	if p.buf == nil {
		return pipeSize
	}
	return len(p.buf) - p.n
}

// Write puts bytes in. It waits for room until all are in, unless nonblock: then it writes what there is room for. Up to
// PIPE_BUF bytes go in as a whole or not at all.
//
// Errors: EPIPE without a reader (raising SIGPIPE is the caller's: Thread.write does), EAGAIN, EINTR, ENOMEM.
func (p *Pipe) Write(t *Thread, b []byte, nonblock bool) (int, error) {
	done := 0
	for len(b) > done {
		n, err := p.put(t.K, b[done:], len(b) <= abi.PIPE_BUF)
		if done += n; n > 0 {
			p.readSel.Notify(0)
		}
		if err != nil {
			return done, err
		}
		if done == len(b) {
			break
		}
		if nonblock {
			if done == 0 {
				return 0, abi.EAGAIN
			}
			return done, nil
		}
		left := len(b) - done
		if err := t.WaitFor(&p.writeSel, Forever, func() bool { return p.writable(left) }); err != nil {
			return done, err
		}
	}
	return done, nil
}

// put moves as much of b in as there is room for; all or nothing if whole.
func (p *Pipe) put(k *Kernel, b []byte, whole bool) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers == 0 {
		return 0, abi.EPIPE
	}
	if err := p.reserve(&k.pipes, len(b)); err != nil {
		return 0, err
	}
	if whole && p.space() < len(b) {
		return 0, nil
	}
	n := 0
	for n < len(b) && p.n < len(p.buf) {
		at := (p.first + p.n) % len(p.buf)
		end := len(p.buf)
		if at < p.first {
			end = p.first
		}
		m := copy(p.buf[at:end], b[n:])
		p.n += m
		n += m
	}
	if n > 0 {
		p.mtime = k.Now()
	}
	return n, nil
}

// Poll says which of the events hold for a file that is open for reading, writing or both. POLLHUP tells a reader that
// the last writer has gone, and a writer that the last reader has.
func (p *Pipe) Poll(events int, read, write bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	ready := 0
	if read {
		if p.n > 0 || p.ended() {
			ready |= events & (abi.POLLIN | abi.POLLRDNORM)
		}
		if p.ended() {
			ready |= abi.POLLHUP
		}
	}
	if write {
		if p.readers == 0 || p.space() >= abi.PIPE_BUF {
			ready |= events & (abi.POLLOUT | abi.POLLWRNORM)
		}
		if p.readers == 0 {
			ready |= abi.POLLHUP
		}
	}
	return ready
}

// ended says whether there has been a writer and is none any more; called with the lock held.
func (p *Pipe) ended() bool { return p.writers == 0 && p.hadWriter }

// Knote is for KnoteFilter: EVFILT_READ with the number of bytes to read, EVFILT_WRITE with the number that there is room for, and
// EV_EOF when the other side has gone. Errors: EINVAL for another filter.
func (p *Pipe) Knote(filter uint32) (*Selinfo, KnoteEvent, error) {
	switch filter {
	case abi.EVFILT_READ:
		return &p.readSel, p.knoteRead, nil
	case abi.EVFILT_WRITE:
		return &p.writeSel, p.knoteWrite, nil
	}
	return nil, nil, abi.EINVAL
}

func (p *Pipe) knoteRead(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended() {
		return true, int64(p.n), 0, abi.EV_EOF
	}
	return p.n > 0, int64(p.n), 0, 0
}

func (p *Pipe) knoteWrite(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers == 0 {
		return true, 0, 0, abi.EV_EOF
	}
	return p.space() >= abi.PIPE_BUF, int64(p.space()), 0, 0
}
