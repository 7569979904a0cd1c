package df_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: df [-aGgln] [-hkm|-ihkm|-Pk] [-t type] [file | file_system ...]\n"

// TestDf holds df on a tmpfs against transcript core-02 and df(1).
func TestDf(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t /hidden"},
		{Cmd: "mount_tmpfs -s 4m -n 100 tmpfs /t"},
		{Cmd: "mount_tmpfs -s 4m -o hidden tmpfs /hidden"},
		{Cmd: "dd if=/dev/zero of=/t/f bs=1m count=1 msgfmt=quiet"},
	})
	const header = "Filesystem   512-blocks       Used      Avail %Cap Mounted on\n"
	got, _ := k.Run("", "df", "/t")
	if want := header + "tmpfs              8192 "; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "% /t\n") {
		t.Errorf("%s", got)
	}
	got, _ = k.Run("", "df")
	if !strings.HasPrefix(got, header+"rumpfs ") || strings.Count(got, "\n") != 3 {
		t.Errorf("%s", got)
	}
	got, _ = k.Run("", "df", "-a")
	if strings.Count(got, "\n") != 4 {
		t.Errorf("-a: %s", got)
	}
	for _, c := range []struct{ args, want string }{
		{"-k /t", `^Filesystem    1K-blocks       Used      Avail %Cap Mounted on\ntmpfs              4096       10\d\d       30\d\d  2\d% /t\n$`},
		{"-m /t", `^Filesystem    1M-blocks       Used      Avail %Cap Mounted on\ntmpfs                 4          1          [23]  2\d% /t\n$`},
		{"-h /t", `^Filesystem         Size       Used      Avail %Cap Mounted on\ntmpfs              4\.0M       1\.0M       3\.0M  2\d% /t\n$`},
		{"-i /t", `^Filesystem   512-blocks       Used      Avail %Cap    iUsed   iAvail %iCap Mounted on\n` +
			`tmpfs              8192       2\d\d\d       6\d\d\d  2\d%        2       98    2% /t\n$`},
		{"-P /t", `^Filesystem 512-blocks Used Available Capacity Mounted on\ntmpfs 8192 2\d\d\d 6\d\d\d 2\d% /t\n$`},
		{"-Pk /t", `^Filesystem 1024-blocks Used Available Capacity Mounted on\ntmpfs 4096 1\d\d\d 3\d\d\d 2\d% /t\n$`},
		{"-g /t", `^Filesystem    1G-blocks       Used      Avail %Cap Mounted on\ntmpfs                 0          0          0  2\d% /t\n$`},
		{"-G /t", `^        /t \(tmpfs       \):    4096 block size         4096 frag size\n` +
			` +1024 total blocks +\d+ free blocks + \d+ available\n` +
			` +100 total files +98 free files +[0-9a-f]+ filesys id\n` +
			`     tmpfs fstype  +0x[0-9a-f]+ flag +255 filename length\n +0 owner +\d+ syncwrites +\d+ asyncwrites\n\n$`},
		{"-n -t tmpfs", `^Filesystem .*\ntmpfs +8192 .* /t\n$`},
		{"-t norumpfs,ffs", `^Filesystem .*\ntmpfs +8192 .* /t\n$`},
		{"-l", `^Filesystem .*\nrumpfs .*\ntmpfs .*\n$`},
		{"tmpfs", `^Filesystem .*\ntmpfs +8192 .* /t\n$`},
		{"/t/f", `^Filesystem .*\ntmpfs +8192 .* /t\n$`},
	} {
		got, status := k.Run("", append([]string{"df"}, strings.Fields(c.args)...)...)
		if !regexp.MustCompile(c.want).MatchString(got) || status != 0 {
			t.Errorf("df %s: %s[%d]\nwant %s", c.args, got, status, c.want)
		}
	}
	k.Check([]utiltest.Step{
		{Cmd: "df /nope", Out: "df: /nope: No such file or directory\n"},
		{Cmd: "df -t ffs /t", Out: "df: Warning: /t mounted as a tmpfs file system\n"},
		{Cmd: "df -t ffs"},
		{Cmd: "df -t a -t b", Out: "df: only one -t option may be specified.\n", Status: 1},
		{Cmd: "df -t ''", Out: "df: empty type list\n", Status: 1},
		{Cmd: "df -GP", Out: "df: only one of -G and -P or -i may be specified\n", Status: 1},
		{Cmd: "df -iP", Out: "df: only one of -P and -i may be specified\n", Status: 1},
		{Cmd: "df -Pm /t", Out: "df: non-standard block size incompatible with -P\n", Status: 1},
		{Cmd: "df -x", Out: "df: unknown option -- x\n" + usage, Status: 1},
	})
	k.Vars["BLOCKSIZE"] = "2K"
	if got, _ := k.Run("", "df", "/t"); !strings.HasPrefix(got, "Filesystem    2K-blocks       Used      Avail %Cap Mounted on\ntmpfs              2048 ") {
		t.Errorf("%s", got)
	}
	k.Vars["BLOCKSIZE"] = "x"
	if got, _ := k.Run("", "df", "/t"); !strings.HasPrefix(got, "df: x: unknown blocksize\n"+header) {
		t.Errorf("%s", got)
	}
}
