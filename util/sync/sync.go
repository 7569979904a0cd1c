// Package sync is sync(8): it has the kernel write out the caches of its file systems.
package sync

import (
	"context"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is sync.
var Utility = util.Utility{
	Name:    "sync",
	Section: 8,
	Doc:     "force completion of pending disk writes",
	Usage:   []string{""},
	Main:    run,
}

// run heeds no operands.
func run(_ context.Context, env *util.Env) int {
	if err := env.Proc.Sys().Sync(); err != nil {
		return env.Err(err, "sync")
	}
	return util.ExitOK
}
