package mv_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mv [-fiv] source target\n       mv [-fiv] source ... directory\n"

func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t /u"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mount_tmpfs -s 1m tmpfs /u"},
		{Cmd: "mkdir -p /t/a/b /t/c"},
		{Cmd: "dd of=/t/f1 msgfmt=quiet", In: "one\n"},
		{Cmd: "dd of=/t/f2 msgfmt=quiet", In: "two\n"},
	})
	return k
}

// TestMv holds mv against transcript core-07 and mv(1).
func TestMv(t *testing.T) {
	long := strings.Repeat("x", 256)
	boot(t).Check([]utiltest.Step{
		{Cmd: "mv /t/f2 /t/f3"},
		{Cmd: "ls -1 /t/f2 /t/f3", Out: "ls: /t/f2: No such file or directory\n/t/f3\n", Status: 1},
		{Cmd: "mv /t/f3 /t/a"},
		{Cmd: "ls -1 /t/a", Out: "b\nf3\n"},
		{Cmd: "mv /t/nope /t/a", Out: "mv: rename /t/nope to /t/a/nope: No such file or directory\n", Status: 1},
		{Cmd: "mv -v /t/f1 /t/f5", Out: "/t/f1 -> /t/f5\n"},
		{Cmd: "mv /t/c/ /t/a/f3 /t/a/b/"},
		{Cmd: "ls /t/a/b", Out: "c\nf3\n"},
		{Cmd: "mv /t/a/b/c /t/f5", Out: "mv: rename /t/a/b/c to /t/f5: Not a directory\n", Status: 1},
		{Cmd: "mv /t/f5 /t/a /t/nope", Out: usage, Status: 1},
		{Cmd: "mv", Out: usage, Status: 1},
		{Cmd: "mv /t/a /t/a/b", Out: "mv: rename /t/a to /t/a/b/a: Invalid argument\n", Status: 1},
		{Cmd: "dd of=/t/f6 msgfmt=quiet", In: "six\n"},
		{Cmd: "mv -i /t/f6 /t/f5", In: "n\n", Out: "overwrite /t/f5? "},
		{Cmd: "mv -i /t/nope /t/f5", Out: "mv: rename /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "mv -fi /t/f6 /t/f5", In: "Y\n", Out: "overwrite /t/f5? "},
		{Cmd: "cat /t/f5", Out: "six\n"},
		{Cmd: "mv /t/f5 /t/" + long, Out: "mv: rename /t/f5 to /t/" + long + ": File name too long\n", Status: 1},
	})
}

// TestAcross moves between file systems.
func TestAcross(t *testing.T) {
	k := boot(t)
	p := k.Process().Sys()
	old := abi.Timespec{Sec: 1_000_000_000}
	if err := p.Chown("/t/f1", 5, 6); err != nil {
		t.Fatal(err)
	}
	if err := p.Utimens("/t/f1", old, old); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "mv -v /t/f1 /u", Out: "/t/f1 -> /u/f1\n"},
		{Cmd: "ls -l /u", Out: "total 8\n-rw-r--r--  1 5  6  4 <date> f1\n"},
		{Cmd: "ln -s x /t/a/link"},
		{Cmd: "mknod /t/a/b/pipe p"},
		{Cmd: "mv /t/a /u/tree"},
		{Cmd: "ls -RF /u", Out: "f1\ntree/\n\n/u/tree:\nb/\nlink@\n\n/u/tree/b:\npipe|\n"},
		{Cmd: "ls /t", Out: "c\nf2\n"},
		{Cmd: "mv /t/f2 /u/f1"},
		{Cmd: "cat /u/f1", Out: "two\n"},
		{Cmd: "mkdir -p /t/tree/x"},
		{Cmd: "mv /t/tree /u", Out: "mv: can't remove /u/tree: Directory not empty\n", Status: 1},
		{Cmd: "dd if=/dev/zero of=/t/big bs=1m count=2 msgfmt=quiet"},
		{Cmd: "mv /t/big /u/big", Out: "mv: /u/big: No space left on device\n", Status: 1},
		{Cmd: "ls /t /u", Out: "/t:\nbig\nc\ntree\n\n/u:\nf1\ntree\n"},
	})
	var st abi.Stat
	if err := p.Stat("/u/tree", &st); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "mount -u -r /t"},
		{Cmd: "mv /t/c /t/d", Out: "mv: rename /t/c to /t/d: Read-only file system\n", Status: 1},
		{Cmd: "mv /t/c /u/d", Out: "mv: rename /t/c to /u/d: Read-only file system\n", Status: 1},
		{Cmd: "ls /t", Out: "big\nc\ntree\n"},
	})
}
