package ln_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage:\tln [-fhinsv] file1 file2\n\tln [-fhinsv] file ... directory\n"

// TestLn holds ln against transcript core-07 and ln(1).
func TestLn(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	long := strings.Repeat("x", 256)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "dd of=/t/f1 msgfmt=quiet", In: "one\n"},
		{Cmd: "ln /t/f1 /t/hard"},
		{Cmd: "ls -l /t/f1", Out: "-rw-r--r--  2 0  0  4 <date> /t/f1\n"},
		{Cmd: "ln -s /t/f1 /t/soft"},
		{Cmd: "ls -l /t/soft", Out: "lrwxr-xr-x  1 0  0  5 <date> /t/soft -> /t/f1\n"},
		{Cmd: "ln /t/f1 /t/hard", Out: "ln: /t/hard: File exists\n", Status: 1},
		{Cmd: "ln -sf f5 /t/soft"},
		{Cmd: "ls -l /t/soft", Out: "lrwxr-xr-x  1 0  0  2 <date> /t/soft -> f5\n"},
		{Cmd: "ln /t/nope /t/x", Out: "ln: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "ln -s dangling /t/dang"},
		{Cmd: "mkdir /t/d /t/e"},
		{Cmd: "ln -v /t/f1 /t/d", Out: "/t/d/f1 => /t/f1\n"},
		{Cmd: "ln -sv /t/f1 /t/hard /t/e", Out: "/t/e/f1 -> /t/f1\n/t/e/hard -> /t/hard\n"},
		{Cmd: "ln /t/f1 /t/hard /t/f1", Out: usage, Status: 1},
		{Cmd: "ln /t/f1 /t/hard /t/nope", Out: "ln: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "ln", Out: usage, Status: 1},
		{Cmd: "ln -x", Out: "ln: unknown option -- x\n" + usage, Status: 1},
		{Cmd: "ln -i /t/f1 /t/hard", In: "n\n", Out: "replace /t/hard? not replaced\n", Status: 1},
		{Cmd: "ln -i /t/f1 /t/hard", In: "y\n", Out: "replace /t/hard? "},
		{Cmd: "ln -fi /t/f1 /t/hard", Out: "replace /t/hard? not replaced\n", Status: 1},
		{Cmd: "ln -s /t/d /t/dl"},
		{Cmd: "ln -s one /t/dl"},
		{Cmd: "ls /t/d", Out: "f1\none\n"},
		{Cmd: "ln -shf two /t/dl"},
		{Cmd: "ls -l /t/dl", Out: "lrwxr-xr-x  1 0  0  3 <date> /t/dl -> two\n"},
		{Cmd: "ln -sn a b /t/dl", Out: "ln: /t/dl: Not a directory\n", Status: 1},
		{Cmd: "ln /t/f1", Out: "ln: ./f1: Cross-device link\n", Status: 1},
		{Cmd: "ln -s /t/f1"},
		{Cmd: "ls -l /f1", Out: "lrwxr-xr-x  1 0  0  5 <date> /f1 -> /t/f1\n"},
		{Cmd: "ln -s a /t/" + long, Out: "ln: /t/" + long + ": File name too long\n", Status: 1},
		{Cmd: "mount -u -r /t"},
		{Cmd: "ln -s a /t/ro", Out: "ln: /t/ro: Read-only file system\n", Status: 1},
		{Cmd: "ln -sf a /t/dl", Out: "ln: /t/dl: Read-only file system\n", Status: 1},
	})
}
