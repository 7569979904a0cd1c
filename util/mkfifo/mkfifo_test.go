package mkfifo_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mkfifo [-m mode] fifoname ...\n"

// TestMkfifo holds mkfifo against mkfifo(1).
func TestMkfifo(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkfifo /t/a /t/no/b /t/a /t/c", Out: "mkfifo: /t/no/b: No such file or directory\nmkfifo: /t/a: File exists\n", Status: 1},
		{Cmd: "ls -l /t", Out: "total 0\nprw-r--r--  1 0  0  0 <date> a\nprw-r--r--  1 0  0  0 <date> c\n"},
		{Cmd: "mkfifo -m 662 /t/d"},
		{Cmd: "mkfifo -m go-r,+x /t/e"},
		{Cmd: "ls -l /t/d /t/e", Out: "prw-rw--w-  1 0  0  0 <date> /t/d\nprwx-wx-wx  1 0  0  0 <date> /t/e\n"},
		{Cmd: "mkfifo -m zzz /t/f", Out: "mkfifo: invalid file mode.\n", Status: 1},
		{Cmd: "mkfifo", Out: usage, Status: 1},
		{Cmd: "mkfifo -x /t/f", Out: "mkfifo: unknown option -- x\n" + usage, Status: 1},
		{Cmd: "mount -u -r /t"},
		{Cmd: "mkfifo /t/g", Out: "mkfifo: /t/g: Read-only file system\n", Status: 1},
	})
}
