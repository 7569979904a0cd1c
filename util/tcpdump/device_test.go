package tcpdump

import (
	"bytes"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestRecords: bpf(4): records are aligned; what claims more than there is ends the buffer.
func TestRecords(t *testing.T) {
	record := func(sec int64, data string, caplen int) []byte {
		h := abi.BpfHdr{Tstamp: abi.BpfTimeval{Sec: sec, Usec: 5}, Caplen: uint32(caplen), Datalen: 100, Hdrlen: abi.SizeofBpfHdr}
		b := append(h.Append(nil), data...)
		return append(b, make([]byte, -len(b)&(abi.BPF_ALIGNMENT-1))...)
	}
	good := append(record(1, "abc", 3), record(2, "defgh", 5)...)
	list := records(append(good, record(3, "x", 99)...))
	if len(list) != 2 || string(list[0].Data) != "abc" || string(list[1].Data) != "defgh" || list[1].Len != 100 || !list[1].Time.Equal(time.Unix(2, 5000)) {
		t.Errorf("%+v", list)
	}
	if len(records(bytes.Repeat([]byte{0}, 100))) != 0 {
		t.Error("headers of no length")
	}
}

// FuzzRecords: whatever a kernel gives, packets are within it.
func FuzzRecords(f *testing.F) {
	f.Add(make([]byte, 64))
	h := abi.BpfHdr{Caplen: 4, Datalen: 4, Hdrlen: 32}
	f.Add(append(h.Append(nil), 1, 2, 3, 4, 5, 6, 7, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		for _, p := range records(b) {
			total += len(p.Data)
		}
		if total > len(b) {
			t.Errorf("%d bytes out of %d", total, len(b))
		}
	})
}
