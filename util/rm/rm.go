// Package rm is rm(1): it removes files and trees of files from the kernel.
//
// Start reading at run.
package rm

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

// Utility is rm.
var Utility = util.Utility{
	Name:    "rm",
	Section: 1,
	Doc:     "remove directory entries",
	Usage:   []string{"[-f|-i] [-dPRrvWx] file ..."},
	Options: []util.Option{
		{Letter: 'd', Doc: "Remove empty directories too."},
		{Letter: 'f', Doc: "Ask nothing, and say nothing of files that are missing."},
		{Letter: 'i', Doc: "Ask before each file."},
		{Letter: 'P', Doc: "Overwrite regular files before they are removed."},
		{Letter: 'R', Doc: "Remove directories with everything in them."},
		{Letter: 'r', Doc: "The same as -R."},
		{Letter: 'v', Doc: "Name what was removed."},
		{Letter: 'W', Doc: "Bring back files that whiteouts cover."},
		{Letter: 'x', Doc: "Do not cross mount points with -R."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to remove."}},
	Main:     run,
}

// remover removes files.
type remover struct {
	env    *util.Env
	sys    *client.Sys
	owners *passwd.DB

	dirs, force, ask, overwrite, recursive, verbose, whiteouts, oneDevice bool

	terminal bool // somebody can be asked
	status   int
}

func run(_ context.Context, env *util.Env) int {
	r := &remover{env: env, sys: env.Proc.Sys(), owners: passwd.New(env.Proc.Sys())}
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'd':
			r.dirs = true
		case 'f':
			r.force, r.ask = true, false
		case 'i':
			r.force, r.ask = false, true
		case 'P':
			r.overwrite = true
		case 'R', 'r':
			r.recursive = true
		case 'v':
			r.verbose = true
		case 'W':
			r.whiteouts = true
		case 'x':
			r.oneDevice = true
		default:
			return env.UsageError()
		}
	}
	args := g.Args()
	if len(args) == 0 {
		if r.force {
			return util.ExitOK
		}
		return env.UsageError()
	}
	r.terminal = util.IsTerminal(env.Stdin)
	args = r.withoutDots(args)
	if r.recursive {
		r.trees(args)
	} else {
		for _, arg := range args {
			r.file(arg)
		}
	}
	return r.status
}

// withoutDots returns the arguments without slashes at their ends, and without those that end in
// "." or "..", which it complains of.
func (r *remover) withoutDots(args []string) []string {
	var good []string
	for _, arg := range args {
		if t := strings.TrimRight(arg, "/"); t != "" {
			arg = t
		}
		if last := arg[strings.LastIndexByte(arg, '/')+1:]; last != "." && last != ".." {
			good = append(good, arg)
			continue
		}
		if r.status == util.ExitOK {
			r.env.Warnx(`"." and ".." may not be removed`)
		}
		r.status = util.ExitFailure
	}
	return good
}

// fail reports what could not be removed. With -f, what is missing is as good as removed.
func (r *remover) fail(path string, err error) {
	if r.force && (err == abi.ENOENT || err == abi.ENOTDIR) {
		return
	}
	r.status = r.env.Err(err, "%s", path)
}

// removed names what was removed.
func (r *remover) removed(path string) {
	if r.verbose {
		fmt.Fprintln(r.env.Stdout, path)
	}
}

// file removes one argument.
func (r *remover) file(path string) {
	var st abi.Stat
	switch err := r.sys.Lstat(path, &st); {
	case err != nil && r.whiteouts:
		st.Mode = abi.S_IFWHT
	case err != nil:
		r.fail(path, err)
		return
	case r.whiteouts:
		r.status = r.env.Err(abi.EEXIST, "%s", path)
		return
	case st.Mode&abi.S_IFMT == abi.S_IFDIR && !r.dirs:
		r.status = r.env.Errx("%s: is a directory", path)
		return
	case !r.agreed(abi.AT_FDCWD, path, path, &st):
		return
	}
	r.remove(abi.AT_FDCWD, path, path, &st)
}

// remove removes a file by its path from a directory's descriptor.
func (r *remover) remove(dir int, rel, path string, st *abi.Stat) {
	var err error
	switch st.Mode & abi.S_IFMT {
	case abi.S_IFWHT:
		err = r.sys.Undelete(path)
	case abi.S_IFDIR:
		err = r.sys.Unlinkat(dir, rel, abi.AT_REMOVEDIR)
	case abi.S_IFREG:
		if r.overwrite {
			err = r.wipe(dir, rel, st)
		}
		if err == nil {
			err = r.sys.Unlinkat(dir, rel, 0)
		}
	default:
		err = r.sys.Unlinkat(dir, rel, 0)
	}
	if err != nil {
		r.fail(path, err)
		return
	}
	r.removed(path)
}

// trees removes the arguments and everything in them.
func (r *remover) trees(args []string) {
	o := &fts.Options{
		NoStat:    !(r.asksSometimes() || r.overwrite),
		Whiteouts: r.whiteouts,
		OneDevice: r.oneDevice,
	}
	declined := map[*fts.Entry]bool{}
	for c, e := range fts.Walk(r.sys, args, o) {
		switch e.Info {
		case fts.Missing, fts.Unreadable, fts.Cycle:
			r.fail(e.Path, e.Err)
			continue
		case fts.Dir:
			if !r.agreedTo(c, e) {
				e.Skip()
				declined[e] = true
			}
			continue
		case fts.DirAfter:
			if declined[e] || r.whiteouts {
				delete(declined, e)
				continue
			}
		default:
			if r.whiteouts != (e.Type == abi.DT_WHT) || !r.agreedTo(c, e) {
				continue
			}
		}
		r.remove(c.FD(), e.Rel, e.Path, entryStat(e))
	}
}

// entryStat returns the attributes of an entry, or as much of them as its directory tells.
func entryStat(e *fts.Entry) *abi.Stat {
	if e.Stat != nil {
		return e.Stat
	}
	return &abi.Stat{Mode: uint32(e.Type) << 12}
}

// asksSometimes tells whether files that are not writable are asked for.
func (r *remover) asksSometimes() bool { return !r.force && !r.ask && r.terminal }

func (r *remover) agreedTo(c *fts.Cursor, e *fts.Entry) bool {
	return r.agreed(c.FD(), e.Rel, e.Path, entryStat(e))
}

// agreed tells whether the file may be removed, and asks if there is need.
func (r *remover) agreed(dir int, rel, path string, st *abi.Stat) bool {
	if r.ask {
		return r.env.Ask("remove '%s'? ", path)
	}
	if !r.asksSometimes() || st.Mode&abi.S_IFMT == abi.S_IFLNK {
		return true
	}
	if err := r.sys.Faccessat(dir, rel, abi.W_OK, 0); err == nil || err == abi.ETXTBSY {
		return true
	}
	if r.overwrite {
		r.env.Warnx("%s: -P was specified but file could not be overwritten", path)
		return false
	}
	return r.env.Ask("override %s  %s:%s for '%s'? ", strings.TrimSpace(util.StrMode(st.Mode)[1:]),
		r.owners.UserName(st.Uid), r.owners.GroupName(st.Gid), path)
}
