// Package mkfifo is mkfifo(1): it makes fifos in the kernel's file systems.
package mkfifo

import (
	"context"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is mkfifo.
var Utility = util.Utility{
	Name:     "mkfifo",
	Section:  1,
	Doc:      "make fifos",
	Usage:    []string{"[-m mode] fifoname ..."},
	Options:  []util.Option{{Letter: 'm', Arg: "mode", Doc: "Give the fifo these permissions, whatever the umask: octal or, from a=rw on, symbolic."}},
	Operands: []util.Operand{{Name: "fifoname", Doc: "The fifo to make."}},
	Main:     run,
}

// defaultMode are the permissions before the umask.
const (
	defaultMode = 0o666
	allBits     = 0o7777
)

func run(_ context.Context, env *util.Env) int {
	sys := env.Proc.Sys()
	mode, exact := uint32(defaultMode), false
	g := env.Getopt()
	for g.Next() {
		if g.Letter != 'm' {
			return env.UsageError()
		}
		m, ok := util.SetMode(g.Arg, 0)
		if !ok {
			return env.Errx("invalid file mode.")
		}
		mode, exact = m.Apply(defaultMode)&allBits, true
	}
	names := g.Args()
	if len(names) == 0 {
		return env.UsageError()
	}
	if exact {
		mask, err := sys.Umask(0)
		if err != nil {
			return env.Err(err, "umask")
		}
		defer sys.Umask(mask)
	}
	status := util.ExitOK
	for _, name := range names {
		if err := sys.Mkfifo(name, mode); err != nil {
			status = env.Err(err, "%s", name)
		}
	}
	return status
}
