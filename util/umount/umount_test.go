package umount_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: umount [-fvFR] [-t fstypelist] special | node\n" +
	"\t umount -a[fvF] [-h host] [-t fstypelist]\n"

// TestUmount holds umount against transcripts core-07 and fs-01, and umount(8).
func TestUmount(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{
		{Cmd: "mkdir /t /u /v"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "umount /t"},
		{Cmd: "umount /t", Out: "umount: /t: not currently mounted\n", Status: 1},
		{Cmd: "umount /nope", Out: "umount: /nope: not currently mounted\n", Status: 1},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mount_tmpfs tmpfs /u"},
		{Cmd: "umount tmpfs"},
		{Cmd: "mount -t tmpfs", Out: "tmpfs on /t type tmpfs (local)\n"},
		{Cmd: "umount -F /t"},
		{Cmd: "umount -vF t/.", Out: "tmpfs: unmount from /t\nTrying unmount program umount_tmpfs\n"},
		{Cmd: "umount -t ffs /t", Status: 1},
		{Cmd: "umount -v /t", Out: "tmpfs: unmount from /t\nTrying unmount program umount_tmpfs\n(No separate unmount program.)\n"},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "umount -vR /t", Out: "/t: unmount from /t\n(No separate unmount program.)\n"},
		{Cmd: "umount -R /t", Out: "umount: /t: Invalid argument\n", Status: 1},
		{Cmd: "mount_tmpfs tmpfs /t"},
		{Cmd: "mkdir /t/in"},
		{Cmd: "mount_tmpfs tmpfs /t/in"},
		{Cmd: "umount /t", Out: "umount: /t: Device busy\n", Status: 1},
		{Cmd: "mount_tmpfs tmpfs /u"},
		{Cmd: "umount -a -t notmpfs"},
		{Cmd: "umount -h host"},
		{Cmd: "umount -a"},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\n"},
		{Cmd: "umount", Out: usage, Status: 1},
		{Cmd: "umount -a /t", Out: usage, Status: 1},
		{Cmd: "umount -aR", Out: usage, Status: 1},
		{Cmd: "umount -t a -t b /t", Out: "umount: only one -t option may be specified.\n", Status: 1},
		{Cmd: "umount -x", Out: "umount: unknown option -- x\n" + usage, Status: 1},
	})
}

// TestBusy unmounts what is in use, by force.
func TestBusy(t *testing.T) {
	k := utiltest.New(t, "rumpfs_tmpfs")
	k.Check([]utiltest.Step{{Cmd: "mkdir /t"}, {Cmd: "mount_tmpfs tmpfs /t"}})
	p := k.Process().Sys()
	if err := p.Chdir("/t"); err != nil {
		t.Fatal(err)
	}
	k.Check([]utiltest.Step{
		{Cmd: "umount /t", Out: "umount: /t: Device busy\n", Status: 1},
		{Cmd: "umount -f /t"},
		{Cmd: "mount", Out: "rumpfs on / type rumpfs (local)\n"},
	})
}
