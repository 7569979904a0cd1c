package chown_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: chown [-R [-H | -L | -P]] [-fhv] owner:group|owner|:group file ...\n" +
	"\tchown [-R [-H | -L | -P]] [-fhv] --reference=rfile file ...\n"

const usageChgrp = "Usage: chgrp [-R [-H | -L | -P]] [-fhv] group file ...\n" +
	"\tchgrp [-R [-H | -L | -P]] [-fhv] --reference=rfile file ...\n"

// boot returns a kernel with a tmpfs on /t that has some files, and a user and a group.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t /etc"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "dd of=/t/f1 msgfmt=quiet", In: "one\n"},
		{Cmd: "mkdir -p /t/a/b"},
		{Cmd: "dd of=/t/a/f msgfmt=quiet", In: "x"},
		{Cmd: "dd of=/t/a/b/g msgfmt=quiet", In: "x"},
		{Cmd: "ln -s ../f1 /t/a/up"},
		{Cmd: "ln -s a /t/link"},
		{Cmd: "ln -s nope /t/dead"},
	})
	return k
}

func row(owner, size, path string) string {
	return "-rw-r--r--  1 " + owner + "  " + size + " <date> " + path + "\n"
}

// TestChown holds chown against transcript core-07 and chown(8).
func TestChown(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "chown 5:6 /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("5  6", "4", "/t/f1")},
		{Cmd: "chown nosuchuser /t/f1", Out: "chown: nosuchuser: invalid user name\n", Status: 1},
		{Cmd: "chown 1:nosuchgroup /t/f1", Out: "chown: nosuchgroup: invalid group name\n", Status: 1},
		{Cmd: "chown 4294967296 /t/f1", Out: "chown: 4294967296: invalid user name\n", Status: 1},
		{Cmd: "chown 7 /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("7  6", "4", "/t/f1")},
		{Cmd: "chown :8 /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("7  8", "4", "/t/f1")},
		{Cmd: "chown #9: /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("9  8", "4", "/t/f1")},
		{Cmd: "chown --reference=/t/f1 /t/link"},
		{Cmd: "ls -lnd /t/a", Out: "drwxr-xr-x  3 9  8  144 <date> /t/a\n"},
		{Cmd: "chown -hv 3:4 /t/link /t/f1", Out: "/t/link\n/t/f1\n"},
		{Cmd: "ls -ln /t/link /t/f1", Out: row("3  4", "4", "/t/f1") + "lrwxr-xr-x  1 3  4  1 <date> /t/link -> a\n"},
		{Cmd: "chown 1 /t/dead /t/nope", Out: "chown: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "chown -h 1 /t/dead"},
		{Cmd: "ls -ln /t/dead", Out: "lrwxr-xr-x  1 1  0  4 <date> /t/dead -> nope\n"},
		{Cmd: "chown --reference /t/dead /t/f1", Out: "chown: Cannot stat `/t/dead': No such file or directory\n", Status: 1},
		{Cmd: "chown -RLh 1 /t/f1", Out: "chown: the -L and -h options may not be specified together.\n", Status: 1},
		{Cmd: "chown 5", Out: usage, Status: 1},
		{Cmd: "chown --reference=/t/f1", Out: usage, Status: 1},
		{Cmd: "chown -z 5 /t/f1", Out: "chown: unknown option -- z\n" + usage, Status: 1},
	})
}

// TestChgrp holds chgrp against chgrp(1).
func TestChgrp(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "chgrp 5 /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("0  5", "4", "/t/f1")},
		{Cmd: "chgrp 5:6 /t/f1", Out: "chgrp: 5:6: invalid group name\n", Status: 1},
		{Cmd: "chown 2:3 /t/a"},
		{Cmd: "chgrp --reference=/t/a /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("0  3", "4", "/t/f1")},
		{Cmd: "chgrp -Rv 9 /t/a/b", Out: "/t/a/b/g\n/t/a/b\n"},
		{Cmd: "chgrp", Out: usageChgrp, Status: 1},
		{Cmd: "chgrp --r", Out: "chgrp: option requires an argument -- r\n" + usageChgrp, Status: 1},
	})
}

// TestNames looks names up before it takes them for numbers: chown(8).
func TestNames(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "dd of=/etc/passwd msgfmt=quiet", In: "joe:*:1000:100::/:/bin/sh\n5:*:1005:100::/:/bin/sh\n"},
		{Cmd: "dd of=/etc/group msgfmt=quiet", In: "users:*:100:\n"},
		{Cmd: "chown joe:users /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("1000  100", "4", "/t/f1")},
		{Cmd: "chown 5 /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("1005  100", "4", "/t/f1")},
		{Cmd: "chown #5:users /t/f1"},
		{Cmd: "ls -ln /t/f1", Out: row("5  100", "4", "/t/f1")},
		{Cmd: "chown users /t/f1", Out: "chown: users: invalid user name\n", Status: 1},
	})
}

// TestTree holds -R with -H, -L and -P against chown(8).
func TestTree(t *testing.T) {
	const all = "ls -ln /t/f1 /t/a/f /t/a/b/g"
	state := func(f1, f, g string) string {
		return row(g, "1", "/t/a/b/g") + row(f, "1", "/t/a/f") + row(f1, "4", "/t/f1")
	}
	boot(t).Check([]utiltest.Step{
		{Cmd: "chown 5 /t/a"},
		{Cmd: all, Out: state("0  0", "0  0", "0  0")},
		{Cmd: "chown -R 5 /t/a"},
		{Cmd: all, Out: state("0  0", "5  0", "5  0")},
		{Cmd: "ls -ln /t/a/up", Out: "lrwxr-xr-x  1 0  0  5 <date> /t/a/up -> ../f1\n"},
		{Cmd: "chown -RH 6 /t/link"},
		{Cmd: all, Out: state("0  0", "6  0", "6  0")},
		{Cmd: "chown -RL 7 /t/a"},
		{Cmd: all, Out: state("7  0", "7  0", "7  0")},
		{Cmd: "chown -Rh 8 /t/link /t/a"},
		{Cmd: all, Out: state("7  0", "8  0", "8  0")},
		{Cmd: "ls -ln /t/a/up /t/link", Out: "lrwxr-xr-x  1 8  0  5 <date> /t/a/up -> ../f1\n" +
			"lrwxr-xr-x  1 8  0  1 <date> /t/link -> a\n"},
		{Cmd: "chown -RHh 9 /t/dead"},
		{Cmd: "ls -ln /t/dead", Out: "lrwxr-xr-x  1 0  0  4 <date> /t/dead -> nope\n"},
		{Cmd: "mount -u -r /t"},
		{Cmd: "chown -R 0 /t/a/b", Out: "chown: /t/a/b/g: Read-only file system\nchown: /t/a/b: Read-only file system\n", Status: 1},
		{Cmd: "chown -Rfv 0 /t/a/b", Out: "/t/a/b/g\n/t/a/b\n"},
	})
}

// TestUser changes files as a user who may not.
func TestUser(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{{Cmd: "chmod 700 /t/a"}})
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"chown", "7", "/t/f1"}, "chown: /t/f1: Operation not permitted\n"},
		{[]string{"chgrp", "-R", "0", "/t/a"}, "chgrp: /t/a: Permission denied\nchgrp: /t/a: Operation not permitted\n"},
	} {
		var out bytes.Buffer
		if got := k.RunAs(context.Background(), 7, nil, &out, &out, c.args...); got != 1 || out.String() != c.want {
			t.Errorf("%q: %s[%d]\nwant %s[1]", c.args, &out, got, c.want)
		}
	}
}
