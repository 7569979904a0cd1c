// Package sleep is sleep(1): it waits.
//
// Start reading at run.
package sleep

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is sleep.
var Utility = util.Utility{
	Name:     "sleep",
	Section:  1,
	Doc:      "suspend execution for an interval of time",
	Usage:    []string{"seconds"},
	NoKernel: true,
	Operands: []util.Operand{{Name: "seconds", Doc: "How long, by the host's clock; there may be a fraction."}},
	Main:     run,
}

func run(ctx context.Context, env *util.Env) int {
	g := env.Getopt()
	for g.Next() {
		return env.UsageError()
	}
	args := g.Args()
	if len(args) != 1 {
		return env.UsageError()
	}
	d, ok := duration(args[0])
	if !ok {
		return env.UsageError()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return util.ExitOK
	case <-ctx.Done():
		return util.ExitFailure
	}
}

// duration reads seconds. What is no whole number must be more than nothing; one that is too large is as long as can be.
func duration(arg string) (time.Duration, bool) {
	seconds, err := strconv.ParseFloat(arg, 64)
	whole := arg != "" && strings.Trim(arg, "0123456789") == ""
	switch {
	case math.IsNaN(seconds) || err != nil && !math.IsInf(seconds, 1):
		return 0, false
	case seconds <= 0:
		return 0, whole
	case seconds >= math.MaxInt64/float64(time.Second):
		return math.MaxInt64, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}
