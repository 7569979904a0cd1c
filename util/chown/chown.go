// Package chown is chown(8) and chgrp(1): they change the user and the group of files in the kernel.
//
// Names are those of the kernel's /etc/passwd and /etc/group; without these there are only numbers.
//
// Start reading at run.
package chown

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

const (
	nameChown = "chown"
	nameChgrp = "chgrp"
)

// Utility is chown(8).
var Utility = util.Utility{
	Name:    nameChown,
	Section: 8,
	Doc:     "change file owner and group",
	Usage: []string{
		"Usage: chown [-R [-H | -L | -P]] [-fhv] owner:group|owner|:group file ...",
		"\tchown [-R [-H | -L | -P]] [-fhv] --reference=rfile file ...",
	},
	Options: options("Take the user and the group of this file."),
	Operands: []util.Operand{
		{Name: "owner", Doc: "A user: a name or a number, which # marks as one."},
		{Name: "group", Doc: "A group: likewise."},
		{Name: "file", Doc: "What to change."},
	},
	Main: run,
}

// Chgrp is chgrp(1).
var Chgrp = util.Utility{
	Name:    nameChgrp,
	Section: 1,
	Doc:     "change group",
	Usage: []string{
		"Usage: chgrp [-R [-H | -L | -P]] [-fhv] group file ...",
		"\tchgrp [-R [-H | -L | -P]] [-fhv] --reference=rfile file ...",
	},
	Options: options("Take the group of this file."),
	Operands: []util.Operand{
		{Name: "group", Doc: "A group: a name or a number, which # marks as one."},
		{Name: "file", Doc: "What to change."},
	},
	Main: run,
}

func options(reference string) []util.Option {
	return []util.Option{
		{Letter: 'f', Doc: "Neither say nor count as a failure that a file could not be changed."},
		{Letter: 'H', Doc: "With -R, follow symbolic links among the operands."},
		{Letter: 'h', Doc: "Change symbolic links themselves; not together with -L."},
		{Letter: 'L', Doc: "With -R, follow all symbolic links."},
		{Letter: 'P', Doc: "With -R, follow no symbolic links: the default."},
		{Letter: 'R', Doc: "Change everything in directories too."},
		{Letter: 'v', Doc: "Name the files."},
		{Long: "reference", Arg: "rfile", Doc: reference},
	}
}

// unchanged is the user or group that leaves a file's as it is: chown(2).
const unchanged = -1

// changer changes users and groups.
type changer struct {
	env                             *util.Env
	sys                             *client.Sys
	recursive, link, quiet, verbose bool
	reference                       string
	referred                        bool
	walk                            fts.Options
	uid, gid                        int
}

func run(_ context.Context, env *util.Env) int {
	c := &changer{env: env, sys: env.Proc.Sys(), uid: unchanged, gid: unchanged}
	args, ok := c.options()
	if !ok || len(args) == 0 || len(args) == 1 && !c.referred {
		return env.UsageError()
	}
	if !c.recursive {
		c.walk = fts.Options{FollowArguments: !c.link}
	}
	if c.walk.Follow && c.link {
		return env.Errx("the -L and -h options may not be specified together.")
	}
	if c.referred {
		if err := c.refer(c.reference); err != nil {
			return env.Err(err, "Cannot stat `%s'", c.reference)
		}
		return c.files(args)
	}
	if err := c.operand(args[0]); err != nil {
		return env.Errx("%s", err)
	}
	return c.files(args[1:])
}

// options reads the options and returns the operands.
func (c *changer) options() (operands []string, ok bool) {
	g := c.env.Getopt()
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
		case 'v':
			c.verbose = true
		case util.LongOnly:
			c.reference, c.referred = g.Arg, true
		default:
			return nil, false
		}
	}
	return g.Args(), true
}

// refer takes the user and the group of a file.
func (c *changer) refer(file string) error {
	var st abi.Stat
	if err := c.sys.Stat(file, &st); err != nil {
		return err
	}
	if c.env.Utility().Name == nameChown {
		c.uid = int(int32(st.Uid))
	}
	c.gid = int(int32(st.Gid))
	return nil
}

// operand takes what the first operand says: "owner", "owner:group", ":group", or the group for chgrp. An empty one
// leaves things as they are.
func (c *changer) operand(s string) error {
	owner, group := "", s
	if c.env.Utility().Name == nameChown {
		owner, group, _ = strings.Cut(s, ":")
	}
	names := passwd.New(c.sys)
	for _, part := range []struct {
		text, what string
		parse      func(string) (uint32, bool)
		id         *int
	}{
		{group, "group", names.ParseGID, &c.gid},
		{owner, "user", names.ParseUID, &c.uid},
	} {
		if part.text == "" {
			continue
		}
		id, ok := part.parse(part.text)
		if !ok {
			return util.Messagef("%s: invalid %s name", part.text, part.what)
		}
		*part.id = int(int32(id))
	}
	return nil
}

// files changes the files, and what is in them, and returns the exit status. A directory is changed after what is in it.
func (c *changer) files(args []string) int {
	status := util.ExitOK
	for cur, e := range fts.Walk(c.sys, args, &c.walk) {
		switch e.Info {
		case fts.Missing:
			status = c.env.Err(e.Err, "%s", e.Path)
			continue
		case fts.Dir:
			if !c.recursive {
				e.Skip()
			}
			continue
		case fts.Unreadable:
			status = c.env.Err(e.Err, "%s", e.Path)
		}
		if e.Type == abi.DT_LNK && (!c.link || c.dead(e)) {
			continue
		}
		if err := c.change(cur.FD(), e); err != nil && !c.quiet {
			status = c.env.Err(err, "%s", e.Path)
		} else if c.verbose {
			fmt.Fprintln(c.env.Stdout, e.Path)
		}
	}
	return status
}

// dead tells whether a symbolic link was to be followed and leads nowhere.
func (c *changer) dead(e *fts.Entry) bool {
	return c.walk.Follow || c.walk.FollowArguments && e.Level == 0
}

func (c *changer) change(dir int, e *fts.Entry) error {
	flags := 0
	if e.Type == abi.DT_LNK {
		flags = abi.AT_SYMLINK_NOFOLLOW
	}
	return c.sys.Fchownat(dir, e.Rel, c.uid, c.gid, flags)
}
