// Package halt is halt(8), reboot(8) and poweroff(8): the end of a rump kernel.
//
// A rump kernel has no machine: halted, powered down or rebooted, its program writes out its file
// systems, unmounts them and ends. RB_HALT is never asked for, since the C kernel takes it for "stay, and
// serve nobody".
package halt

import (
	"context"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// What the utilities are called.
const (
	nameHalt     = "halt"
	namePoweroff = "poweroff"
	nameReboot   = "reboot"
)

// Utility is halt(8).
var Utility = util.Utility{
	Name:    nameHalt,
	Section: 8,
	Doc:     "stop the kernel",
	Usage:   []string{"[-dlnpqvxz]"},
	Options: []util.Option{
		dump, log, nosync, {Letter: 'p', Doc: "Power down."}, quick, verbose, debug, silent,
	},
	Main: run,
}

// Poweroff is poweroff(8).
var Poweroff = util.Utility{
	Name:    namePoweroff,
	Section: 8,
	Doc:     "power the kernel down",
	Usage:   []string{"[-dlnqvxz]"},
	Options: []util.Option{dump, log, nosync, quick, verbose, debug, silent},
	Main:    run,
}

// Reboot is reboot(8).
var Reboot = util.Utility{
	Name:     nameReboot,
	Section:  8,
	Doc:      "restart the kernel: it stops, and whoever started it starts it again",
	Usage:    []string{"[-dlnqvxz] [arg ...]"},
	Options:  []util.Option{dump, log, nosync, quick, verbose, debug, silent},
	Operands: []util.Operand{{Name: "arg", Doc: "The boot string, for a kernel that has a use for one."}},
	Main:     run,
}

// The options that all three have.
var (
	dump    = util.Option{Letter: 'd', Doc: "Make a dump first, where the kernel can: the C kernel aborts."}
	log     = util.Option{Letter: 'l', Doc: "Do not log; nothing is logged without it either."}
	nosync  = util.Option{Letter: 'n', Doc: "Do not write out the file systems' caches."}
	quick   = util.Option{Letter: 'q', Doc: "Do not give anyone time: no sync ahead of the shutdown."}
	verbose = util.Option{Letter: 'v', Doc: "Have the kernel be verbose (AB_VERBOSE)."}
	debug   = util.Option{Letter: 'x', Doc: "Have the kernel print debugging messages (AB_DEBUG)."}
	silent  = util.Option{Letter: 'z', Doc: "Have the kernel be silent (AB_SILENT)."}
)

// howto has the flags of reboot(2) by the letters of the options.
var howto = [...]struct {
	letter byte
	flag   int
}{
	{'d', abi.RB_DUMP},
	{'n', abi.RB_NOSYNC},
	{'p', abi.RB_POWERDOWN &^ abi.RB_HALT},
	{'v', abi.AB_VERBOSE},
	{'x', abi.AB_DEBUG},
	{'z', abi.AB_SILENT},
}

func run(_ context.Context, env *util.Env) int {
	flags, hurry := 0, false
	if env.Name() == namePoweroff {
		flags |= abi.RB_POWERDOWN &^ abi.RB_HALT
	}
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return env.UsageError()
		}
		hurry = hurry || g.Letter == 'q'
		for _, h := range howto {
			if h.letter == g.Letter {
				flags |= h.flag
			}
		}
	}
	boot := strings.Join(g.Args(), " ")
	if boot != "" {
		if env.Name() != nameReboot {
			return env.UsageError()
		}
		flags |= abi.RB_STRING
	}
	return stop(env, flags, boot, hurry)
}

// stop stops the kernel and returns when it is gone.
func stop(env *util.Env, flags int, boot string, hurry bool) int {
	sys := env.Proc.Sys()
	if !hurry && flags&abi.RB_NOSYNC == 0 {
		sys.Sync() //nolint:errcheck // sync(2) has no errors; a kernel without file systems does not know it
	}
	err := sys.Reboot(flags, boot)
	if _, refused := err.(abi.Errno); refused {
		return env.Err(err, "reboot")
	}
	env.Proc.Wait()
	return util.ExitOK
}
