package mount_null_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mount_null [-o options] target_fs mount_point\n"

// TestMountNull holds mount_null against mount_null(8), by itself and as mount(8)'s helper.
func TestMountNull(t *testing.T) {
	utiltest.New(t, "rumpfs_null").Check([]utiltest.Step{
		{Cmd: "mkdir /a /a/d /b"},
		{Cmd: "mount_null /a /b"},
		{Cmd: "ls /b", Out: "d\n"},
		{Cmd: "mkdir /b/e"},
		{Cmd: "ls /a", Out: "d\ne\n"},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\n/a on /b type null (local)\n"},
		{Cmd: "mount_null -o getargs /a /b"},
		{Cmd: "mount_null /a /b"},
		{Cmd: "umount /b"},
		{Cmd: "umount /b"},
		{Cmd: "mount -t null -o ro,noexec /a /b"},
		{Cmd: "mount -t null", Out: "/a on /b type null (noexec, read-only, local)\n"},
		{Cmd: "mkdir /b/f", Out: "mkdir: /b/f: Read-only file system\n", Status: 1},
		{Cmd: "mount_null -o update /a /b", Out: "mount_null: -o update: option not supported\n", Status: 1},
		{Cmd: "mount -u -o rw /b", Out: "mount_null: -o update: option not supported\n", Status: 1},
		{Cmd: "umount /b"},
		{Cmd: "mount_null a/../a b", Out: "mount_null: \"a/../a\" is a non-resolved or relative path.\n" +
			"mount_null: using \"/a\" instead.\nmount_null: \"b\" is a non-resolved or relative path.\nmount_null: using \"/b\" instead.\n"},
		{Cmd: "umount /b"},
		{Cmd: "mount_null /nope /b", Out: "mount_null: Warning: realpath /nope: No such file or directory\n" +
			"mount_null: /nope on /b: No such file or directory\n", Status: 1},
		{Cmd: "mount_null /dev/null /b", Out: "mount_null: /dev/null on /b: Invalid argument\n", Status: 1},
		{Cmd: "mount_null -o bogus /a /b", Out: "mount_null: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_null /a", Out: usage, Status: 1},
		{Cmd: "mount_null -b /a /b", Out: "mount_null: unknown option -- b\n" + usage, Status: 1},
	})
}

// TestMissing mounts what the kernel has not.
func TestMissing(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "mount_null /dev /tmp", Out: "mount_null: /dev on /tmp: Operation not supported by device\n", Status: 1},
	})
}
