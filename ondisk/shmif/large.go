package shmif

import (
	"encoding/binary"
	"sync/atomic"
)

const (
	// LargeSuffix is what the name of the file beside a bus has after that of the bus.
	LargeSuffix = ".large"
	// LargeFileSize is its size in bytes: a page of header, and a ring of large frames.
	LargeFileSize = largeHeaderSize + LargeDataSize
	// LargeDataSize is the size of its ring.
	LargeDataSize = 4 << 20
	// MaxLargeFrame is the largest frame: the largest IP packet and an Ethernet header.
	MaxLargeFrame = 1<<16 - 1 + etherHeaderSize
	// Slots is how many members can be in its table.
	Slots = (largeHeaderSize - slotsAt) / slotSize

	// LargeMagic begins the file, and the payload of the frames that point into it.
	LargeMagic = 0xca11d064
	// LargeEtherType is the type of those frames: the first of the two that IEEE 802 keeps for local use.
	LargeEtherType = 0x88b5
	// PointerSize is the size of such a frame: the smallest of Ethernet.
	PointerSize = 60

	// LargeChecksumMissing says that the packet's transport checksum has not been computed, LargeV6 that a segment is one of IPv6:
	// flags of a Pointer.
	LargeChecksumMissing, LargeV6 = 1, 2

	// MemberAwake says that a member looks at the bus by itself before it sleeps, MemberAll that it wants frames to others, too: what a slot
	// says of its member.
	MemberAwake, MemberAll = 1, 2

	largeVersion    = 2
	largeHeaderSize = 4096
	headAt          = 8
	slotsAt         = 64
	slotSize        = 32
	stateAt         = 8  // in a slot
	recordSize      = 24 // position, sender, length, in front of each frame in the ring
	blockSize       = 64
	blocks          = LargeDataSize / blockSize
)

// Large is a member's view of the file beside a bus, through which members of this implementation pass frames that are larger than
// an Ethernet's. The frame lies in this file's ring; what goes over the bus is a small frame to the same address that
// points to it (Pointer), so that order, waking and losing stay the bus's, and a C member sees nothing but a frame
// of a type that it does not know. No method needs a lock: space in the ring is handed out by an atomic counter, and the table of members is
// changed a slot at a time by those whose slots they are.
type Large struct {
	mem  []byte
	data []byte
	word func(off int) *atomic.Uint32
}

// NewLarge is a view of the file in m, which it makes one if it is none yet: with the bus's lock. Errors: ErrNotBus, VersionError.
func NewLarge(m Memory) (*Large, error) {
	b := m.Bytes()
	if len(b) < LargeFileSize {
		return nil, ErrNotBus
	}
	l := &Large{mem: b[:largeHeaderSize], data: b[largeHeaderSize:LargeFileSize], word: m.Word}
	switch magic, version := l.word(0), l.word(4); {
	case magic.Load() == 0:
		version.Store(largeVersion)
		magic.Store(LargeMagic)
	case magic.Load() != LargeMagic:
		return nil, ErrNotBus
	case version.Load() != largeVersion:
		return nil, VersionError(version.Load())
	}
	return l, nil
}

// SlotOffset is the offset of a slot in the file. Whoever uses the slot has that byte of the file locked for as long as it
// lives, so that a dead member's slot can be told from a living one's.
func SlotOffset(slot int) int64 { return slotsAt + int64(slot)*slotSize }

// SetMember enters a member's address in its slot. What it was before says nothing of the member yet.
func (l *Large) SetMember(slot int, mac [6]byte) {
	at := int(SlotOffset(slot))
	low, high := macWords(mac)
	l.word(at + 4).Store(0)
	l.word(at).Store(low)
	l.word(at + 4).Store(high)
}

// ClearMember takes it out.
func (l *Large) ClearMember(slot int) { l.word(int(SlotOffset(slot)) + 4).Store(0) }

// Declare sets and clears bits of what a slot says of its member: MemberAwake, MemberAll.
func (l *Large) Declare(slot int, set, clear uint32) {
	state := l.word(int(SlotOffset(slot)) + stateAt)
	state.And(^clear)
	state.Or(set)
}

// Sees says whether a frame to the member in a slot, which is on the bus by now, is seen by all who want it without anybody being
// woken: that member is awake, and so are those who want all frames.
func (l *Large) Sees(slot int) bool {
	for i := range Slots {
		at := int(SlotOffset(i))
		state := l.word(at + stateAt).Load()
		if state&MemberAwake == 0 && (i == slot || state&MemberAll != 0 && l.word(at+4).Load() != 0) {
			return false
		}
	}
	return true
}

// Member finds the slot of an address, whether or not its user is alive.
func (l *Large) Member(mac [6]byte) (slot int, ok bool) {
	low, high := macWords(mac)
	for slot := range Slots {
		at := int(SlotOffset(slot))
		if l.word(at+4).Load() == high && l.word(at).Load() == low {
			return slot, true
		}
	}
	return 0, false
}

