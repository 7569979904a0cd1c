package bpf

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// FuzzWrite: what is written to the device leaves through the interface as it is, but for its source address (BIOCSHDRCMPLT off), or is refused: bpf(4).
func FuzzWrite(f *testing.F) {
	f.Add(frame(0x0800, 60, 1))
	f.Add(frame(0x0800, 1515, 1))
	f.Add([]byte{})
	f.Add(make([]byte, 13))
	w := newWorld(f)
	fd := w.open("card0")
	f.Fuzz(func(t *testing.T, b []byte) {
		n, errno := kerntest.Wrap(t, w.p.Proc).Call(abi.SYS_write, fd, bytes.Clone(b), len(b))
		select {
		case p := <-w.sent:
			got := p.Buf.Flatten()
			p.Release()
			if errno != 0 || int(n) != len(b) || len(got) != len(b) || !bytes.Equal(got[12:], b[12:]) || !bytes.Equal(got[:6], b[:6]) || !bytes.Equal(got[6:12], mac) {
				t.Errorf("% x was sent as % x: %v", b, got, errno)
			}
		default:
			if errno == 0 && len(b) > 0 {
				t.Errorf("%d bytes were taken and not sent", len(b))
			}
		}
	})
}
