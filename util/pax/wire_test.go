package pax_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestHeader holds a header against the bytes that the C pax wrote in wire session files-pax-w: of a directory with the mode
// 0751, the owner 5 and the group 6.
func TestHeader(t *testing.T) {
	k := boot(t)
	sys := k.Process().Sys()
	when := abi.Timespec{Sec: 0o15300126247}
	for _, step := range []func() error{
		func() error { return sys.Mkdir("/t", 0o755) },
		func() error { return sys.Mkdir("/t/a", 0o751) },
		func() error { return sys.Chown("/t/a", 5, 6) },
		func() error { return sys.Utimens("/t/a", when, when) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	var want [512]byte
	copy(want[:], "t/a")
	copy(want[100:], "0040751\x000000005\x000000006\x0000000000000\x0015300126247\x000006423\x005")
	copy(want[257:], "ustar\x0000")
	var out, msg bytes.Buffer
	if k.RunStreams(t.Context(), strings.NewReader(""), &out, &msg, "pax", "-w", "/t/a") != 0 || msg.String() != removing {
		t.Errorf("%s", msg.String())
	}
	got := out.Bytes()
	if len(got) != 10240 || !bytes.Equal(got[:512], want[:]) || len(bytes.Trim(got[512:], "\x00")) != 0 {
		t.Errorf("%d bytes:\n%q\nwant\n%q", len(got), got[:min(len(got), 512)], want)
	}
}
