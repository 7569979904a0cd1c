// Package echo is echo(1): it prints its arguments. The shell's builtin is the same but for -e: see [Text].
//
// Start reading at [Text].
package echo

import (
	"context"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/printf"
)

// Utility is echo.
var Utility = util.Utility{
	Name:     "echo",
	Section:  1,
	Doc:      "write arguments to the standard output",
	Usage:    []string{"[-n] [string ...]"},
	NoKernel: true,
	Options:  []util.Option{{Letter: 'n', Doc: "Print no newline. It is the first argument, alone, or a string."}},
	Operands: []util.Operand{{Name: "string", Doc: "What to print, with blanks between."}},
	Main:     run,
}

func run(_ context.Context, env *util.Env) int {
	args := env.Args[1:]
	newline := len(args) == 0 || args[0] != "-n"
	if !newline {
		args = args[1:]
	}
	io.WriteString(env.Stdout, Text(args, newline, false))
	return util.ExitOK
}

// Text is what echo prints. With escapes those of XCU echo are expanded, of which \c is the end of the text.
func Text(args []string, newline, escapes bool) string {
	text := strings.Join(args, " ")
	if escapes {
		var stop bool
		if text, stop = printf.Escapes(text); stop {
			return text
		}
	}
	if newline {
		text += "\n"
	}
	return text
}
