package sysproxy

import (
	"bytes"
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// inlineRequest is up to which length the body of a request is copied out
	// of the read buffer, so that a call that takes long does not keep the
	// whole buffer.
	inlineRequest = 512

	// flushAbove is how much a call writes to its client before it is sent
	// although the call goes on.
	flushAbove = 256 << 10
)

// call is a system call in flight: what Process.Syscall gets as its Memory.
type call struct {
	s     *session
	reqno uint64
	num   int
	args  [MaxArgs]uint64
	done  chan struct{}

	body     [inlineRequest]byte // a small request's
	from     *buffer             // a large request's
	prefetch []span              // ranges that came along, in body or from
	spans    [maxPrefetched]span

	out       batch // what goes to the client next
	reserved  []reserve
	lent      []*buffer // by Lend
	charged   int       // of s.buffering, by out
	kept      int       // of s.buffering, until the end
	wait      copyWait
	word      [anonSize]byte
	responded bool
	more      bool // the client had sent another request when this began
}

// reserve is a buffer that Reserve returned.
type reserve struct {
	addr uint64
	n    int
	mem  *buffer
}

var _ Memory = (*call)(nil)

// newCall makes a call of a SYSCALL request, whose body is in the session's
// read buffer.
func (s *session) newCall(h header, body []byte) (task, error) {
	c, _ := s.srv.calls.Get().(*call)
	if c == nil {
		c = &call{}
		c.wait.wake = make(chan bool, 1)
	}
	c.s, c.reqno, c.num, c.responded = s, h.reqno, int(int32(h.word)), false
	c.more = false
	if len(body) <= inlineRequest {
		body = c.body[:copy(c.body[:], body)]
	} else {
		c.from = s.st.buf
		c.from.hold()
		c.keep(len(c.from.b))
	}
	args := body
	c.prefetch = c.spans[:0]
	if !s.srv.cfg.NoPrefetch {
		var err error
		if args, c.prefetch, err = splitPrefetch(body, c.prefetch); err != nil {
			c.free()
			return nil, err
		}
	}
	n := min(len(args)/8, MaxArgs)
	for i := range n {
		c.args[i] = binary.LittleEndian.Uint64(args[8*i:])
	}
	clear(c.args[n:])
	return c, nil
}

// refuse frees a call that is not to run.
func (c *call) refuse() uint64 {
	reqno := c.reqno
	c.free()
	return reqno
}

// run makes the call and answers it.
func (c *call) run() {
	s := c.s
	s.stats.calls.Add(1)
	ret, err := s.proc.Syscall(c, c.num, c.args[:])
	if c.responded {
		// It was counted as over; end, which follows, counts it again.
		s.mu.Lock()
		s.running++
		s.mu.Unlock()
		c.out.reset()
	} else {
		c.out.buf = appendSysResp(c.out.buf, c.reqno, ret, err)
	}
	s.respond(&c.out, c.more)
	c.free()
}

// free lets go of all that the call holds and makes it ready for another.
func (c *call) free() {
	s := c.s
	c.out.reset()
	for i := range c.reserved {
		c.reserved[i].mem.drop()
	}
	clear(c.reserved)
	for _, m := range c.lent {
		m.drop()
	}
	clear(c.lent)
	c.reserved, c.lent = c.reserved[:0], c.lent[:0]
	if c.from != nil {
		c.from.drop()
		c.from = nil
	}
	c.uncharge()
	if c.kept != 0 {
		s.buffering.Add(-int64(c.kept))
		c.kept = 0
	}
	clear(c.prefetch)
	c.prefetch, c.s, c.done, c.wait.dst = nil, nil, nil, nil
	s.srv.calls.Put(c)
}

// flush sends what the call has to send.
func (c *call) flush() {
	c.s.send(&c.out)
	c.uncharge()
}

