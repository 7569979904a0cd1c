package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"
)

// file is a file as pcap-savefile(5) describes it, with one packet of 4 bytes out of 60, at 1.000250 or 1.000000250.
func file(order binary.ByteOrder, magic uint32, minor uint16) []byte {
	var b bytes.Buffer
	for _, v := range []any{magic, uint16(2), minor, uint32(0), uint32(0), uint32(96), uint32(LinkEthernet),
		uint32(1), uint32(250), uint32(4), uint32(60), []byte("abcd")} {
		binary.Write(&b, order, v) //nolint:errcheck // to memory
	}
	return b.Bytes()
}

// TestRead: both byte orders, both units of time.
func TestRead(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for magic, nanos := range map[uint32]int64{0xa1b2c3d4: 1000250000, 0xa1b23c4d: 1000000250} {
			rd, err := NewReader(bytes.NewReader(file(order, magic, 4)))
			if err != nil {
				t.Fatal(err)
			}
			if rd.LinkType() != LinkEthernet || rd.Snaplen() != 96 || rd.Order() != order {
				t.Errorf("%v: link type %d, snaplen %d", rd.Order(), rd.LinkType(), rd.Snaplen())
			}
			p, err := rd.Next()
			if err != nil || p.Time.UnixNano() != nanos || p.Len != 60 || string(p.Data) != "abcd" {
				t.Errorf("%x: %+v, %v", magic, p, err)
			}
			if _, err := rd.Next(); err != io.EOF {
				t.Errorf("after the last packet: %v", err)
			}
		}
	}
}

// TestErrors: what is no such file, of another version, cut short, or claims packets that are too long.
func TestErrors(t *testing.T) {
	good := file(binary.LittleEndian, magicMicros, 4)
	long := bytes.Clone(good)
	binary.LittleEndian.PutUint32(long[headerSize+8:], MaxSnaplen+1)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty": {nil, ErrTruncated}, "short": {good[:20], ErrTruncated}, "other": {make([]byte, 100), ErrFormat},
		"pcapng": {[]byte{10, 13, 13, 10, 0, 0, 0, 0}, ErrNG}, "version": {file(binary.BigEndian, magicMicros, 3), VersionError{2, 3}},
		"header cut": {good[:headerSize+3], ErrTruncated}, "packet cut": {good[:len(good)-1], ErrTruncated},
		"no packet": {good[:headerSize+recordSize], ErrTruncated}, "too long": {long, SizeError(MaxSnaplen + 1)},
	} {
		rd, err := NewReader(bytes.NewReader(c.file))
		if err == nil {
			_, err = rd.Next()
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := new(Writer).Write(&Packet{Data: make([]byte, MaxSnaplen+1)}); err != SizeError(MaxSnaplen+1) {
		t.Errorf("a packet that is too long: %v", err)
	}
}

// FuzzRead: whatever the file is, what was read of it comes back when it is written and read again.
func FuzzRead(f *testing.F) {
	f.Add(file(binary.LittleEndian, magicMicros, 4))
	f.Add(file(binary.BigEndian, magicNanos, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		rd, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		for {
			p, err := rd.Next()
			if err != nil {
				return
			}
			var again bytes.Buffer
			w, err := NewWriter(&again, rd.Snaplen(), rd.LinkType())
			if err != nil || w.Write(&p) != nil {
				t.Fatal("not written")
			}
			back, err := NewReader(&again)
			if err != nil {
				t.Fatal(err)
			}
			q, err := back.Next()
			if err != nil || !bytes.Equal(q.Data, p.Data) || q.Len != p.Len || q.Time != p.Time.Truncate(time.Microsecond) && p.Time.Unix() < 1<<32 {
				t.Fatalf("%+v came back as %+v, %v", p, q, err)
			}
		}
	})
}
