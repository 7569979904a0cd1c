package shmif

import (
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

// largeFile is the file beside a bus through which our members pass large frames. Its methods work on nil, which has none: where
// the file cannot be made, or the host cannot tell whether a member is alive.
type largeFile struct {
	shared *host.Shared
	format *format.Large
	slot   int

	mu   sync.Mutex
	seen [format.Slots]time.Time // when the member in a slot was last seen alive
}

// trust is for how long a member that was seen alive is believed to be.
const trust = 100 * time.Millisecond

// openLarge opens the file beside the bus at path, and takes a slot in it; nil when that cannot be.
func openLarge(path string, bus *format.Ring) *largeFile {
	shared, err := host.OpenShared(path+format.LargeSuffix, format.LargeFileSize)
	if err != nil {
		return nil
	}
	l := &largeFile{shared: shared, slot: -1}
	guarded := shared.Guard(func() {
		bus.Lock()
		defer bus.Unlock()
		l.format, err = format.NewLarge(shared)
	})
	if guarded == nil && err == nil {
		l.takeSlot()
	}
	if l.slot < 0 {
		shared.Close()
		return nil
	}
	return l
}

// takeSlot finds a slot that nobody alive has.
func (l *largeFile) takeSlot() {
	for slot := range format.Slots {
		if l.shared.LockByte(format.SlotOffset(slot)) == nil {
			l.slot = slot
			return
		}
	}
}

// enter makes the interface known by its address; leave undoes that.
func (l *largeFile) enter(ifp *ifnet.Interface) {
	if l != nil {
		l.shared.Guard(func() { l.format.SetMember(l.slot, [6]byte(ifp.LinkAddr())) })
	}
}

func (l *largeFile) leave() {
	if l != nil {
		l.shared.Guard(func() { l.format.ClearMember(l.slot) })
	}
}

// reaches says whether a packet can go to its destination as a large frame: to a member that is alive, or to a group, whose C members
// go without it as cards without jumbo frames do.
func (l *largeFile) reaches(p *ifnet.Packet) bool {
	var dst [6]byte
	if l == nil || p.Len() > format.MaxLargeFrame || !p.Header(dst[:]) {
		return false
	}
	if dst[0]&1 != 0 {
		return p.Segment.Size == 0
	}
	slot, ok := 0, false
	l.shared.Guard(func() { slot, ok = l.format.Member(dst) })
	return ok && l.alive(slot)
}

// alive says whether a slot has a living user, who has it locked.
func (l *largeFile) alive(slot int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.seen[slot]) < trust {
		return true
	}
	locked, err := l.shared.ByteLocked(format.SlotOffset(slot))
	if err != nil || !locked {
		return false
	}
	l.seen[slot] = now
	return true
}

// put writes a packet, given in parts, to the file and returns the frame that points to it; nil when the file is no more. With the
// bus's lock.
func (l *largeFile) put(p *ifnet.Packet, sender uint64, parts [][]byte) (frame []byte) {
	pointer := format.Pointer{Size: p.Segment.Size, HeaderLen: p.Segment.HeaderLen}
	if p.Flags&ifnet.ChecksumMissing != 0 {
		pointer.Flags |= format.LargeChecksumMissing
	}
	if p.Segment.V6 {
		pointer.Flags |= format.LargeV6
	}
	var addrs [12]byte
	p.Header(addrs[:])
	l.shared.Guard(func() {
		if l.format.Put(&pointer, sender, parts...) {
			frame = pointer.Frame(addrs[:])
		}
	})
	return frame
}

// get is the large packet that a frame on the bus points to. is says that the frame is such a one, whether or not the packet is there still.
// With the bus's lock.
func (l *largeFile) get(v *format.View) (p *ifnet.Packet, is bool) {
	var small [format.PointerSize]byte
	if l == nil || v.Len != format.PointerSize {
		return nil, false
	}
	v.Copy(small[:], 0)
	pointer, is := format.ParsePointer(small[:])
	if !is {
		return nil, false
	}
	buf, ok := room(int(pointer.Len)), false
	var parts [][]byte
	buf.Apply(func(v *buffer.View) { parts = append(parts, v.AsSlice()) })
	l.shared.Guard(func() { ok = l.format.Get(&pointer, v.Sender, parts...) })
	if !ok {
		buf.Release()
		return nil, true
	}
	p = &ifnet.Packet{Buf: buf}
	if pointer.Flags&format.LargeChecksumMissing != 0 {
		p.Flags |= ifnet.ChecksumGood | ifnet.ChecksumMissing
	}
	p.Segment = ifnet.Segment{Size: pointer.Size, HeaderLen: pointer.HeaderLen, V6: pointer.Flags&format.LargeV6 != 0}
	return p, true
}

// room is a buffer of n bytes, in pieces that package buffer keeps for reuse: it has none of more than 64 KiB.
func room(n int) buffer.Buffer {
	const most, front = 64 << 10, 4096
	if n <= most {
		return buffer.MakeWithView(buffer.NewViewSize(n))
	}
	b := buffer.MakeWithView(buffer.NewViewSize(front))
	rest := room(n - front)
	b.Merge(&rest)
	return b
}
