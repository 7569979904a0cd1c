package shmif

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

// Memory is memory that is shared with other programs.
type Memory interface {
	// Bytes is all of it.
	Bytes() []byte
	// Word is the aligned 32-bit word at an offset.
	Word(off int) *atomic.Uint32
	// Yield lets others run, of this program and of others.
	Yield()
}

// Ring is one member's view of a bus in memory. Its methods need the lock where they say so; only one goroutine at a time may use it.
type Ring struct {
	mem  []byte
	data []byte // the ring proper

	yield func()

	magic, version, first, last, lock, owner *atomic.Uint32
	gen                                      [2]*atomic.Uint32 // its halves, in the order of memory

	token     uint32 // what this member writes into the owner word
	patience  time.Duration
	takenOver int
}

// NewRing is a member's view of the bus in m, which it makes a bus if it is none yet. token is a random number that
// is not 0; patience as DefaultPatience.
//
// Errors: ErrNotBus for memory that is too small or something else, VersionError.
func NewRing(m Memory, token uint32, patience time.Duration) (*Ring, error) {
	b := m.Bytes()
	if len(b) < FileSize {
		return nil, ErrNotBus
	}
	r := &Ring{
		mem: b[:FileSize], data: b[HeaderSize:FileSize],
		magic: m.Word(0), version: m.Word(VersionOffset), first: m.Word(firstAt), last: m.Word(lastAt),
		lock: m.Word(lockAt), owner: m.Word(ownerAt), gen: [2]*atomic.Uint32{m.Word(genAt), m.Word(genAt + 4)},
		yield: m.Yield, token: token, patience: patience,
	}
	if magic := r.magic.Load(); magic != 0 && magic != Magic {
		return nil, ErrNotBus
	}
	r.Lock()
	defer r.Unlock()
	if r.magic.Load() == 0 {
		r.magic.Store(Magic)
		r.first.Store(DataSize)
	}
	if v := r.version.Load(); v != 0 && v != Version {
		return nil, VersionError(v)
	}
	return r, nil
}

// Header is the header as it is now; with the lock, or it may be torn.
func (r *Ring) Header() Header {
	var gen [8]byte
	binary.NativeEndian.PutUint32(gen[:], r.gen[0].Load())
	binary.NativeEndian.PutUint32(gen[4:], r.gen[1].Load())
	return Header{
		Magic: r.magic.Load(), Version: r.version.Load(), Gen: binary.NativeEndian.Uint64(gen[:]),
		First: r.first.Load(), Last: r.last.Load(), Lock: r.lock.Load(), Owner: r.owner.Load(),
	}
}

func (r *Ring) setGen(gen uint64) {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], gen)
	r.gen[0].Store(binary.NativeEndian.Uint32(b[:]))
	r.gen[1].Store(binary.NativeEndian.Uint32(b[4:]))
}

// Newest is a number that changes with each frame that is sent. It needs no lock: a member that spins watches it.
func (r *Ring) Newest() uint64 {
	last := r.last.Load() // before gen, which is written first: what looks old is
	return uint64(r.gen[0].Load()^r.gen[1].Load())<<32 | uint64(last)
}

// copyOut fills b from an offset of the ring, copyIn writes b there; both wrap.
func (r *Ring) copyOut(b []byte, off uint32) {
	n := copy(b, r.data[off:])
	copy(b[n:], r.data)
}

func (r *Ring) copyIn(off uint32, b []byte) {
	n := copy(r.data[off:], b)
	copy(r.data, b[n:])
}

func (r *Ring) frameHeader(off uint32) (h FrameHeader) {
	var b [FrameHeaderSize]byte
	r.copyOut(b[:], off)
	h.decode(b[:], binary.NativeEndian)
	return h
}

// end is the offset after the newest frame.
func (r *Ring) end(h *Header) uint32 {
	last := h.Last % DataSize
	return advance(last, span(r.frameHeader(last).Len))
}

