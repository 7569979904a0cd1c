package disklabel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// sample is a label of n partitions: partition i has i+1 sectors at sector 100*i.
func sample(n int, order binary.ByteOrder) *Label {
	l := &Label{Order: order}
	l.Disk.Type, l.Disk.Secsize, l.Disk.Secperunit = abi.DKTYPE_SCSI, 512, 1<<20
	l.Disk.Npartitions, l.Disk.Rpm, l.Disk.Spare = uint16(n), 3600, [5]uint32{1, 2, 3, 4, 5}
	copy(l.Disk.Typename[:], "sample")
	if n > len(l.Disk.Partitions) {
		l.Extra = make([]abi.Partition, n-len(l.Disk.Partitions))
	}
	for i := range n {
		*l.at(i) = abi.Partition{Size: uint32(i + 1), Offset: uint32(100 * i), Fstype: abi.FS_BSDFFS, Frag: 8}
	}
	return l
}

func encoded(t testing.TB, l *Label) []byte {
	t.Helper()
	b, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFind has labels where NetBSD's machines keep them: disklabel(5), LABELSECTOR and LABELOFFSET of the ports.
func TestFind(t *testing.T) {
	for _, at := range []int{0, 64, 512, 512 + 64, 8192, ScanSize} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			for _, n := range []int{0, 1, 8, 16, 22} {
				want := sample(n, order)
				disk := make([]byte, 1<<17)
				copy(disk[at:], encoded(t, want))
				got, err := Find(bytes.NewReader(disk))
				if err != nil {
					t.Fatalf("%d partitions at %d, %v: %v", n, at, order, err)
				}
				checkLabel(t, got, want, int64(at))
			}
		}
	}
}

func checkLabel(t *testing.T, got, want *Label, at int64) {
	t.Helper()
	if got.Offset != at || got.Order != want.Order {
		t.Errorf("found at %d in %v, want %d in %v", got.Offset, got.Order, at, want.Order)
	}
	if got.Disk.Type != want.Disk.Type || got.Disk.Typename != want.Disk.Typename || got.Disk.Rpm != want.Disk.Rpm ||
		got.Disk.Spare != want.Disk.Spare || got.Disk.Secperunit != want.Disk.Secperunit {
		t.Errorf("label is %+v, want %+v", got.Disk, want.Disk)
	}
	for i := range MaxPartitions + 1 {
		g, gok := got.Partition(i)
		w, wok := want.Partition(i)
		if g != w || gok != wok {
			t.Errorf("partition %d is %v %v, want %v %v", i, g, gok, w, wok)
		}
	}
}

// TestDamage has each of a label's bytes spoilt in turn: the checksum of disklabel_dkcksum(3) finds all of it.
func TestDamage(t *testing.T) {
	good := encoded(t, sample(4, binary.LittleEndian))
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		l, err := Find(bytes.NewReader(bad))
		if err == nil {
			t.Fatalf("byte %d spoilt: found %+v", i, l)
		}
		var damaged *DamagedError
		inMagic := i < 4 || i >= magic2At && i < magic2At+4
		if errors.As(err, &damaged) == inMagic || errors.Is(err, ErrNotFound) != inMagic {
			t.Errorf("byte %d spoilt: %v", i, err)
		}
	}
}

// TestDamagedThenGood has a spoilt copy ahead of the good one: the good one counts.
func TestDamagedThenGood(t *testing.T) {
	disk := make([]byte, 4096)
	label := encoded(t, sample(8, binary.BigEndian))
	copy(disk, label)
	disk[20] ^= 1
	copy(disk[1024:], label)
	l, err := Find(bytes.NewReader(disk))
	if err != nil || l.Offset != 1024 {
		t.Fatalf("found %v, %v; want the label at 1024", l, err)
	}
}

func TestFindNothing(t *testing.T) {
	label := encoded(t, sample(8, binary.LittleEndian))
	tooMany := bytes.Clone(label)
	binary.LittleEndian.PutUint16(tooMany[npartAt:], MaxPartitions+1)
	beyond := make([]byte, ScanSize+scanStep+len(label))
	copy(beyond[ScanSize+scanStep:], label)
	for _, c := range []struct {
		name    string
		disk    []byte
		damaged bool
	}{
		{"empty", nil, false},
		{"zeroes", make([]byte, 1<<17), false},
		{"short header", label[:headerSize-1], false},
		{"partitions cut off", label[:len(label)-1], true},
		{"too many partitions", tooMany, true},
		{"past the first 64 KiB", beyond, false},
	} {
		_, err := Find(bytes.NewReader(c.disk))
		var damaged *DamagedError
		if errors.As(err, &damaged) != c.damaged || errors.Is(err, ErrNotFound) == c.damaged {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFindReadError(t *testing.T) {
	if _, err := Find(failing{}); !errors.Is(err, abi.EIO) {
		t.Errorf("a disk that cannot be read: %v, want EIO", err)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, abi.EIO }

// TestExtent has offsets and sizes in sectors of the label, disklabel(5).
func TestExtent(t *testing.T) {
	for _, c := range []struct {
		secsize, offset, size uint32
		wantOff, wantSize     int64
		ok                    bool
	}{
		{512, 63, 100, 63 * 512, 100 * 512, true},
		{0, 63, 100, 63 * 512, 100 * 512, true},
		{2048, 16, 4, 16 * 2048, 4 * 2048, true},
		{512, 1<<32 - 1, 1<<32 - 1, (1<<32 - 1) * 512, (1<<32 - 1) * 512, true},
		{512, 63, 0, 0, 0, false},
		{1 << 31, 1 << 31, 1, 0, 0, false},
		{513, 1, 1, 0, 0, false},
	} {
		l := sample(2, binary.LittleEndian)
		l.Disk.Secsize = c.secsize
		l.Disk.Partitions[1].Offset, l.Disk.Partitions[1].Size = c.offset, c.size
		off, size, ok := l.Extent(1)
		if off != c.wantOff || size != c.wantSize || ok != c.ok {
			t.Errorf("%+v: offset %d, size %d, %v", c, off, size, ok)
		}
	}
	if _, _, ok := sample(2, binary.LittleEndian).Extent(2); ok {
		t.Error("a partition past the last has an extent")
	}
}

func TestEncodeTooMany(t *testing.T) {
	l := sample(4, binary.LittleEndian)
	l.Disk.Npartitions = 17
	if _, err := l.Encode(); err == nil {
		t.Error("a label of 17 partitions, 16 given, was encoded")
	}
}

func FuzzFind(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(encoded(f, sample(3, order)))
		f.Add(append(make([]byte, 512), encoded(f, sample(22, order))...))
	}
	f.Fuzz(func(t *testing.T, disk []byte) {
		l, err := Find(bytes.NewReader(disk))
		if err != nil {
			return
		}
		again := encoded(t, l)
		if !bytes.Equal(again, disk[l.Offset:][:len(again)]) {
			t.Errorf("label %x, encoded again %x", disk[l.Offset:][:len(again)], again)
		}
	})
}
