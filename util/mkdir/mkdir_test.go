package mkdir_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestMkdir holds mkdir against transcript core-07 and mkdir(1).
func TestMkdir(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	long := strings.Repeat("x", 256)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir /t/a"},
		{Cmd: "mkdir /t/a", Out: "mkdir: /t/a: File exists\n", Status: 1},
		{Cmd: "mkdir /t/a/b/c", Out: "mkdir: /t/a/b/c: No such file or directory\n", Status: 1},
		{Cmd: "mkdir -p /t/a/b/c"},
		{Cmd: "mkdir -p /t/a/b/c"},
		{Cmd: "ls -ld /t/a/b/c", Out: "drwxr-xr-x  2 0  0  0 <date> /t/a/b/c\n"},
		{Cmd: "mkdir -m 700 /t/a/m"},
		{Cmd: "ls -ld /t/a/m", Out: "drwx------  2 0  0  0 <date> /t/a/m\n"},
		{Cmd: "mkdir -m go-w,+t /t/a/n"},
		{Cmd: "ls -ld /t/a/n", Out: "drwxr-xr-t  2 0  0  0 <date> /t/a/n\n"},
		{Cmd: "mkdir -m 1777 /t/a/s"},
		{Cmd: "ls -ld /t/a/s", Out: "drwxrwxrwt  2 0  0  0 <date> /t/a/s\n"},
		{Cmd: "mkdir -pm 070 /t/p/q/"},
		{Cmd: "ls -ld /t/p/q", Out: "d---rwx---  2 0  0  0 <date> /t/p/q\n"},
		{Cmd: "mkdir -m zzz /t/z", Out: "mkdir: Cannot set file mode `zzz': Invalid argument\n", Status: 1},
		{Cmd: "mkdir", Out: "usage: mkdir [-p] [-m mode] dirname ...\n", Status: 1},
		{Cmd: "mkdir -x", Out: "mkdir: unknown option -- x\nusage: mkdir [-p] [-m mode] dirname ...\n", Status: 1},
		{Cmd: "dd of=/t/f msgfmt=quiet", In: "x"},
		{Cmd: "mkdir -p /t/f/x", Out: "mkdir: /t/f: Not a directory\n", Status: 1},
		{Cmd: "mkdir -p /t/f", Out: "mkdir: /t/f: Not a directory\n", Status: 1},
		{Cmd: "mkdir /t/" + long, Out: "mkdir: /t/" + long + ": File name too long\n", Status: 1},
		{Cmd: "mkdir -p /t/" + long + " /t/after", Out: "mkdir: /t/" + long + ": File name too long\n", Status: 1},
		{Cmd: "ls -d /t/after", Out: "/t/after\n"},
		{Cmd: "mkdir -p ''", Out: "mkdir: : No such file or directory\n", Status: 1},
		{Cmd: "mkdir -p / //t//u/"},
		{Cmd: "ls -d /t/u", Out: "/t/u\n"},
	})
}

// TestUmask checks that the umask of the process is what it was.
func TestUmask(t *testing.T) {
	k := utiltest.New(t)
	k.Check([]utiltest.Step{{Cmd: "mkdir -pm 777 /a/b"}, {Cmd: "mkdir /c"}, {Cmd: "ls -ld /a/b /c",
		Out: "drwxrwxrwx  2 0  0  512 <date> /a/b\ndrwxr-xr-x  2 0  0  512 <date> /c\n"}})
}

// TestReadOnly makes a directory where none can be made.
func TestReadOnly(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs -o ro tmpfs /t"},
		{Cmd: "mkdir /t/a", Out: "mkdir: /t/a: Read-only file system\n", Status: 1},
		{Cmd: "mkdir -p /t/a", Out: "mkdir: /t/a: Read-only file system\n", Status: 1},
	})
}
