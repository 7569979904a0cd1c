// Package sysctl is sysctl(8): it prints and sets nodes of the kernel's sysctl tree, makes and removes
// them. Start reading at tool.go; special.go has the nodes that are not printed by their type alone.
package sysctl

import (
	"context"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is sysctl(8).
var Utility = util.Utility{
	Name:    "sysctl",
	Section: 8,
	Doc:     "get or set kernel state",
	Usage: []string{
		"usage:\tsysctl [-dneq] [-x[x]|-r] variable ...",
		"\tsysctl [-ne] [-q] -w variable=value ...",
		"\tsysctl [-dne] -a",
		"\tsysctl [-dne] -A",
		"\tsysctl [-ne] -M",
		"\tsysctl [-dne] [-q] -f file",
	},
	Options: []util.Option{
		{Letter: 'A', Doc: "List all names, tables too; errors go to standard output."},
		{Letter: 'a', Doc: "List all numbers and strings."},
		{Letter: 'b', Doc: "The same as -r."},
		{Letter: 'd', Doc: "Print descriptions in place of values."},
		{Letter: 'e', Doc: "Put \"=\" without blanks between name and value."},
		{Letter: 'f', Arg: "file", Doc: "Take variables and settings from a file of the kernel; implies -w."},
		{Letter: 'M', Doc: "Print the nodes themselves: numbers, types, sizes and flags."},
		{Letter: 'n', Doc: "Print values without names."},
		{Letter: 'q', Doc: "Print nothing but errors; for a name that does not exist only the status tells."},
		{Letter: 'r', Doc: "Print values as the kernel has them, in bytes."},
		{Letter: 'w', Doc: "Set variables, make and remove nodes."},
		{Letter: 'x', Doc: "Print values in hexadecimal; twice, as a dump."},
	},
	Operands: []util.Operand{
		{Name: "name", Doc: "A variable, or a node above some: names separated by \".\" or \"/\"."},
		{Name: "name=value", Doc: "Set a variable; with \"?=\" it need not exist."},
		{Name: "//create=name[,key=value]...", Doc: "Make a node: type, size, n, flags, addr, symbol and, last, value."},
		{Name: "//destroy=name", Doc: "Remove a node."},
		{Name: "//describe=name[=text]", Doc: "Print, or give, a node's description."},
	},
	Main: run,
}

func run(_ context.Context, env *util.Env) int {
	t := &tool{env: env, tree: env.Proc.Sysctl(), eq: " = ", warn: env.Stderr}
	g := env.Getopt()
	for g.Next() {
		if !t.option(g.Letter, g.Arg) {
			return env.UsageError()
		}
	}
	args := g.Args()
	if t.hex > 0 && t.raw || (t.list || t.all) && t.quiet {
		return env.UsageError()
	}
	if (t.all || t.mib || t.describe) && len(args) == 0 && t.file == "" {
		t.list = true
	}
	if t.all {
		t.warn = env.Stdout
	}
	switch {
	case t.list:
		t.printAll()
		return util.ExitOK
	case t.file != "":
		return t.readFile()
	case len(args) == 0:
		return env.UsageError()
	}
	for _, arg := range args {
		if t.request(arg) != nil {
			return util.ExitFailure
		}
	}
	return t.status()
}

// option takes note of an option.
func (t *tool) option(letter byte, arg string) bool {
	switch letter {
	case 'A':
		t.all = true
	case 'a':
		t.list = true
	case 'd':
		t.describe = true
	case 'e':
		t.eq = "="
	case 'f':
		t.file, t.write = arg, true
	case 'M':
		t.mib = true
	case 'n':
		t.bare++
	case 'q':
		t.quiet = true
	case 'b', 'r':
		t.raw = true
	case 'w':
		t.write = true
	case 'x':
		t.hex++
	default:
		return false
	}
	return true
}
