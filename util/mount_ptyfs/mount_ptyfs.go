// Package mount_ptyfs is mount_ptyfs(8): it mounts the file system of the pseudo terminals that are in use.
//
// Start reading at run.
package mount_ptyfs //nolint:revive // the name of the utility

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/mount"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// Utility is mount_ptyfs.
var Utility = util.Utility{
	Name:    "mount_ptyfs",
	Section: 8,
	Doc:     "mount the file system of pseudo terminals",
	Usage:   []string{"Usage: mount_ptyfs [-g <group|gid>] [-m <mode>] [-o options] ptyfs mountpoint"},
	Options: []util.Option{
		{Letter: 'g', Arg: "group|gid", Doc: "The group of the terminals instead of \"tty\"."},
		{Letter: 'm', Arg: "mode", Doc: "The permissions of the terminals, in octal, instead of 0620."},
		{Letter: 'o', Arg: "options", Doc: "Options of mount(8), separated by commas; also group=GROUP and mode=MODE, as -g and -m."},
	},
	Operands: []util.Operand{
		{Name: "ptyfs", Doc: "Anything."},
		{Name: "mountpoint", Doc: "The directory to mount on, /dev/pts as a rule."},
	},
	Main: run,
}

// What a terminal gets without options: group "tty", which is this where the kernel has no group file, may write to it.
const (
	ttyGroup    = 4
	defaultMode = abi.S_IRUSR | abi.S_IWUSR | abi.S_IWGRP
)

// The options of -o that have values.
const (
	optGroup = 1 << iota
	optMode
)

// config is what the options ask for.
type config struct {
	args  abi.PtyfsArgs
	flags util.MountFlags
	names *passwd.DB
}

func run(_ context.Context, env *util.Env) int {
	c := config{
		args:  abi.PtyfsArgs{Version: abi.PTYFS_ARGSVERSION, Gid: ttyGroup, Mode: defaultMode},
		names: passwd.New(env.Proc.Sys()),
	}
	if gid, ok := c.names.GID("tty"); ok {
		c.args.Gid = gid
	}
	g := env.Getopt()
	for g.Next() {
		if g.Letter == '?' {
			return env.UsageError()
		}
		if err := c.set(g.Letter, g.Arg); err != nil {
			return env.Errx("%s", err)
		}
	}
	operands := g.Args()
	if len(operands) != 2 {
		return env.UsageError()
	}
	dir := mount.AdjustPath(env, operands[1])
	data := c.args.Append(nil)
	if err := env.Proc.Sys().Mount("ptyfs", dir, int(c.flags.Flags), data); err != nil {
		return env.Err(err, "ptyfs on %s", dir)
	}
	if c.flags.Flags&abi.MNT_GETARGS == 0 {
		return util.ExitOK
	}
	var a abi.PtyfsArgs
	if err := a.Decode(data); err != nil {
		return env.Err(err, "getargs")
	}
	fmt.Fprintf(env.Stdout, "version=%d, gid=%d, mode=0%o\n", a.Version, a.Gid, a.Mode)
	return util.ExitOK
}

// set sets an option. The error is the text of a message.
func (c *config) set(letter byte, arg string) error {
	switch letter {
	case 'g':
		return c.setGroup(arg)
	case 'm':
		return c.setMode(arg)
	}
	c.flags.Alt = 0
	table := append(mount.StandardOptions("getargs"),
		util.MountOption{Name: "group", Flag: optGroup, Alt: true}, util.MountOption{Name: "mode", Flag: optMode, Alt: true})
	if err := c.flags.Parse(arg, table); err != nil {
		return err
	}
	if c.flags.Alt&optGroup != 0 {
		if err := c.setGroup(c.flags.Values["group"]); err != nil {
			return err
		}
	}
	if c.flags.Alt&optMode != 0 {
		return c.setMode(c.flags.Values["mode"])
	}
	return nil
}

func (c *config) setGroup(s string) error {
	if s == "" {
		return util.Messagef("Missing group name")
	}
	gid, ok := c.names.ParseGID(s)
	if !ok {
		return util.Messagef("Cannot find group `%s'", s)
	}
	c.args.Gid = gid
	return nil
}

func (c *config) setMode(s string) error {
	mode, err := strconv.ParseUint(s, 8, 12)
	if err != nil {
		return util.Messagef("invalid file mode: %s", s)
	}
	c.args.Mode = uint32(mode)
	return nil
}
