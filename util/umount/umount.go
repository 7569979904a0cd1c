// Package umount is umount(8): it takes file systems of the kernel away.
//
// Start reading at run.
package umount

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is umount.
var Utility = util.Utility{
	Name:    "umount",
	Section: 8,
	Doc:     "unmount filesystems",
	Usage: []string{
		"Usage: umount [-fvFR] [-t fstypelist] special | node",
		"\t umount -a[fvF] [-h host] [-t fstypelist]",
	},
	Options: []util.Option{
		{Letter: 'A', Doc: "The same as -a."},
		{Letter: 'a', Doc: "Unmount everything but the root."},
		{Letter: 'F', Doc: "Do everything but to unmount."},
		{Letter: 'f', Doc: "Unmount by force: open files of the file system give errors then."},
		{Letter: 'h', Arg: "host", Doc: "As -a, but only what is mounted from a host, by NFS if -t says nothing else."},
		{Letter: 'R', Doc: "Hand the path to unmount(2) as it is."},
		{Letter: 't', Arg: "fstypelist", Doc: "Only these types; \"no\" in front is all but these."},
		{Letter: 'v', Doc: "Tell what is done."},
	},
	Operands: []util.Operand{
		{Name: "special", Doc: "What is mounted."},
		{Name: "node", Doc: "Where it is mounted."},
	},
	Main: run,
}

// unmounter is a run of umount.
type unmounter struct {
	env                *util.Env
	sys                *client.Sys
	force              int // abi.MNT_FORCE or 0
	fake, raw, verbose bool
	host               string
	types              mount.Types
	mounted            []abi.Statvfs // once it is asked for
}

func run(ctx context.Context, env *util.Env) int {
	u := &unmounter{env: env, sys: env.Proc.Sys()}
	all := false
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'A', 'a':
			all = true
		case 'F':
			u.fake = true
		case 'f':
			u.force = abi.MNT_FORCE
		case 'h':
			all, u.host = true, g.Arg
		case 'R':
			u.raw = true
		case 't':
			if u.types.Given() {
				return env.Errx("only one -t option may be specified.")
			}
			u.types = mount.ParseTypes(g.Arg)
		case 'v':
			u.verbose = true
		default:
			return env.UsageError()
		}
	}
	args := g.Args()
	if (len(args) == 0) != all || all && u.raw {
		return env.UsageError()
	}
	if u.host != "" && !u.types.Given() {
		u.types = mount.ParseTypes("nfs")
	}
	if all {
		return u.all(ctx)
	}
	status := util.ExitOK
	for _, arg := range args {
		status |= u.one(ctx, arg)
	}
	return status
}

// all unmounts everything but the root, the last one first.
func (u *unmounter) all(ctx context.Context) int {
	list, err := u.list()
	if err != nil {
		return util.ExitFailure
	}
	status := util.ExitOK
	for i := len(list) - 1; i > 0; i-- {
		if u.types.Has(mount.TypeName(&list[i])) && u.fromHost(&list[i]) {
			status |= u.unmount(ctx, &list[i])
		}
	}
	return status
}

// list returns what is mounted, and warns if that cannot be had.
func (u *unmounter) list() ([]abi.Statvfs, error) {
	if u.mounted == nil {
		list, err := mount.Mounted(u.sys, abi.ST_NOWAIT)
		if err != nil {
			u.env.Warn(err, "getmntinfo")
			return nil, err
		}
		u.mounted = list
	}
	return u.mounted, nil
}

// fromHost tells whether a file system is mounted from the host of -h, going by the host's name.
func (u *unmounter) fromHost(st *abi.Statvfs) bool {
	if u.host == "" {
		return true
	}
	from := mount.FromName(st)
	i := strings.LastIndexByte(from, ':')
	return i >= 0 && strings.EqualFold(from[:i], u.host)
}

// one unmounts what an argument names.
func (u *unmounter) one(ctx context.Context, arg string) int {
	if u.raw {
		if u.verbose {
			fmt.Fprintf(u.env.Stdout, "%s: unmount from %s\n", arg, arg)
		}
		return u.call(arg)
	}
	st, name := u.find(arg)
	switch {
	case st == nil:
		return u.env.Errx("%s: not currently mounted", name)
	case !u.types.Has(mount.TypeName(st)) || !u.fromHost(st):
		return util.ExitFailure
	}
	return u.unmount(ctx, st)
}

// find returns the file system that is mounted on a directory, or from a block device, or either for a
// name that is neither. It returns the name's real path too.
func (u *unmounter) find(arg string) (*abi.Statvfs, string) {
	name, isDir, isDevice := arg, false, false
	if real, err := util.RealPath(u.sys, arg); err == nil {
		name = real
		var st abi.Stat
		if u.sys.Stat(name, &st) == nil {
			isDir = st.Mode&abi.S_IFMT == abi.S_IFDIR
			isDevice = st.Mode&abi.S_IFMT == abi.S_IFBLK
		}
	}
	if !isDevice {
		if st := u.search(name, mount.OnName); st != nil || isDir {
			return st, name
		}
	}
	return u.search(name, mount.FromName), name
}

// search returns the last one mounted of the file systems of a name.
func (u *unmounter) search(name string, of func(*abi.Statvfs) string) *abi.Statvfs {
	list, _ := u.list()
	for i := len(list) - 1; i >= 0; i-- {
		if of(&list[i]) == name {
			return &list[i]
		}
	}
	return nil
}

// unmount unmounts a file system: by a utility of its own, umount_TYPE, if there is one.
func (u *unmounter) unmount(ctx context.Context, st *abi.Statvfs) int {
	on, program := mount.OnName(st), "umount_"+mount.TypeName(st)
	if u.verbose {
		fmt.Fprintf(u.env.Stdout, "%s: unmount from %s\nTrying unmount program %s\n", mount.FromName(st), on, program)
	}
	if u.fake {
		return util.ExitOK
	}
	if u.env.Lookup(program) == nil {
		return u.call(on)
	}
	var args []string
	if u.force != 0 {
		args = append(args, "-f")
	}
	if u.verbose {
		args = append(args, "-v")
	}
	return u.env.Run(ctx, program, append(args, on)...)
}

// call is unmount(2).
func (u *unmounter) call(on string) int {
	switch {
	case u.fake:
		return util.ExitOK
	case u.verbose:
		fmt.Fprintln(u.env.Stdout, "(No separate unmount program.)")
	}
	if err := u.sys.Unmount(on, u.force); err != nil {
		return u.env.Err(err, "%s", on)
	}
	return util.ExitOK
}
