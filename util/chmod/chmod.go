// Package chmod is chmod(1): it changes the permissions of files in the kernel.
//
// Start reading at run.
package chmod

import (
	"context"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
)

// Utility is chmod.
var Utility = util.Utility{
	Name:    "chmod",
	Section: 1,
	Doc:     "change file modes",
	Usage: []string{
		"Usage: chmod [-R [-H | -L | -P]] [-fh] mode file ...",
		"\tchmod [-R [-H | -L | -P]] [-fh] --reference=rfile file ...",
	},
	Options: []util.Option{
		{Letter: 'f', Doc: "Neither say nor count as a failure that a mode could not be changed."},
		{Letter: 'H', Doc: "With -R, follow symbolic links among the operands."},
		{Letter: 'h', Doc: "Change the mode of symbolic links themselves."},
		{Letter: 'L', Doc: "With -R, follow all symbolic links."},
		{Letter: 'P', Doc: "With -R, follow no symbolic links: the default."},
		{Letter: 'R', Doc: "Change everything in directories too."},
		{Long: "reference", Arg: "rfile", Doc: "Take the mode of this file."},
	},
	Operands: []util.Operand{
		{Name: "mode", Doc: "The permissions: octal or symbolic. One that begins with - ends the options."},
		{Name: "file", Doc: "What to change."},
	},
	Main: run,
}

const allBits = 0o7777

// changer changes modes.
type changer struct {
	env                    *util.Env
	sys                    *client.Sys
	recursive, link, quiet bool
	walk                   fts.Options
	mode                   func(old uint32) uint32
}

func run(_ context.Context, env *util.Env) int {
	c := &changer{env: env, sys: env.Proc.Sys()}
	reference, referred := "", false
	words, rest := splitAtMode(env.Args[1:])
	g := env.GetoptArgs(words)
	for g.Next() {
		switch g.Letter {
		case 'f':
			c.quiet = true
		case 'H', 'L', 'P':
			c.walk.Links(g.Letter)
		case 'h':
			c.link = true
		case 'R':
			c.recursive = true
		case util.LongOnly:
			reference, referred = g.Arg, true
		default:
			return env.UsageError()
		}
	}
	args := append(g.Args(), rest...)
	if len(args) == 0 || len(args) == 1 && !referred {
		return env.UsageError()
	}
	if c.recursive && c.link {
		return env.Errx("the -R and -h options may not be specified together.")
	}
	if !c.recursive {
		c.walk = fts.Options{FollowArguments: !c.link}
	}
	if referred {
		var st abi.Stat
		if err := c.sys.Stat(reference, &st); err != nil {
			return env.Err(err, "Cannot stat `%s'", reference)
		}
		c.mode = func(uint32) uint32 { return st.Mode }
		return c.files(args)
	}
	if err := c.setMode(args[0]); err != nil {
		return env.Err(err, "Cannot set file mode `%s'", args[0])
	}
	return c.files(args[1:])
}

// splitAtMode splits the arguments before a mode that looks like options, "-x".
func splitAtMode(args []string) (options, rest []string) {
	for i, arg := range args {
		if len(arg) > 1 && arg[0] == '-' && strings.IndexByte("gorstuwXx", arg[1]) >= 0 {
			return args[:i:i], args[i:]
		}
	}
	return args[:len(args):len(args)], nil
}

// setMode sets the mode to a mode operand.
func (c *changer) setMode(operand string) error {
	mask, err := c.sys.Umask(0)
	if err != nil {
		return err
	}
	if _, err := c.sys.Umask(mask); err != nil {
		return err
	}
	mode, ok := util.SetMode(operand, mask)
	if !ok {
		return abi.EINVAL
	}
	c.mode = mode.Apply
	return nil
}

// files changes the files, and what is in them, and returns the exit status.
func (c *changer) files(args []string) int {
	status := util.ExitOK
	for cur, e := range fts.Walk(c.sys, args, &c.walk) {
		switch e.Info {
		case fts.Missing, fts.Unreadable:
			status = c.env.Err(e.Err, "%s", e.Path)
			continue
		case fts.DirAfter:
			continue
		case fts.Dir:
			if !c.recursive {
				e.Skip()
			}
		}
		if err := c.change(cur.FD(), e); err != nil && !c.quiet {
			status = c.env.Err(err, "%s", e.Path)
		}
	}
	return status
}

// change changes a file. Symbolic links that were not followed are left alone, unless it is they that are meant.
func (c *changer) change(dir int, e *fts.Entry) error {
	flags := 0
	if c.link {
		flags = abi.AT_SYMLINK_NOFOLLOW
	} else if e.Type == abi.DT_LNK {
		return nil
	}
	return c.sys.Fchmodat(dir, e.Rel, c.mode(e.Stat.Mode)&allBits, flags)
}
