// Package df is df(1): it tells how much room file systems of the kernel have.
//
// Start reading at run; print.go has the formats.
package df

import (
	"context"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
)

// Utility is df.
var Utility = util.Utility{
	Name:    "df",
	Section: 1,
	Doc:     "display free disk space",
	Usage:   []string{"Usage: df [-aGgln] [-hkm|-ihkm|-Pk] [-t type] [file | file_system ...]"},
	Options: []util.Option{
		{Letter: 'a', Doc: "Show file systems that were mounted hidden too."},
		{Letter: 'G', Doc: "Print everything that statvfs(2) tells."},
		{Letter: 'g', Doc: "Print gigabytes."},
		{Letter: 'h', Doc: "Print sizes with units."},
		{Letter: 'i', Doc: "Print how many inodes there are too."},
		{Letter: 'k', Doc: "Print kilobytes."},
		{Letter: 'l', Doc: "Local file systems only."},
		{Letter: 'm', Doc: "Print megabytes."},
		{Letter: 'n', Doc: "Print what is known, without asking the file systems."},
		{Letter: 'P', Doc: "Print the portable format of POSIX."},
		{Letter: 't', Arg: "type", Doc: "Only these types; \"no\" in front is all but these."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "A file in the file system, or the device that it is on."}},
	Main:     run,
}

// config is what the options ask for.
type config struct {
	hidden, local, stale bool // -a, -l, -n
	all, human, inodes   bool // -G, -h, -i
	posix                bool // -P
	unit                 int64
	types                mount.Types
}

// setOption sets what an option asks for, and tells whether it is one.
func (c *config) setOption(letter byte) bool {
	switch letter {
	case 'a':
		c.hidden = true
	case 'G':
		c.all = true
	case 'g':
		c.human, c.unit = false, 1<<30
	case 'h':
		c.human, c.unit = true, 0
	case 'i':
		c.inodes = true
	case 'k':
		c.human, c.unit = false, 1<<10
	case 'l':
		c.local = true
	case 'm':
		c.human, c.unit = false, 1<<20
	case 'n':
		c.stale = true
	case 'P':
		c.posix = true
	default:
		return false
	}
	return true
}

func run(_ context.Context, env *util.Env) int {
	var c config
	g := env.Getopt()
	for g.Next() {
		switch {
		case g.Letter != 't':
			if !c.setOption(g.Letter) {
				return env.UsageError()
			}
		case c.types.Given():
			return env.Errx("only one -t option may be specified.")
		case g.Arg == "":
			return env.Errx("empty type list")
		default:
			c.types = mount.ParseTypes(g.Arg)
		}
	}
	switch {
	case c.all && (c.posix || c.inodes):
		return env.Errx("only one of -G and -P or -i may be specified")
	case c.posix && c.inodes:
		return env.Errx("only one of -P and -i may be specified")
	}
	d := &lister{config: c, env: env, sys: env.Proc.Sys()}
	mounted, err := mount.Mounted(d.sys, abi.ST_NOWAIT)
	if err != nil {
		return env.Err(err, "retrieving information on mounted file systems")
	}
	var list []abi.Statvfs
	if args := g.Args(); len(args) > 0 {
		list = d.named(args, mounted)
	} else {
		list = d.selected(mounted)
	}
	return d.print(list)
}

// lister finds the file systems to show, and shows them.
type lister struct {
	config
	env *util.Env
	sys *client.Sys
}

// selected returns those of the mounted file systems that the options choose, asked anew unless -n.
func (d *lister) selected(mounted []abi.Statvfs) []abi.Statvfs {
	var list []abi.Statvfs
	for _, st := range mounted {
		if st.Flag&abi.MNT_IGNORE != 0 && !d.hidden || !d.isLocal(&st) || !d.types.Has(mount.TypeName(&st)) {
			continue
		}
		var now abi.Statvfs
		if !d.stale && d.sys.Statvfs(mount.OnName(&st), &now, abi.ST_WAIT) == nil && now.Mntfromname == st.Mntfromname {
			st = now
		}
		list = append(list, st)
	}
	return list
}

// wait is abi.ST_WAIT unless -n.
func (d *lister) wait() int {
	if d.stale {
		return abi.ST_NOWAIT
	}
	return abi.ST_WAIT
}

// isLocal tells whether a file system may be shown as far as -l goes.
func (d *lister) isLocal(st *abi.Statvfs) bool { return !d.local || st.Flag&abi.MNT_LOCAL != 0 }

// named returns the file systems that the arguments are in, or name. What is wrong with an argument is said; the
// exit status is 0 all the same, as NetBSD has it.
func (d *lister) named(args []string, mounted []abi.Statvfs) []abi.Statvfs {
	var list []abi.Statvfs
	for _, arg := range args {
		var file abi.Stat
		path, err := arg, d.sys.Stat(arg, &file)
		if err != nil || file.Mode&abi.S_IFMT == abi.S_IFBLK {
			if on := mountedFrom(arg, mounted); on != "" {
				path, err = on, nil
			}
		}
		var st abi.Statvfs
		if err == nil {
			err = d.sys.Statvfs(path, &st, d.wait())
		}
		switch {
		case err != nil:
			d.env.Warn(err, "%s", arg)
		case !d.isLocal(&st):
			d.env.Warnx("Warning: %s is not a local file system", arg)
		case !d.types.Has(mount.TypeName(&st)):
			d.env.Warnx("Warning: %s mounted as a %s file system", arg, mount.TypeName(&st))
		default:
			list = append(list, st)
		}
	}
	return list
}

// mountedFrom returns where a device is mounted, or nothing.
func mountedFrom(name string, mounted []abi.Statvfs) string {
	for i := range mounted {
		if mount.FromName(&mounted[i]) == name {
			return mount.OnName(&mounted[i])
		}
	}
	return ""
}
