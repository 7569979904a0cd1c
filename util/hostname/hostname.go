// Package hostname is hostname(1): it prints or sets the name of the kernel's host.
package hostname

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is hostname.
var Utility = util.Utility{
	Name:     "hostname",
	Section:  1,
	Doc:      "set or print name of current host system",
	Usage:    []string{"[-s] [name-of-host]"},
	Options:  []util.Option{{Letter: 's', Doc: "Print the name up to the first dot."}},
	Operands: []util.Operand{{Name: "name-of-host", Doc: "The name to set, which only the super-user may."}},
	Main:     run,
}

func run(_ context.Context, env *util.Env) int {
	short := false
	g := env.Getopt()
	for g.Next() {
		if g.Letter != 's' {
			return env.UsageError()
		}
		short = true
	}
	args := g.Args()
	tree := env.Proc.Sysctl()
	switch len(args) {
	case 0:
		name, err := tree.String("kern.hostname")
		if err != nil {
			return env.Err(err, "gethostname")
		}
		if short {
			name, _, _ = strings.Cut(name, ".")
		}
		fmt.Fprintln(env.Stdout, name)
	case 1:
		if err := tree.SetString("kern.hostname", args[0]); err != nil {
			return env.Err(err, "sethostname")
		}
	default:
		return env.UsageError()
	}
	return util.ExitOK
}
