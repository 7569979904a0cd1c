package rmdir_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestRmdir holds rmdir against transcript core-07 and rmdir(1).
func TestRmdir(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir -p /t/a/b/c /t/a/m /t/x/y"},
		{Cmd: "rmdir /t/a", Out: "rmdir: /t/a: Directory not empty\n", Status: 1},
		{Cmd: "rmdir -p /t/a/b/c", Out: "rmdir: /t/a: Directory not empty\n", Status: 1},
		{Cmd: "ls /t/a", Out: "m\n"},
		{Cmd: "rmdir /t/nope /t/a/m", Out: "rmdir: /t/nope: No such file or directory\n", Status: 1},
		{Cmd: "ls /t/a", Out: ""},
		{Cmd: "rmdir -p /t/x//y/", Out: "rmdir: /t: Device busy\n", Status: 1},
		{Cmd: "ls /t", Out: "a\n"},
		{Cmd: "dd of=/t/f msgfmt=quiet", In: "x"},
		{Cmd: "rmdir /t/f", Out: "rmdir: /t/f: Not a directory\n", Status: 1},
		{Cmd: "rmdir", Out: "usage: rmdir [-p] directory ...\n", Status: 1},
		{Cmd: "umount /t"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir /t/a"},
		{Cmd: "mount -u -r /t"},
		{Cmd: "rmdir /t/a", Out: "rmdir: /t/a: Read-only file system\n", Status: 1},
	})
}
