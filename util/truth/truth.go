// Package truth is true(1) and false(1): they do nothing but return an exit status.
package truth

import (
	"context"

	"github.com/rumpctrl/rumpctrl/util"
)

// True is true.
var True = util.Utility{
	Name:     "true",
	Section:  1,
	Doc:      "return true value",
	Usage:    []string{""},
	NoKernel: true,
	Main:     func(context.Context, *util.Env) int { return util.ExitOK },
}

// False is false.
var False = util.Utility{
	Name:     "false",
	Section:  1,
	Doc:      "return false value",
	Usage:    []string{""},
	NoKernel: true,
	Main:     func(context.Context, *util.Env) int { return util.ExitFailure },
}
