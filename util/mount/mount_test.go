package mount_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const (
	root  = "rumpfs on / type rumpfs (local)\n"
	usage = "Usage: mount [-Aadfruvw] [-t type]\n" +
		"\tmount [-dfruvw] special | node\n" +
		"\tmount [-dfruvw] [-o options] [-t type] special node\n"
)

// TestMount holds mount against transcripts core-02 and fs-01, and mount(8).
func TestMount(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mount", Out: root},
		{Cmd: "mkdir /t /u"},
		{Cmd: "mount_tmpfs /swap /t"},
		{Cmd: "mount", Out: root + "tmpfs on /t type tmpfs (local)\n"},
		{Cmd: "mount -t rumpfs", Out: root},
		{Cmd: "mount -t norumpfs", Out: "tmpfs on /t type tmpfs (local)\n"},
		{Cmd: "mount -t tmpfs -o noatime,nosuid,noexec,-s=4m tmpfs /u"},
		{Cmd: "mount -t tmpfs", Out: "tmpfs on /t type tmpfs (local)\ntmpfs on /u type tmpfs (noatime, noexec, nosuid, local)\n"},
		{Cmd: "mount -u -o ro /u"},
		{Cmd: "mkdir /u/x", Out: "mkdir: /u/x: Read-only file system\n", Status: 1},
		{Cmd: "mount -uw /u"},
		{Cmd: "mkdir /u/x"},
		{Cmd: "mount -dv -t tmpfs -o nodev tmpfs /t", Out: "exec: mount_tmpfs -o nodev tmpfs /t\n"},
		{Cmd: "mount -d -t msdos /dev/x /t", Out: "exec: mount_msdos /dev/x /t\n"},
		{Cmd: "mount -d -r -f -t msdos /dev/x /t", Out: "exec: mount_msdos -o force -o ro /dev/x /t\n"},
		{Cmd: "mount -t nosuchfs x /t", Out: "mount: mount_nosuchfs not found for /t\n", Status: 1},
		{Cmd: "mount -t tmpfs tmpfs /nope", Out: "mount: realpath `/nope': No such file or directory\n", Status: 1},
		{Cmd: "mount /nope", Out: "mount: Cannot open `/etc/fstab': No such file or directory\n" +
			"mount: Unknown special file or file system `/nope'\n", Status: 1},
		{Cmd: "mount -u /nope", Out: "mount: Unknown special file or file system `/nope'\n", Status: 1},
		{Cmd: "mount -a", Out: "mount: Cannot open `/etc/fstab': No such file or directory\n"},
		{Cmd: "mount -t a -t b", Out: "mount: Only one -t option may be specified.\n", Status: 1},
		{Cmd: "mount a b c", Out: usage, Status: 1},
		{Cmd: "mount -t ffs a", Out: usage, Status: 1},
		{Cmd: "mount -x", Out: "mount: unknown option -- x\n" + usage, Status: 1},
		{Cmd: "mount NAME=disk /t", Out: "mount: no match for `disk': No such process\n", Status: 1},
		{Cmd: "mount /dev/nodisk /t", Out: "mount: cannot open `/dev/nodisk': No such file or directory\n", Status: 1},
		{Cmd: "mount -d host:/x /t", Out: "WARNING: autoselecting nfs based on : or @ in the device name is deprecated!\n" +
			"WARNING: This behaviour will be removed in a future release\nexec: mount_nfs host:/x /t\n"},
	})
}

// TestVerbose holds the form of -v and -vv against transcript fs-01 and mount(8).
func TestVerbose(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{{Cmd: "mkdir /t"}})
	got, status := k.Run("", "mount", "-v", "-t", "tmpfs", "-o", "-s=1m,-n=9,-m=700", "tmpfs", "/t")
	counts := `, fsid: 0x[0-9a-f]+/0x[0-9a-f]+, reads: sync \d+ async \d+, writes: sync \d+ async \d+`
	want := "^exec: mount_tmpfs -s 1m -n 9 -m 700 tmpfs /t\ntmpfs on /t type tmpfs \\(local" + counts + "\\)\n$"
	if !regexp.MustCompile(want).MatchString(got) || status != 0 {
		t.Errorf("%s[%d]", got, status)
	}
	got, _ = k.Run("", "mount", "-v")
	want = "^rumpfs on / type rumpfs \\(local, root file system" + counts + "\\)\ntmpfs on /t type tmpfs \\(local" + counts + "\\)\n$"
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("%s", got)
	}
	got, _ = k.Run("", "mount", "-vv", "-t", "tmpfs")
	if !strings.HasSuffix(got, ", [tmpfs: version=1, size_max=1048576, nodes_max=9, root_uid=0, root_gid=0, root_mode=700])\n") {
		t.Errorf("%s", got)
	}
	k.Check([]utiltest.Step{{Cmd: "mount -t tmpfs -o getargs tmpfs /t",
		Out: "version=1, size_max=1048576, nodes_max=9, root_uid=0, root_gid=0, root_mode=700\n"}})
}

// TestFstab mounts what /etc/fstab says.
func TestFstab(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /etc /a /b /c"},
		{Cmd: "dd of=/etc/fstab msgfmt=quiet", In: "swapa /a tmpfs rw,noatime,-s1m 0 0\nswapb /b tmpfs rw,noauto 0 0\n" +
			"dev none swap sw 0 0\nbad line\nfrom_mount /a tmpfs rw,noauto,nosuid\n"},
		{Cmd: "mount -a", Out: "mount: /etc/fstab, 4: Missing fields\n"},
		{Cmd: "mount -t tmpfs", Out: "tmpfs on /a type tmpfs (noatime, local)\n"},
		{Cmd: "mount -a", Out: "mount: /etc/fstab, 4: Missing fields\n"},
		{Cmd: "mount -t tmpfs", Out: "tmpfs on /a type tmpfs (noatime, local)\n"},
		{Cmd: "mount /b", Out: "mount: /etc/fstab, 4: Missing fields\n"},
		{Cmd: "mount -dv swapb", Out: "mount: /etc/fstab, 4: Missing fields\nexec: mount_tmpfs -o noauto swapb /b\n", Status: 0},
		{Cmd: "mount -t tmpfs", Out: "tmpfs on /a type tmpfs (noatime, local)\ntmpfs on /b type tmpfs (local)\n"},
		{Cmd: "mount none", Out: "mount: /etc/fstab, 4: Missing fields\nmount: Unknown file system type for `none'\n", Status: 1},
		{Cmd: "mount -d -A -t nomsdos", Out: "mount: /etc/fstab, 4: Missing fields\nexec: mount_tmpfs -o noatime -s1m swapa /a\n"},
	})
}