// Send puts a frame on the bus, which is given in parts. It says whether it has: frames of more than MaxFrame bytes would break members
// of the C code. With the lock; after unlocking, who sends writes the version at VersionOffset of the file, which wakes the others.
func (r *Ring) Send(sender uint64, uptime time.Duration, parts ...[]byte) bool {
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	if length > MaxFrame {
		return false
	}
	h := r.Header()
	at, size := r.end(&h), span(uint32(length))
	r.first.Store(r.makeRoom(h.First, at, size))
	var b [FrameHeaderSize]byte
	fh := FrameHeader{Len: uint32(length), Time: uptime, Sender: sender}
	fh.encode(b[:], binary.NativeEndian)
	r.copyIn(at, b[:])
	to := advance(at, FrameHeaderSize)
	for _, p := range parts {
		r.copyIn(to, p)
		to = advance(to, uint64(len(p)))
	}
	if uint64(at)+size >= DataSize {
		r.setGen(h.Gen + 1)
	}
	r.last.Store(at)
	return true
}

// makeRoom is what first becomes when size bytes at an offset are overwritten: the frames that they overlap are no more.
func (r *Ring) makeRoom(first, at uint32, size uint64) uint32 {
	oldest := first % DataSize
	distance := (uint64(oldest) + DataSize - uint64(at)) % DataSize
	for distance < size {
		n := span(r.frameHeader(oldest).Len)
		if distance += n; distance >= DataSize {
			return at // nothing of the old is left, or the lengths are not to be believed
		}
		oldest = advance(oldest, n)
		first = oldest
	}
	return first
}

// Cursor is how far a member has read. It stays good while others write.
type Cursor struct {
	gen  uint64
	next uint32
}

// Now is the cursor behind the newest frame: only later ones will be seen. With the lock.
func (r *Ring) Now() Cursor {
	h := r.Header()
	return Cursor{gen: h.Gen, next: r.end(&h)}
}

// View is a frame in the ring; it is good only while the lock is held.
type View struct {
	FrameHeader
	ring *Ring
	at   uint32
}

// Copy fills b with the frame's bytes from an offset in it, and says how many there were.
func (v *View) Copy(b []byte, off int) int {
	if off < 0 || off >= int(v.Len) {
		return 0
	}
	b = b[:min(len(b), int(v.Len)-off)]
	v.ring.copyOut(b, advance(v.at, uint64(off)))
	return len(b)
}

// Receive shows the frames after the cursor to take, until it says that it has enough, and moves the cursor. Frames shorter than an
// Ethernet header are passed over. more says that there may be others; lost that the cursor had been overtaken, or that what follows it was damaged: frames were lost, and
// the cursor is at the oldest, or behind the newest. With the lock.
func (r *Ring) Receive(c *Cursor, take func(*View) (enough bool)) (more, lost bool) {
	h := r.Header()
	end := r.end(&h)
	left, ok := c.left(&h, end)
	if !ok {
		lost = true
		c.gen, c.next, left = oldest(&h, end)
	}
	for left > 0 && !more {
		fh := r.frameHeader(c.next)
		size := span(fh.Len)
		if size > left || fh.Len > maxReadable {
			*c = Cursor{gen: h.Gen, next: end}
			return false, true
		}
		if fh.Len >= etherHeaderSize {
			more = take(&View{FrameHeader: fh, ring: r, at: advance(c.next, FrameHeaderSize)})
		}
		if uint64(c.next)+size >= DataSize {
			c.gen++
		}
		c.next = advance(c.next, size)
		left -= size
	}
	return more, lost
}

// left is how many bytes there are from the cursor to the end of the newest frame; ok is false when the cursor's place has been
// overwritten.
func (c *Cursor) left(h *Header, end uint32) (left uint64, ok bool) {
	_, _, all := oldest(h, end)
	switch h.Gen - c.gen {
	case 0:
		left = uint64(end) - uint64(c.next)
		ok = c.next <= end
	case 1:
		left = uint64(end) + DataSize - uint64(c.next)
		ok = true
	}
	return left, ok && c.next < DataSize && left <= all
}

// oldest is the cursor at the oldest frame, and the number of bytes from there to the end of the newest.
func oldest(h *Header, end uint32) (gen uint64, next uint32, left uint64) {
	next = h.oldest()
	if next < end {
		return h.Gen, next, uint64(end) - uint64(next)
	}
	return h.Gen - 1, next, uint64(end) + DataSize - uint64(next)
}
