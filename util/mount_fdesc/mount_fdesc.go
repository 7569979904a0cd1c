// Package mount_fdesc is mount_fdesc(8): it mounts the file system of the calling process's descriptors.
package mount_fdesc //nolint:revive // the name of the utility

import (
	"context"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is mount_fdesc.
var Utility = util.Utility{
	Name:    "mount_fdesc",
	Section: 8,
	Doc:     "mount the file system of descriptors",
	Usage:   []string{"usage: mount_fdesc [-o options] fdesc mount_point"},
	Options: []util.Option{
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas."},
	},
	Operands: []util.Operand{
		{Name: "fdesc", Doc: "Anything."},
		{Name: "mount_point", Doc: "The directory to mount on, /dev as a rule, with -o union."},
	},
	Main: func(_ context.Context, env *util.Env) int { return mount.Plain(env, "fdesc") },
}
