package rtmsg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
)

// Oracle: route(4): addresses in the order of their RTA_* bits, each padded to 8 bytes, an empty one 8 bytes of zero.
func TestAddrs(t *testing.T) {
	var a rtmsg.Addrs
	a[abi.RTAX_DST] = []byte{5, 2, 0, 0, 10}
	a[abi.RTAX_NETMASK] = []byte{}
	a[abi.RTAX_IFP] = []byte{8, 18, 1, 0, 0, 0, 0, 0}
	b, mask := a.Append(nil)
	if mask != abi.RTA_DST|abi.RTA_NETMASK|abi.RTA_IFP || len(b) != 24 {
		t.Fatalf("%#x % x", mask, b)
	}
	got, err := rtmsg.Parse(mask, b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if !bytes.Equal(got[i], a[i]) {
			t.Errorf("%d: % x, want % x", i, got[i], a[i])
		}
	}
	for _, bad := range [][]byte{nil, {9, 2, 0, 0}, b[:20]} {
		if _, err := rtmsg.Parse(mask, bad); !errors.Is(err, rtmsg.ErrMessage) {
			t.Errorf("% x: %v", bad, err)
		}
	}
}

// Oracle: route(4): messages of another version are to be passed over; a length that cannot be ends everything.
func TestAll(t *testing.T) {
	msg := func(n int, version, typ byte) []byte {
		b := make([]byte, n)
		binary.LittleEndian.PutUint16(b, uint16(n))
		b[2], b[3] = version, typ
		return b
	}
	buf := append(msg(8, abi.RTM_VERSION, abi.RTM_ADD), msg(16, 3, abi.RTM_GET)...)
	buf = append(buf, msg(4, abi.RTM_VERSION, abi.RTM_DELETE)...)
	var types []int
	for m, err := range rtmsg.All(buf) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, rtmsg.Type(m))
	}
	if len(types) != 2 || types[0] != abi.RTM_ADD || types[1] != abi.RTM_DELETE {
		t.Errorf("types %v", types)
	}
	for _, bad := range [][]byte{{1}, {0, 0, 4, 1}, {200, 0, 4, 1}} {
		var last error
		for _, last = range rtmsg.All(bad) {
		}
		if !errors.Is(last, rtmsg.ErrMessage) {
			t.Errorf("% x: %v", bad, last)
		}
	}
}

// FuzzAll: hostile buffers end, without a panic and without reading past the messages.
func FuzzAll(f *testing.F) {
	f.Add([]byte{8, 0, 4, 1, 4, 2, 0, 0}, int32(3))
	f.Fuzz(func(t *testing.T, b []byte, mask int32) {
		seen := 0
		for m, err := range rtmsg.All(b) {
			if err == nil {
				seen += len(m)
				rtmsg.Parse(mask, m[4:]) //nolint:errcheck // only that it ends
			}
		}
		if seen > len(b) {
			t.Errorf("messages of %d bytes in %d", seen, len(b))
		}
	})
}
