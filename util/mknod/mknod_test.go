package mknod_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = `usage: mknod [-rR] [-F format] [-m mode] [-u user] [-g group]
                   [ name [b | c] [major | driver] minor
                   | name [b | c] major unit subunit
                   | name [b | c] number
                   | name p ]
       mknod -l [driver] ...
`

// TestMknod holds mknod against transcript core-07 and mknod(8).
func TestMknod(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	long := strings.Repeat("x", 256)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mknod /t/null c 2 2"},
		{Cmd: "ls -l /t/null", Out: "crw-r--r--  1 0  0  2, 2 <date> /t/null\n"},
		{Cmd: "dd of=/t/null", In: "gone\n", Out: "0+1 records in\n0+1 records out\n5 bytes transferred in <time>\n"},
		{Cmd: "mknod /t/null c 2 2", Out: "mknod: /t/null: File exists\n", Status: 1},
		{Cmd: "mknod -r /t/null c 2 2"},
		{Cmd: "mknod -r -m 600 /t/null c 2 2"},
		{Cmd: "ls -l /t/null", Out: "crw-r--r--  1 0  0  2, 2 <date> /t/null\n"},
		{Cmd: "mknod -R -m 600 -u 5 -g #6 /t/null c 2 2"},
		{Cmd: "ls -l /t/null", Out: "crw-------  1 5  6  2, 2 <date> /t/null\n"},
		{Cmd: "mknod -r /t/null b 2 0x10"},
		{Cmd: "ls -l /t/null", Out: "brw-r--r--  1 0  0  2, 16 <date> /t/null\n"},
		{Cmd: "mknod -m go-r,u+x /t/fifo p"},
		{Cmd: "ls -l /t/fifo", Out: "prwx------  1 0  0  0 <date> /t/fifo\n"},
		{Cmd: "mknod -R /t/fifo p"},
		{Cmd: "ls -l /t/fifo", Out: "prw-r--r--  1 0  0  0 <date> /t/fifo\n"},
		{Cmd: "mknod /t/n c 0x202"},
		{Cmd: "mknod -F linux /t/l b 8 1"},
		{Cmd: "mknod -F bsdos /t/bsd b 1 2 3"},
		{Cmd: "ls -l /t/n /t/l /t/bsd", Out: "brw-r--r--  1 0  0  2, 259 <date> /t/bsd\n" +
			"brw-r--r--  1 0  0  8,   1 <date> /t/l\ncrw-r--r--  1 0  0  2,   2 <date> /t/n\n"},
		{Cmd: "mknod -F none /t/x c 1 1", Out: "mknod: invalid format: none\n", Status: 1},
		{Cmd: "mknod -F linux /t/x p", Out: "mknod: format is meaningless for fifos\n", Status: 1},
		{Cmd: "mknod -F linux /t/x c 256 1", Out: "mknod: invalid major number\n", Status: 1},
		{Cmd: "mknod /t/x c 1 2 3", Out: "mknod: too many fields for format\n", Status: 1},
		{Cmd: "mknod /t/x c 4096 1", Out: "mknod: invalid major number\n", Status: 1},
		{Cmd: "mknod /t/x c 1z 1", Out: "mknod: invalid number: 1z\n", Status: 1},
		{Cmd: "mknod /t/x c 1 z", Out: "mknod: invalid number: z\n", Status: 1},
		{Cmd: "mknod /t/x d 1 1", Out: "mknod: node type must be 'b', 'c' or 'p'.\n", Status: 1},
		{Cmd: "mknod /t/x p 1", Out: usage, Status: 1},
		{Cmd: "mknod /t/x c", Out: usage, Status: 1},
		{Cmd: "mknod -m zzz /t/x p", Out: "mknod: Cannot set file mode `zzz': Invalid argument\n", Status: 1},
		{Cmd: "mknod -u nobody /t/x p", Out: "mknod: nobody: invalid user name\n", Status: 1},
		{Cmd: "mknod -g nobody /t/x p", Out: "mknod: nobody: invalid group name\n", Status: 1},
		{Cmd: "mknod /t/" + long + " p", Out: "mknod: /t/" + long + ": File name too long\n", Status: 1},
		{Cmd: "mount -u -r /t"},
		{Cmd: "mknod /t/x p", Out: "mknod: /t/x: Read-only file system\n", Status: 1},
	})
}
