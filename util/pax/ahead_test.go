package pax_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestReadAhead holds archives of many small files, among them empty and large ones, links and such that cannot be read, against
// the same without reading ahead, which -t prevents.
func TestReadAhead(t *testing.T) {
	k := utiltest.New(t)
	p := k.Process()
	for d := range 3 {
		dir := fmt.Sprintf("/t/%d/sub", d)
		if err := p.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for f := range 60 {
			size := f * 37
			if f%20 == 7 {
				size = 16<<10 + f
			}
			name := fmt.Sprintf("/t/%d/f%d", d, f)
			if err := p.WriteFile(name, bytes.Repeat([]byte{byte(f)}, size), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := p.WriteFile(fmt.Sprintf("%s/g%d", dir, f), []byte("deep"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Link(fmt.Sprintf("/t/%d/f9", d), dir+"/linked"); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Sys().Chmod("/t/1/f3", 0); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"ustar", "sv4crc", "cpio"} {
		var ahead, plain, said, saidPlain bytes.Buffer
		status := k.RunAs(context.Background(), 7, strings.NewReader(""), &ahead, &said, "pax", "-wx", format, "/t")
		statusPlain := k.RunAs(context.Background(), 7, strings.NewReader(""), &plain, &saidPlain, "pax", "-wtx", format, "/t")
		if !bytes.Equal(ahead.Bytes(), plain.Bytes()) || ahead.Len() < 200_000 {
			t.Errorf("%s: %d bytes, without reading ahead %d, or others", format, ahead.Len(), plain.Len())
		}
		const denied = "pax: Unable to open /t/1/f3 to read (Permission denied)\n"
		if status != 1 || statusPlain != 1 || !strings.Contains(said.String(), denied) {
			t.Errorf("%s: %s[%d]", format, &said, status)
		}
	}
	var st abi.Stat
	if err := p.Sys().Stat("/t/1/f3", &st); err != nil || st.Mode&0o777 != 0 {
		t.Errorf("mode %o, %v", st.Mode, err)
	}
}
