package main

import (
	"fmt"
	"io"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// commands is what rumpctrl does besides running utilities.
var commands = [...]struct {
	name string
	run  func(env *util.Env, args []string) int
}{
	{"help", help},
	{"install", install},
	{"list", list},
}

const usage = `usage: rumpctrl utility [argument ...]
       rumpctrl help [utility]     describe a utility
       rumpctrl install directory  make directory/bin with a link for each utility, and directory/rumpctrl.sh
       rumpctrl list               list the utilities
`

// usageError says how a command is used.
func usageError(env *util.Env) int {
	fmt.Fprint(env.Stderr, usage)
	return util.ExitFailure
}

// overview prints how rumpctrl is used and the utilities.
func overview(env *util.Env) int {
	fmt.Fprint(env.Stdout, usage)
	fmt.Fprint(env.Stdout, "\nRUMP_SERVER says which kernel: unix://socket, tcp://host:port or tls://host:port.\n\nutilities:\n")
	columns(env.Stdout, names(), width(env))
	return util.ExitOK
}

// list prints the names of the utilities.
func list(env *util.Env, args []string) int {
	if len(args) != 0 {
		return usageError(env)
	}
	columns(env.Stdout, names(), width(env))
	return util.ExitOK
}

// help describes a utility.
func help(env *util.Env, args []string) int {
	switch len(args) {
	case 0:
		return overview(env)
	case 1:
		u := all.Lookup(args[0])
		if u == nil {
			fmt.Fprintf(env.Stderr, "%s: %s: no such utility; %s lists them\n", self, args[0], self)
			return util.ExitFailure
		}
		fmt.Fprint(env.Stdout, u.Help())
		return util.ExitOK
	}
	return usageError(env)
}

// names returns the names of all utilities in alphabetical order.
func names() []string {
	var list []string
	for _, u := range all.Utilities() {
		list = append(list, u.Names()...)
	}
	return list
}

// width returns how many columns a listing may have.
func width(env *util.Env) int {
	if columns, _, ok := util.TerminalSize(env.Stdout); ok {
		return columns
	}
	return 80
}

// columns prints names in columns that read from top to bottom.
func columns(w io.Writer, names []string, width int) {
	cell := 0
	for _, n := range names {
		cell = max(cell, len(n)+2)
	}
	across := max(1, (width+2)/max(cell, 1))
	rows := (len(names) + across - 1) / across
	for row := range rows {
		for i := row; i < len(names); i += rows {
			if i+rows < len(names) {
				fmt.Fprintf(w, "%-*s", cell, names[i])
			} else {
				fmt.Fprintln(w, names[i])
			}
		}
	}
}
