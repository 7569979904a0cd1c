package head_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: head [-n count | -c byte_count] [-qv] [file ...]\n"

// TestHead holds head against head(1).
func TestHead(t *testing.T) {
	long := strings.Repeat("x", 40_000) + "\n"
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "dd of=/a msgfmt=quiet", In: "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n"},
		{Cmd: "dd of=/b msgfmt=quiet", In: "one\ntwo"},
		{Cmd: "head /a", Out: "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"},
		{Cmd: "head -n 2 /a", Out: "1\n2\n"},
		{Cmd: "head -3 /b", Out: "one\ntwo"},
		{Cmd: "head -1", In: long + long, Out: long},
		{Cmd: "head -c 5 /a", Out: "1\n2\n3"},
		{Cmd: "head -c 99999", In: long, Out: long},
		{Cmd: "head -c 20000", In: long, Out: long[:20_000]},
		{Cmd: "head -n1 /a /nope /b", Out: "==> /a <==\n1\nhead: /nope: No such file or directory\n\n==> /b <==\none\n", Status: 1},
		{Cmd: "head -q -n1 /a /b", Out: "1\none\n"},
		{Cmd: "head -1 -v /b", Out: "==> /b <==\none\n"},
		{Cmd: "head -n 0 /a", Out: "head: illegal line count -- 0\n", Status: 1},
		{Cmd: "head -n 1x /a", Out: "head: illegal line count -- 1x\n", Status: 1},
		{Cmd: "head -c -1 /a", Out: "head: illegal byte count -- -1\n", Status: 1},
		{Cmd: "head -n 99999999999999999999 /a", Out: "head: illegal line count -- 99999999999999999999: Result too large or too small\n", Status: 1},
		{Cmd: "head -z", Out: "head: unknown option -- z\n" + usage, Status: 1},
	})
}

// TestReadError prints what there was before an error.
func TestReadError(t *testing.T) {
	k := utiltest.New(t)
	for _, option := range []string{"-n9", "-c9"} {
		var out bytes.Buffer
		in := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errors.New("broken")))
		status := k.RunStreams(context.Background(), in, &out, &out, "head", option)
		if want := "a\nbhead: stdin: broken\n"; out.String() != want || status != 1 {
			t.Errorf("%s: %s[%d], want %s", option, &out, status, want)
		}
	}
}
