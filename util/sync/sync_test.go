package sync_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestSync runs sync(8), which heeds no arguments.
func TestSync(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{{Cmd: "dd of=/f msgfmt=quiet", In: "x"}, {Cmd: "sync"}, {Cmd: "sync -x y"}, {Cmd: "cat /f", Out: "x"}})
}
