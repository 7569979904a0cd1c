package sysproxy

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxStray bounds what a client reads or answers for memory that it did not
// lend. A server that asks for more is not one.
const maxStray = 1 << 20

// maxServerFrame bounds the length of a frame from the server, so that lengths
// fit an int. Data of a COPYOUT goes nowhere but to lent memory.
const maxServerFrame = 1<<31 - 1

// frame reads one frame and does what it asks. The caller has the turn.
func (l *link) frame() error {
	b, err := l.st.peek(headerSize)
	if err != nil {
		return err
	}
	h, err := decodeHeader(b, maxServerFrame)
	if err != nil {
		return err
	}
	l.st.consume(headerSize)
	switch h.class {
	case classResp, classError:
		return l.answer(h)
	case classReq:
		return l.serve(h)
	}
	return violation("frame of class %d", h.class)
}

// answer takes the answer to a request of ours.
func (l *link) answer(h header) error {
	n := h.body()
	if n > sysRespSize || h.class == classError && n != 0 {
		return violation("answer of %d bytes", h.len)
	}
	body, err := l.st.peek(int(n))
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.flights {
		if l.flights[i].no != h.reqno {
			continue
		}
		r := l.flights[i].r
		if h.class == classError {
			r.errWord = h.word
			if h.word == 0 {
				r.errWord = errMalformed
			}
		} else if h.typ != r.typ || n != replySize(r.typ) {
			return violation("answer of type %d with %d bytes to a request of type %d", h.typ, n, r.typ)
		}
		copy(r.reply[:], body)
		l.st.consume(int(n))
		l.land(r)
		return nil
	}
	return violation("answer to request %d, which was not made", h.reqno)
}

// serve does what the server asks for.
func (l *link) serve(h header) error {
	switch h.typ {
	case typeCopyIn, typeCopyInStr:
		return l.copyIn(h)
	case typeCopyOut, typeCopyOutStr:
		return l.copyOut(h)
	case typeAnon:
		return l.anon(h)
	case typeRaise:
		if h.body() != 0 {
			return violation("RAISE of %d bytes", h.len)
		}
		if l.onRaise != nil {
			l.onRaise(int(int32(h.word)))
		}
		return nil
	}
	return violation("request of type %d", h.typ)
}

// copyArgs reads length and address of a COPYIN or COPYOUT.
func (l *link) copyArgs(h header) (n, addr uint64, err error) {
	if h.body() < copySize {
		return 0, 0, violation("copy request of %d bytes", h.len)
	}
	b, err := l.st.peek(copySize)
	if err != nil {
		return 0, 0, err
	}
	n, addr = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	l.st.consume(copySize)
	return n, addr, nil
}

// owner returns the request under way whose call may have lent addr, or nil.
// Requests under way stay so while the caller has the turn.
func (l *link) owner(addr uint64) *request {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.flights {
		f := &l.flights[i]
		if f.lo > addr || addr >= f.hi {
			continue
		}
		if f.r.call.lends(addr) {
			return f.r
		}
	}
	return nil
}

// copyIn answers a COPYIN or COPYINSTR with memory that is lent for reading.
func (l *link) copyIn(h header) error {
	n, addr, err := l.copyArgs(h)
	if err != nil {
		return err
	}
	if h.body() != copySize {
		return violation("COPYIN of %d bytes", h.len)
	}
	p, err := l.lentTo(addr, n, h.typ == typeCopyInStr)
	switch {
	case err == nil:
		return l.give(h, p, 0)
	case l.prefetch:
		// A server that says +prefetch is told of a fault.
		l.reply.buf = appendError(l.reply.buf, h.reqno, errMalformed)
		return l.st.send(&l.reply, nil)
	case n > maxStray:
		return violation("COPYIN of %d bytes at %#x, where nothing is lent", n, addr)
	}
	return l.give(h, p, int(n)-len(p))
}

// lentTo returns what answers a COPYIN of n bytes: all of them or, with an
// error, the first of them that are lent.
func (l *link) lentTo(addr, n uint64, str bool) ([]byte, error) {
	r := l.owner(addr)
	var p []byte
	var ok bool
	if r != nil {
		p, ok = r.call.readable(addr)
	} else {
		p, ok = l.space.mappedFrom(addr)
	}
	if !ok {
		return nil, abi.EFAULT
	}
	have := uint64(len(p))
	if have > n {
		p = p[:n]
	}
	if str {
		s, err := cstring(p, len(p))
		if err == nil {
			return s, nil
		}
	}
	if have < n {
		return p, abi.EFAULT
	}
	return p, nil
}

// give answers a COPYIN with p and then zeroes.
func (l *link) give(h header, p []byte, zeroes int) error {
	l.reply.buf = appendHeader(l.reply.buf, classResp, typeCopyIn, h.reqno, 0, len(p)+zeroes)
	l.reply.data(p)
	if zeroes > 0 {
		l.reply.data(make([]byte, zeroes))
	}
	return l.st.send(&l.reply, nil)
}

// copyOut puts data where it is lent for writing, or nowhere.
func (l *link) copyOut(h header) error {
	n, addr, err := l.copyArgs(h)
	if err != nil {
		return err
	}
	if n != h.body()-copySize {
		return violation("COPYOUT of %d bytes with %d bytes of data", n, h.body()-copySize)
	}
	r := l.owner(addr)
	var p []byte
	var ok bool
	if r != nil {
		p, ok = r.call.Lend(addr, int(n), true)
		ok = ok && l.awaitSent(r)
	} else {
		p, ok = l.space.Mapped(addr, int(n))
	}
	if ok {
		return l.st.readFull(p)
	}
	if n > maxStray {
		return violation("COPYOUT of %d bytes to %#x, which is not lent", n, addr)
	}
	return l.st.discard(n)
}

// awaitSent waits until r is sent, if it is about to be: what it lends for
// reading and writing may be on its way still. It returns false if the server
// cannot know of r yet.
func (l *link) awaitSent(r *request) bool {
	if r.out.sent.Load() {
		return true
	}
	l.st.wmu.Lock() // the sender has it
	defer l.st.wmu.Unlock()
	return r.out.sent.Load()
}

// anon answers an ANONMMAP.
func (l *link) anon(h header) error {
	if h.body() != anonSize {
		return violation("ANONMMAP of %d bytes", h.len)
	}
	b, err := l.st.peek(anonSize)
	if err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(b)
	l.st.consume(anonSize)
	addr, err := l.space.Map(n)
	if err != nil {
		addr = 0
	}
	l.reply.buf = appendHeader(l.reply.buf, classResp, typeAnon, h.reqno, 0, anonSize)
	l.reply.buf = binary.LittleEndian.AppendUint64(l.reply.buf, addr)
	return l.st.send(&l.reply, nil)
}
