// Package pcap is the file format of captured packets that tcpdump(8) and its kin read and write: version 2.4 of pcap-savefile(5).
//
// It knows the file alone, not the packets in it. The successor, pcapng, is told apart and refused. Start reading at Reader and Writer.
package pcap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Data link types, as they stand in a file.
const (
	LinkNull     = 0 // an address family of the writer's machine, then the packet: of loopback interfaces
	LinkEthernet = 1
)

// MaxSnaplen is the largest number of bytes of a packet that is written or read: libpcap's limit.
const MaxSnaplen = 262144

const (
	magicMicros = 0xa1b2c3d4
	magicNanos  = 0xa1b23c4d
	magicNG     = 0x0a0d0d0a

	headerSize = 24
	recordSize = 16

	versionMajor, versionMinor = 2, 4
)

var (
	// ErrFormat says that a file is not of the format.
	ErrFormat = errors.New("unknown file format")
	// ErrNG says that it is a pcapng file.
	ErrNG = errors.New("pcapng files are not supported")
	// ErrTruncated says that a file ends within a packet or its header.
	ErrTruncated = errors.New("truncated dump file")
)

// VersionError is the version of a file that cannot be read.
type VersionError struct{ Major, Minor uint16 }

func (e VersionError) Error() string {
	return fmt.Sprintf("unsupported pcap savefile version %d.%d", e.Major, e.Minor)
}

// SizeError is the length that a packet in a file claims to have, which is more than it can.
type SizeError uint32

func (e SizeError) Error() string {
	return fmt.Sprintf("invalid packet capture length %d, bigger than maximum of %d", uint32(e), MaxSnaplen)
}

// Packet is a packet that was captured.
type Packet struct {
	Time time.Time
	// Len is how long it was, which is more than len(Data) if its end was cut off.
	Len  int
	Data []byte
}

// Writer writes a file. It does not buffer.
type Writer struct {
	w   io.Writer
	buf []byte
}

// NewWriter begins a file of packets of a data link type, in this machine's byte order and with microseconds. snaplen says of how many bytes at
// most packets were kept.
func NewWriter(w io.Writer, snaplen, linkType uint32) (*Writer, error) {
	ne := binary.NativeEndian
	b := ne.AppendUint32(nil, magicMicros)
	b = ne.AppendUint16(b, versionMajor)
	b = ne.AppendUint16(b, versionMinor)
	b = append(b, make([]byte, 8)...) // the time zone and the accuracy of times, which nobody sets
	b = ne.AppendUint32(b, snaplen)
	b = ne.AppendUint32(b, linkType)
	_, err := w.Write(b)
	return &Writer{w: w}, err
}

// Write writes a packet. Errors: SizeError, the writer's.
func (w *Writer) Write(p *Packet) error {
	if len(p.Data) > MaxSnaplen {
		return SizeError(min(len(p.Data), 1<<32-1))
	}
	ne := binary.NativeEndian
	b := ne.AppendUint32(w.buf[:0], uint32(p.Time.Unix()))
	b = ne.AppendUint32(b, uint32(p.Time.Nanosecond()/1000))
	b = ne.AppendUint32(b, uint32(len(p.Data)))
	b = ne.AppendUint32(b, uint32(p.Len))
	w.buf = append(b, p.Data...)
	_, err := w.w.Write(w.buf)
	return err
}

// Reader reads a file of either byte order, with microseconds or nanoseconds.
type Reader struct {
	r       io.Reader
	order   binary.ByteOrder
	unit    time.Duration // of the fractions of seconds
	snaplen uint32
	link    uint32
	buf     []byte
}

// NewReader reads the header of a file. Errors: ErrFormat, ErrNG, ErrTruncated, VersionError, the reader's.
func NewReader(r io.Reader) (*Reader, error) {
	var b [headerSize]byte
	if n, err := io.ReadFull(r, b[:]); err != nil {
		switch {
		case n >= 4 && binary.LittleEndian.Uint32(b[:]) == magicNG:
			return nil, ErrNG
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return nil, ErrTruncated
		}
		return nil, err
	}
	rd := &Reader{r: r}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b[:]) {
		case magicMicros:
			rd.order, rd.unit = order, time.Microsecond
		case magicNanos:
			rd.order, rd.unit = order, time.Nanosecond
		case magicNG:
			return nil, ErrNG
		}
	}
	if rd.order == nil {
		return nil, ErrFormat
	}
	if v := (VersionError{rd.order.Uint16(b[4:]), rd.order.Uint16(b[6:])}); v != (VersionError{versionMajor, versionMinor}) {
		return nil, v
	}
	rd.snaplen = rd.order.Uint32(b[16:])
	rd.link = rd.order.Uint32(b[20:]) & 0x03ffffff // above are the length of check sequences and flags
	return rd, nil
}

// LinkType is the data link type of the packets.
func (rd *Reader) LinkType() uint32 { return rd.link }

// Snaplen is of how many bytes at most packets were kept.
func (rd *Reader) Snaplen() uint32 { return rd.snaplen }

// Order is the byte order of the machine that wrote the file.
func (rd *Reader) Order() binary.ByteOrder { return rd.order }

// Next reads the next packet, whose Data are good until the next call. Errors: io.EOF after the last one, ErrTruncated, SizeError, the reader's.
func (rd *Reader) Next() (Packet, error) {
	var h [recordSize]byte
	if _, err := io.ReadFull(rd.r, h[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = ErrTruncated
		}
		return Packet{}, err
	}
	length := rd.order.Uint32(h[8:])
	if length > MaxSnaplen {
		return Packet{}, SizeError(length)
	}
	if cap(rd.buf) < int(length) {
		rd.buf = make([]byte, max(int(length), 2048))
	}
	data := rd.buf[:length]
	if _, err := io.ReadFull(rd.r, data); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = ErrTruncated
		}
		return Packet{}, err
	}
	fraction := time.Duration(rd.order.Uint32(h[4:])) * rd.unit
	return Packet{
		Time: time.Unix(int64(rd.order.Uint32(h[:])), 0).Add(fraction),
		Len:  int(min(rd.order.Uint32(h[12:]), 1<<31-1)),
		Data: data,
	}, nil
}
