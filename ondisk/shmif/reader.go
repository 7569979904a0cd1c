package shmif

import (
	"encoding/binary"
	"io"
)

// Frame is an Ethernet frame as it stands on a bus.
type Frame struct {
	FrameHeader
	// Offset is where its header stands in the ring.
	Offset uint32
	// Data are the frame's bytes, without a check sequence.
	Data []byte
}

// Reader reads the frames of a bus at rest, the oldest first. While members are sending it may see ErrDamaged.
type Reader struct {
	r      io.ReaderAt
	order  binary.ByteOrder
	header Header

	next uint32
	left uint64 // bytes from next to the end of the newest frame
	err  error
}

// NewReader reads the header of a bus of either byte order. A bus that was cut short reads as zeroes past its end.
//
// Errors: ErrNotBus, VersionError, ErrDamaged when the newest frame is nowhere, what r says.
func NewReader(r io.ReaderAt) (*Reader, error) {
	rd := &Reader{r: r, order: binary.LittleEndian}
	var b [HeaderSize]byte
	if err := rd.readFull(b[:], 0); err != nil {
		return nil, err
	}
	if rd.header.decode(b[:], rd.order); rd.header.Magic != Magic {
		rd.order = binary.BigEndian
		rd.header.decode(b[:], rd.order)
	}
	switch {
	case rd.header.Magic != Magic:
		return nil, ErrNotBus
	case rd.header.Version != 0 && rd.header.Version != Version:
		return nil, VersionError(rd.header.Version)
	case rd.header.Last >= DataSize || rd.header.First > DataSize:
		return nil, ErrDamaged
	}
	return rd, rd.begin()
}

// begin finds the oldest frame, and how far from it the newest one ends.
func (rd *Reader) begin() error {
	newest, err := rd.frameHeader(rd.header.Last)
	if err != nil {
		return err
	}
	if newest.Len > maxReadable {
		return ErrDamaged
	}
	rd.next = rd.header.oldest()
	toNewest := (uint64(rd.header.Last) + DataSize - uint64(rd.next)) % DataSize
	rd.left = toNewest + span(newest.Len)
	if rd.left > DataSize {
		return ErrDamaged
	}
	return nil
}

// Header is the header as it was when the Reader was made.
func (rd *Reader) Header() Header { return rd.header }

// Order is the byte order of the machine that the bus is on.
func (rd *Reader) Order() binary.ByteOrder { return rd.order }

// Next reads the next frame. Those shorter than an Ethernet header are passed over, as members do: the first one on
// every bus is.
//
// Errors: io.EOF after the newest, ErrDamaged, what the io.ReaderAt says; the same again when called again.
func (rd *Reader) Next() (Frame, error) {
	for rd.err == nil {
		var f Frame
		if f, rd.err = rd.step(); rd.err == nil && f.Len >= etherHeaderSize {
			return f, nil
		}
	}
	return Frame{}, rd.err
}

func (rd *Reader) step() (Frame, error) {
	if rd.left == 0 {
		return Frame{}, io.EOF
	}
	h, err := rd.frameHeader(rd.next)
	if err != nil {
		return Frame{}, err
	}
	if h.Len > maxReadable || span(h.Len) > rd.left {
		return Frame{}, ErrDamaged
	}
	f := Frame{FrameHeader: h, Offset: rd.next, Data: make([]byte, h.Len)}
	if err := rd.readRing(f.Data, advance(rd.next, FrameHeaderSize)); err != nil {
		return Frame{}, err
	}
	rd.next = advance(rd.next, span(h.Len))
	rd.left -= span(h.Len)
	return f, nil
}

func (rd *Reader) frameHeader(off uint32) (FrameHeader, error) {
	var b [FrameHeaderSize]byte
	var h FrameHeader
	if err := rd.readRing(b[:], off); err != nil {
		return h, err
	}
	h.decode(b[:], rd.order)
	return h, nil
}

// readRing fills b from an offset of the ring, wrapping at its end.
func (rd *Reader) readRing(b []byte, off uint32) error {
	n := min(len(b), int(DataSize-off))
	if err := rd.readFull(b[:n], HeaderSize+int64(off)); err != nil {
		return err
	}
	return rd.readFull(b[n:], HeaderSize)
}

// readFull fills b; what lies past the end of the file is zeroes.
func (rd *Reader) readFull(b []byte, off int64) error {
	if len(b) == 0 {
		return nil
	}
	n, err := rd.r.ReadAt(b, off)
	clear(b[n:])
	if n < len(b) && err != io.EOF {
		return err
	}
	return nil
}