// charge counts n bytes as held for the client until the next flush, or says
// that they are too many.
func (c *call) charge(n int) bool {
	if c.s.buffering.Add(int64(n)) > int64(c.s.srv.cfg.MaxBuffered) {
		c.s.buffering.Add(-int64(n))
		return false
	}
	c.charged += n
	return true
}

func (c *call) uncharge() {
	if c.charged != 0 {
		c.s.buffering.Add(-int64(c.charged))
		c.charged = 0
	}
}

// keep counts n bytes as held for the client until the call ends.
func (c *call) keep(n int) {
	c.s.buffering.Add(int64(n))
	c.kept += n
}

// allowed tells whether n more bytes may be held for the client.
func (c *call) allowed(n int) bool {
	limit := int64(c.s.srv.cfg.MaxBuffered)
	return n >= 0 && int64(n) <= limit && c.s.buffering.Load() <= limit-int64(n)
}

// prefetched returns what came along with the request from addr on.
func (c *call) prefetched(addr uint64) ([]byte, bool) {
	for i := range c.prefetch {
		if b, ok := c.prefetch[i].from(addr); ok && len(b) > 0 {
			return b, true
		}
	}
	return nil, false
}

// CopyIn implements Memory.
func (c *call) CopyIn(addr uint64, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if b, ok := c.prefetched(addr); ok && len(b) >= len(p) {
		c.s.stats.prefetched.Add(1)
		copy(p, b)
		return nil
	}
	_, err := c.copyIn(typeCopyIn, addr, p)
	return err
}

// copyIn asks the client for len(p) bytes at addr, or for a string of so many
// at most, and returns how many came.
func (c *call) copyIn(typ uint16, addr uint64, p []byte) (int, error) {
	s, w := c.s, &c.wait
	*w = copyWait{waiter: waiter{wake: w.wake}, reqno: s.number(), typ: typ, dst: p}
	s.stats.copyIns.Add(1)
	c.out.buf = appendCopy(c.out.buf, typ, w.reqno, addr, uint64(len(p)), 0)
	if !s.ask(c, w) || w.faulty {
		return 0, abi.EFAULT
	}
	return w.n, nil
}

// CopyInStr implements Memory.
func (c *call) CopyInStr(addr uint64, limit int) ([]byte, error) {
	if limit <= 0 {
		return nil, abi.ENAMETOOLONG
	}
	if b, ok := c.prefetched(addr); ok {
		str, err := cstring(b, limit)
		if err == nil {
			c.s.stats.prefetched.Add(1)
			return str[:len(str)-1], nil
		}
		if err == abi.ENAMETOOLONG {
			return nil, err
		}
	}
	if !c.allowed(limit) {
		return nil, abi.ENOMEM
	}
	mem := c.s.srv.buffers.get(limit)
	c.lent = append(c.lent, mem)
	c.keep(limit)
	n, err := c.copyIn(typeCopyInStr, addr, mem.b[:limit])
	if err != nil {
		return nil, err
	}
	i := bytes.IndexByte(mem.b[:n], 0)
	if i < 0 {
		return nil, abi.ENAMETOOLONG
	}
	return mem.b[:i:i], nil
}

// Lend implements Memory.
func (c *call) Lend(addr uint64, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if b, ok := c.prefetched(addr); ok && n > 0 && len(b) >= n {
		c.s.stats.prefetched.Add(1)
		return b[:n:n], nil
	}
	if !c.allowed(n) {
		return nil, abi.ENOMEM
	}
	mem := c.s.srv.buffers.get(n)
	c.lent = append(c.lent, mem)
	c.keep(n)
	if _, err := c.copyIn(typeCopyIn, addr, mem.b[:n]); err != nil {
		return nil, err
	}
	return mem.b[:n:n], nil
}

// patch keeps what came along with the request as the client's memory is when
// it has received what the call wrote.
func (c *call) patch(addr uint64, p []byte) {
	end := addr + uint64(len(p))
	for i := range c.prefetch {
		s := &c.prefetch[i]
		lo, hi := max(addr, s.addr), min(end, s.addr+uint64(len(s.b)))
		if lo < hi {
			copy(s.b[lo-s.addr:hi-s.addr], p[lo-addr:])
		}
	}
}

