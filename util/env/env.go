// Package env is env(1): it prints the environment, or runs a utility in another one. A program of the host it runs only by a path and
// from the host's own shell: a bare name is a utility's or nobody's.
//
// Start reading at run.
package env

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is env.
var Utility = util.Utility{
	Name:     "env",
	Section:  1,
	Doc:      "set and print environment",
	Usage:    []string{"[-i] [name=value ...] [utility [argument ...]]"},
	NoKernel: true,
	Options:  []util.Option{{Letter: 'i', Doc: "Begin with an empty environment; \"-\" is the same."}},
	Operands: []util.Operand{
		{Name: "name=value", Doc: "Set a variable."},
		{Name: "utility", Doc: "What to run: a utility, or from the host's shell the path of a program. Without it the environment is printed."},
	},
	Main: run,
}

// variables is an environment, in order.
type variables []string

// set sets a variable, which is NAME=value.
func (v variables) set(pair string) variables {
	name, _, _ := strings.Cut(pair, "=")
	for i, old := range v {
		if strings.HasPrefix(old, name+"=") {
			v[i] = pair
			return v
		}
	}
	return append(v, pair)
}

// get returns the value of a variable, empty if it is not set.
func (v variables) get(name string) string {
	for _, pair := range v {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

func run(ctx context.Context, e *util.Env) int {
	clean := false
	g := e.Getopt()
	for g.Next() {
		if g.Letter != 'i' {
			return e.UsageError()
		}
		clean = true
	}
	args := g.Args()
	if len(args) > 0 && args[0] == "-" {
		clean, args = true, args[1:]
	}
	vars := variables{}
	if !clean {
		vars = append(vars, e.Variables()...)
	}
	for len(args) > 0 && strings.Contains(args[0], "=") {
		vars, args = vars.set(args[0]), args[1:]
	}
	if len(args) == 0 {
		for _, pair := range vars {
			fmt.Fprintln(e.Stdout, pair)
		}
		return util.ExitOK
	}
	if strings.Contains(args[0], "/") && e.Environ == nil && e.HostEnviron != nil {
		return runHost(ctx, e, vars, args)
	}
	if e.Lookup(args[0]) == nil {
		e.Warn(abi.ENOENT, "%s", args[0])
		return util.ExitNotFound
	}
	child := *e
	child.Environ, child.Getenv = vars, vars.get
	return child.Run(ctx, args[0], args[1:]...)
}

// exitNotExecutable is the status for a program that is there and cannot be executed.
const exitNotExecutable = 126

// runHost runs a program of the host and returns its exit status.
func runHost(ctx context.Context, e *util.Env, vars variables, args []string) int {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append([]string{}, vars...), e.Stdin, e.Stdout, e.Stderr
	if err := e.Flush(); err != nil {
		return util.ExitFailure
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case errors.Is(err, fs.ErrNotExist):
		e.Warn(abi.ENOENT, "%s", args[0])
		return util.ExitNotFound
	case err != nil:
		e.Warn(err, "%s", args[0])
		return exitNotExecutable
	}
	return util.ExitOK
}
