package sysproxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Conn is a process on a kernel at the other end of a connection.
type Conn struct {
	at      *Locator
	opt     *options
	space   AddressSpace
	buffers *bufferPool
	readers *wakeful
	signals signals

	link atomic.Pointer[link] // the connection in use

	ctx    context.Context // done when Close is called
	cancel context.CancelFunc

	mu   sync.Mutex // one reconnects, others wait
	name string
}

var _ Transport = (*Conn)(nil)

func newConn(at *Locator, name string, o *options) *Conn {
	c := &Conn{
		at: at, opt: o, name: name,
		buffers: new(bufferPool),
		readers: newWakeful(),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.space.SetMaxAnon(o.maxAnon)
	c.signals.f = o.onSignal
	return c
}

func (c *Conn) newLink(st *stream, b Banner) *link {
	l := newLink(st, &c.space, b)
	l.prefetch = l.prefetch && c.opt.prefetch
	if c.opt.onSignal != nil {
		l.onRaise = c.signals.raise
	}
	return l
}

// NewCall returns an empty call.
func (c *Conn) NewCall(num int) *Call { return c.space.NewCall(num) }

// Banner tells which kernel this is. It is zero if the connection was
// inherited from a program that did not pass it on.
func (c *Conn) Banner() Banner { return c.link.Load().banner }

// Do makes the call. See Transport.
func (c *Conn) Do(call *Call) error {
	for {
		l := c.link.Load()
		err := l.call(call)
		if err == nil {
			return nil
		}
		if err := c.again(l, err); err != nil {
			return err
		}
	}
}

// again decides what happens after a request on l failed with err: with a nil
// error there is a new connection, and the request is to be made again.
func (c *Conn) again(l *link, err error) error {
	if !errors.Is(err, errRetired) && c.relink(l) {
		return nil
	}
	if c.ctx.Err() != nil {
		err = net.ErrClosed
	}
	return fmt.Errorf("sysproxy: connection to %s: %w", c.at.URL, explainTLS(err))
}

// relink replaces a connection that was lost. It returns false if it cannot.
func (c *Conn) relink(lost *link) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link.Load() != lost {
		return !c.link.Load().broken()
	}
	if c.opt.reconnect == 0 || c.ctx.Err() != nil {
		return false
	}
	lost.close()
	c.space.Unmap()
	start := time.Now()
	for try := 0; ; try++ {
		if !c.pause(try, start) {
			return false
		}
		l, err := c.connect(c.ctx, shake{kind: shakeGuest, body: nameBody(c.name)})
		if err == nil {
			if try > 0 {
				c.opt.logf("rump_sp: reconnected!")
			}
			c.link.Store(l)
			return true
		}
	}
}

// pause waits before a try to reconnect, as long as the C client does: longer
// with each try, up to ten seconds. It returns false if it is time to give up.
func (c *Conn) pause(try int, start time.Time) bool {
	if try == 0 {
		return true
	}
	if c.opt.reconnect == ReconnectOnce {
		return false
	}
	if try == 1 {
		c.opt.logf("rump_sp: connection to kernel lost, trying to reconnect ...")
	}
	wait := time.Duration(try) * 100 * time.Millisecond
	if try >= 10 {
		wait = time.Duration(min(10, try-9)) * time.Second
	}
	if limit := c.opt.reconnect; limit > 0 {
		left := limit - time.Since(start)
		if left <= 0 {
			c.opt.logf("rump_sp: reconnect failed, %d second timeout", int(limit.Seconds()))
			return false
		}
		wait = min(wait, left)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// request makes a request that is not a system call.
func (c *Conn) request(r *request) error {
	for {
		l := c.link.Load()
		err := l.roundTrip(r)
		if err == nil {
			break
		}
		if err := c.again(l, err); err != nil {
			return err
		}
	}
	if r.errWord != 0 {
		return errnoOf(r.errWord)
	}
	return nil
}

// Fork makes a child process on a connection of its own. See Transport.
func (c *Conn) Fork() (Transport, error) {
	r := &request{typ: typePrefork}
	if err := c.request(r); err != nil {
		return nil, err
	}
	auth := r.reply[:authSize]
	c.mu.Lock()
	child := newConn(c.at, c.name, c.opt)
	c.mu.Unlock()
	child.readers = c.readers
	l, err := child.connect(c.ctx, shake{kind: shakeFork, body: forkBody(auth, 0)})
	if err != nil {
		// Our servers drop the child then; others do so when we are gone.
		cancel := &request{typ: typeHandshake, word: shakeFork, body: forkBody(auth, 1)}
		_ = c.link.Load().roundTrip(cancel)
		return nil, err
	}
	child.link.Store(l)
	return child, nil
}

// Exec gives the process a new name. See Transport.
func (c *Conn) Exec(name string) error {
	r := &request{typ: typeHandshake, word: shakeExec, body: nameBody(name)}
	if err := c.request(r); err != nil {
		return err
	}
	if e := binary.LittleEndian.Uint32(r.reply[:]); e != 0 {
		return abi.Errno(e)
	}
	c.mu.Lock()
	c.name = name
	c.mu.Unlock()
	return nil
}

// Mapped returns n bytes at addr of the memory that the kernel has allocated in
// this process (ANONMMAP).
func (c *Conn) Mapped(addr uint64, n int) ([]byte, bool) { return c.space.Mapped(addr, n) }

// Close ends the process. Calls in flight fail.
func (c *Conn) Close() error {
	c.cancel() // ends a reconnect, which has the mutex
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link.Load().close()
	c.space.Unmap()
	return nil
}
