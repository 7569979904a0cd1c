// Package mount_union is mount_union(8): it lays a directory of the kernel over another, so that what is in both is seen.
//
// Start reading at run.
package mount_union //nolint:revive // the name of the utility

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is mount_union.
var Utility = util.Utility{
	Name:    "mount_union",
	Section: 8,
	Doc:     "mount union file systems",
	Usage:   []string{"usage: mount_union [-br] [-o options] target_fs mount_point"},
	Options: []util.Option{
		{Letter: 'b', Doc: "Put target_fs below mount_point, which is then what changes."},
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas."},
		{Letter: 'r', Doc: "Hide what is in mount_point."},
	},
	Operands: []util.Operand{
		{Name: "target_fs", Doc: "The directory to lay over mount_point, and to make changes in."},
		{Name: "mount_point", Doc: "The directory to mount on."},
	},
	Main: run,
}

func run(_ context.Context, env *util.Env) int {
	l := mount.Layer{Type: "union"}
	how := int32(abi.UNMNT_ABOVE)
	var flags util.MountFlags
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'b':
			how = abi.UNMNT_BELOW
		case 'o':
			if err := flags.Parse(g.Arg, mount.StandardOptions("getargs")); err != nil {
				return env.Errx("%s", err)
			}
		case 'r':
			how = abi.UNMNT_REPLACE
		default:
			return env.UsageError()
		}
	}
	operands := g.Args()
	if len(operands) != 2 {
		return env.UsageError()
	}
	l.Flags = flags.Flags
	l.LayerPaths(env, operands)
	if mount.Within(l.Target, l.On) || mount.Within(l.On, l.Target) {
		return env.Errx("%s (%s) and %s are not distinct paths", operands[0], l.Target, l.On)
	}
	var data []byte
	status := l.Mount(env, func(lend client.Lender) []byte {
		a := abi.UnionArgs{Target: lend.InString(l.Target), Mntflags: how}
		data = a.Append(nil)
		return data
	})
	if status == util.ExitOK && l.Flags&abi.MNT_GETARGS != 0 {
		return show(env, data)
	}
	return status
}

// show prints how a union was mounted, as snprintb(3) has it: -o getargs. A union that hides mount_point has both bits.
func show(env *util.Env, data []byte) int {
	var a abi.UnionArgs
	if err := a.Decode(data); err != nil {
		return env.Err(err, "getargs")
	}
	var names []string
	for _, f := range []struct {
		bit  int32
		name string
	}{{abi.UNMNT_ABOVE, "above"}, {abi.UNMNT_BELOW, "below"}} {
		if a.Mntflags&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	fmt.Fprintf(env.Stdout, "flags=0x%x<%s>\n", a.Mntflags, strings.Join(names, ","))
	return util.ExitOK
}
