package truth_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestTruth holds the exit statuses against true(1) and false(1), which take no notice of arguments.
func TestTruth(t *testing.T) {
	utiltest.New(t).Check([]utiltest.Step{
		{Cmd: "true"}, {Cmd: "true -x y"}, {Cmd: "false", Status: 1}, {Cmd: "false -x y", Status: 1},
	})
}
