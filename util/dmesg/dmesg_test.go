package dmesg_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestDmesg prints what the kernel says when it boots: a copyright, its version, and the file system that it began with.
func TestDmesg(t *testing.T) {
	k := utiltest.New(t)
	out, status := k.Run("", "dmesg")
	if status != 0 || !strings.Contains(out, "NetBSD") || !strings.HasSuffix(out, "\n") || strings.Contains(out, "\x00") {
		t.Errorf("%s[%d]", out, status)
	}
	k.Check([]utiltest.Step{
		{Cmd: "dmesg -M core", Out: "dmesg: unknown option -- M\nusage: dmesg\n", Status: 1},
		{Cmd: "dmesg x", Out: "usage: dmesg\n", Status: 1},
	})
}
