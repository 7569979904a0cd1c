package cmsg_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/cmsg"
)

// Oracle: wire session ping6: what a C kernel gave with an answer: the packet's interface and its hop limit.
func TestRecorded(t *testing.T) {
	b, err := hex.DecodeString("24000000290000002e00000000000000000000000000000000000000000000010100000000000000" +
		"14000000290000002f000000000000004000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	var again []byte
	for m, err := range cmsg.All(b) {
		if err != nil {
			t.Fatal(err)
		}
		again = m.Append(again)
	}
	if !bytes.Equal(again, b) {
		t.Errorf("% x\nwant % x", again, b)
	}
	if hops, ok := cmsg.Find(b, abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, 4); !ok || hops[0] != 64 {
		t.Errorf("hop limit % x, %v", hops, ok)
	}
	if _, ok := cmsg.Find(b, abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, 5); ok {
		t.Error("found more than there is")
	}
}

// FuzzAll: any buffer is split or refused, and what is split means the same when put together.
func FuzzAll(f *testing.F) {
	m := cmsg.Message{Level: 41, Type: 47, Data: []byte{64, 0, 0, 0}}
	f.Add(m.Append(nil))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for m, err := range cmsg.All(b) {
			if err != nil {
				continue
			}
			data, ok := cmsg.Find(m.Append(nil), m.Level, m.Type, len(m.Data))
			if !ok || !bytes.Equal(data, m.Data) {
				t.Errorf("%v is %x, %v again", m, data, ok)
			}
		}
	})
}
