package kdump

import (
	"errors"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// Record is a record of a trace: struct ktr_header and what follows it.
type Record struct {
	Type    int16 // abi.KTR_*
	Version int16 // of the header: 0, 1 or 2
	PID     int32
	LWP     int32 // 0 in version 0
	Comm    string
	Time    abi.Timespec // microseconds in version 0
	Data    []byte       // valid until the next record is read
}

// maxRecord is the longest record that is read. A kernel makes none of more than a page or so.
const maxRecord = 1 << 20

// Reader reads the records of a trace, which NetBSD's kernels and ours write.
type Reader struct {
	r   io.Reader
	buf []byte
}

// NewReader returns a reader of the trace in r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next reads a record into rec. Errors: io.EOF after the last one; messages of kdump(1) for what is no trace; r's.
func (t *Reader) Next(rec *Record) error {
	var raw [abi.SizeofKtrHeader]byte
	if _, err := io.ReadFull(t.r, raw[:]); err != nil {
		return short(err)
	}
	var h abi.KtrHeader
	if err := h.Decode(raw[:]); err != nil {
		return err
	}
	if h.Len < 0 || h.Len > maxRecord {
		return util.Messagef("bogus length 0x%x", uint32(h.Len))
	}
	if int(h.Len) > len(t.buf) {
		t.buf = make([]byte, h.Len)
	}
	*rec = Record{Type: h.Type, Version: h.Version, PID: h.Pid, Comm: abi.CString(h.Comm[:]), Data: t.buf[:h.Len]}
	switch h.Version {
	case 0:
		rec.Time = abi.Timespec{Sec: int64(h.V0TvSec()), Nsec: h.V0TvUsec() * 1000}
	case 1:
		rec.Time, rec.LWP = abi.Timespec{Sec: int64(h.V1TsSec()), Nsec: h.V1TsNsec()}, h.V1Lid()
	case 2:
		rec.Time, rec.LWP = h.V2Ts(), h.V2Lid()
	default:
		return util.Messagef("Unsupported ktrace version %x", uint16(h.Version))
	}
	if _, err := io.ReadFull(t.r, rec.Data); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return short(err)
	}
	return nil
}

// short says of the end in the middle of a record what kdump(1) says.
func short(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return util.Messagef("data too short")
	}
	return err
}
