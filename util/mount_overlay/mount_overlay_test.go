package mount_overlay_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mount_overlay [-o options] /overlay mount_point\n"

// TestMountOverlay holds mount_overlay against mount_overlay(8), by itself and as mount(8)'s helper.
func TestMountOverlay(t *testing.T) {
	utiltest.New(t, "rumpfs_overlay").Check([]utiltest.Step{
		{Cmd: "mkdir /a /a/d"},
		{Cmd: "mount_overlay /a /a"},
		{Cmd: "mkdir /a/e"},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\n/a on /a type overlay (local)\n"},
		{Cmd: "mount_overlay -o getargs /a /a"},
		{Cmd: "umount /a"},
		{Cmd: "ls /a", Out: "d\ne\n"},
		{Cmd: "mount -t overlay -o ro /dev /a"},
		{Cmd: "ls /a", Out: "d\ne\n"},
		{Cmd: "rmdir /a/d", Out: "rmdir: /a/d: Read-only file system\n", Status: 1},
		{Cmd: "umount /a"},
		{Cmd: "mount_overlay -o bogus /a /a", Out: "mount_overlay: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_overlay /a", Out: usage, Status: 1},
		{Cmd: "mount_overlay -x /a /a", Out: "mount_overlay: unknown option -- x\n" + usage, Status: 1},
		{Cmd: "mount_overlay /a /nope", Out: "mount_overlay: Warning: realpath /nope: No such file or directory\n" +
			"mount_overlay: /a on /nope: No such file or directory\n", Status: 1},
	})
}
