package mount_umap_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mount_umap [-o options] -u usermap -g groupmap target_fs mount_point\n"

// TestMountUmap holds mount_umap against mount_umap(8), whose example maps user 1000 below to 2000, and its messages against those of
// the original.
func TestMountUmap(t *testing.T) {
	write := func(name, text string) utiltest.Step {
		return utiltest.Step{Cmd: "dd of=" + name + " msgfmt=quiet", In: text}
	}
	k := utiltest.New(t, "rumpfs_umap")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /a /b /a/d"},
		{Cmd: "chown 1000:100 /a/d"},
		write("/u", "1\n2000 1000\n"),
		write("/g", "2\n200 100\n0 0\n"),
		{Cmd: "chmod 644 /u /g"},
		{Cmd: "mount_umap -u /u -g /g /a /b"},
		{Cmd: "ls -ln /b", Out: "total 1\ndrwxr-xr-x  2 2000  200  512 <date> d\n"},
		{Cmd: "ls -lnd /b", Out: "drwxr-xr-x  3 32767  0  512 <date> /b\n"},
		{Cmd: "mkdir /b/e", Out: "mkdir: /b/e: Permission denied\n", Status: 1},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\n/a on /b type umap (local)\n"},
		{Cmd: "mount_umap -o getargs -u /u -g /g /a /b", Out: "nentries=1, gnentries=2\n"},
		{Cmd: "umount /b"},
		{Cmd: "mount -t umap -o -u=/u,-g=/g,ro /a /b"},
		{Cmd: "mount -t umap", Out: "/a on /b type umap (read-only, local)\n"},
		{Cmd: "umount /b"},
		{Cmd: "mount_umap -u /u /a /b", Out: usage, Status: 1},
		{Cmd: "mount_umap -u /u -g /g /a", Out: usage, Status: 1},
		{Cmd: "mount_umap -z", Out: "mount_umap: unknown option -- z\n" + usage, Status: 1},
		{Cmd: "mount_umap -o bogus -u /u -g /g /a /b", Out: "mount_umap: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_umap -u /nope -g /g /a /b", Out: "mount_umap: /nope: No such file or directory; not mounted.\n", Status: 1},
		{Cmd: "chmod 664 /u"},
		{Cmd: "mount_umap -u /u -g /g /a /b", Out: "mount_umap: /u: improper write permissions (-rw-rw-r-- ); not mounted.\n", Status: 1},
		{Cmd: "chmod 646 /u"},
		{Cmd: "mount_umap -u /u -g /g /a /b", Out: "mount_umap: /u: improper write permissions (-rw-r--rw- ); not mounted.\n", Status: 1},
		{Cmd: "chmod 644 /u"},
		{Cmd: "chown 5 /g"},
		{Cmd: "mount_umap -u /u -g /g /a /b", Out: "mount_umap: /g does not belong to root; not mounted.\n", Status: 1},
		{Cmd: "mount_umap -u /u -g / /a /b", Out: "mount_umap: /: Is a directory; not mounted.\n", Status: 1},
		{Cmd: "ls /b"},
	})
	var out strings.Builder
	if status := k.RunAs(context.Background(), 9, strings.NewReader(""), &out, &out, "mount_umap", "-u", "/u", "-g", "/u", "/a", "/b"); status != 1 ||
		out.String() != "mount_umap: /a on /b: Operation not permitted\n" {
		t.Errorf("as another user: %d, %s", status, out.String())
	}
}

// TestMapFile: the oracles are mount_umap(8) for the form, and the original's messages.
func TestMapFile(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("7 8\n", n) }
	for _, c := range []struct{ text, message string }{
		{"0\n", ""},
		{" 2 1 2\t3\n\n4 and more", ""},
		{"64\n" + lines(64), ""},
		{"65\n" + lines(65), "maximum number of entries is 64"},
		{"", "/m: nentries not found"},
		{"x", "/m: nentries not found"},
		{"-1\n1 2\n", "/m: nentries not found"},
		{"99999999999\n", "/m: nentries not found"},
		{"2\n1 2\n", "/m: unexpected end-of-file"},
		{"1\n1", "/m: unexpected end-of-file"},
		{"2\n1 2\nroot 0\n", "/m: illegal format (line 3)"},
		{"1\n1,2\n", "/m: illegal format (line 2)"},
		{"1\n1 -2\n", "/m: illegal format (line 2)"},
		{"1\n1 99999999999999999999\n", "/m: illegal format (line 2)"},
	} {
		k := utiltest.New(t, "rumpfs_umap")
		want, status := "", 0
		if c.message != "" {
			want, status = "mount_umap: "+c.message+"; not mounted.\n", 1
		}
		k.Check([]utiltest.Step{
			{Cmd: "dd of=/m msgfmt=quiet", In: c.text},
			{Cmd: "dd of=/g msgfmt=quiet", In: "16\n" + lines(16)},
			{Cmd: "chmod 600 /m /g"},
			{Cmd: "mount_umap -u /m -g /g /dev /tmp", Out: want, Status: status},
		})
	}
}

// TestGroups: there may be fewer groups than users.
func TestGroups(t *testing.T) {
	utiltest.New(t, "rumpfs_umap").Check([]utiltest.Step{
		{Cmd: "dd of=/u msgfmt=quiet", In: "0\n"},
		{Cmd: "dd of=/g msgfmt=quiet", In: "17\n" + strings.Repeat("1 2\n", 17)},
		{Cmd: "chmod 600 /u /g"},
		{Cmd: "mount_umap -u /u -g /g /dev /tmp", Out: "mount_umap: maximum number of entries is 16; not mounted.\n", Status: 1},
	})
}
