package chmod_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: chmod [-R [-H | -L | -P]] [-fh] mode file ...\n" +
	"\tchmod [-R [-H | -L | -P]] [-fh] --reference=rfile file ...\n"

// boot returns a kernel with a tmpfs on /t that has some files.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
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

func row(mode, size, path string) string {
	return mode + "  1 0  0  " + size + " <date> " + path + "\n"
}

// TestChmod holds chmod against transcript core-07 and chmod(1).
func TestChmod(t *testing.T) {
	long := strings.Repeat("x", 256)
	boot(t).Check([]utiltest.Step{
		{Cmd: "chmod 600 /t/f1"},
		{Cmd: "ls -l /t/f1", Out: row("-rw-------", "4", "/t/f1")},
		{Cmd: "chmod u+x,go=r /t/f1"},
		{Cmd: "ls -l /t/f1", Out: row("-rwxr--r--", "4", "/t/f1")},
		{Cmd: "chmod -x /t/f1"},
		{Cmd: "ls -l /t/f1", Out: row("-rw-r--r--", "4", "/t/f1")},
		{Cmd: "chmod +w /t/f1"}, // the umask has the others'
		{Cmd: "ls -l /t/f1", Out: row("-rw-r--r--", "4", "/t/f1")},
		{Cmd: "chmod -- -r,a+X /t/f1"},
		{Cmd: "ls -l /t/f1", Out: row("--w-------", "4", "/t/f1")},
		{Cmd: "chmod 6755 /t/f1"},
		{Cmd: "ls -l /t/f1", Out: row("-rwsr-sr-x", "4", "/t/f1")},
		{Cmd: "chmod -h 640 /t/link"},
		{Cmd: "ls -l /t/link", Out: "lrw-r-----  1 0  0  1 <date> /t/link -> a\n"},
		{Cmd: "chmod 1700 /t/link"},
		{Cmd: "ls -ld /t/a", Out: "drwx-----T  3 0  0  144 <date> /t/a\n"},
		{Cmd: "chmod --ref /t/link /t/f1"},
		{Cmd: "ls -l /t/f1", Out: row("-rwx-----T", "4", "/t/f1")},
		{Cmd: "chmod --reference=/t/nope /t/f1", Out: "chmod: Cannot stat `/t/nope': No such file or directory\n", Status: 1},
		{Cmd: "chmod zzz /t/f1", Out: "chmod: Cannot set file mode `zzz': Invalid argument\n", Status: 1},
		{Cmd: "chmod 644 /t/nope /t/f1", Out: "chmod: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "ls -l /t/f1", Out: row("-rw-r--r--", "4", "/t/f1")},
		{Cmd: "chmod -f 644 /t/nope", Out: "chmod: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "chmod 600 /t/dead"},
		{Cmd: "chmod 600 /t/" + long, Out: "chmod: /t/" + long + ": File name too long\n", Status: 1},
		{Cmd: "chmod -hR 600 /t/f1", Out: "chmod: the -R and -h options may not be specified together.\n", Status: 1},
		{Cmd: "chmod 600", Out: usage, Status: 1},
		{Cmd: "chmod -x", Out: usage, Status: 1},
		{Cmd: "chmod --reference=/t/f1", Out: usage, Status: 1},
		{Cmd: "chmod -z 600 /t/f1", Out: "chmod: unknown option -- z\n" + usage, Status: 1},
		{Cmd: "chmod 600 /t/f1 -z", Out: "chmod: unknown option -- z\n" + usage, Status: 1},
	})
}

// TestTree holds -R with -H, -L and -P against chmod(1).
func TestTree(t *testing.T) {
	const all = "ls -l /t/f1 /t/a/f /t/a/b/g"
	state := func(f1, f, g string) string {
		return row(g, "1", "/t/a/b/g") + row(f, "1", "/t/a/f") + row(f1, "4", "/t/f1")
	}
	boot(t).Check([]utiltest.Step{
		{Cmd: "chmod go= /t/a"},
		{Cmd: all, Out: state("-rw-r--r--", "-rw-r--r--", "-rw-r--r--")},
		{Cmd: "chmod -R go=,u+X /t/a"},
		{Cmd: all, Out: state("-rw-r--r--", "-rw-------", "-rw-------")},
		{Cmd: "ls -ld /t/a/b", Out: "drwx------  2 0  0  48 <date> /t/a/b\n"},
		{Cmd: "chmod -R 755 /t/link"}, // not followed
		{Cmd: all, Out: state("-rw-r--r--", "-rw-------", "-rw-------")},
		{Cmd: "chmod -RH 755 /t/link"},
		{Cmd: all, Out: state("-rw-r--r--", "-rwxr-xr-x", "-rwxr-xr-x")},
		{Cmd: "chmod 711 /t/a -LR"},
		{Cmd: all, Out: state("-rwx--x--x", "-rwx--x--x", "-rwx--x--x")},
		{Cmd: "chmod -RLP 700 /t/a/"},
		{Cmd: all, Out: state("-rwx--x--x", "-rwx------", "-rwx------")},
		{Cmd: "mount -u -r /t"},
		{Cmd: "chmod -R 755 /t/a/b", Out: "chmod: /t/a/b: Read-only file system\nchmod: /t/a/b/g: Read-only file system\n", Status: 1},
		{Cmd: "chmod -fR 755 /t/a/b"},
	})
}

// TestUser changes files as a user who owns none, then one who has a directory that cannot be read.
func TestUser(t *testing.T) {
	k := boot(t)
	check := func(want string, status int, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if got := k.RunAs(context.Background(), 7, nil, &out, &out, args...); got != status || out.String() != want {
			t.Errorf("%q: %s[%d]\nwant %s[%d]", args, &out, got, want, status)
		}
	}
	check("chmod: /t/f1: Operation not permitted\n", 1, "chmod", "777", "/t/f1")
	check("", 0, "chmod", "-f", "777", "/t/f1")
	k.Check([]utiltest.Step{{Cmd: "chmod 700 /t/a"}})
	check("chmod: /t/a: Operation not permitted\nchmod: /t/a: Permission denied\n", 1, "chmod", "-R", "777", "/t/a")
}
