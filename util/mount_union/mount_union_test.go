package mount_union_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "usage: mount_union [-br] [-o options] target_fs mount_point\n"

// TestMountUnion holds mount_union against mount_union(8), by itself and as mount(8)'s helper, and the utilities that go with it: ls -W,
// rm -W.
func TestMountUnion(t *testing.T) {
	utiltest.New(t, "rumpfs_union").Check([]utiltest.Step{
		{Cmd: "mkdir /low /high /low/d"},
		{Cmd: "dd of=/low/f msgfmt=quiet", In: "below\n"},
		{Cmd: "dd of=/high/g msgfmt=quiet", In: "above\n"},
		{Cmd: "mount_union /high /low"},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\n<above>:/high on /low type union (local)\n"},
		{Cmd: "ls /low", Out: "d\nf\ng\n"},
		{Cmd: "cat /low/f /low/g", Out: "below\nabove\n"},
		{Cmd: "dd of=/low/f msgfmt=quiet", In: "changed\n"},
		{Cmd: "cat /low/f /high/f", Out: "changed\nchanged\n"},
		{Cmd: "rm /low/f /low/g"},
		{Cmd: "ls /low", Out: "d\n"},
		{Cmd: "ls -W /low", Out: "d\nf\n"},
		{Cmd: "rm -W /low/f"},
		{Cmd: "cat /low/f", Out: "below\n"},
		{Cmd: "mv /low/d /low/e"},
		{Cmd: "rm -r /low/e"},
		{Cmd: "ls /low", Out: "f\n"},
		{Cmd: "mount_union -o getargs /high /low", Out: "flags=0x1<above>\n"},
		{Cmd: "umount /low"},
		{Cmd: "ls /low", Out: "d\nf\n"},
		{Cmd: "mkdir /x"},
		{Cmd: "mount -t union -o -b /low /x"},
		{Cmd: "mount -t union", Out: "<below>:/low on /x type union (local)\n"},
		{Cmd: "mkdir /x/new"},
		{Cmd: "ls /x", Out: "d\nf\nnew\n"},
		{Cmd: "mount_union -o getargs /high /x", Out: "flags=0x2<below>\n"},
		{Cmd: "umount /x"},
		{Cmd: "ls /x", Out: "new\n"},
		{Cmd: "mount_union -r -o ro /low /x"},
		{Cmd: "mount -t union", Out: "/low on /x type union (read-only, local)\n"},
		{Cmd: "ls /x", Out: "d\nf\n"},
		{Cmd: "mount_union -o getargs /high /x", Out: "flags=0x3<above,below>\n"},
		{Cmd: "umount /x"},
		{Cmd: "mount_union /low /low/d", Out: "mount_union: /low (/low) and /low/d are not distinct paths\n", Status: 1},
		{Cmd: "mount_union /low/d /low", Out: "mount_union: /low/d (/low/d) and /low are not distinct paths\n", Status: 1},
		{Cmd: "mount_union /low /", Out: "mount_union: /low (/low) and / are not distinct paths\n", Status: 1},
		{Cmd: "mount_union /nope /x", Out: "mount_union: Warning: realpath /nope: No such file or directory\n" +
			"mount_union: /nope on /x: No such file or directory\n", Status: 1},
		{Cmd: "mount_union -o bogus /low /x", Out: "mount_union: -o bogus: option not supported\n", Status: 1},
		{Cmd: "mount_union /low", Out: usage, Status: 1},
		{Cmd: "mount_union -x /low /x", Out: "mount_union: unknown option -- x\n" + usage, Status: 1},
	})
}

// TestUnionOption holds the union option of mount(8), which is another thing: new files are the mount's, old ones are seen.
func TestUnionOption(t *testing.T) {
	utiltest.New(t, "rumpfs_tmpfs").Check([]utiltest.Step{
		{Cmd: "mkdir /t /t/old"},
		{Cmd: "mount -t tmpfs -o union tmpfs /t"},
		{Cmd: "mount -t tmpfs", Out: "tmpfs on /t type tmpfs (union, local)\n"},
		{Cmd: "mkdir /t/new"},
		{Cmd: "ls /t", Out: "new\nold\n"},
		{Cmd: "umount /t"},
		{Cmd: "ls /t", Out: "old\n"},
	})
}
