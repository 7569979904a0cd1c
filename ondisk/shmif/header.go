package shmif

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

const (
	// FileSize is the size of a bus in bytes.
	FileSize = 1 << 20
	// HeaderSize is the size of its header.
	HeaderSize = 32
	// DataSize is the size of its ring: offsets count from the end of the header and wrap here.
	DataSize = FileSize - HeaderSize
	// FrameHeaderSize is the size of the header in front of each frame in the ring.
	FrameHeaderSize = 24
	// MaxFrame is the size of the largest frame that a member may send: an Ethernet header and 1500 bytes.
	MaxFrame = 1514

	// Magic and Version begin a bus. The version is 0 until the first wake-up.
	Magic   = 0xca11d054
	Version = 3
	// VersionOffset is where the version stands: who writes it there through a descriptor wakes the members.
	VersionOffset = 4

	genAt   = 8
	firstAt = 16
	lastAt  = 20
	lockAt  = 24
	ownerAt = 28

	etherHeaderSize = 14
	// maxReadable is the largest frame that is taken for one; anything longer is damage.
	maxReadable = 1<<16 + etherHeaderSize
)

var (
	// ErrNotBus says that a file is not a bus: it does not begin with the magic.
	ErrNotBus = errors.New("not a shmif bus")
	// ErrDamaged says that the frames of a bus do not follow each other as they should.
	ErrDamaged = errors.New("the bus is damaged")
)

// VersionError says that a bus is of another version.
type VersionError uint32

func (e VersionError) Error() string { return fmt.Sprintf("shmif bus of version %d", uint32(e)) }

// Header begins a bus.
type Header struct {
	Magic, Version uint32
	// Gen counts how often the ring has wrapped.
	Gen uint64
	// First is the offset of the oldest frame, DataSize as long as nothing has been overwritten; Last that of the newest.
	First, Last uint32
	// Lock is 1 while a member holds it. Owner says which of this implementation's members does; the C code leaves it alone.
	Lock, Owner uint32
}

// decode sets h from HeaderSize bytes.
func (h *Header) decode(b []byte, order binary.ByteOrder) {
	*h = Header{
		Magic: order.Uint32(b), Version: order.Uint32(b[VersionOffset:]), Gen: order.Uint64(b[genAt:]),
		First: order.Uint32(b[firstAt:]), Last: order.Uint32(b[lastAt:]),
		Lock: order.Uint32(b[lockAt:]), Owner: order.Uint32(b[ownerAt:]),
	}
}

// oldest is the offset of the oldest frame, whatever first says.
func (h *Header) oldest() uint32 { return h.First % DataSize }

// FrameHeader stands in front of each frame.
type FrameHeader struct {
	// Len is the length of the frame in bytes.
	Len uint32
	// Time is when the frame was sent, by the sender's uptime.
	Time time.Duration
	// Sender is a number that each interface draws.
	Sender uint64
}

func (h *FrameHeader) decode(b []byte, order binary.ByteOrder) {
	*h = FrameHeader{
		Len:    order.Uint32(b),
		Time:   time.Duration(order.Uint32(b[4:]))*time.Second + time.Duration(order.Uint32(b[8:]))*time.Microsecond,
		Sender: order.Uint64(b[16:]),
	}
}

func (h *FrameHeader) encode(b []byte, order binary.ByteOrder) {
	order.PutUint32(b, h.Len)
	order.PutUint32(b[4:], uint32(h.Time/time.Second))
	order.PutUint32(b[8:], uint32(h.Time%time.Second/time.Microsecond))
	order.PutUint32(b[12:], 0)
	order.PutUint64(b[16:], h.Sender)
}

// span is what a frame takes up in the ring, its header included.
func span(length uint32) uint64 { return FrameHeaderSize + uint64(length) }

// advance is the offset n bytes after off.
func advance(off uint32, n uint64) uint32 { return uint32((uint64(off) + n) % DataSize) }
