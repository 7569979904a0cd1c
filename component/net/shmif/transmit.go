package shmif

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

const (
	// maxBacklog bounds the packets that wait for a lock that somebody does not give back.
	maxBacklog = 512
	// maxUnread is after how many frames of ours the receiver is to pass them, so that they do not overtake it: a third of the ring.
	maxUnread = 256
)

// transmit sends packets at once when the bus's lock is free, as it nearly always is. When it is not, it leaves them to a goroutine that
// has the patience: a holder may be dead.
func (b *fileBus) transmit(ifp *ifnet.Interface, pkts []*ifnet.Packet) error {
	if !b.use() {
		release(pkts)
		return abi.ENETDOWN
	}
	defer b.unuse()
	frames := b.frames(ifp, pkts)
	if len(frames) == 0 {
		return abi.ENOBUFS
	}
	b.txMu.Lock()
	if b.sending {
		defer b.txMu.Unlock()
		return b.queue(ifp, frames)
	}
	locked := false
	ok := b.guard(ifp, func() {
		if locked = b.tx.TryLock(); locked {
			defer b.tx.Unlock()
			b.put(ifp, frames)
		}
	})
	if ok && !locked {
		b.sending = true
		b.use()
		go b.sendBacklog(ifp)
		defer b.txMu.Unlock()
		return b.queue(ifp, frames)
	}
	b.txMu.Unlock()
	defer release(frames)
	if !ok {
		return abi.ENETDOWN
	}
	b.wakeFor(frames)
	return nil
}

// queue adds to the backlog. txMu held. Errors: ENOBUFS when there was no room for all.
func (b *fileBus) queue(ifp *ifnet.Interface, frames []*ifnet.Packet) error {
	n := min(len(frames), maxBacklog-len(b.backlog))
	b.backlog = append(b.backlog, frames[:n]...)
	if n == len(frames) {
		return nil
	}
	ifp.Stats.Oerrors.Add(uint64(len(frames) - n))
	release(frames[n:])
	return abi.ENOBUFS
}

// sendBacklog waits for the lock and sends what has gathered, until nothing is left.
func (b *fileBus) sendBacklog(ifp *ifnet.Interface) {
	defer b.unuse()
	for {
		var sent []*ifnet.Packet
		ok := b.guard(ifp, func() {
			b.tx.Lock()
			defer b.tx.Unlock()
			b.txMu.Lock()
			frames := b.backlog
			b.backlog = nil
			b.txMu.Unlock()
			b.put(ifp, frames)
			sent = frames
		})
		b.wakeFor(sent)
		release(sent)
		b.txMu.Lock()
		if len(b.backlog) == 0 || !ok {
			release(b.backlog)
			b.backlog, b.sending = nil, false
			b.txMu.Unlock()
			return
		}
		b.txMu.Unlock()
	}
}

// frames makes of packets what can go over the bus: those that fit into a frame of the C code, with their checksums, and pointers to those that go
// to members that take large ones. What can go neither way is dropped and counted.
func (b *fileBus) frames(ifp *ifnet.Interface, pkts []*ifnet.Packet) []*ifnet.Packet {
	frames := make([]*ifnet.Packet, 0, len(pkts))
	for _, p := range pkts {
		switch {
		case p.Len() > format.MaxFrame && b.large.reaches(p):
			if f := b.large.put(p, b.sender); f != nil {
				frames = append(frames, f)
			} else {
				ifp.Stats.Oerrors.Add(1)
			}
		case p.Segment.Size != 0:
			for _, s := range ifnet.Segments(p, int(ifp.HdrLen)) {
				frames = b.small(ifp, frames, s)
			}
		default:
			frames = b.small(ifp, frames, p)
		}
	}
	return frames
}

// small adds a packet that has to fit into a frame of the C code.
func (b *fileBus) small(ifp *ifnet.Interface, frames []*ifnet.Packet, p *ifnet.Packet) []*ifnet.Packet {
	if p.Len() > format.MaxFrame {
		ifp.Stats.Oerrors.Add(1)
		p.Release()
		return frames
	}
	if p.Flags&ifnet.ChecksumMissing != 0 {
		ifnet.FinishChecksum(p, int(ifp.HdrLen))
	}
	return append(frames, p)
}

// put writes frames on the bus; with its lock.
func (b *fileBus) put(ifp *ifnet.Interface, frames []*ifnet.Packet) {
	var uptime time.Duration
	if ifp.Net.K != nil {
		uptime = ifp.Net.K.Uptime()
	}
	upToDate := b.seen.Load() == b.tx.Newest()
	var parts [][]byte
	for _, p := range frames {
		parts = views(parts[:0], &p.Buf)
		b.tx.Send(b.sender, uptime, parts...)
	}
	if b.unread.Add(int32(len(frames))) < maxUnread && upToDate {
		b.seen.Store(b.tx.Newest())
	}
}
