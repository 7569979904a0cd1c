package mount_ptyfs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: mount_ptyfs [-g <group|gid>] [-m <mode>] [-o options] ptyfs mountpoint\n"

// TestMountPtyfs holds mount_ptyfs against mount_ptyfs(8).
func TestMountPtyfs(t *testing.T) {
	utiltest.New(t, "rumpfs_ptyfs").Check([]utiltest.Step{
		{Cmd: "mkdir /pts /etc"},
		{Cmd: "mount_ptyfs ptyfs /pts"},
		{Cmd: "ls /pts"},
		{Cmd: "ls -ld /pts", Out: "dr-xr-xr-x  2 0  0  512 <date> /pts\n"},
		{Cmd: "mount_ptyfs -o getargs ptyfs /pts", Out: "version=2, gid=4, mode=0620\n"},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\nptyfs on /pts type ptyfs (local)\n"},
		{Cmd: "touch /pts/x", Out: "touch: /pts/x: Read-only file system\n", Status: 1},
		{Cmd: "mount -u -o ro /pts", Out: "mount_ptyfs: -o update: option not supported\n", Status: 1},
		{Cmd: "umount /pts"},
		{Cmd: "mount_ptyfs -g 7 -m 600 -o noexec ptyfs /pts"},
		{Cmd: "mount_ptyfs -o getargs ptyfs /pts", Out: "version=2, gid=7, mode=0600\n"},
		{Cmd: "umount /pts"},
		{Cmd: "dd of=/etc/group", In: "tty:*:9:\nstaff:*:10:\n", Out: "0+1 records in\n0+1 records out\n21 bytes transferred in <time>\n"},
		{Cmd: "mount -t ptyfs -o mode=0666 ptyfs /pts"},
		{Cmd: "mount_ptyfs -o getargs ptyfs /pts", Out: "version=2, gid=9, mode=0666\n"},
		{Cmd: "umount /pts"},
		{Cmd: "mount_ptyfs -o group=staff,ro ptyfs /pts"},
		{Cmd: "mount_ptyfs -o getargs ptyfs /pts", Out: "version=2, gid=10, mode=0620\n"},
		{Cmd: "umount /pts"},
		{Cmd: "mount_ptyfs -g nobody ptyfs /pts", Out: "mount_ptyfs: Cannot find group `nobody'\n", Status: 1},
		{Cmd: "mount_ptyfs -o group ptyfs /pts", Out: "mount_ptyfs: Missing group name\n", Status: 1},
		{Cmd: "mount_ptyfs -m 9 ptyfs /pts", Out: "mount_ptyfs: invalid file mode: 9\n", Status: 1},
		{Cmd: "mount_ptyfs -o mode=x ptyfs /pts", Out: "mount_ptyfs: invalid file mode: x\n", Status: 1},
		{Cmd: "mount_ptyfs -o bogus ptyfs /pts", Out: "mount_ptyfs: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_ptyfs ptyfs pts", Out: "mount_ptyfs: \"pts\" is a non-resolved or relative path.\nmount_ptyfs: using \"/pts\" instead.\n"},
		{Cmd: "umount /pts"},
		{Cmd: "mount_ptyfs ptyfs /nope", Out: "mount_ptyfs: Warning: realpath /nope: No such file or directory\n" +
			"mount_ptyfs: ptyfs on /nope: No such file or directory\n", Status: 1},
		{Cmd: "mount_ptyfs ptyfs", Out: usage, Status: 1},
		{Cmd: "mount_ptyfs -z ptyfs /pts", Out: "mount_ptyfs: unknown option -- z\n" + usage, Status: 1},
	})
}

// TestMissing mounts what the kernel has not.
func TestMissing(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "mount_ptyfs ptyfs /tmp", Out: "mount_ptyfs: ptyfs on /tmp: Operation not supported by device\n", Status: 1},
	})
}
