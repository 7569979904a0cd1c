package shmif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// TestSample reads the bus of the C implementation: testdata/bus.sample, the beginning of a file after a kernel announced 1.2.3.4.
func TestSample(t *testing.T) {
	f, err := os.Open("testdata/bus.sample")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rd, err := NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if h := rd.Header(); h != (Header{Magic: Magic, Version: Version, First: DataSize, Last: 24}) {
		t.Errorf("header %+v", h)
	}
	if rd.Order() != binary.ByteOrder(binary.LittleEndian) {
		t.Errorf("order %v", rd.Order())
	}
	got, err := rd.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := "ffffffffffff b2a06f1caa79 0806 0001 0800 06 04 0001 b2a06f1caa79 01020304 000000000000 01020304"
	if got.Offset != 24 || got.Sender != 0xa5f6fe374aea440e || got.Time != 1*time.Second+0x4e28*time.Microsecond ||
		!bytes.Equal(got.Data, unhex(want)) {
		t.Errorf("frame %+v", got)
	}
	for range 2 {
		if _, err := rd.Next(); err != io.EOF {
			t.Errorf("after the last frame: %v", err)
		}
	}
}

func unhex(s string) []byte {
	var b []byte
	high, have := byte(0), false
	for _, c := range []byte(s) {
		if c == ' ' {
			continue
		}
		v := c - '0'
		if c >= 'a' {
			v = c - 'a' + 10
		}
		if have {
			b = append(b, high<<4|v)
		}
		high, have = v, !have
	}
	return b
}

// image is a bus of an order with frames one after the other from offset 24.
func image(order binary.ByteOrder, frames ...[]byte) []byte {
	b := make([]byte, FileSize)
	order.PutUint32(b, Magic)
	order.PutUint32(b[VersionOffset:], Version)
	order.PutUint32(b[firstAt:], DataSize)
	at := FrameHeaderSize
	for _, f := range frames {
		order.PutUint32(b[lastAt:], uint32(at))
		h := FrameHeader{Len: uint32(len(f)), Sender: 7}
		h.encode(b[HeaderSize+at:], order)
		copy(b[HeaderSize+at+FrameHeaderSize:], f)
		at += FrameHeaderSize + len(f)
	}
	return b
}

func TestReaderOtherOrder(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := image(order, bytes.Repeat([]byte{1}, 60), []byte("short"), bytes.Repeat([]byte{2}, MaxFrame))
		rd, err := NewReader(bytes.NewReader(b[:10000])) // cut short: the rest is holes
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for {
			f, err := rd.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(f.Data))
		}
		if len(sizes) != 2 || sizes[0] != 60 || sizes[1] != MaxFrame || rd.Order() != order {
			t.Errorf("%v: frames of %v bytes", order, sizes)
		}
	}
}

// TestReaderRefuses has what is no bus: shmif.md says what the header holds.
func TestReaderRefuses(t *testing.T) {
	change := func(off int, v uint32) []byte {
		b := image(binary.LittleEndian, make([]byte, 60), make([]byte, 60))
		binary.LittleEndian.PutUint32(b[off:], v)
		return b
	}
	for name, c := range map[string]struct {
		image []byte
		want  error
	}{
		"empty":          {nil, ErrNotBus},
		"magic":          {change(0, 0xca11d055), ErrNotBus},
		"version":        {change(4, 2), VersionError(2)},
		"last outside":   {change(lastAt, DataSize), ErrDamaged},
		"first outside":  {change(firstAt, DataSize+1), ErrDamaged},
		"len of last":    {change(HeaderSize+24+84, 1<<31), ErrDamaged},
		"len of another": {change(HeaderSize+24, 61), ErrDamaged},
		"len past all":   {change(HeaderSize+24, 1<<31), ErrDamaged},
	} {
		rd, err := NewReader(bytes.NewReader(c.image))
		for err == nil {
			_, err = rd.Next()
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// FuzzReader: whatever a bus holds, reading it ends, and its frames fit into the ring.
func FuzzReader(f *testing.F) {
	sample, err := os.ReadFile("testdata/bus.sample")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add(image(binary.BigEndian, make([]byte, 60), make([]byte, 1514))[:4096])
	f.Fuzz(func(t *testing.T, b []byte) {
		rd, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		total := 0
		for {
			fr, err := rd.Next()
			if err != nil {
				break
			}
			total += len(fr.Data) + FrameHeaderSize
		}
		if total > DataSize {
			t.Errorf("%d bytes of frames in a ring of %d", total, DataSize)
		}
	})
}
