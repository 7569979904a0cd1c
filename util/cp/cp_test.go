package cp_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = `usage: cp [-R [-H | -L | -P]] [-f | -i] [-alNpv] src target
       cp [-R [-H | -L | -P]] [-f | -i] [-alNpv] src1 ... srcN directory
`

// boot returns a kernel with a tmpfs on /t that has the files of transcript core-07.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir -p /t/a/m"},
		{Cmd: "dd of=/t/f1 msgfmt=quiet", In: "one\n"},
	})
	return k
}

// TestTranscript holds cp against transcript core-07.
func TestTranscript(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "cp /t/f1 /t/f2"},
		{Cmd: "cat /t/f2", Out: "one\n"},
		{Cmd: "cp /t/f1 /t/nodir/f", Out: "cp: /t/nodir/f: No such file or directory\n", Status: 1},
		{Cmd: "cp /t/f1", Out: usage, Status: 1},
		{Cmd: "cp -R /t/a /t/a2"},
		{Cmd: "ls -1R /t/a2", Out: "m\n\n/t/a2/m:\n"},
		{Cmd: "cp /t/a /t/x", Out: "cp: /t/a is a directory (not copied).\n", Status: 1},
		{Cmd: "cp -v /t/f1 /t/f4", Out: "/t/f1 -> /t/f4\n"},
	})
}

// TestTargets holds what a target stands for against cp(1).
func TestTargets(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "cp /t/nope /t/x", Out: "cp: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "cp /t/f1 /t/nope/", Out: "cp: directory /t/nope does not exist\n", Status: 1},
		{Cmd: "cp /t/f1 /t/f1/", Out: "cp: /t/f1 is not a directory\n", Status: 1},
		{Cmd: "cp /t/f1 /t/a /t/f1", Out: usage, Status: 1},
		{Cmd: "cp /t/f1 /t/f1", Out: "cp: /t/f1 and /t/f1 are identical (not copied).\n", Status: 1},
		{Cmd: "cp /t/f1 /t/nope /t/a", Out: "cp: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "ls /t/a", Out: "f1\nm\n"},
		{Cmd: "mkdir /t/a/x"},
		{Cmd: "dd of=/t/x msgfmt=quiet", In: "x"},
		{Cmd: "cp /t/x /t/a", Out: "cp: cannot overwrite directory /t/a/x with non-directory /t/x\n", Status: 1},
		{Cmd: "cp -R /t/a/ /t/f1", Out: "cp: /t/f1: Not a directory\n", Status: 1},
		{Cmd: "cp -Rr a b", Out: "cp: the -R and -r options may not be specified together.\n", Status: 1},
		{Cmd: "cp -rP a b", Out: "cp: the -H, -L, and -P options may not be specified with the -r option.\n", Status: 1},
		{Cmd: "cp -R /t/a /t/b/"},
		{Cmd: "cp -R /t/a /t/b/"},
		{Cmd: "ls /t/b", Out: "a\nf1\nm\nx\n"},
		{Cmd: "cp -R /t/a/.. /t/nested", Out: "cp: /t/a/../nested: cannot be copied into itself\n", Status: 1},
		{Cmd: "ls /t/nested", Out: "a\nb\nf1\nx\n"},
		{Cmd: "cp -R /t/a /t/a", Out: "cp: /t/a/a: cannot be copied into itself\n", Status: 1},
	})
}

// TestAsk holds -i and -f against cp(1).
func TestAsk(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "dd of=/t/f2 msgfmt=quiet", In: "two\n"},
		{Cmd: "cp -i /t/f2 /t/f1", In: "no\n", Out: "overwrite /t/f1? "},
		{Cmd: "cat /t/f1", Out: "one\n"},
		{Cmd: "cp -fi /t/f2 /t/f1", In: "yes\n", Out: "overwrite /t/f1? "},
		{Cmd: "cat /t/f1", Out: "two\n"},
		{Cmd: "cp -if /t/x /t/f1", Out: "cp: /t/x: No such file or directory\n", Status: 1},
	})
}

// TestLinks holds -R, -H, -L, -P, -r and -l against cp(1).
func TestLinks(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "ln -s f1 /t/soft"},
		{Cmd: "ln -s ../f1 /t/a/in"},
		{Cmd: "ln -s a /t/top"},
		{Cmd: "mknod /t/a/fifo p"},
		{Cmd: "mknod /t/a/dev c 2 2"},
		{Cmd: "cp /t/soft /t/c1"},
		{Cmd: "ls -l /t/c1", Out: "-rw-r--r--  1 0  0  4 <date> /t/c1\n"},
		{Cmd: "cp -P /t/soft /t/c2"},
		{Cmd: "ls -l /t/c2", Out: "lrwxr-xr-x  1 0  0  2 <date> /t/c2 -> f1\n"},
		{Cmd: "cp -R /t/a /t/r"},
		{Cmd: "ls -F /t/r", Out: "dev\nfifo|\nin@\nm/\n"},
		{Cmd: "ls -l /t/r/dev", Out: "crw-r--r--  1 0  0  2, 2 <date> /t/r/dev\n"},
		{Cmd: "rm /t/a/fifo /t/r/fifo"},
		{Cmd: "cp -RL /t/a /t/l"},
		{Cmd: "ls -F /t/l", Out: "dev\nin\nm/\n"},
		{Cmd: "cp -RH /t/top /t/h"},
		{Cmd: "ls -F /t/h", Out: "dev\nin@\nm/\n"},
		{Cmd: "cp -R /t/top /t/p"},
		{Cmd: "ls -l /t/p", Out: "lrwxr-xr-x  1 0  0  1 <date> /t/p -> a\n"},
		{Cmd: "cp -r /t/a /t/old"},
		{Cmd: "ls -F /t/old", Out: "dev\nin\nm/\n"},
		{Cmd: "ls -l /t/old/dev", Out: "-rw-r--r--  1 0  0  0 <date> /t/old/dev\n"},
		{Cmd: "cp -l /t/f1 /t/hard"},
		{Cmd: "ls -l /t/hard", Out: "-rw-r--r--  2 0  0  4 <date> /t/hard\n"},
		{Cmd: "cp -R /t/c1 /t/soft"},
		{Cmd: "ls -l /t/soft", Out: "-rw-r--r--  1 0  0  4 <date> /t/soft\n"},
		{Cmd: "ln -s nowhere /t/dead"},
		{Cmd: "cp /t/dead /t/d2", Out: "cp: /t/dead: No such file or directory\n", Status: 1},
		{Cmd: "cp -R /t/dead /t/d2"},
		{Cmd: "ls -l /t/d2", Out: "lrwxr-xr-x  1 0  0  7 <date> /t/d2 -> nowhere\n"},
		{Cmd: "ln -s . /t/m2"},
		{Cmd: "rm /t/p /t/top /t/dead /t/d2"},
		{Cmd: "cp -RL /t/m2 /copy", Out: "cp: /t/m2/m2: directory causes a cycle\n", Status: 1},
	})
}

