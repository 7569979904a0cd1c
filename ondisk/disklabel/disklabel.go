// Package disklabel reads and writes NetBSD's disk labels: the table of a disk's geometry and partitions that
// stands in the disk's first sectors.
//
// It knows the label alone, over an io.ReaderAt: not the master boot record or the GUID table in front of it,
// and not how a kernel keeps its label in memory. The layout is abi.Disklabel; labels of machines of the other byte
// order are understood too.
//
// Start reading at [Find], which is what disklabel_scan(3) is in C, and [Label].
package disklabel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// ScanSize is how far from the beginning of a disk a label can begin, in bytes.
	ScanSize = 64 << 10
	// MaxPartitions is the most partitions that a label has on any machine.
	MaxPartitions = abi.MAXMAXPARTITIONS

	scanStep   = 4   // a label begins at a multiple of this
	headerSize = 148 // bytes ahead of the partitions
	magic2At   = 132
	checksumAt = 136
	npartAt    = 138
	maxSector  = 1 << 16 // bytes
)

// ErrNotFound says that there is no label.
var ErrNotFound = errors.New("no disk label found")

// DamagedError says that there is a label that cannot be used.
type DamagedError struct {
	Offset int64  // where it begins, in bytes
	Why    string // what is wrong
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the disk label at byte %d is damaged: %s", e.Offset, e.Why)
}

// Label is a disk label.
type Label struct {
	// Disk is the label itself. Partitions past Npartitions are zero.
	Disk abi.Disklabel
	// Extra are the partitions that abi.Disklabel has no room for: number 16 and on.
	Extra []abi.Partition
	// Order is the byte order of the machine that wrote the label.
	Order binary.ByteOrder
	// Offset is where the label was found, in bytes from the beginning of the disk.
	Offset int64
}

// Partition returns partition i, 0 for a. It is false when the label has no such partition, or it is empty.
func (l *Label) Partition(i int) (abi.Partition, bool) {
	if i < 0 || i >= int(l.Disk.Npartitions) {
		return abi.Partition{}, false
	}
	p := *l.at(i)
	return p, p.Size != 0
}

// at is where partition i is kept.
func (l *Label) at(i int) *abi.Partition {
	if i < len(l.Disk.Partitions) {
		return &l.Disk.Partitions[i]
	}
	return &l.Extra[i-len(l.Disk.Partitions)]
}

// Extent is where partition i lies on the disk, in bytes: the label counts in its sectors, of 512 bytes where it
// does not say. It is false when there is no such partition, it is empty, or its sectors have no possible size.
func (l *Label) Extent(i int) (offset, size int64, ok bool) {
	p, ok := l.Partition(i)
	sector := int64(l.Disk.Secsize)
	if sector == 0 {
		sector = 1 << abi.DEV_BSHIFT
	}
	if !ok || sector > maxSector || sector&(sector-1) != 0 {
		return 0, 0, false
	}
	return int64(p.Offset) * sector, int64(p.Size) * sector, true
}

// Find looks for a label in the first ScanSize bytes of a disk and returns the first good one.
//
// Errors: ErrNotFound; *DamagedError when there are only damaged ones (the first is told); what r says.
func Find(r io.ReaderAt) (*Label, error) {
	buf := make([]byte, ScanSize+headerSize+MaxPartitions*abi.SizeofPartition)
	n, err := r.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	buf = buf[:n]
	var first error
	for at := 0; at <= ScanSize && at+headerSize <= len(buf); at += scanStep {
		l, err := Decode(buf[at:])
		if err == nil {
			l.Offset = int64(at)
			return l, nil
		}
		if damaged, ok := err.(*DamagedError); ok && first == nil {
			damaged.Offset = int64(at)
			first = damaged
		}
	}
	if first == nil {
		first = ErrNotFound
	}
	return nil, first
}

