package netstat

import (
	"bytes"
	"context"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/kinfo"
)

// Oracle: netstat(1)'s plurals.
func TestFill(t *testing.T) {
	for _, c := range []struct {
		text   string
		values []uint64
		want   string
	}{
		{"# packet~ (# byte~)", []uint64{1, 2}, "1 packet (2 bytes)"},
		{"# hash miss^", []uint64{1}, "1 hash miss"},
		{"# hash miss^", []uint64{0}, "0 hash misses"},
		{"# membership quer| received", []uint64{1}, "1 membership query received"},
		{"# membership quer| received", []uint64{7}, "7 membership queries received"},
	} {
		if got := fill(c.text, c.values...); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// FuzzPrint: whatever a kernel lists is printed.
func FuzzPrint(f *testing.F) {
	f.Add((&abi.KinfoPcb{Tstate: -1, Type: 9}).Append(nil))
	f.Add((&abi.BpfDExt{State: 7}).Append(nil))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var out bytes.Buffer
		c := &command{ctx: context.Background(), env: &util.Env{Stdout: &out}, titled: map[string]bool{}}
		c.on['n'], c.on['A'] = true, true
		list := kinfo.DecodeSockets(b)
		for i := range list {
			c.printSocket(protocolOf("tcp6"), &list[i])
			c.printLocal(&list[i])
		}
		var d abi.BpfDExt
		if d.Decode(b) == nil {
			bpfText(&d, "")
		}
		s := statistics{out: &out, counters: readCounters(b)}
		for _, p := range protocols {
			for _, it := range p.items {
				it.print(&s)
			}
		}
	})
}
