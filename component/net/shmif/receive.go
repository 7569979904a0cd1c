package shmif

import (
	"runtime"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

const (
	// batch and batchBytes bound what is read at once, with the lock held: some tens of microseconds.
	batch      = 64
	batchBytes = 256 << 10
	// spinTime is how long the receiver looks for more right after traffic before it sleeps: waking takes 20 to 40 µs.
	spinTime = 40 * time.Microsecond
	// spinAlone is after how long it offers the processor to other programs between looks: who is to send may be waiting for it. A round trip
	// is shorter, and would take longer by the offer.
	spinAlone = 10 * time.Microsecond
	// spinCredit bounds how many successful spins are remembered; each in vain costs one, and without any only each spinTrial-th
	// chance is taken: who is written to rarely all but stops spinning.
	spinCredit = 8
	spinTrial  = 16
)

// receiver is the receiving end of an interface that is up: a goroutine.
type receiver struct {
	bus   *fileBus
	ifp   *ifnet.Interface
	ring  *format.Ring
	watch *host.Watch

	joined    bool
	cursor    format.Cursor
	list      []arrival // of read's, kept for reuse
	coalescer ifnet.Coalescer
	stopped   atomic.Bool

	credit, chances int // of spinning
}

// start begins to receive. Frames that are sent after it returns are received; but when the bus's lock is not to be had, those after
// somebody has given it back.
func (b *fileBus) start(ifp *ifnet.Interface) error {
	if !b.use() {
		return abi.ENXIO
	}
	r := &receiver{bus: b, ifp: ifp, credit: spinCredit}
	var err error = abi.EIO
	b.guard(ifp, func() { err = r.open() })
	if err != nil {
		b.unuse()
		return busErrno(err)
	}
	b.received.Store(r)
	go r.run()
	return nil
}

// open makes what the receiver needs, and joins the bus if its lock is free.
func (r *receiver) open() (err error) {
	if r.ring, err = r.bus.newRing(); err != nil {
		return err
	}
	if r.watch, err = host.WatchFile(r.bus.shared.Path()); err != nil {
		return err
	}
	if r.ring.TryLock() {
		defer r.ring.Unlock()
		r.join()
	}
	return nil
}

// join takes the place behind the newest frame; with the bus's lock.
func (r *receiver) join() {
	r.joined = true
	r.cursor = r.ring.Now()
	r.bus.large.enter(r.ifp)
}

// stop ends receiving: what is on its way to the interface finds it down.
func (b *fileBus) stop() {
	if r := b.received.Swap(nil); r != nil {
		r.stopped.Store(true)
		r.watch.Close()
		b.large.leave()
	}
}

// setLinkAddr enters the interface's new address among those that take large frames.
func (b *fileBus) setLinkAddr(ifp *ifnet.Interface) { b.large.enter(ifp) }

// setPromiscuous tells the others whether frames to them concern us.
func (b *fileBus) setPromiscuous(ifp *ifnet.Interface) { b.large.wantAll(ifp) }

// run receives until the interface is stopped.
func (r *receiver) run() {
	defer r.bus.unuse()
	r.bus.large.awake(r, true)
	defer r.bus.large.awake(r, false)
	found := false
	for !r.stopped.Load() {
		pkts, more, ok := r.read()
		if !ok {
			return
		}
		if len(pkts) > 0 {
			r.coalescer.Input(r.ifp, pkts)
			found = true
		}
		if more || found && r.spin() {
			continue
		}
		if err := r.await(found); err != nil {
			return
		}
		found = false
	}
}

// await sleeps until there is something to read. What we send ourselves wakes us too, and is none.
func (r *receiver) await(found bool) error {
	r.bus.large.awake(r, false)
	defer r.bus.large.awake(r, true)
	for !r.news() {
		if err := r.watch.Wait(found); err != nil {
			return err
		}
		found = false
	}
	return nil
}

// news says whether there are frames of others, or the bus is no more, which reading tells.
func (r *receiver) news() (is bool) {
	ok := r.bus.guard(r.ifp, func() { is = r.ring.Newest() != r.bus.seen.Load() })
	return !ok || is
}

// arrival is a frame that was taken from the bus, or where it lies.
type arrival struct {
	packet  *ifnet.Packet
	pointer format.Pointer
	sender  uint64
}

// read takes a batch of frames. more says that there may be others; ok is false when the bus is no more.
func (r *receiver) read() (pkts []*ifnet.Packet, more, ok bool) {
	list := r.list[:0]
	ok = r.bus.guard(r.ifp, func() {
		r.ring.Lock()
		defer r.ring.Unlock()
		if !r.joined {
			r.join()
		}
		n, size, lost := 0, 0, false
		more, lost = r.ring.Receive(&r.cursor, func(v *format.View) (enough bool) {
			if a, bytes := r.take(v); bytes > 0 {
				list = append(list, a)
				size += bytes
			}
			n++
			return n == batch || size >= batchBytes
		})
		if lost {
			r.ifp.Stats.Iqdrops.Add(1)
		}
		if r.bus.unread.Store(0); !more {
			r.bus.seen.Store(r.ring.Newest())
		}
	})
	for i := range list {
		p := list[i].packet
		if p == nil {
			p = r.bus.large.get(&list[i].pointer, list[i].sender)
		}
		if p == nil {
			r.ifp.Stats.Iqdrops.Add(1)
			continue
		}
		pkts = append(pkts, p)
	}
	clear(list)
	r.list = list
	return pkts, more, ok
}

// take copies a frame out of the ring, or notes where a large one is, of so many bytes; 0 for one that is not for us. With the bus's lock.
func (r *receiver) take(v *format.View) (a arrival, bytes int) {
	var header [ifnet.EtherHdrLen]byte
	v.Copy(header[:], 0)
	if v.Sender == r.bus.sender || !r.wanted(header[:6]) {
		return a, 0
	}
	if p, is := r.bus.large.pointer(v); is {
		return arrival{pointer: p, sender: v.Sender}, int(p.Len)
	}
	view := buffer.NewViewSize(int(v.Len))
	v.Copy(view.AsSlice(), 0)
	return arrival{packet: &ifnet.Packet{Buf: buffer.MakeWithView(view)}}, int(v.Len)
}

// wanted says whether the interface takes frames to an address.
func (r *receiver) wanted(dst []byte) bool {
	return dst[0]&1 != 0 || string(dst) == string(r.ifp.LinkAddr()) || r.ifp.Flags()&abi.IFF_PROMISC != 0
}

// spin looks for a while whether something new comes, and says whether it has. What has come already costs nothing; beyond that it looks only when
// spins before were worth their time, and where another processor can go on meanwhile.
func (r *receiver) spin() bool {
	runtime.Gosched() // whom Input has woken goes first, here and now: not when another thread has been found for him
	if r.news() {
		return true
	}
	r.chances++
	if r.credit == 0 && r.chances%spinTrial != 0 || runtime.GOMAXPROCS(0) == 1 {
		return false
	}
	found := false
	ok := r.bus.guard(r.ifp, func() {
		for i, start := 1, time.Now(); !found; i++ {
			found = r.ring.Newest() != r.bus.seen.Load()
			if i%64 == 0 {
				switch d := time.Since(start); {
				case d > spinTime:
					return
				case d > spinAlone:
					r.bus.shared.Yield()
				default:
					runtime.Gosched()
				}
			}
		}
	})
	if found {
		r.credit = min(r.credit+1, spinCredit)
	} else {
		r.credit = max(r.credit-1, 0)
	}
	return ok && found
}
