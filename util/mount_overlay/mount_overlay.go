// Package mount_overlay is mount_overlay(8): it puts a layer over a directory of the kernel, between it and those who use it.
//
// Start reading at run.
package mount_overlay //nolint:revive // the name of the utility

import (
	"context"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is mount_overlay.
var Utility = util.Utility{
	Name:    "mount_overlay",
	Section: 8,
	Doc:     "mount a layer over a directory",
	Usage:   []string{"usage: mount_overlay [-o options] /overlay mount_point"},
	Options: []util.Option{
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas."},
	},
	Operands: []util.Operand{
		{Name: "/overlay", Doc: "A path that is told as what is mounted."},
		{Name: "mount_point", Doc: "The directory to mount on, and to show."},
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
	l := mount.Layer{Type: "overlay", Flags: flags.Flags}
	l.LayerPaths(env, g.Args())
	return l.Mount(env, func(lend client.Lender) []byte {
		a := l.Args(lend)
		return a.Append(nil)
	})
}
