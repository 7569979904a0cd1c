package vlan

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// FuzzInput: what a vlan interface receives is what came in with its tag, without it: IEEE 802.1Q.
func FuzzInput(f *testing.F) {
	plain := untagged(60)
	f.Add(plain)
	f.Add(tagged(plain, 5))
	f.Add(tagged(tagged(plain, 5), 6))
	f.Add(tagged(plain, 0xf005)[:17])
	w := newWorld(f)
	if errno := w.set("vlan0", "card0", 5); errno != 0 {
		f.Fatal(errno)
	}
	w.up("vlan0")
	f.Fuzz(func(t *testing.T, b []byte) {
		clear(w.received)
		w.card.ifp.Input(ifnet.NewPacket(bytes.Clone(b)))
		for _, got := range w.received["vlan0"] {
			const tagLen = 4
			if len(b) < len(got)+tagLen || b[12] != 0x81 || b[13] != 0 || b[14]&0x0f != 0 || b[15] != 5 || !bytes.Equal(got[12:], b[16:16+len(got)-12]) {
				t.Errorf("% x came in as % x", b, got)
			}
		}
	})
	if w.card.ifp.Flags()&abi.IFF_UP == 0 {
		f.Error("card0 is down")
	}
}