// Decode reads a label at the beginning of b.
//
// Errors: ErrNotFound when the magic numbers are not there, *DamagedError for a wrong checksum, too many
// partitions, or a label that b cuts short.
func Decode(b []byte) (*Label, error) {
	order, ok := byteOrder(b)
	if !ok {
		return nil, ErrNotFound
	}
	n := int(order.Uint16(b[npartAt:]))
	size := headerSize + n*abi.SizeofPartition
	switch {
	case n > MaxPartitions:
		return nil, &DamagedError{Why: fmt.Sprintf("it has %d partitions, %d are possible", n, MaxPartitions)}
	case size > len(b):
		return nil, &DamagedError{Why: "it is cut short"}
	case checksum(order, b[:size]) != 0:
		return nil, &DamagedError{Why: "its checksum is wrong"}
	}
	return decode(order, b[:size])
}

// byteOrder looks for the magic numbers.
func byteOrder(b []byte) (binary.ByteOrder, bool) {
	if len(b) < headerSize {
		return nil, false
	}
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if o.Uint32(b) == abi.DISKMAGIC && o.Uint32(b[magic2At:]) == abi.DISKMAGIC {
			return o, true
		}
	}
	return nil, false
}

// checksum is the exclusive or of the 16-bit words of b: 0 over a whole label, its own checksum included.
func checksum(order binary.ByteOrder, b []byte) uint16 {
	var sum uint16
	for i := 0; i+2 <= len(b); i += 2 {
		sum ^= order.Uint16(b[i:])
	}
	return sum
}

// decode takes apart a label that has been checked.
func decode(order binary.ByteOrder, b []byte) (*Label, error) {
	raw := make([]byte, headerSize+MaxPartitions*abi.SizeofPartition)
	copy(raw, b)
	if order != binary.LittleEndian {
		swap(raw)
	}
	l := &Label{Order: order}
	if err := l.Disk.Decode(raw); err != nil {
		return nil, err
	}
	for i := len(l.Disk.Partitions); i < int(l.Disk.Npartitions); i++ {
		var p abi.Partition
		if err := p.Decode(raw[headerSize+i*abi.SizeofPartition:]); err != nil {
			return nil, err
		}
		l.Extra = append(l.Extra, p)
	}
	return l, nil
}

// Encode is the label as it stands on the disk, in its byte order, with magic numbers and checksum filled in.
//
// Errors: more partitions than the label has places for.
func (l *Label) Encode() ([]byte, error) {
	n := int(l.Disk.Npartitions)
	if n > MaxPartitions || n > len(l.Disk.Partitions)+len(l.Extra) {
		return nil, fmt.Errorf("a disk label of %d partitions is not possible", n)
	}
	d := l.Disk
	d.Magic, d.Magic2, d.Checksum = abi.DISKMAGIC, abi.DISKMAGIC, 0
	raw := d.Append(nil)[:headerSize]
	for i := range n {
		raw = l.at(i).Append(raw)
	}
	order := l.Order
	if order == nil {
		order = binary.LittleEndian
	}
	if order != binary.LittleEndian {
		swap(raw)
	}
	order.PutUint16(raw[checksumAt:], checksum(order, raw))
	return raw, nil
}

// widths are the sizes of a label's fields in the order in which they stand; 1 is bytes, which have no order.
var widths = struct{ header, partition []field }{
	header: []field{
		{4, 1}, {2, 2}, {1, 32}, // magic, types, names
		{4, 6}, {2, 2}, {4, 1}, {2, 4}, // geometry, spares, cylinders, speed and skew
		{4, 3 + 5 + 5 + 1}, {2, 2}, {4, 2}, // times, flags, drive data, magic; checksum, partitions; boot and superblock size
	},
	partition: []field{{4, 3}, {1, 2}, {2, 1}},
}

// field is count numbers of width bytes.
type field struct{ width, count int }

// swap turns a label into the other byte order.
func swap(b []byte) {
	b = swapFields(b, widths.header)
	for len(b) >= abi.SizeofPartition {
		b = swapFields(b, widths.partition)
	}
}

// swapFields turns the fields at the beginning of b and returns the rest.
func swapFields(b []byte, fields []field) []byte {
	for _, f := range fields {
		for range f.count {
			for i, j := 0, f.width-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			b = b[f.width:]
		}
	}
	return b
}
