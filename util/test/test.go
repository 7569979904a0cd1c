// Package test is test(1), which is also called [: it tells by its exit status whether something is true of files of the kernel,
// texts or numbers. The shell's builtins are the same: see [Eval].
//
// Start reading at [Eval].
package test

import (
	"context"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is test.
var Utility = util.Utility{
	Name:    "test",
	Section: 1,
	Doc:     "condition evaluation utility",
	Usage:   []string{"[expression]"},
	Operands: []util.Operand{
		{Name: "-b file", Doc: "It is a block device."},
		{Name: "-c file", Doc: "It is a character device."},
		{Name: "-d file", Doc: "It is a directory."},
		{Name: "-e file", Doc: "It exists."},
		{Name: "-f file", Doc: "It is a regular file."},
		{Name: "-G file", Doc: "Its group is the effective one."},
		{Name: "-g file", Doc: "It is set-group-ID."},
		{Name: "-h file, -L file", Doc: "It is a symbolic link; all others follow them."},
		{Name: "-k file", Doc: "It is sticky."},
		{Name: "-O file", Doc: "Its owner is the effective user."},
		{Name: "-p file", Doc: "It is a fifo."},
		{Name: "-r file", Doc: "Its permissions let it be read."},
		{Name: "-S file", Doc: "It is a socket."},
		{Name: "-s file", Doc: "It is not empty."},
		{Name: "-t fd", Doc: "The standard stream of that number is a terminal."},
		{Name: "-u file", Doc: "It is set-user-ID."},
		{Name: "-w file", Doc: "Its permissions let it be written."},
		{Name: "-x file", Doc: "Its permissions let it be executed or searched."},
		{Name: "file -nt file", Doc: "The first is newer; -ot is older, -ef is the same file."},
		{Name: "-n string, string", Doc: "The text is not empty; -z is empty."},
		{Name: "string = string", Doc: "The texts are equal; there are !=, < and > too."},
		{Name: "n -eq n", Doc: "The numbers are equal; there are -ne, -lt, -le, -gt and -ge too."},
		{Name: "! expression", Doc: "The expression is false."},
		{Name: "expression -a expression", Doc: "Both are true; -o is one of them."},
		{Name: "( expression )", Doc: "The expression is true."},
	},
	Main: run,
}

// Bracket is [, which is test with "]" as its last argument.
var Bracket = util.Utility{
	Name:     "[",
	Section:  1,
	Doc:      "condition evaluation utility",
	Usage:    []string{"[expression] ]"},
	Operands: []util.Operand{{Name: "expression", Doc: "As that of test."}},
	Main:     run,
}

// exitError is the exit status of an expression that is none.
const exitError = 2

func run(_ context.Context, env *util.Env) int {
	streams := [...]any{env.Stdin, env.Stdout, env.Stderr}
	terminal := func(fd int) bool { return fd >= 0 && fd < len(streams) && util.IsTerminal(streams[fd]) }
	value, err := Eval(env.Proc.Sys(), terminal, env.Name(), env.Args[1:])
	switch {
	case err != nil:
		env.Warnx("%v", err)
		return exitError
	case value:
		return util.ExitOK
	}
	return util.ExitFailure
}

// Eval tells whether an expression is true: XCU test, with the rules of POSIX by the number of arguments. name is how it was
// called: "[" wants "]" at the end. Files are those of the process behind sys; terminal tells whether a descriptor is one.
func Eval(sys *client.Sys, terminal func(fd int) bool, name string, args []string) (bool, error) {
	if name == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			return false, errBracket
		}
		args = args[:len(args)-1]
	}
	c := condition{sys: sys, terminal: terminal, args: args}
	return c.all()
}
