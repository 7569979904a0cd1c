package shmif

import (
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
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

	mu   sync.Mutex              // also orders what receivers tell
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
			l.leave() // what a dead member left there
			return
		}
	}
}

// enter makes the interface known by its address; leave undoes that.
func (l *largeFile) enter(ifp *ifnet.Interface) {
	if l != nil {
		l.wantAll(ifp)
		l.shared.Guard(func() { l.format.SetMember(l.slot, [6]byte(ifp.LinkAddr())) })
	}
}

func (l *largeFile) leave() {
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.shared.Guard(func() {
			l.format.ClearMember(l.slot)
			l.format.Declare(l.slot, 0, format.MemberAwake|format.MemberAll)
		})
	}
}

// awake tells whether a receiver looks at the bus by itself, or must be woken. One that has been stopped has nothing to tell.
func (l *largeFile) awake(r *receiver, is bool) {
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !r.stopped.Load() {
			l.declare(format.MemberAwake, is)
		}
	}
}

// wantAll tells whether the interface wants frames to others. Who is last has seen the last change.
func (l *largeFile) wantAll(ifp *ifnet.Interface) {
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.declare(format.MemberAll, ifp.Flags()&abi.IFF_PROMISC != 0)
	}
}

func (l *largeFile) declare(bit uint32, on bool) {
	l.shared.Guard(func() {
		if on {
			l.format.Declare(l.slot, bit, 0)
		} else {
			l.format.Declare(l.slot, 0, bit)
		}
	})
}

// seenByAll says whether all who want frames see them without being woken: they went to members of ours that are awake. A C member that has its
// interface in promiscuous mode sees them with the next that somebody is woken for.
func (l *largeFile) seenByAll(frames []*ifnet.Packet) (all bool) {
	if l == nil {
		return false
	}
	l.shared.Guard(func() {
		var last [6]byte
		for i, p := range frames {
			var dst [6]byte
			if !p.Header(dst[:]) || dst[0]&1 != 0 {
				return
			}
			if i > 0 && dst == last {
				continue
			}
			last = dst
			if slot, ok := l.format.Member(dst); !ok || !l.format.Sees(slot) {
				return
			}
		}
		all = true
	})
	return all
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

// put writes a packet to the file, and gives the frame that points to it for it; nil when the file is no more.
func (l *largeFile) put(p *ifnet.Packet, sender uint64) (frame *ifnet.Packet) {
	defer p.Release()
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
		if l.format.Put(&pointer, sender, views(nil, &p.Buf)...) {
			frame = ifnet.NewPacket(pointer.Frame(addrs[:]))
		}
	})
	return frame
}

// views appends the pieces of a buffer.
func views(parts [][]byte, b *buffer.Buffer) [][]byte {
	b.Apply(func(v *buffer.View) { parts = append(parts, v.AsSlice()) })
	return parts
}

// pointer is what a frame on the bus says about a large one, if it does. With the bus's lock.
func (l *largeFile) pointer(v *format.View) (p format.Pointer, is bool) {
	var small [format.PointerSize]byte
	if l == nil || v.Len != format.PointerSize {
		return p, false
	}
	v.Copy(small[:], 0)
	return format.ParsePointer(small[:])
}

// get is the large packet that was pointed to, nil when it is not there any more.
func (l *largeFile) get(pointer *format.Pointer, sender uint64) *ifnet.Packet {
	buf, ok := room(int(pointer.Len)), false
	l.shared.Guard(func() { ok = l.format.Get(pointer, sender, views(nil, &buf)...) })
	if !ok {
		buf.Release()
		return nil
	}
	p := &ifnet.Packet{Buf: buf}
	if pointer.Flags&format.LargeChecksumMissing != 0 {
		p.Flags |= ifnet.ChecksumGood | ifnet.ChecksumMissing
	}
	p.Segment = ifnet.Segment{Size: pointer.Size, HeaderLen: pointer.HeaderLen, V6: pointer.Flags&format.LargeV6 != 0}
	return p
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
