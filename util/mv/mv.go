// Package mv is mv(1): it moves files within the kernel, from one file system to another by a copy.
//
// Start reading at run.
package mv

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fcopy"
	"github.com/rumpctrl/rumpctrl/util/fts"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// Utility is mv.
var Utility = util.Utility{
	Name:    "mv",
	Section: 1,
	Doc:     "move files",
	Usage:   []string{"[-fiv] source target", "[-fiv] source ... directory"},
	Options: []util.Option{
		{Letter: 'f', Doc: "Do not ask before a file is written over."},
		{Letter: 'i', Doc: "Ask before a file is written over."},
		{Letter: 'v', Doc: "Name what is moved."},
	},
	Operands: []util.Operand{
		{Name: "source", Doc: "What to move."},
		{Name: "target", Doc: "Its new name."},
		{Name: "directory", Doc: "Where it goes under its old name."},
	},
	Main: run,
}

// mover moves files.
type mover struct {
	env                 *util.Env
	sys                 *client.Sys
	force, ask, verbose bool
}

func run(_ context.Context, env *util.Env) int {
	m := &mover{env: env, sys: env.Proc.Sys()}
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'f':
			m.force, m.ask = true, false
		case 'i':
			m.force, m.ask = false, true
		case 'v':
			m.verbose = true
		default:
			return env.UsageError()
		}
	}
	args := g.Args()
	if len(args) < 2 {
		return env.UsageError()
	}
	sources, target := args[:len(args)-1], args[len(args)-1]
	var st abi.Stat
	if err := m.sys.Stat(target, &st); err != nil || st.Mode&abi.S_IFMT != abi.S_IFDIR {
		if len(sources) > 1 {
			return env.UsageError()
		}
		return status(m.move(sources[0], target, err == nil))
	}
	return m.into(sources, target)
}

func status(ok bool) int {
	if ok {
		return util.ExitOK
	}
	return util.ExitFailure
}

// into moves files into a directory.
func (m *mover) into(sources []string, dir string) int {
	if !strings.HasSuffix(dir, "/") {
		dir += "/"
	}
	if len(dir) >= abi.MAXPATHLEN {
		return m.env.Errx("%s: destination pathname too long", dir[:len(dir)-1])
	}
	good := true
	for _, from := range sources {
		if t := strings.TrimRight(from, "/"); t != "" {
			from = t
		}
		to := dir + from[strings.LastIndexByte(from, '/')+1:]
		if len(to) >= abi.MAXPATHLEN {
			m.env.Warnx("%s: destination pathname too long", from)
			good = false
			continue
		}
		good = m.move(from, to, true) && good
	}
	return status(good)
}

// move moves a file. perhaps says that there may be one of the new name.
func (m *mover) move(from, to string, perhaps bool) bool {
	if perhaps && !m.force {
		yes, err := m.agreed(from, to)
		if err != nil {
			m.env.Warn(err, "rename %s", from)
			return false
		}
		if !yes {
			return true
		}
	}
	switch err := m.sys.Rename(from, to); err {
	case nil:
		if m.verbose {
			fmt.Fprintf(m.env.Stdout, "%s -> %s\n", from, to)
		}
		return true
	case abi.EXDEV:
		return m.copy(from, to)
	default:
		m.env.Warn(err, "rename %s to %s", from, to)
		return false
	}
}

// agreed tells whether the file may be moved, and asks if one would be written over and -i is given, or if
// that one is not writable and somebody is there to be asked. The error says that there is nothing to move.
func (m *mover) agreed(from, to string) (bool, error) {
	if !m.ask && !util.IsTerminal(m.env.Stdin) || m.sys.Access(to, abi.F_OK) != nil {
		return true, nil
	}
	var st abi.Stat
	if !m.ask && (m.sys.Access(to, abi.W_OK) == nil || m.sys.Stat(to, &st) != nil) {
		return true, nil
	}
	if err := m.sys.Access(from, abi.F_OK); err != nil {
		return false, err
	}
	if m.ask {
		return m.env.Ask("overwrite %s? ", to), nil
	}
	owners := passwd.New(m.sys)
	return m.env.Ask("override %s  %s/%s for %s? ", strings.TrimSpace(util.StrMode(st.Mode)[1:]),
		owners.UserName(st.Uid), owners.GroupName(st.Gid), to), nil
}

// copy moves a file to another file system: what has the new name is removed, a copy is made with all
// attributes, and then the file is removed.
func (m *mover) copy(from, to string) bool {
	var source, st abi.Stat
	if err := m.sys.Lstat(from, &source); err != nil {
		m.env.Warn(err, "%s", from)
		return false
	}
	if m.sys.Lstat(to, &st) == nil {
		remove := m.sys.Unlink
		if st.Mode&abi.S_IFMT == abi.S_IFDIR {
			remove = m.sys.Rmdir
		}
		if err := remove(to); err != nil {
			m.env.Warn(err, "can't remove %s", to)
			return false
		}
	}
	shape := fcopy.Itself
	if source.Mode&abi.S_IFMT == abi.S_IFDIR {
		shape = fcopy.Created
	}
	archive := fcopy.Options{
		Recursive: true, Special: true, TargetLink: true, ReplaceLink: true, Preserve: true, Verbose: m.verbose,
	}
	if !fcopy.Tree(m.env, []string{from}, to, shape, archive) {
		m.forget(to, &source)
		return false
	}
	return m.removeTree(from)
}

// forget removes the beginning of a copy of a regular file.
func (m *mover) forget(to string, source *abi.Stat) {
	if source.Mode&abi.S_IFMT != abi.S_IFREG {
		return
	}
	if err := m.sys.Unlink(to); err != nil && err != abi.ENOENT {
		m.env.Warn(err, "%s: remove", to)
	}
}

// removeTree removes what was copied.
func (m *mover) removeTree(from string) bool {
	good := true
	for c, e := range fts.Walk(m.sys, []string{from}, &fts.Options{NoStat: true}) {
		flags, err := 0, e.Err
		switch e.Info {
		case fts.Dir:
			continue
		case fts.DirAfter:
			flags = abi.AT_REMOVEDIR
		}
		if err == nil {
			err = m.sys.Unlinkat(c.FD(), e.Rel, flags)
		}
		if err != nil && err != abi.ENOENT {
			m.env.Warn(err, "%s: remove", e.Path)
			good = false
		}
	}
	return good
}