// TestAttributes holds modes, owners and times against cp(1).
func TestAttributes(t *testing.T) {
	k := boot(t)
	p := k.Process().Sys()
	old := abi.Timespec{Sec: 1_000_000_000, Nsec: 5}
	for _, step := range []func() error{
		func() error { return p.Chown("/t/f1", 5, 6) },
		func() error { return p.Chmod("/t/f1", 0o4777) },
		func() error { return p.Chmod("/t/a", 0o2775) },
		func() error { return p.Utimens("/t/f1", old, old) },
		func() error { return p.Utimens("/t/a", old, old) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	k.Check([]utiltest.Step{
		{Cmd: "cp /t/f1 /t/plain"},
		{Cmd: "ls -l /t/plain", Out: "-rwxr-xr-x  1 0  0  4 <date> /t/plain\n"},
		{Cmd: "cp -p /t/f1 /t/kept"},
		{Cmd: "ls -lT /t/kept", Out: "-rwsrwxrwx  1 5  6  4 <date> /t/kept\n"},
		{Cmd: "cp -a /t/a /t/dir"},
		{Cmd: "ls -ld /t/dir", Out: "drwxrwsr-x  3 0  0  48 <date> /t/dir\n"},
	})
	for _, name := range []string{"/t/kept", "/t/dir"} {
		var st abi.Stat
		if err := p.Lstat(name, &st); err != nil || st.Mtim != old {
			t.Errorf("%s: modified %v, want %v; %v", name, st.Mtim, old, err)
		}
	}
	var out bytes.Buffer
	status := k.RunAs(t.Context(), 5, strings.NewReader(""), &out, &out, "cp", "/t/f1", "/tmp/own")
	if got, _ := k.Run("", "ls", "-l", "/tmp/own"); status != 0 || utiltest.Normal(got) != "-rwxr-xr-x  1 5  0  4 <date> /tmp/own\n" {
		t.Errorf("%s[%d] %s", out.String(), status, got)
	}
	out.Reset()
	k.RunAs(t.Context(), 5, strings.NewReader(""), &out, &out, "cp", "-p", "/t/f1", "/tmp/kept")
	if got, _ := k.Run("", "ls", "-l", "/tmp/kept"); out.String() != "" || !strings.HasPrefix(got, "-rwxrwxrwx  1 5  0  4 ") {
		t.Errorf("%s%s", out.String(), got)
	}
}

// TestData copies what takes several calls, and a hole.
func TestData(t *testing.T) {
	k := boot(t)
	text := strings.Repeat("0123456789abcdef", 60_000)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/t/big obs=100k msgfmt=quiet", In: text},
		{Cmd: "cp /t/big /t/copy"},
		{Cmd: "cp /t/f1 /t/copy2"},
		{Cmd: "cp /t/f1 /t/copy2"},
	})
	if got, _ := k.Run("", "cat", "/t/copy"); got != text {
		t.Errorf("%d bytes came back, not the same", len(got))
	}
}

// TestFull fills a file system.
func TestFull(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd if=/dev/zero of=/t/big bs=1m count=2 msgfmt=quiet"},
		{Cmd: "mkdir /s"},
		{Cmd: "mount_tmpfs -s 1m tmpfs /s"},
		{Cmd: "cp /t/big /s/big", Out: "cp: /s/big: No space left on device\n", Status: 1},
		{Cmd: "rm /s/big"},
		{Cmd: "mount -u -r /s"},
		{Cmd: "cp /t/f1 /s/f1", Out: "cp: /s/f1: Read-only file system\n", Status: 1},
		{Cmd: "cp -R /t/a /s/a", Out: "cp: /s/a: Read-only file system\n", Status: 1},
	})
}

// TestDeep copies a tree that is deeper than a path can be long.
func TestDeep(t *testing.T) {
	k := boot(t)
	p := k.Process().Sys()
	if err := p.Chdir("/t"); err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("n", 20)
	for range 200 {
		if err := p.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := p.Chdir(name); err != nil {
			t.Fatal(err)
		}
	}
	k.Check([]utiltest.Step{{Cmd: "cp -R /t/" + name + " /t/copy"}})
	got, status := k.Run("", "ls", "-R", "/t/copy")
	if n := strings.Count(got, ":\n"); n != 199 || status != 0 {
		t.Errorf("%d directories [%d]", n, status)
	}
}
