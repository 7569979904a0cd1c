package test_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestEval holds expressions against test(1): 0 is true, 1 false.
func TestEval(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /d"}, {Cmd: "touch /empty /x"}, {Cmd: "dd of=/f msgfmt=quiet", In: "x"},
		{Cmd: "ln -s d /link"}, {Cmd: "ln -s nope /dangling"}, {Cmd: "mkfifo /p"}, {Cmd: "mknod /b b 1 2"}, {Cmd: "mknod /c c 1 2"},
		{Cmd: "chmod 6755 /x"}, {Cmd: "chmod 1777 /d"}, {Cmd: "chmod 0 /empty"}, {Cmd: "chown 5:6 /p"},
		{Cmd: "touch -t 200001010000 /f"}, {Cmd: "ln /f /same"},
	})
	for expression, status := range map[string]int{
		"": 1, "x": 0, "''": 1, "-n": 0, "-z": 0, "!": 0, "(": 0,
		"-d /d": 0, "-d /link": 0, "-d /f": 1, "-f /f": 0, "-f /d": 1, "-e /d": 0, "-e /dangling": 1, "-e /nope": 1,
		"-h /link": 0, "-L /dangling": 0, "-L /d": 1, "-p /p": 0, "-b /b": 0, "-c /c": 0, "-b /c": 1, "-S /p": 1,
		"-s /f": 0, "-s /empty": 1, "-u /x": 0, "-g /x": 0, "-u /f": 1, "-k /d": 0, "-k /f": 1,
		"-x /x": 0, "-x /f": 1, "-r /f": 0, "-r /empty": 1, "-w /empty": 1, "-w /f": 0, "-r /nope": 1,
		"-O /f": 0, "-G /f": 0, "-O /p": 1, "-G /p": 1,
		"/x -nt /f": 0, "/f -nt /x": 1, "/f -ot /x": 0, "/f -ef /same": 0, "/f -ef /x": 1, "/f -nt /nope": 1,
		"-n a": 0, "-n ''": 1, "-z ''": 0, "-z a": 1,
		"a = a": 0, "a = b": 1, "a != b": 0, "a < b": 0, "b < a": 1, "b > a": 0,
		"1 -eq 01": 0, "1 -ne 1": 1, "-1 -lt 0": 0, "1 -le 0": 1, "2 -gt 1": 0, "1 -ge 1": 0, "' 7 ' -eq 7": 0,
		"! a": 1, "! ''": 0, "! -d /f": 0, "! a = a": 1, "a -a ''": 1, "a -o ''": 0, "'' -o '' -o a": 0,
		"'' -a '' -o a": 0, "a -o a -a ''": 0, "( a )": 0, "( '' )": 1, "( a -o '' ) -a ''": 1, "! ( '' -a '' )": 0,
		"-t 0": 1, "-t 17": 1, "-f = -f": 0, "! = !": 0, "-a -a -a": 0,
	} {
		k.Check([]utiltest.Step{
			{Cmd: "test " + expression, Status: status},
			{Cmd: "[ " + expression + " ]", Status: status},
		})
	}
}

// TestUsers holds the permissions of the owner, the group and others against test(1).
func TestUsers(t *testing.T) {
	k := utiltest.New(t)
	p := k.Process()
	for name, owner := range map[string][2]int{"/own": {7, 8}, "/group": {9, 0}, "/other": {9, 8}} {
		if err := p.WriteFile(name, nil, 0o421); err != nil {
			t.Fatal(err)
		}
		if err := p.Sys().Chmod(name, 0o421); err != nil {
			t.Fatal(err)
		}
		if err := p.Sys().Chown(name, owner[0], owner[1]); err != nil {
			t.Fatal(err)
		}
	}
	for file, allowed := range map[string]string{"/own": "r", "/group": "w", "/other": "x"} {
		for _, op := range []string{"r", "w", "x"} {
			var out bytes.Buffer
			status := k.RunAs(context.Background(), 7, strings.NewReader(""), &out, &out, "test", "-"+op, file)
			if want := map[bool]int{true: 0, false: 1}[op == allowed]; status != want || out.Len() > 0 {
				t.Errorf("test -%s %s: %s[%d], want %d", op, file, &out, status, want)
			}
		}
	}
	var st abi.Stat
	if err := p.Sys().Stat("/own", &st); err != nil || st.Uid != 7 {
		t.Errorf("owner %d, %v", st.Uid, err)
	}
}

// TestErrors holds messages against test(1): the status is 2.
func TestErrors(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{
		{Cmd: "[ a", Out: "[: missing ]\n", Status: 2},
		{Cmd: "[", Out: "[: missing ]\n", Status: 2},
		{Cmd: "test a -eq 1", Out: "test: a: bad number\n", Status: 2},
		{Cmd: "test 1 -eq ''", Out: "test: : bad number\n", Status: 2},
		{Cmd: "test 99999999999999999999 -eq 1", Out: "test: 99999999999999999999: out of range\n", Status: 2},
		{Cmd: "test a b", Out: "test: b: unexpected operator\n", Status: 2},
		{Cmd: "test ( a", Out: "test: closing paren expected\n", Status: 2},
		{Cmd: "test a -a", Out: "test: argument expected\n", Status: 2},
		{Cmd: "test -t x", Out: "test: x: bad number\n", Status: 2},
	})
}
