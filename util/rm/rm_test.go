package rm_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// boot returns a kernel with a tmpfs on /t that has some files.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir -p /t/a/b/c"},
		{Cmd: "dd of=/t/a/f msgfmt=quiet", In: "x"},
		{Cmd: "dd of=/t/a/b/g msgfmt=quiet", In: "x"},
		{Cmd: "dd of=/t/f1 msgfmt=quiet", In: "one\n"},
		{Cmd: "ln -s a /t/link"},
	})
	return k
}

// TestRm holds rm against transcript core-07 and rm(1).
func TestRm(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "rm /t/a", Out: "rm: /t/a: is a directory\n", Status: 1},
		{Cmd: "rm /t/nope", Out: "rm: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "rm -f /t/nope"},
		{Cmd: "rm -f"},
		{Cmd: "rm -rf /t/nope /t/f1/x"},
		{Cmd: "rm -r /t/nope", Out: "rm: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "rm", Out: "usage: rm [-f|-i] [-dPRrvWx] file ...\n", Status: 1},
		{Cmd: "rm -i /t/f1", Out: "remove '/t/f1'? "},
		{Cmd: "ls /t/f1", Out: "/t/f1\n"},
		{Cmd: "rm -fi /t/f1", In: "no\n", Out: "remove '/t/f1'? "},
		{Cmd: "rm -if /t/nope"},
		{Cmd: "rm -d /t/a", Out: "rm: /t/a: Directory not empty\n", Status: 1},
		{Cmd: "rm -ri /t/a", In: "y\ny\ny\nn\n", Out: "remove '/t/a'? remove '/t/a/b'? remove '/t/a/b/c'? remove '/t/a/b/g'? " +
			"rm: /t/a/b: Directory not empty\nremove '/t/a/f'? rm: /t/a: Directory not empty\n", Status: 1},
		{Cmd: "ls -R /t/a", Out: "b\nf\n\n/t/a/b:\ng\n"},
		{Cmd: "rm -v /t/f1 /t/link", Out: "/t/f1\n/t/link\n"},
		{Cmd: "rm -rv /t/a/", Out: "/t/a/b/g\n/t/a/b\n/t/a/f\n/t/a\n"},
		{Cmd: "ls /t", Out: ""},
		{Cmd: "mkdir /t/d"},
		{Cmd: "rm -d /t/d"},
		{Cmd: "rm -r . /t/.. ..", Out: "rm: \".\" and \"..\" may not be removed\n", Status: 1},
		{Cmd: "rm -W /t", Out: "rm: /t: File exists\n", Status: 1},
	})
}

// TestLink checks that a link is removed, not what it leads to.
func TestLink(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "rm -r /t/link"},
		{Cmd: "ls /t", Out: "a\nf1\n"},
		{Cmd: "ls /t/a", Out: "b\nf\n"},
	})
}

// TestMountPoints checks -x, and what happens without it at a mount point.
func TestMountPoints(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "mount_tmpfs tmpfs /t/a/b/c"},
		{Cmd: "mkdir /t/a/b/c/in"},
		{Cmd: "rm -rx /t/a", Out: "rm: /t/a/b/c: Device busy\nrm: /t/a/b: Directory not empty\nrm: /t/a: Directory not empty\n", Status: 1},
		{Cmd: "ls /t/a/b/c", Out: "in\n"},
		{Cmd: "rm -r /t/a", Out: "rm: /t/a/b/c: Device busy\nrm: /t/a/b: Directory not empty\nrm: /t/a: Directory not empty\n", Status: 1},
		{Cmd: "ls /t/a/b/c", Out: ""},
	})
}

// TestReadOnly removes where nothing can be removed.
func TestReadOnly(t *testing.T) {
	boot(t).Check([]utiltest.Step{
		{Cmd: "mount -u -r /t"},
		{Cmd: "rm /t/f1", Out: "rm: /t/f1: Read-only file system\n", Status: 1},
		{Cmd: "rm -rf /t/a/b/c", Out: "rm: /t/a/b/c: Read-only file system\n", Status: 1},
	})
}

// TestOverwrite checks that -P writes over what another name still shows.
func TestOverwrite(t *testing.T) {
	k := boot(t)
	k.Check([]utiltest.Step{
		{Cmd: "dd of=/t/secret if=/dev/zero bs=100000 count=2 msgfmt=quiet"},
		{Cmd: "ln /t/secret /t/other"},
		{Cmd: "rm -P /t/secret"},
		{Cmd: "ls -l /t/other", Out: "-rw-r--r--  1 0  0  200000 <date> /t/other\n"},
	})
	got, _ := k.Run("", "cat", "/t/other")
	if len(got) != 200000 || strings.Count(got, "\x00") > 20000 {
		t.Errorf("%d bytes, %d of them zero", len(got), strings.Count(got, "\x00"))
	}
	k.Check([]utiltest.Step{{Cmd: "rm -rP /t/a /t/other /t/link"}, {Cmd: "ls /t", Out: "f1\n"}})
}

// keyboard is a standard input that says it is a terminal.
type keyboard struct{ *strings.Reader }

func (keyboard) IsTerminal() bool        { return true }
func (keyboard) Size() (int, int, error) { return 80, 24, nil }

// TestOverride checks that somebody at a terminal is asked for what is not writable.
func TestOverride(t *testing.T) {
	k := boot(t)
	p := k.Process().Sys()
	for _, step := range []func() error{
		func() error { return p.Chmod("/t", 0o777) },
		func() error { return p.Chown("/t/f1", 5, 6) },
		func() error { return p.Chmod("/t/f1", 0o444) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(in string, args ...string) string {
		var out bytes.Buffer
		k.RunAs(context.Background(), 7, keyboard{strings.NewReader(in)}, &out, &out, args...)
		return out.String()
	}
	if got := ask("n\n", "rm", "/t/f1"); got != "override r--r--r--  5:6 for '/t/f1'? " {
		t.Errorf("%q", got)
	}
	if got := ask("", "rm", "-P", "/t/f1"); got != "rm: /t/f1: -P was specified but file could not be overwritten\n" {
		t.Errorf("%q", got)
	}
	k.Check([]utiltest.Step{{Cmd: "ls /t/f1", Out: "/t/f1\n"}})
	if got := ask("Yes\n", "rm", "-r", "/t/f1"); got != "override r--r--r--  5:6 for '/t/f1'? " {
		t.Errorf("%q", got)
	}
	k.Check([]utiltest.Step{{Cmd: "ls /t/f1", Out: "ls: /t/f1: No such file or directory\n", Status: 1}})
}

// TestDeep removes a tree that is deeper than a path can be long.
func TestDeep(t *testing.T) {
	k := boot(t)
	p := k.Process().Sys()
	if err := p.Chdir("/t"); err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("n", 20)
	for range 300 {
		if err := p.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := p.Chdir(name); err != nil {
			t.Fatal(err)
		}
	}
	if fd, err := p.Open("file", abi.O_CREAT|abi.O_WRONLY, 0o644); err != nil {
		t.Fatal(err)
	} else if err := p.Close(fd); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{{Cmd: "rm -r /t/" + name}, {Cmd: "ls /t", Out: "a\nf1\nlink\n"}})
}
