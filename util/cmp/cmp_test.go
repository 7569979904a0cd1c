package cmp_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/iotest"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: cmp [-l | -s] file1 file2 [skip1 [skip2]]\n"

// TestCmp holds cmp against cmp(1).
func TestCmp(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "dd of=/a msgfmt=quiet", In: "one\ntwo\nsix\n"},
		{Cmd: "dd of=/b msgfmt=quiet", In: "one\ntwO\nsiX\n"},
		{Cmd: "dd of=/short msgfmt=quiet", In: "one\n"},
		{Cmd: "dd of=/empty msgfmt=quiet"},
		{Cmd: "cmp /a /a"},
		{Cmd: "cmp /empty /empty"},
		{Cmd: "cmp /a /b", Out: "/a /b differ: char 7, line 2\n", Status: 1},
		{Cmd: "cmp -l /a /b", Out: "     7 157 117\n    11 170 130\n", Status: 1},
		{Cmd: "cmp -s /a /b", Status: 1},
		{Cmd: "cmp /a /short", Out: "cmp: EOF on /short\n", Status: 1},
		{Cmd: "cmp /short /a", Out: "cmp: EOF on /short\n", Status: 1},
		{Cmd: "cmp -l /short /a", Out: "cmp: EOF on /short: char 5, line 2\n", Status: 1},
		{Cmd: "cmp -s /short /a", Status: 1},
		{Cmd: "cmp /a -", In: "one\ntwo\nsix\n"},
		{Cmd: "cmp - /a", In: "onE\n", Out: "stdin /a differ: char 3, line 1\n", Status: 1},
		{Cmd: "cmp /a /b 0x8 010", Out: "/a /b differ: char 3, line 1\n", Status: 1},
		{Cmd: "cmp /a /short 4 0", Out: "/a /short differ: char 1, line 1\n", Status: 1},
		{Cmd: "cmp /a /short 12 4"},
		{Cmd: "cmp /a /short 13", Out: "cmp: EOF on /a\n", Status: 1},
		{Cmd: "cmp /nope /a", Out: "cmp: /nope: No such file or directory\n", Status: 2},
		{Cmd: "cmp -s /a /nope", Status: 2},
		{Cmd: "cmp - -", Out: "cmp: standard input may only be specified once\n", Status: 2},
		{Cmd: "cmp -ls /a /b", Out: "cmp: only one of -l and -s may be specified\n", Status: 2},
		{Cmd: "cmp /a", Out: usage, Status: 2},
		{Cmd: "cmp /a /b 1 2 3", Out: usage, Status: 2},
		{Cmd: "cmp /a /b 09", Out: usage, Status: 2},
		{Cmd: "cmp /a /b -1", Out: usage, Status: 2},
		{Cmd: "cmp -z", Out: "cmp: unknown option -- z\n" + usage, Status: 2},
	})
}

// TestReadError compares with an input that cannot be read.
func TestReadError(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{{Cmd: "dd of=/a msgfmt=quiet", In: "x"}})
	for option, want := range map[string]string{"-s": "cmp: stdin: broken\n", "-l": "cmp: stdin: char 1, line 1: broken\n"} {
		var out bytes.Buffer
		status := k.RunStreams(context.Background(), iotest.ErrReader(errors.New("broken")), &out, &out, "cmp", option, "/a", "-")
		if out.String() != want || status != 2 {
			t.Errorf("%s: %s[%d], want %s", option, &out, status, want)
		}
	}
}
