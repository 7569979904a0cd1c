package agr

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// FuzzFrames: frames of any contents are received by the aggregate alone, and sent through one port each: agr(4).
func FuzzFrames(f *testing.F) {
	f.Add(frame4(1, 2), uint8(0))
	f.Add(frame6(1, 2), uint8(1))
	f.Add(frame4(1, 2)[:20], uint8(2))
	f.Add([]byte{1, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 9, 0x88, 0x09, 1, 1}, uint8(0))
	w := newWorld(f)
	for _, c := range w.cards {
		w.port(abi.AGRCMD_ADDPORT, c.ifp.Name, 0)
	}
	f.Fuzz(func(t *testing.T, b []byte, port uint8) {
		w.received = nil
		w.cards[int(port)%len(w.cards)].ifp.Input(ifnet.NewPacket(bytes.Clone(b)))
		for _, name := range w.received {
			if name != "agr0" {
				t.Errorf("%s received it", name)
			}
		}
		sent := 0
		for _, c := range w.cards {
			c.sent = nil
		}
		err := w.agr.Output(ifnet.NewPacket(bytes.Clone(b)))
		for _, c := range w.cards {
			sent += len(c.sent)
		}
		if sent > 1 || err == nil && sent != 1 && len(b) >= ifnet.EtherHdrLen {
			t.Errorf("%d frames were sent, %v", sent, err)
		}
	})
}
