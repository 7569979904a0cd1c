// Package printf is printf(1): it prints arguments by a format. The shell's builtin is the same: see [Format].
//
// A format is taken apart in format.go; number.go reads the arguments that are numbers, and escape.go has what backslashes mean.
//
// Start reading at [Format].
package printf

import (
	"context"
	"io"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is printf.
var Utility = util.Utility{
	Name:     "printf",
	Section:  1,
	Doc:      "formatted output",
	Usage:    []string{"Usage: printf format [arg ...]"},
	NoKernel: true,
	Operands: []util.Operand{
		{Name: "format", Doc: "As in C: escapes, and %d, %i, %o, %u, %x, %X, %e, %E, %f, %F, %g, %G, %c, %s with flags, width and precision."},
		{Name: "%b", Doc: "The argument with its escapes expanded; \\c ends the output."},
		{Name: "%B", Doc: "The argument with escapes for what is not printable."},
		{Name: "arg", Doc: "Numbers are constants of C, or a quotation mark and a character. The format is used again until there are none left."},
	},
	Main: run,
}

func run(_ context.Context, env *util.Env) int {
	g := env.Getopt()
	for g.Next() {
		return env.UsageError()
	}
	args := g.Args()
	if len(args) == 0 {
		return env.UsageError()
	}
	out, errs := Format(args[0], args[1:])
	io.WriteString(env.Stdout, out)
	for _, err := range errs {
		env.Warnx("%v", err)
	}
	if len(errs) > 0 {
		return util.ExitFailure
	}
	return util.ExitOK
}
