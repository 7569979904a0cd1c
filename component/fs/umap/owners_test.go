package umap

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestMap: the oracle is mount_umap(8); of two entries for one id the first holds, as in the original.
func TestMap(t *testing.T) {
	var b []byte
	for _, v := range []uint64{2000, 1000, 2001, 1000, 2000, 5, 7, 1 << 32, math.MaxUint32, 8} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	m := decode(b, abi.NOBODY)
	for _, c := range []struct {
		id, down uint32
		ok       bool
	}{{2000, 1000, true}, {2001, 1000, true}, {1000, abi.NOBODY, false}, {7, abi.NOBODY, false}} {
		if got, ok := m.down(c.id); got != c.down || ok != c.ok {
			t.Errorf("down(%d) is %d, %v", c.id, got, ok)
		}
	}
	for id, want := range map[uint32]uint32{1000: 2000, 5: 2000, 2000: abi.NOBODY, 8: abi.NOBODY} {
		if got := m.up(id); got != want {
			t.Errorf("up(%d) is %d, want %d", id, got, want)
		}
	}
}

// FuzzMap checks that every 16 bytes are an entry, and that an id that goes down comes up as one with the same number below.
func FuzzMap(f *testing.F) {
	f.Add([]byte{}, uint32(0))
	f.Add(slices.Repeat([]byte{1, 0, 0, 0, 0, 0, 0, 0}, 5), uint32(1))
	f.Fuzz(func(t *testing.T, b []byte, id uint32) {
		m := decode(b, abi.NOBODY)
		if len(m.entries) != len(b)/entrySize {
			t.Fatalf("%d entries of %d bytes", len(m.entries), len(b))
		}
		down, ok := m.down(id)
		if !ok && down != abi.NOBODY {
			t.Fatalf("%d without an entry is %d", id, down)
		}
		if up := m.up(down); ok {
			if again, _ := m.down(up); again != down {
				t.Fatalf("%d is %d below, which is %d, which is %d below", id, down, up, again)
			}
		}
	})
}
