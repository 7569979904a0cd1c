package fts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/fts"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// boot returns a kernel with a tree in /t: a/b/f, a/g, a link to a, one that leads nowhere, a mount point a/mnt.
func boot(t *testing.T) *utiltest.Kernel {
	t.Helper()
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir -p /t/a/b /t/a/mnt"},
		{Cmd: "mknod /t/a/b/f p"},
		{Cmd: "mknod /t/a/g p"},
		{Cmd: "ln -s a /t/link"},
		{Cmd: "ln -s nowhere /t/dead"},
		{Cmd: "ln -s .. /t/a/b/up"},
		{Cmd: "mount_tmpfs tmpfs /t/a/mnt"},
		{Cmd: "mkdir /t/a/mnt/in"},
	})
	return k
}

// marks shows the visits of a walk.
var marks = map[fts.Info]string{
	fts.File: "", fts.Dir: "<", fts.DirAfter: ">", fts.Unreadable: "!", fts.Cycle: "@", fts.Missing: "?",
}

func byName(a, b *fts.Entry) int { return strings.Compare(a.Rel, b.Rel) }

// TestWalk holds the order of visits against fts(3).
func TestWalk(t *testing.T) {
	p := boot(t).Process()
	for _, c := range []struct {
		name string
		args []string
		o    fts.Options
		want string
	}{
		{"physical", []string{"/t/a"}, fts.Options{},
			"/t/a< /t/a/b< /t/a/b/f /t/a/b/up /t/a/b> /t/a/g /t/a/mnt< /t/a/mnt/in< /t/a/mnt/in> /t/a/mnt> /t/a>"},
		{"types only", []string{"/t/a"}, fts.Options{NoStat: true},
			"/t/a< /t/a/b< /t/a/b/f /t/a/b/up /t/a/b> /t/a/g /t/a/mnt< /t/a/mnt/in< /t/a/mnt/in> /t/a/mnt> /t/a>"},
		{"one device", []string{"/t/a"}, fts.Options{OneDevice: true, NoStat: true},
			"/t/a< /t/a/b< /t/a/b/f /t/a/b/up /t/a/b> /t/a/g /t/a/mnt< /t/a/mnt> /t/a>"},
		{"a link", []string{"/t/link"}, fts.Options{}, "/t/link"},
		{"a link, followed", []string{"/t/link/"}, fts.Options{FollowArguments: true, OneDevice: true},
			"/t/link/< /t/link/b< /t/link/b/f /t/link/b/up /t/link/b> /t/link/g /t/link/mnt< /t/link/mnt> /t/link/>"},
		{"all links, followed", []string{"/t/a/b", "/t/dead"}, fts.Options{Follow: true, OneDevice: true},
			"/t/a/b< /t/a/b/f /t/a/b/up< /t/a/b/up/b@ /t/a/b/up/g /t/a/b/up/mnt< /t/a/b/up/mnt> /t/a/b/up> /t/a/b> /t/dead"},
		{"missing", []string{"/t/nope", "/t/a/g"}, fts.Options{}, "/t/a/g /t/nope?"},
		{"dots", []string{"/t/a/b"}, fts.Options{Dots: true}, "/t/a/b< /t/a/b/.@ /t/a/b/..< /t/a/b/..> /t/a/b/f /t/a/b/up /t/a/b>"},
		{"hidden", []string{"/t/a"}, fts.Options{Hide: func(name string) bool { return name != "g" }}, "/t/a< /t/a/g /t/a>"},
	} {
		c.o.Compare = byName
		var got []string
		for _, e := range fts.Walk(p.Sys(), c.args, &c.o) {
			got = append(got, e.Path+marks[e.Info])
			if e.Info == fts.File && e.Err != nil || (e.Info == fts.Missing || e.Info == fts.Cycle) && e.Err == nil {
				t.Errorf("%s: %s: %v", c.name, e.Path, e.Err)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, s, c.want)
		}
	}
	checkClosed(t, p.Sys())
}

type opener interface {
	Open(string, int, uint32) (int, error)
	Close(int) error
}

// checkClosed checks that no descriptors are open but the console's.
func checkClosed(t *testing.T, sys opener) {
	t.Helper()
	fd, err := sys.Open("/", abi.O_RDONLY, 0)
	if err != nil || fd != 3 {
		t.Errorf("the next descriptor is %d, want 3; %v", fd, err)
	}
	sys.Close(fd)
}

// TestSkip leaves a directory out, and stops early.
func TestSkip(t *testing.T) {
	p := boot(t).Process()
	var got []string
	for _, e := range fts.Walk(p.Sys(), []string{"/t/a"}, &fts.Options{Compare: byName}) {
		got = append(got, e.Path+marks[e.Info])
		if e.Rel == "b" {
			e.Skip()
		}
		if e.Rel == "in" {
			break
		}
	}
	if s := strings.Join(got, " "); s != "/t/a< /t/a/b< /t/a/b> /t/a/g /t/a/mnt< /t/a/mnt/in<" {
		t.Errorf("%s", s)
	}
	checkClosed(t, p.Sys())
}

// TestUnreadable walks where a user may not.
func TestUnreadable(t *testing.T) {
	p := boot(t).Process()
	for _, step := range []func() error{
		func() error { return p.Sys().Chmod("/t/a/b", 0) },
		func() error { return p.Sys().Setuid(7) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, e := range fts.Walk(p.Sys(), []string{"/t/a"}, &fts.Options{Compare: byName, OneDevice: true}) {
		got = append(got, fmt.Sprint(e.Path, marks[e.Info], e.Err))
	}
	want := []string{"/t/a<<nil>", "/t/a/b<<nil>", "/t/a/b!Permission denied", "/t/a/g<nil>", "/t/a/mnt<<nil>", "/t/a/mnt><nil>", "/t/a><nil>"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// TestMoved moves a directory away while the cursor is far below it: the way back must not lead elsewhere.
func TestMoved(t *testing.T) {
	k := boot(t)
	p := k.Process()
	deep := strings.Repeat("/d", 40)
	k.Check([]utiltest.Step{{Cmd: "mkdir -p /t/x" + deep + " /t/y"}})
	moved := false
	var last *fts.Entry
	for _, e := range fts.Walk(p.Sys(), []string{"/t/x"}, &fts.Options{}) {
		last = e
		if e.Info == fts.DirAfter && !moved {
			moved = true
			if err := p.Sys().Rename("/t/x/d/d", "/t/y/d"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if last.Info != fts.Unreadable || last.Err != abi.ENOENT {
		t.Errorf("the walk ended at %s, %v, %v; want ENOENT", last.Path, last.Info, last.Err)
	}
	checkClosed(t, p.Sys())
}

// TestName holds the name of an argument against basename(3).
func TestName(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "/a/b": "b", "a//": "a", "/": "/", "./x/": "x"} {
		if got := (&fts.Entry{Rel: in}).Name(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
