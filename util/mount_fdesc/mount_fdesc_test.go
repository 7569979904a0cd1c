package mount_fdesc_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mount_fdesc [-o options] fdesc mount_point\n"

// TestMountFdesc holds mount_fdesc against mount_fdesc(8).
func TestMountFdesc(t *testing.T) {
	utiltest.New(t, "rumpfs_fdesc").Check([]utiltest.Step{
		{Cmd: "mkdir /f"},
		{Cmd: "mount_fdesc fdesc /f"},
		{Cmd: "ls -1 /f", Out: "fd\nstderr\nstdin\nstdout\n"},
		{Cmd: "readlink /f/stdout", Out: "fd/1\n"},
		{Cmd: "ls -ld /f /f/fd", Out: "dr-xr-xr-x  2 0  0  512 <date> /f\ndr-xr-xr-x  2 0  0  512 <date> /f/fd\n"},
		{Cmd: "ls -ld /f/fd/9", Out: "ls: /f/fd/9: Bad file descriptor\n", Status: 1},
		{Cmd: "rm /f/stdin", Out: "rm: /f/stdin: Operation not supported\n", Status: 1},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\nfdesc on /f type fdesc (local)\n"},
		{Cmd: "mount_fdesc -o getargs fdesc /f"},
		{Cmd: "umount /f"},
		{Cmd: "mount -t fdesc -o ro fdesc /f"},
		{Cmd: "umount /f"},
		{Cmd: "mount_fdesc -o union fdesc /dev"},
		{Cmd: "ls -d /dev/null /dev/stdin /dev/fd", Out: "/dev/fd\n/dev/null\n/dev/stdin\n"},
		{Cmd: "ls -1 /dev", Out: "fd\nnull\nstderr\nstdin\nstdout\nzero\n"},
		{Cmd: "cp /dev/null /dev/fd/1"},
		{Cmd: "umount /dev"},
		{Cmd: "mount_fdesc fdesc f", Out: "mount_fdesc: \"f\" is a non-resolved or relative path.\nmount_fdesc: using \"/f\" instead.\n"},
		{Cmd: "umount /f"},
		{Cmd: "mount_fdesc -o bogus fdesc /f", Out: "mount_fdesc: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_fdesc fdesc", Out: usage, Status: 1},
		{Cmd: "mount_fdesc -x fdesc /f", Out: "mount_fdesc: unknown option -- x\n" + usage, Status: 1},
	})
}

// TestMissing mounts what the kernel has not.
func TestMissing(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "mount_fdesc fdesc /tmp", Out: "mount_fdesc: fdesc on /tmp: Operation not supported by device\n", Status: 1},
	})
}