// CopyOut implements Memory.
func (c *call) CopyOut(addr uint64, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if addr+uint64(len(p)) < addr {
		return abi.EFAULT
	}
	if err := c.admit(len(p)); err != nil {
		return err
	}
	c.header(addr, len(p))
	c.out.copied(p, &c.s.srv.buffers)
	c.patch(addr, p)
	return nil
}

// header begins a COPYOUT of n bytes.
func (c *call) header(addr uint64, n int) {
	c.s.stats.copyOuts.Add(1)
	c.out.buf = appendCopy(c.out.buf, typeCopyOut, c.s.number(), addr, uint64(n), n)
}

// admit makes sure that n more bytes may be written to the client. What the
// call wrote before is sent if it is much.
func (c *call) admit(n int) error {
	if c.gone() {
		return abi.EFAULT
	}
	if c.out.len() > flushAbove {
		c.flush()
	}
	if c.charge(n) {
		return nil
	}
	c.flush()
	if !c.charge(n) {
		return abi.ENOMEM
	}
	return nil
}

// gone tells whether the client vanished.
func (c *call) gone() bool {
	select {
	case <-c.done:
	default:
		return false
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.dead
}

// Reserve implements Memory.
func (c *call) Reserve(addr uint64, n int) ([]byte, error) {
	if n < 0 || addr+uint64(n) < addr || c.gone() {
		return nil, abi.EFAULT
	}
	if !c.allowed(n) {
		return nil, abi.ENOMEM
	}
	mem := c.s.srv.buffers.get(n)
	c.reserved = append(c.reserved, reserve{addr, n, mem})
	c.keep(n)
	return mem.b[:n:n], nil
}

// Commit implements Memory.
func (c *call) Commit(addr uint64, b []byte) error {
	for i := range c.reserved {
		r := &c.reserved[i]
		if r.addr != addr || len(b) > r.n || len(b) > 0 && &b[0] != &r.mem.b[0] {
			continue
		}
		mem := r.mem
		last := len(c.reserved) - 1
		c.reserved[i], c.reserved[last] = c.reserved[last], reserve{}
		c.reserved = c.reserved[:last]
		if len(b) == 0 {
			mem.drop()
			return nil
		}
		if c.out.len() > flushAbove {
			c.flush()
		}
		c.header(addr, len(b))
		c.patch(addr, b)
		c.out.data(b)
		c.out.held = append(c.out.held, mem)
		return nil
	}
	return abi.EFAULT
}

// Anon implements Memory.
func (c *call) Anon(n uint64) (uint64, error) {
	s, w := c.s, &c.wait
	*w = copyWait{waiter: waiter{wake: w.wake}, reqno: s.number(), typ: typeAnon, dst: c.word[:]}
	c.out.buf = appendHeader(c.out.buf, classReq, typeAnon, w.reqno, 0, anonSize)
	c.out.buf = binary.LittleEndian.AppendUint64(c.out.buf, n)
	if !s.ask(c, w) {
		return 0, abi.EFAULT
	}
	addr := binary.LittleEndian.Uint64(c.word[:])
	if w.faulty || addr == 0 {
		return 0, abi.ENOMEM
	}
	return addr, nil
}

// Done implements Memory.
func (c *call) Done() <-chan struct{} {
	c.s.block()
	return c.done
}

// Block implements Memory.
func (c *call) Block() { c.s.block() }

// Respond implements Memory.
func (c *call) Respond() {
	if c.responded {
		return
	}
	c.out.buf = appendSysResp(c.out.buf, c.reqno, [2]uint64{}, 0)
	c.flush()
	c.responded = true
	c.s.mu.Lock()
	c.s.ended()
	c.s.mu.Unlock()
}
