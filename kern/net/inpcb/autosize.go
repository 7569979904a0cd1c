package inpcb

import (
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// Buffers of TCP grow with what a connection carries, by the rules of tcp(4) and its variables net.inet.tcp.recvbuf_* and sendbuf_*: one that a
// process has sized by SO_RCVBUF or SO_SNDBUF does not. The stack's own way would begin to see only when more has come in a round trip than the
// window had let through before, which a full window never shows.

// autosize is the state of one connection.
type autosize struct {
	copied atomic.Int64 // what has been read since the receive buffer was looked at last

	mu     sync.Mutex // orders changes of sizes
	looked tcpip.MonotonicTime
	// fixedRecv and fixedSend say that a process has set the size.
	fixedRecv, fixedSend bool
}

// slowTick is a tick of TCP's slow clock. A receive buffer that is taken nearly as a whole within one is too small.
const slowTick = time.Second / 2

// nearly is 7/8 of a buffer.
func nearly(size int32) int64 { return int64(size) / 8 * 7 }

// taken counts bytes that a process has read, and lets the receive buffer grow.
func (p *tcp) taken(t *kern.Thread, n int) {
	if p.size.copied.Add(int64(n)) > nearly(p.so.Rcvbuf.Load()) {
		p.growRecv(t)
	}
}

// growRecv makes the receive buffer larger by net.inet.tcp.recvbuf_inc, if it was last looked at within a slow tick.
func (p *tcp) growRecv(t *kern.Thread) {
	s, now := &p.size, p.ts.stack.Clock().NowMonotonic()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copied.Store(0)
	soon := now.Sub(s.looked) < slowTick
	s.looked = now
	old := p.so.Rcvbuf.Load()
	size := p.ts.grown(&recvGrowth, old)
	if soon && size > old && !s.fixedRecv && p.so.Grow(t, p.so.Sndbuf.Load(), size) == nil {
		p.setRecv(size)
	}
}

// growSend makes a send buffer that is full larger by net.inet.tcp.sendbuf_inc, if it is what limits the stream: the congestion window would let
// more than it holds be on its way. It says whether there is more room.
func (p *tcp) growSend(t *kern.Thread) bool {
	s := &p.size
	s.mu.Lock()
	defer s.mu.Unlock()
	old := p.so.Sndbuf.Load()
	size := p.ts.grown(&sendGrowth, old)
	if size <= old || s.fixedSend || p.congestionWindow()/4*5 < int64(old) || p.so.Grow(t, size, p.so.Rcvbuf.Load()) != nil {
		return false
	}
	p.setSend(size)
	return true
}

// growth are the variables that say how a buffer grows.
type growth struct{ auto, inc, most string }

var (
	recvGrowth = growth{"net.inet.tcp.recvbuf_auto", "net.inet.tcp.recvbuf_inc", "net.inet.tcp.recvbuf_max"}
	sendGrowth = growth{"net.inet.tcp.sendbuf_auto", "net.inet.tcp.sendbuf_inc", "net.inet.tcp.sendbuf_max"}
)

// grown is the size that a buffer may have next.
func (ts *Tables) grown(g *growth, size int32) int32 {
	if ts.in.Int(g.auto) == 0 {
		return size
	}
	return int32(min(int64(size)+int64(ts.in.Int(g.inc)), int64(ts.in.Int(g.most))))
}

// setRecv and setSend tell the stack the size of a buffer, which keeps it from changing the size by itself.
func (p *tcp) setRecv(size int32) {
	p.ep.SocketOptions().SetReceiveBufferSize(inet.WindowSpace*int64(size), true)
}

func (p *tcp) setSend(size int32) { p.ep.SocketOptions().SetSendBufferSize(int64(size), true) }

// congestionWindow is how many bytes may be on their way, as far as the network's congestion is concerned.
func (p *tcp) congestionWindow() int64 {
	var o tcpip.TCPInfoOption
	if p.ep.GetSockOpt(&o) != nil {
		return 0
	}
	return int64(o.SndCwnd) * int64(p.maxSeg())
}

// fixRecv and fixSend set the size of a buffer for good.
func (p *tcp) fixRecv(size int32) {
	p.size.mu.Lock()
	defer p.size.mu.Unlock()
	p.size.fixedRecv = true
	p.so.Rcvbuf.Store(size)
	p.setRecv(size)
}

func (p *tcp) fixSend(size int32) {
	p.size.mu.Lock()
	defer p.size.mu.Unlock()
	p.size.fixedSend = true
	p.so.Sndbuf.Store(size)
	p.setSend(size)
}

// inheritSizes gives a new connection the buffers of the socket that it was made for.
func (p *tcp) inheritSizes(from *tcp) {
	from.size.mu.Lock()
	p.size.fixedRecv, p.size.fixedSend = from.size.fixedRecv, from.size.fixedSend
	from.size.mu.Unlock()
	p.setRecv(p.so.Rcvbuf.Load())
}
