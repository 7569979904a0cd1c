package pwd_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/pwd"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestDirectory holds -L against pwd(1): what PWD says counts if it is true.
func TestDirectory(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{{Cmd: "mkdir -p /a/b"}, {Cmd: "ln -s a /link"}})
	p := k.Process()
	if err := p.Chdir("/link/b"); err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		"": "/a/b", "/link/b": "/link/b", "/a/b": "/a/b", "/link/./b": "/a/b", "/link/b/../b": "/a/b", "link/b": "/a/b",
		"/link": "/a/b", "/nope": "/a/b", "//link//b": "//link//b",
	} {
		if got, err := pwd.Directory(p.Sys(), said); got != want || err != nil {
			t.Errorf("PWD=%s: %s, %v, want %s", said, got, err, want)
		}
	}
}

// TestPwd holds the utility against pwd(1): -P is the default.
func TestPwd(t *testing.T) {
	k := utiltest.New(t)
	const usage = "usage: pwd [-LP]\n"
	k.Vars["PWD"] = "//"
	k.Check([]utiltest.Step{
		{Cmd: "pwd", Out: "/\n"},
		{Cmd: "pwd -L", Out: "//\n"},
		{Cmd: "pwd -LP", Out: "/\n"},
		{Cmd: "pwd x", Out: usage, Status: 1},
		{Cmd: "pwd -x", Out: "pwd: unknown option -- x\n" + usage, Status: 1},
	})
}
