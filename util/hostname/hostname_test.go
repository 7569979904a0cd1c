package hostname_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: hostname [-s] [name-of-host]\n"

// TestHostname holds hostname against hostname(1), and against what sysctl(8) prints.
func TestHostname(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "hostname rump.example.org"},
		{Cmd: "hostname", Out: "rump.example.org\n"},
		{Cmd: "hostname -s", Out: "rump\n"},
		{Cmd: "sysctl -n kern.hostname", Out: "rump.example.org\n"},
		{Cmd: "hostname plain"},
		{Cmd: "hostname -s", Out: "plain\n"},
		{Cmd: "hostname " + strings.Repeat("x", 300), Out: "hostname: sethostname: Invalid argument\n", Status: 1},
		{Cmd: "hostname", Out: "plain\n"},
		{Cmd: "hostname a b", Out: usage, Status: 1},
		{Cmd: "hostname -x", Out: "hostname: unknown option -- x\n" + usage, Status: 1},
	})
}

// TestUser sets the name as a user who may not.
func TestUser(t *testing.T) {
	var out bytes.Buffer
	status := utiltest.New(t).RunAs(context.Background(), 7, nil, &out, &out, "hostname", "mine")
	if want := "hostname: sethostname: Operation not permitted\n"; out.String() != want || status != 1 {
		t.Errorf("%s[%d], want %s", &out, status, want)
	}
}
