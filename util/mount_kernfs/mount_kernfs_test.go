package mount_kernfs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mount_kernfs [-o options] kernfs mount_point\n"

// TestMountKernfs holds mount_kernfs against mount_kernfs(8).
func TestMountKernfs(t *testing.T) {
	utiltest.New(t, "rumpfs_kernfs").Check([]utiltest.Step{
		{Cmd: "mkdir /kern"},
		{Cmd: "mount_kernfs /kern /kern"},
		{Cmd: "ls -1 /kern", Out: "boottime\ncopyright\nhostname\nhz\nmsgbuf\npagesize\nphysmem\ntime\nversion\n"},
		{Cmd: "cat /kern/hz /kern/pagesize", Out: "100\n4096\n"},
		{Cmd: "dd of=/kern/hostname", In: "knight\n", Out: "0+1 records in\n0+1 records out\n7 bytes transferred in <time>\n"},
		{Cmd: "hostname", Out: "knight\n"},
		{Cmd: "ls -l /kern/hz /kern/hostname", Out: "-rw-r--r--  1 0  0  7 <date> /kern/hostname\n-r--r--r--  1 0  0  4 <date> /kern/hz\n"},
		{Cmd: "rm /kern/hz", Out: "rm: /kern/hz: Read-only file system\n", Status: 1},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\nkernfs on /kern type kernfs (local)\n"},
		{Cmd: "df /kern", Out: "Filesystem   512-blocks       Used      Avail %Cap Mounted on\n" +
			"kernfs                2          2          0 100% /kern\n"},
		{Cmd: "mount_kernfs -o getargs kernfs /kern"},
		{Cmd: "umount /kern"},
		{Cmd: "mount -t kernfs -o ro kernfs /kern"},
		{Cmd: "cp /dev/null /kern/hostname", Out: "cp: /kern/hostname: Read-only file system\n", Status: 1},
		{Cmd: "umount /kern"},
		{Cmd: "mount_kernfs kernfs kern", Out: "mount_kernfs: \"kern\" is a non-resolved or relative path.\n" +
			"mount_kernfs: using \"/kern\" instead.\n"},
		{Cmd: "umount /kern"},
		{Cmd: "mount_kernfs -o bogus kernfs /kern", Out: "mount_kernfs: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_kernfs kernfs /dev/null", Out: "mount_kernfs: kernfs on /dev/null: Not a directory\n", Status: 1},
		{Cmd: "mount_kernfs kernfs", Out: usage, Status: 1},
		{Cmd: "mount_kernfs -F 1 kernfs /kern", Out: "mount_kernfs: unknown option -- F\n" + usage, Status: 1},
	})
}

// TestMissing mounts what the kernel has not.
func TestMissing(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "mount_kernfs kernfs /tmp", Out: "mount_kernfs: kernfs on /tmp: Operation not supported by device\n", Status: 1},
	})
}
