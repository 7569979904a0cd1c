package du_test

import (
	"fmt"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: du [-H | -L | -P] [-a | -d depth | -s] [-cghikmnrx] [file ...]\n"

// tree makes /t on tmpfs, where a page is the least that a file with something in it takes.
func tree(t *testing.T) *utiltest.Kernel {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t /other"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir -p /t/a/b"},
		{Cmd: "dd if=/dev/zero of=/t/a/one bs=4k count=1 msgfmt=quiet"},
		{Cmd: "dd if=/dev/zero of=/t/a/b/two bs=1m count=2 msgfmt=quiet"},
		{Cmd: "touch /t/none"},
		{Cmd: "ln /t/a/one /t/a/b/again"},
		{Cmd: "ln -s a /t/link"},
		{Cmd: "ln -s nowhere /t/dangling"},
	})
	return k
}

// blocks returns st_blocks of files, added up.
func blocks(t *testing.T, k *utiltest.Kernel, files ...string) (sum int64) {
	p := k.Process()
	for _, f := range files {
		var st abi.Stat
		if err := p.Sys().Lstat(f, &st); err != nil {
			t.Fatal(err)
		}
		sum += st.Blocks
	}
	return sum
}

// TestDu holds du against du(1) and the blocks that stat(2) tells.
func TestDu(t *testing.T) {
	k := tree(t)
	two := blocks(t, k, "/t/a/b/two")
	one := blocks(t, k, "/t/a/one")
	b := two + one + blocks(t, k, "/t/a/b") // it was made before /t/a/one, whose other name is in it
	if one != 8 || two != 4096 {
		t.Fatalf("a page has %d blocks, 2 MiB have %d", one, two)
	}
	a := b + blocks(t, k, "/t/a")
	links := blocks(t, k, "/t/link", "/t/dangling")
	all := a + links + blocks(t, k, "/t/none", "/t")
	line := func(n int64, name string) string { return fmt.Sprintf("%d\t%s\n", n, name) }
	unit := func(n, unit int64) int64 { return (n*512 + unit - 1) / unit }
	tree := line(b, "/t/a/b") + line(a, "/t/a") + line(all, "/t")
	k.Check([]utiltest.Step{
		{Cmd: "du /t", Out: tree},
		{Cmd: "du -r /t", Out: tree},
		{Cmd: "du -s /t", Out: line(all, "/t")},
		{Cmd: "du -sc /t/a/b /t/a/b/two", Out: line(b, "/t/a/b") + line(two, "/t/a/b/two") + line(b+two, "total")},
		{Cmd: "du -c /t/a/one /t/a/b/again", Out: line(one, "/t/a/one") + line(one, "total")},
		{Cmd: "du -d 1 /t", Out: line(a, "/t/a") + line(all, "/t")},
		{Cmd: "du -k /t/a/one", Out: line(4, "/t/a/one")},
		{Cmd: "du -m /t/a/one", Out: line(1, "/t/a/one")},
		{Cmd: "du -g /t/a/b/two", Out: line(1, "/t/a/b/two")},
		{Cmd: "du -sm /t", Out: line(unit(all, 1<<20), "/t")},
		{Cmd: "du -h /t/a/b/two /t/a/one /t/none", Out: "2.0M\t/t/a/b/two\n4.0K\t/t/a/one\n0B\t/t/none\n"},
		{Cmd: "du -hg /t/a/one", Out: "4.0K\t/t/a/one\n"},
		{Cmd: "du -i /t", Out: "3\t/t/a/b\n4\t/t/a\n8\t/t\n"},
		{Cmd: "du -ic /t/a", Out: "3\t/t/a/b\n4\t/t/a\n4\ttotal\n"},
		{Cmd: "du /nope /t/none", Out: "du: /nope: No such file or directory\n0\t/t/none\n", Status: 1},
		{Cmd: "du -as /t", Out: usage, Status: 1},
		{Cmd: "du -a -d 1 /t", Out: usage, Status: 1},
		{Cmd: "du -sd1 /t", Out: usage, Status: 1},
		{Cmd: "du -d x /t", Out: "du: invalid argument to option d: x\n" + usage, Status: 1},
		{Cmd: "du -z", Out: "du: unknown option -- z\n" + usage, Status: 1},
	})
	k.Vars["BLOCKSIZE"] = "1k"
	k.Check([]utiltest.Step{
		{Cmd: "du /t/a/b/two", Out: line(2048, "/t/a/b/two")},
		{Cmd: "du -m /t/a/b/two", Out: line(2, "/t/a/b/two")},
	})
}

// TestAll lists each file with -a, one with two names once.
func TestAll(t *testing.T) {
	k := tree(t)
	k.Check([]utiltest.Step{
		{Cmd: "rm /t/a/b/two"},
		{Cmd: "du -ai /t/a/b", Out: "1\t/t/a/b/again\n2\t/t/a/b\n"},
		{Cmd: "du -ai /t/a/one /t/a/b", Out: "1\t/t/a/one\n1\t/t/a/b\n"},
	})
}

// TestLinks holds -H, -L and -P, of which the last counts, against symlink(7), and a link that leads nowhere against
// fts(3).
func TestLinks(t *testing.T) {
	k := tree(t)
	k.Check([]utiltest.Step{
		{Cmd: "du -i /t/link", Out: "1\t/t/link\n"},
		{Cmd: "du -iH /t/link", Out: "3\t/t/link/b\n4\t/t/link\n"},
		{Cmd: "du -iLP /t/link", Out: "1\t/t/link\n"},
		{Cmd: "du -iHs /t", Out: "8\t/t\n"},
		{Cmd: "du -iLs /t/dangling", Out: "1\t/t/dangling\n"},
		{Cmd: "ln -s .. /t/a/b/up"},
		{Cmd: "du -iLs /t/a", Out: "4\t/t/a\n"},
	})
}

// TestMounts keeps to one file system with -x: the mount point is counted, what is in it is not.
func TestMounts(t *testing.T) {
	k := tree(t)
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /other/m"},
		{Cmd: "mount_tmpfs tmpfs /other/m"},
		{Cmd: "touch /other/m/x"},
		{Cmd: "du -i /other", Out: "2\t/other/m\n3\t/other\n"},
		{Cmd: "du -ix /other", Out: "1\t/other/m\n2\t/other\n"},
	})
}

// TestNoDump leaves out what has the flag, and what is in it.
func TestNoDump(t *testing.T) {
	k := tree(t)
	p := k.Process()
	for _, f := range []string{"/t/a/b", "/t/none"} {
		if err := p.Sys().Chflags(f, abi.UF_NODUMP); err != nil {
			t.Fatal(err)
		}
	}
	k.Check([]utiltest.Step{
		{Cmd: "du -in /t", Out: "2\t/t/a\n5\t/t\n"},
		{Cmd: "du -i /t/a", Out: "3\t/t/a/b\n4\t/t/a\n"},
	})
}
