package bridge

import (
	"bytes"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// FuzzInput: whatever frame comes in through a member, it does not leave through it, nor twice through another; and no more addresses are remembered than may be
// (IFBAF_*, brconfig's maxaddr).
func FuzzInput(f *testing.F) {
	for _, dst := range [][]byte{far(1), mac(0), mac(1), broadcast, {1, 0x80, 0xc2, 0, 0, 0}} {
		f.Add(frame(dst, far(0), 9).Buf.Flatten(), uint8(0))
	}
	f.Add([]byte{1, 2, 3}, uint8(1))
	f.Add(frame(far(1), make([]byte, 6), 9).Buf.Flatten(), uint8(2))
	const most = 4
	w := newWorld(f, 3)
	w.parameter(abi.SIOCSDRVSPEC, abi.BRDGSCACHE, most, 0)
	f.Fuzz(func(t *testing.T, b []byte, port uint8) {
		for _, c := range w.cards {
			c.sent, c.received = nil, nil
		}
		from := w.cards[int(port)%len(w.cards)]
		if len(b) < ifnet.EtherHdrLen+1 { // which a card notes the number of
			return
		}
		from.ifp.Input(ifnet.NewPacket(bytes.Clone(b)))
		for _, c := range w.cards {
			if len(c.sent) > 1 || c == from && len(c.sent) > 0 {
				t.Errorf("%s sent %d frames", c.ifp.Name, len(c.sent))
			}
		}
		w.t, w.p = t, kerntest.Wrap(t, w.p.Proc)
		if n, errno := w.drv(abi.SIOCGDRVSPEC, abi.BRDGRTS, nil); errno != 0 || n > most*abi.SizeofIfbareq {
			t.Errorf("%d bytes of addresses are remembered, %v", n, errno)
		}
	})
}
