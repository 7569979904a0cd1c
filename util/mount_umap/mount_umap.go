// Package mount_umap is mount_umap(8): it shows a directory of the kernel in a second place with other users and groups.
//
// Start reading at run; the map files are in mapfile.go.
package mount_umap //nolint:revive // the name of the utility

import (
	"context"
	"fmt"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is mount_umap.
var Utility = util.Utility{
	Name:    "mount_umap",
	Section: 8,
	Doc:     "show a directory in a second place with other users and groups",
	Usage:   []string{"usage: mount_umap [-o options] -u usermap -g groupmap target_fs mount_point"},
	Options: []util.Option{
		{Letter: 'g', Arg: "groupmap", Doc: "The file with the groups: how many lines follow, then the group shown and the group below in each."},
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas."},
		{Letter: 'u', Arg: "usermap", Doc: "The file with the users, of the same form."},
	},
	Operands: []util.Operand{
		{Name: "target_fs", Doc: "The directory to show."},
		{Name: "mount_point", Doc: "The directory to mount on."},
	},
	Main: run,
}

func run(_ context.Context, env *util.Env) int {
	l := mount.Layer{Type: "umap"}
	var flags util.MountFlags
	var users, groups string
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'g':
			groups = g.Arg
		case 'o':
			if err := flags.Parse(g.Arg, mount.StandardOptions("getargs")); err != nil {
				return env.Errx("%s", err)
			}
		case 'u':
			users = g.Arg
		default:
			return env.UsageError()
		}
	}
	if len(g.Args()) != 2 || users == "" || groups == "" {
		return env.UsageError()
	}
	l.Flags = flags.Flags
	l.LayerPaths(env, g.Args())
	userMap, err := readMap(env.Proc.Sys(), users, abi.MAPFILEENTRIES)
	if err != nil {
		return env.Errx("%s; not mounted.", err)
	}
	groupMap, err := readMap(env.Proc.Sys(), groups, abi.GMAPFILEENTRIES)
	if err != nil {
		return env.Errx("%s; not mounted.", err)
	}
	var data []byte
	status := l.Mount(env, func(lend client.Lender) []byte {
		a := abi.UmapArgs{La: l.Args(lend), Nentries: int32(len(userMap)), Mapdata: lend.In(userMap.encode()),
			Gnentries: int32(len(groupMap)), Gmapdata: lend.In(groupMap.encode())}
		data = a.Append(nil)
		return data
	})
	if status == util.ExitOK && l.Flags&abi.MNT_GETARGS != 0 {
		return show(env, data)
	}
	return status
}

// show prints how many entries a file system was mounted with: -o getargs.
func show(env *util.Env, data []byte) int {
	var a abi.UmapArgs
	if err := a.Decode(data); err != nil {
		return env.Err(err, "getargs")
	}
	fmt.Fprintf(env.Stdout, "nentries=%d, gnentries=%d\n", a.Nentries, a.Gnentries)
	return util.ExitOK
}
