// Package mount_kernfs is mount_kernfs(8): it mounts the file system of the kernel's parameters.
package mount_kernfs //nolint:revive // the name of the utility

import (
	"context"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is mount_kernfs.
var Utility = util.Utility{
	Name:    "mount_kernfs",
	Section: 8,
	Doc:     "mount the file system of the kernel's parameters",
	Usage:   []string{"usage: mount_kernfs [-o options] kernfs mount_point"},
	Options: []util.Option{
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas."},
	},
	Operands: []util.Operand{
		{Name: "kernfs", Doc: "Anything."},
		{Name: "mount_point", Doc: "The directory to mount on, /kern as a rule."},
	},
	Main: func(_ context.Context, env *util.Env) int { return mount.Plain(env, "kernfs") },
}
