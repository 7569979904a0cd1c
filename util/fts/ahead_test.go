package fts_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// visits returns the visits of a walk with their errors.
func visits(sys *client.Sys, o fts.Options) []string {
	o.Compare = byName
	var got []string
	for c, e := range fts.Walk(sys, []string{"/t"}, &o) {
		s := fmt.Sprint(e.Path, marks[e.Info], e.Err)
		var st abi.Stat
		if err := sys.Fstatat(c.FD(), e.Rel, &st, abi.AT_SYMLINK_NOFOLLOW); err != nil {
			s += fmt.Sprint(" not where the cursor is: ", err)
		}
		got = append(got, s)
	}
	return got
}

// makeForest makes directories in /t, wide and deep, one of them with more in it than is read ahead, and one that only
// the super-user can read.
func makeForest(t *testing.T, sys *client.Sys) {
	t.Helper()
	mkdir := func(path string) {
		if err := sys.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		dir := fmt.Sprintf("/t/d%02d", i)
		for j := range 5 {
			mkdir(dir)
			mkdir(dir + "/x")
			mkdir(fmt.Sprintf("%s/y%d", dir, j))
			dir += fmt.Sprintf("/z%d", j)
		}
	}
	for i := range 1500 {
		mkdir(fmt.Sprintf("/t/d07/entry%04d", i))
	}
	if err := sys.Chmod("/t/d11", 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestAhead walks a tree with directories that are read before their turn: the visits are those of a walk without, whatever the
// options, and even if there are no descriptors left for more than a directory at each level.
func TestAhead(t *testing.T) {
	p := boot(t).Process()
	sys := p.Sys()
	makeForest(t, sys)
	if err := sys.Setuid(7); err != nil {
		t.Fatal(err)
	}
	for _, o := range []fts.Options{
		{}, {NoStat: true}, {NoStat: true, OneDevice: true}, {Follow: true}, {NoStat: true, Dots: true, Whiteouts: true},
	} {
		want := visits(sys, o)
		o.Ahead = true
		if got := visits(sys, o); !slices.Equal(got, want) {
			t.Errorf("%+v: %d visits, want %d", o, len(got), len(want))
		}
		checkClosed(t, sys)
	}
	want := visits(sys, fts.Options{})
	var fds []int
	for {
		fd, err := sys.Open("/", abi.O_RDONLY, 0)
		if err != nil {
			break
		}
		fds = append(fds, fd)
	}
	for _, fd := range fds[:8] { // the deepest directory is the seventh
		sys.Close(fd)
	}
	if got := visits(sys, fts.Options{Ahead: true}); !slices.Equal(got, want) {
		t.Errorf("with few descriptors: %d visits, want %d", len(got), len(want))
	}
}

// TestAheadSkip leaves out directories that have been read already.
func TestAheadSkip(t *testing.T) {
	p := boot(t).Process()
	makeForest(t, p.Sys())
	n := 0
	for _, e := range fts.Walk(p.Sys(), []string{"/t"}, &fts.Options{Ahead: true, NoStat: true}) {
		if e.Level == 1 && e.Rel != "d00" {
			e.Skip()
		}
		if e.Level > 1 && e.Info == fts.Dir {
			n++
		}
		if e.Level > 1 && e.Path[:6] != "/t/d00" {
			t.Fatalf("%s was visited", e.Path)
		}
	}
	if n != 14 {
		t.Errorf("%d directories, want 14", n)
	}
	checkClosed(t, p.Sys())
}
