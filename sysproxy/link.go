package sysproxy

import (
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// linkReadSize is the size of a client's read buffer. Large data goes past it,
// straight to where it is lent.
const linkReadSize = 16 << 10

// link is the client's end of one connection, after the banner.
type link struct {
	st       *stream
	space    *AddressSpace
	banner   Banner
	prefetch bool
	onRaise  func(sig int)

	mu      sync.Mutex
	turn    turn
	flights []flight // requests that wait for their answer
	lastReq uint64   // number of the last request
	err     error    // why no more requests can be made
	cause   error    // what broke the connection first

	landings uint64        // how many requests were answered
	landed   chan struct{} // closed at the next one, nil if nobody waits for that

	reply batch // of answers to the server; the turn's
}

// flight is where a request and its memory are found. It stands in a slice of
// its own so that looking for one among hundreds stays cheap.
type flight struct {
	no     uint64
	lo, hi uint64 // the memory it lends is within [lo, hi)
	r      *request
}

// request is one request of the client that waits for its answer.
type request struct {
	waiter
	call *Call // of a SYSCALL; it has the rest of what is sent
	typ  uint16
	word uint32
	body []byte
	out  batch

	// The answer, valid once the request has landed.
	reply   [sysRespSize]byte
	errWord uint32 // of an ERROR frame, else 0
	err     error  // the connection broke

	no   uint64
	slot int // in flights, while under way
	done bool

	landings uint64 // of the link, when r departed
}

func (r *request) prepare() {
	r.errWord, r.err, r.done = 0, nil, false
	r.out.sent.Store(false)
	if r.wake == nil {
		r.wake = make(chan bool, 1)
	}
}

func newLink(st *stream, space *AddressSpace, b Banner) *link {
	return &link{st: st, space: space, banner: b, prefetch: b.Has(WordPrefetch)}
}

// replySize is the size of the body that answers a request of a type.
func replySize(typ uint16) uint64 {
	switch typ {
	case typeHandshake:
		return shakeRespSize
	case typePrefork:
		return authSize
	}
	return sysRespSize
}

// call makes a system call.
func (l *link) call(c *Call) error {
	c.req.typ = typeSyscall
	if err := l.roundTrip(&c.req); err != nil {
		return err
	}
	c.finish()
	return nil
}

// finish takes the answer of the request. It returns false if the server had its hands full.
func (c *Call) finish() bool {
	r := &c.req
	if r.errWord != 0 {
		c.Err, c.Ret = errnoOf(r.errWord), [2]uint64{}
		return r.errWord != errTryAgain
	}
	le := binary.LittleEndian
	c.Err = abi.Errno(le.Uint32(r.reply[:]))
	c.Ret = [2]uint64{le.Uint64(r.reply[8:]), le.Uint64(r.reply[16:])}
	return true
}

// roundTrip sends r and waits for its answer. A server that has its hands full
// with other requests of ours is asked again when one of them is done.
func (l *link) roundTrip(r *request) error {
	for {
		err := l.once(r)
		if err != nil || r.errWord != errTryAgain || !l.awaitLanding(r) {
			return err
		}
	}
}

// awaitLanding waits until a request other than r, which was refused, is
// answered, unless one was while r was under way. It returns false if there
// was none and is none.
func (l *link) awaitLanding(r *request) bool {
	l.mu.Lock()
	if l.err != nil || len(l.flights) == 0 {
		others := l.landings != r.landings+1
		l.mu.Unlock()
		return others
	}
	if l.landed == nil {
		l.landed = make(chan struct{})
	}
	landed := l.landed
	l.mu.Unlock()
	<-landed
	return true
}

// once sends r and waits for its answer.
func (l *link) once(r *request) error {
	r.prepare()
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return l.err
	}
	l.depart(r)
	mine := l.turn.take()
	if !mine {
		l.turn.join(&r.waiter)
	}
	l.mu.Unlock()

	if err := l.send(r); err != nil {
		l.shut(err)
	}
	if !mine {
		mine = <-r.wake
	}
	if mine {
		l.read(r)
	}
	return r.err
}

// depart numbers r and notes that it is under way. l.mu is held.
func (l *link) depart(r *request) {
	l.lastReq++
	r.no, r.slot, r.landings = l.lastReq, len(l.flights), l.landings
	f := flight{no: r.no, r: r}
	if c := r.call; c != nil && len(c.lent) > 0 {
		last := &c.lent[len(c.lent)-1]
		f.lo, f.hi = c.lent[0].addr, last.addr+uint64(len(last.b))+1
	}
	l.flights = append(l.flights, f)
}

// land notes that r is answered, or never will be. l.mu is held.
func (l *link) land(r *request) {
	last := len(l.flights) - 1
	l.flights[r.slot] = l.flights[last]
	l.flights[r.slot].r.slot = r.slot
	l.flights[last] = flight{}
	l.flights = l.flights[:last]
	r.done = true
	l.landings++
	if l.landed != nil {
		close(l.landed)
		l.landed = nil
	}
	l.turn.answered(&r.waiter)
}

// send writes the request.
func (l *link) send(r *request) error {
	if r.call == nil {
		r.out.buf = appendHeader(r.out.buf, classReq, r.typ, r.no, r.word, len(r.body))
		r.out.data(r.body)
	} else {
		l.putCall(r.call)
	}
	return l.st.send(&r.out, nil)
}

// putCall adds a SYSCALL request to what the call sends.
func (l *link) putCall(c *Call) {
	out := &c.req.out
	var along [maxPrefetched]span
	spans := along[:0]
	if l.prefetch {
		spans = selectPrefetch(spans, c.lent)
	}
	args := 8 * len(c.args)
	out.buf = appendHeader(out.buf, classReq, typeSyscall, c.req.no, uint32(c.Num), args+prefetchSize(spans))
	for _, a := range c.args {
		out.buf = binary.LittleEndian.AppendUint64(out.buf, a)
	}
	putPrefetch(out, spans, args)
}

// read reads frames until r is answered. The caller has the turn, and has
// given it up when read returns.
func (l *link) read(r *request) {
	for !r.done {
		if err := l.frame(); err != nil {
			l.fail(err)
			return
		}
	}
	l.st.spin.sleep()
	l.mu.Lock()
	l.turn.pass()
	l.mu.Unlock()
}

// fail ends the connection: all that wait are told. The caller has the turn,
// which is nobody's from then on.
func (l *link) fail(err error) {
	l.shut(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = l.cause
	for len(l.flights) > 0 {
		r := l.flights[len(l.flights)-1].r
		r.err = l.err
		l.land(r)
	}
	l.st.release()
}

// shut closes the connection because of err. Who has the turn will see that it
// is closed and call fail.
func (l *link) shut(err error) {
	l.mu.Lock()
	if l.cause == nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		l.cause = err
	}
	l.mu.Unlock()
	l.st.conn.Close()
}

// close ends the connection from our side.
func (l *link) close() {
	l.shut(net.ErrClosed)
	l.mu.Lock()
	idle := l.turn.take()
	l.mu.Unlock()
	if idle {
		l.fail(net.ErrClosed)
	}
}

// broken tells whether the connection cannot be used any more.
func (l *link) broken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause != nil
}
