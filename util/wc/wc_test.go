package wc_test

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

const usage = "usage: wc [-c | -m] [-Llw] [file ...]\n"

// TestWc holds wc against wc(1).
func TestWc(t *testing.T) {
	k := utiltest.New(t)
	steps := []utiltest.Step{
		{Cmd: "dd of=/a msgfmt=quiet", In: "one two\n three\t\n\nlast"},
		{Cmd: "dd of=/b msgfmt=quiet", In: "h\u00e9\u2003\u00e8 \xff\n"},
		{Cmd: "wc /a", Out: "       3       4      21 /a\n"},
		{Cmd: "wc -l", In: "x\ny", Out: "       1\n"},
		{Cmd: "wc", Out: "       0       0       0\n"},
		{Cmd: "wc -wc /a", Out: "       4      21 /a\n"},
		{Cmd: "wc -L /a", Out: "       7 /a\n"},
		{Cmd: "wc -L", In: "x\nlonger", Out: "       6\n"},
		{Cmd: "wc -lmwL /b", Out: "       1       2      11      10 /b\n"},
		{Cmd: "wc /a /nope /b", Out: "       3       4      21 /a\nwc: /nope: No such file or directory\n" +
			"       1       2      11 /b\n       4       6      32 total\n", Status: 1},
		{Cmd: "wc -x", Out: "wc: unknown option -- x\n" + usage, Status: 1},
	}
	k.Check(steps)
	k.Vars["LC_CTYPE"] = "en_US.UTF-8"
	k.Check([]utiltest.Step{
		{Cmd: "wc -m /b", Out: "       7 /b\n"},
		{Cmd: "wc -wcL /b", Out: "       3      11      10 /b\n"},
		{Cmd: "wc -mL /b /a", Out: "       7       6 /b\n      21       7 /a\n      28       7 total\n"},
	})
}

// TestReadError counts what there was before an error.
func TestReadError(t *testing.T) {
	k := utiltest.New(t)
	var out bytes.Buffer
	in := io.MultiReader(strings.NewReader("a b\n"), iotest.ErrReader(errors.New("broken")))
	status := k.RunStreams(context.Background(), in, &out, &out, "wc")
	if want := "       1       2       4\nwc: stdin: broken\n"; out.String() != want || status != 1 {
		t.Errorf("%s[%d], want %s", &out, status, want)
	}
}
