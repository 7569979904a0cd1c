package mount_tmpfs_test

import (
	"regexp"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mount_tmpfs [-g group] [-m mode] [-n nodes] [-o options] [-s size]\n" +
	"           [-u user] tmpfs mount_point\n"

// TestMountTmpfs holds mount_tmpfs against mount_tmpfs(8).
func TestMountTmpfs(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir -m 1770 /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "ls -ld /t", Out: "drwxrwx--T  2 0  0  0 <date> /t\n"},
		{Cmd: "umount /t"},
		{Cmd: "mount_tmpfs -u 5 -g 6 -m 0750 -s 1M -n 10 -o noatime tmpfs /t"},
		{Cmd: "ls -ld /t", Out: "drwxr-x---  2 5  6  0 <date> /t\n"},
		{Cmd: "mount_tmpfs -o getargs x /t", Out: "version=1, size_max=1048576, nodes_max=10, root_uid=5, root_gid=6, root_mode=750\n"},
		{Cmd: "mkdir /t/1 /t/2 /t/3 /t/4 /t/5 /t/6 /t/7 /t/8 /t/9 /t/10", Out: "mkdir: /t/10: No space left on device\n", Status: 1},
		{Cmd: "umount /t"},
		{Cmd: "mount_tmpfs tmpfs t/../t", Out: "mount_tmpfs: \"t/../t\" is a non-resolved or relative path.\n" +
			"mount_tmpfs: using \"/t\" instead.\n"},
		{Cmd: "umount /t"},
		{Cmd: "mount_tmpfs tmpfs /nope", Out: "mount_tmpfs: Warning: realpath /nope: No such file or directory\n" +
			"mount_tmpfs: cannot stat `/nope': No such file or directory\n", Status: 1},
		{Cmd: "mount_tmpfs -o bogus tmpfs /t", Out: "mount_tmpfs: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_tmpfs -s 1x tmpfs /t", Out: "mount_tmpfs: failed to parse size `1x': Invalid argument\n", Status: 1},
		{Cmd: "mount_tmpfs -n x tmpfs /t", Out: "mount_tmpfs: failed to parse nodes `x': Invalid argument\n", Status: 1},
		{Cmd: "mount_tmpfs -m 888 tmpfs /t", Out: "mount_tmpfs: invalid file mode: 888\n", Status: 1},
		{Cmd: "mount_tmpfs -u nobody tmpfs /t", Out: "mount_tmpfs: unknown user id: nobody\n", Status: 1},
		{Cmd: "mount_tmpfs -g nobody tmpfs /t", Out: "mount_tmpfs: unknown group id: nobody\n", Status: 1},
		{Cmd: "mount_tmpfs -s ram/0 tmpfs /t", Out: "mount_tmpfs: ram fraction must be a positive number: ram/0\n", Status: 1},
		{Cmd: "mount_tmpfs -s ram%100 tmpfs /t", Out: "mount_tmpfs: ram percentage must be a between 0 and 100 ram%100\n", Status: 1},
		{Cmd: "mount_tmpfs -s ram%x tmpfs /t", Out: "mount_tmpfs: syntax error in ram percentage: ram%x\n", Status: 1},
		{Cmd: "mount_tmpfs tmpfs", Out: usage, Status: 1},
		{Cmd: "mount_tmpfs -z tmpfs /t", Out: "mount_tmpfs: unknown option -- z\n" + usage, Status: 1},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\n"},
	})
	if got, status := k.Run("", "mount_tmpfs", "-s", "ram/4", "tmpfs", "/t"); status != 0 {
		t.Errorf("%s", got)
	}
	if got, _ := k.Run("", "mount_tmpfs", "-o", "getargs", "tmpfs", "/t"); !regexp.MustCompile(`size_max=[1-9]\d+,`).MatchString(got) {
		t.Errorf("%s", got)
	}
}

// TestMissing mounts what the kernel has not: transcript core-02.
func TestMissing(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "mount_tmpfs /swap /tmp", Out: "mount_tmpfs: tmpfs on /tmp: Operation not supported by device\n", Status: 1},
	})
}
