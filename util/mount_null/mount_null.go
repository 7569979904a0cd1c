// Package mount_null is mount_null(8): it shows a directory of the kernel in a second place.
//
// Start reading at run.
package mount_null //nolint:revive // the name of the utility

import (
	"context"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is mount_null.
var Utility = util.Utility{
	Name:    "mount_null",
	Section: 8,
	Doc:     "show a directory in a second place",
	Usage:   []string{"usage: mount_null [-o options] target_fs mount_point"},
	Options: []util.Option{
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas."},
	},
	Operands: []util.Operand{
		{Name: "target_fs", Doc: "The directory to show."},
		{Name: "mount_point", Doc: "The directory to mount on."},
	},
	Main: run,
}

func run(_ context.Context, env *util.Env) int {
	var flags util.MountFlags
	g := env.Getopt()
	for g.Next() {
		if g.Letter != 'o' {
			return env.UsageError()
		}
		if err := flags.Parse(g.Arg, mount.StandardOptions("getargs")); err != nil {
			return env.Errx("%s", err)
		}
	}
	if len(g.Args()) != 2 {
		return env.UsageError()
	}
	l := mount.Layer{Type: "null", Flags: flags.Flags}
	l.LayerPaths(env, g.Args())
	return l.Mount(env, func(lend client.Lender) []byte {
		a := abi.NullArgs{La: l.Args(lend)}
		return a.Append(nil)
	})
}
