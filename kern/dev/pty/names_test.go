package pty_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/kern/dev/pty"
)

// TestNames: pty(4)'s names reach from ttyp0 to ttyTZ.
func TestNames(t *testing.T) {
	for index, want := range map[int]string{0: "ttyp0", 15: "ttypf", 16: "ttyq0", 255: "ttyTf", 256: "ttypg", 300: "ttypY", 301: "ttypZ",
		302: "ttyqg", 991: "ttyTZ"} {
		if got := pty.DevName(index, pty.Slave); got != want {
			t.Errorf("%d: %s, want %s", index, got, want)
		}
	}
	if got := pty.DevName(17, pty.Master); got != "ptyq1" {
		t.Errorf("master: %s", got)
	}
}
