package util

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestBlockSize holds units and messages against getbsize(3).
func TestBlockSize(t *testing.T) {
	for _, c := range []struct {
		env    string
		bytes  int64
		header string
		warn   string
	}{
		{"", 512, "512-blocks", ""},
		{"1024", 1024, "1024-blocks", ""},
		{"1k", 1024, "1K-blocks", ""},
		{"K", 1024, "1K-blocks", ""},
		{"4M", 4 << 20, "4M-blocks", ""},
		{"1g", 1 << 30, "1G-blocks", ""},
		{"2G", 1 << 30, "1G-blocks", "df: maximum blocksize is 1G\n"},
		{"9999999999999999999", 1 << 30, "1073741824-blocks", "df: maximum blocksize is 1G\n"},
		{"100", 512, "512-blocks", "df: 100: minimum blocksize is 512\n"},
		{"-1", 512, "512-blocks", "df: -1: minimum blocksize is 512\n"},
		{"0", 512, "512-blocks", "df: 0: minimum blocksize is 512\n"},
		{"1q", 512, "512-blocks", "df: 1q: unknown blocksize\n"},
		{"1kb", 512, "512-blocks", "df: 1kb: unknown blocksize\n"},
	} {
		var out bytes.Buffer
		env := &Env{Args: []string{"df"}, Stderr: &out, Getenv: func(string) string { return c.env }}
		got := env.BlockSize()
		if got.Bytes != c.bytes || got.Header != c.header || out.String() != c.warn {
			t.Errorf("%q: %+v, %q; want %d, %s, %q", c.env, got, out.String(), c.bytes, c.header, c.warn)
		}
	}
}

// TestFileFlags holds names against flags_to_string(3) and chflags(1).
func TestFileFlags(t *testing.T) {
	for _, c := range []struct {
		flags uint32
		want  string
	}{{0, "-"}, {abi.UF_NODUMP, "nodump"}, {abi.SF_IMMUTABLE | abi.UF_APPEND | abi.SF_ARCHIVED, "uappnd,arch,schg"}, {1 << 30, "-"}} {
		if got := FileFlags(c.flags, "-"); got != c.want {
			t.Errorf("%#x: %q, want %q", c.flags, got, c.want)
		}
	}
}

// TestAsk checks what is a yes, and that a question takes a line and no more of the input.
func TestAsk(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader("yes\nYmca\n yes\n\nno\ny")
	env := &Env{Args: []string{"rm"}, Stdin: in, Stderr: &out}
	for i, want := range []bool{true, true, false, false, false, true, false} {
		if got := env.Ask("%d? ", i); got != want {
			t.Errorf("answer %d: %v, want %v", i, got, want)
		}
	}
	if out.String() != "0? 1? 2? 3? 4? 5? 6? " {
		t.Errorf("%q", out.String())
	}
}
