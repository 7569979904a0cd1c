package util_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestRealPath holds paths against realpath(3).
func TestRealPath(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir -p /d/e"},
		{Cmd: "ln -s ../d/./e /d/link"},
		{Cmd: "ln -s /d/link/../e /abs"},
		{Cmd: "ln -s loop /loop"},
	})
	p := k.Process()
	if err := p.Sys().Chdir("/d"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in, want string
		err      error
	}{
		{"/", "/", nil},
		{".", "/d", nil},
		{"link", "/d/e", nil},
		{"//d//e/..", "/d", nil},
		{"/abs", "/d/e", nil},
		{"/../abs/.", "/d/e", nil},
		{"nope", "/d/nope", abi.ENOENT},
		{"nope/x", "/d/nope", abi.ENOENT},
		{"/loop", "/loop", abi.ELOOP},
		{"", "", abi.ENOENT},
	} {
		got, err := util.RealPath(p.Sys(), c.in)
		if got != c.want || err != c.err {
			t.Errorf("%q: %q, %v; want %q, %v", c.in, got, err, c.want, c.err)
		}
	}
}
