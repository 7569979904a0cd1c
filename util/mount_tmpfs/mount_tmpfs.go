// Package mount_tmpfs is mount_tmpfs(8): it mounts a file system in the kernel's memory.
//
// Start reading at run.
package mount_tmpfs //nolint:revive // the name of the utility

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// Utility is mount_tmpfs.
var Utility = util.Utility{
	Name:    "mount_tmpfs",
	Section: 8,
	Doc:     "mount an efficient memory file system",
	Usage: []string{
		"usage: mount_tmpfs [-g group] [-m mode] [-n nodes] [-o options] [-s size]",
		"           [-u user] tmpfs mount_point",
	},
	Options: []util.Option{
		{Letter: 'g', Arg: "group", Doc: "The group of the root directory instead of the mount point's."},
		{Letter: 'm', Arg: "mode", Doc: "The permissions of the root directory, in octal, instead of the mount point's."},
		{Letter: 'n', Arg: "nodes", Doc: "How many files there may be."},
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas."},
		{Letter: 's', Arg: "size", Doc: "How many bytes there may be, or how much of the memory: ram%25, ram/4."},
		{Letter: 'u', Arg: "user", Doc: "The user of the root directory instead of the mount point's."},
	},
	Operands: []util.Operand{
		{Name: "tmpfs", Doc: "Anything."},
		{Name: "mount_point", Doc: "The directory to mount on."},
	},
	Main: run,
}

// config is what the options ask for. What is nil is the mount point's.
type config struct {
	args           abi.TmpfsArgs
	uid, gid, mode *uint32
	flags          util.MountFlags
}

func run(_ context.Context, env *util.Env) int {
	c := config{args: abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION}}
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return env.UsageError()
		}
		if err := c.set(env, g.Letter, g.Arg); err != nil {
			return env.Errx("%s", err)
		}
	}
	operands := g.Args()
	if len(operands) != 2 {
		return env.UsageError()
	}
	dir := mount.AdjustPath(env, operands[1])
	sys := env.Proc.Sys()
	var st abi.Stat
	if err := sys.Stat(dir, &st); err != nil {
		return env.Err(err, "cannot stat `%s'", dir)
	}
	c.args.RootUid = or(c.uid, st.Uid)
	c.args.RootGid = or(c.gid, st.Gid)
	c.args.RootMode = or(c.mode, st.Mode)
	data := c.args.Append(nil)
	if err := sys.Mount("tmpfs", dir, int(c.flags.Flags), data); err != nil {
		return env.Err(err, "tmpfs on %s", dir)
	}
	if c.flags.Flags&abi.MNT_GETARGS != 0 {
		return show(env, data)
	}
	return util.ExitOK
}

func or(v *uint32, other uint32) uint32 {
	if v != nil {
		return *v
	}
	return other
}

// set sets an option. The error is the text of a message.
func (c *config) set(env *util.Env, letter byte, arg string) error {
	var err error
	switch letter {
	case 'g':
		c.gid, err = id(arg, "group", passwd.New(env.Proc.Sys()).GID)
	case 'u':
		c.uid, err = id(arg, "user", passwd.New(env.Proc.Sys()).UID)
	case 'm':
		mode, perr := strconv.ParseUint(arg, 8, 31)
		if perr != nil {
			return util.Messagef("invalid file mode: %s", arg)
		}
		m := uint32(mode)
		c.mode = &m
	case 'n':
		nodes, ok := util.Dehumanize(arg)
		if !ok || nodes < 0 {
			return util.Messagef("failed to parse nodes `%s': %s", arg, abi.EINVAL)
		}
		c.args.NodesMax = uint64(nodes)
	case 'o':
		err = c.flags.Parse(arg, mount.StandardOptions("update", "getargs", "atime", "relatime"))
	case 's':
		c.args.SizeMax, err = size(env.Proc, arg)
	}
	return err
}

// id is the user or group of a name or a number.
func id(s, what string, named func(string) (uint32, bool)) (*uint32, error) {
	if n, ok := named(s); ok {
		return &n, nil
	}
	n, err := strconv.ParseUint(s, 0, 31)
	if err != nil {
		return nil, util.Messagef("unknown %s id: %s", what, s)
	}
	v := uint32(n)
	return &v, nil
}

// size reads the argument of -s: bytes, with a unit or none, or a part of the memory.
func size(p *client.Process, s string) (int64, error) {
	if arg, ok := strings.CutPrefix(s, "ram/"); ok {
		f, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return 0, util.Messagef("syntax error in ram fraction: %s", s)
		}
		if !(f > 0) {
			return 0, util.Messagef("ram fraction must be a positive number: %s", s)
		}
		return ofMemory(p, 1/f)
	}
	if arg, ok := strings.CutPrefix(s, "ram%"); ok {
		f, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return 0, util.Messagef("syntax error in ram percentage: %s", s)
		}
		if !(f > 0 && f < 100) {
			return 0, util.Messagef("ram percentage must be a between 0 and 100 %s", s)
		}
		return ofMemory(p, f/100)
	}
	n, ok := util.Dehumanize(s)
	if !ok {
		return 0, util.Messagef("failed to parse size `%s': %s", s, abi.EINVAL)
	}
	return n, nil
}

// ofMemory is a part of the kernel's memory.
func ofMemory(p *client.Process, part float64) (int64, error) {
	ram, err := p.Sysctl().Int64("hw.physmem64")
	if err != nil {
		return 0, util.Messagef("can't get \"hw.physmem64\": %s", err)
	}
	return int64(float64(ram) * part), nil
}

// show prints what a file system was mounted with: -o getargs.
func show(env *util.Env, data []byte) int {
	var a abi.TmpfsArgs
	if err := a.Decode(data); err != nil {
		return env.Err(err, "getargs")
	}
	names := passwd.New(env.Proc.Sys())
	fmt.Fprintf(env.Stdout, "version=%d, size_max=%d, nodes_max=%d, root_uid=%s, root_gid=%s, root_mode=%o\n",
		a.Version, uint64(a.SizeMax), a.NodesMax, names.UserName(a.RootUid), names.GroupName(a.RootGid), a.RootMode)
	return util.ExitOK
}