// macWords are an address as it stands in a slot: the last word has a bit that says that the slot is used.
func macWords(mac [6]byte) (low, high uint32) {
	return binary.LittleEndian.Uint32(mac[:]), uint32(binary.LittleEndian.Uint16(mac[4:])) | 1<<16
}

// Pointer is what a small frame on the bus says about a large one.
type Pointer struct {
	// Pos counts the blocks of 64 bytes that were ever handed out, up to this frame's first; Len is the frame's length in bytes.
	Pos, Len uint32
	// Flags are LargeChecksumMissing and LargeV6. Of a TCP segment that is yet to be cut Size is how many bytes of payload each
	// part has, HeaderLen the length of the network header; otherwise they are 0.
	Flags, Size, HeaderLen uint16
}

// extent is how many blocks a frame takes, with its record.
func (p *Pointer) extent() uint32 { return (recordSize + p.Len + blockSize - 1) / blockSize }

// Put writes a frame, given in parts, to the ring, and fills in p's Pos and Len. It says whether it has; frames of more than
// MaxLargeFrame bytes are too large.
func (l *Large) Put(p *Pointer, sender uint64, parts ...[]byte) bool {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	if length > MaxLargeFrame {
		return false
	}
	p.Len = uint32(length)
	p.Pos = l.word(headAt).Add(p.extent()) - p.extent()
	record := l.record(p, sender)
	at := l.copyIn(p.offset(), record[:])
	for _, part := range parts {
		at = l.copyIn(at, part)
	}
	return true
}

func (p *Pointer) offset() int { return int(p.Pos%blocks) * blockSize }

func (l *Large) record(p *Pointer, sender uint64) (b [recordSize]byte) {
	binary.NativeEndian.PutUint32(b[:], p.Pos)
	binary.NativeEndian.PutUint32(b[4:], p.Len)
	binary.NativeEndian.PutUint64(b[8:], sender)
	return b
}

// copyIn writes b at an offset of the ring, copyOut reads from one; both wrap, and return the offset after it.
func (l *Large) copyIn(off int, b []byte) int {
	n := copy(l.data[off:], b)
	copy(l.data, b[n:])
	return (off + len(b)) % LargeDataSize
}

func (l *Large) copyOut(b []byte, off int) int {
	n := copy(b, l.data[off:])
	copy(b[n:], l.data)
	return (off + len(b)) % LargeDataSize
}

// Get fills parts, of p.Len bytes together, with the frame that p points to. It is false when sender did not put it there, or it has
// been overwritten, or is while it is read: who overwrites has had the space handed out to him before.
func (l *Large) Get(p *Pointer, sender uint64, parts ...[]byte) bool {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	if length != int(p.Len) || !l.there(p) {
		return false
	}
	var record [recordSize]byte
	at := l.copyOut(record[:], p.offset())
	if record != l.record(p, sender) {
		return false
	}
	for _, part := range parts {
		at = l.copyOut(part, at)
	}
	return l.there(p)
}

// there says whether the space of a frame has been handed out to it, and not again. What was read before has been read when it looks: adding
// orders the two on every processor.
func (l *Large) there(p *Pointer) bool {
	behind := l.word(headAt).Add(0) - p.Pos
	return behind <= blocks && behind >= p.extent()
}

// Frame is the small frame that points to a large one whose Ethernet header's addresses (12 bytes) are addrs.
func (p *Pointer) Frame(addrs []byte) []byte {
	b := make([]byte, PointerSize)
	copy(b[:etherHeaderSize-2], addrs)
	binary.BigEndian.PutUint16(b[etherHeaderSize-2:], LargeEtherType)
	d := b[etherHeaderSize:]
	binary.NativeEndian.PutUint32(d, LargeMagic)
	binary.NativeEndian.PutUint32(d[4:], p.Len)
	binary.NativeEndian.PutUint32(d[8:], p.Pos)
	for i, v := range []uint16{p.Flags, p.Size, p.HeaderLen} {
		binary.NativeEndian.PutUint16(d[16+2*i:], v)
	}
	return b
}

// ParsePointer takes such a frame apart; ok is false for any other frame.
func ParsePointer(frame []byte) (p Pointer, ok bool) {
	if len(frame) != PointerSize || binary.BigEndian.Uint16(frame[etherHeaderSize-2:]) != LargeEtherType {
		return p, false
	}
	d := frame[etherHeaderSize:]
	p = Pointer{
		Pos: binary.NativeEndian.Uint32(d[8:]), Len: binary.NativeEndian.Uint32(d[4:]),
		Flags: binary.NativeEndian.Uint16(d[16:]), Size: binary.NativeEndian.Uint16(d[18:]), HeaderLen: binary.NativeEndian.Uint16(d[20:]),
	}
	return p, binary.NativeEndian.Uint32(d) == LargeMagic && p.Len <= MaxLargeFrame && p.Len > etherHeaderSize
}
