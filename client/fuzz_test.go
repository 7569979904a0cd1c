package client

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// TestDirents takes entries as getdents(2) writes them; the first two are of the wire session ls-l.
func TestDirents(t *testing.T) {
	b := []byte("\x05\x00\x00\x00\x00\x00\x00\x00\x18\x00\x03\x00\x04tmp\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x04\x00\x00\x00\x00\x00\x00\x00\x18\x00\x03\x00\x04dev\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x18\x00\x03\x00\x08gap\x00\x00\x00\x00\x00\x00\x00\x00")
	var got []string
	for d, err := range Dirents(b) {
		got = append(got, fmt.Sprintf("%d %d %s %v", d.Ino, d.Type, d.Name, err))
	}
	if want := []string{"5 4 tmp <nil>", "4 4 dev <nil>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range [][]byte{b[:12], b[:23], {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, []byte("\x05\x00\x00\x00\x00\x00\x00\x00\x18\x00\x0c\x00\x04tmp\x00\x00\x00\x00\x00\x00\x00\x00")} {
		var last error
		for _, err := range Dirents(bad) {
			last = err
		}
		var pe *sysproxy.ProtocolError
		if !errors.As(last, &pe) {
			t.Errorf("%q: error %v", bad, last)
		}
	}
}

func FuzzDirents(f *testing.F) {
	f.Add([]byte("\x05\x00\x00\x00\x00\x00\x00\x00\x18\x00\x03\x00\x04tmp\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for d := range Dirents(b) {
			n += direntName + len(d.Name)
		}
		if n > len(b)+direntName {
			t.Errorf("entries of %d bytes in %d", n, len(b))
		}
	})
}

func FuzzDescription(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x02\x00\x00\x00\x05\x00\x00\x00text\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, text, ok := parseDescription(b); ok && len(text) > len(b)-descStr {
			t.Errorf("text of %d bytes in %d", len(text), len(b))
		}
	})
}

func FuzzCountedNames(f *testing.F) {
	f.Add([]byte("\x03abc\x01x\x09cut"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(strings.Join(countedNames(b), "")); n > len(b) {
			t.Errorf("names of %d bytes in %d", n, len(b))
		}
	})
}

// FuzzAnswers: whatever a kernel answers, the client neither panics nor takes more than it has room for.
func FuzzAnswers(f *testing.F) {
	f.Add(uint64(8), uint64(0), uint64(8), uint64(1)<<63)
	f.Fuzz(func(t *testing.T, ret0, ret1, size, errno uint64) {
		left := 500 // a kernel can go on for ever; the client cannot know
		p := recorded(func(c *sysproxy.Call) error {
			if left--; left < 0 {
				return io.EOF
			}
			c.Ret = [2]uint64{ret0, ret1}
			c.Err = abi.Errno(errno % 100)
			for i := range c.Arguments() { // every length that the kernel can say
				if b, ok := c.Lend(c.Arguments()[i], 8, true); ok {
					putSize(b, size)
				}
			}
			return nil
		})
		for _, c := range calls {
			c.use(p.Sys()) //nolint:errcheck // any error will do
		}
		p.Sysctl().Lookup("kern.hostname") //nolint:errcheck
		p.Sysctl().String("kern.hostname") //nolint:errcheck
		p.ReadFile("/f")                   //nolint:errcheck
		p.NewFile(3, "d").ReadDir(1)       //nolint:errcheck
	})
}

func putSize(b []byte, size uint64) {
	s := putUint64(size)
	copy(b, s[:])
}
