// Package cp is cp(1): it copies files and trees of files within the kernel.
//
// Start reading at run; the copy itself is package fcopy.
package cp

import (
	"context"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fcopy"
)

// Utility is cp.
var Utility = util.Utility{
	Name:    "cp",
	Section: 1,
	Doc:     "copy files",
	Usage: []string{
		"[-R [-H | -L | -P]] [-f | -i] [-alNpv] src target",
		"[-R [-H | -L | -P]] [-f | -i] [-alNpv] src1 ... srcN directory",
	},
	Options: []util.Option{
		{Letter: 'a', Doc: "Archive: the same as -RpP."},
		{Letter: 'f', Doc: "Remove a target that cannot be written."},
		{Letter: 'H', Doc: "With -R, follow symbolic links of the command line."},
		{Letter: 'i', Doc: "Ask before a file is written over."},
		{Letter: 'L', Doc: "With -R, follow all symbolic links."},
		{Letter: 'l', Doc: "Make hard links to regular files in place of copies."},
		{Letter: 'N', Doc: "With -p, do not copy file flags."},
		{Letter: 'P', Doc: "Follow no symbolic links."},
		{Letter: 'p', Doc: "Copy times, permissions, flags, owner, group and extended attributes too."},
		{Letter: 'R', Doc: "Copy directories with everything in them; special files and links are made anew."},
		{Letter: 'r', Doc: "Copy directories, and read special files and what links lead to as if they were regular."},
		{Letter: 'v', Doc: "Name what is copied."},
	},
	Operands: []util.Operand{
		{Name: "src", Doc: "What to copy."},
		{Name: "target", Doc: "The name of the copy."},
		{Name: "directory", Doc: "Where the copies go."},
	},
	Main: run,
}

// flags are the options that concern links and directories.
type flags struct {
	tree, oldTree bool // -R, -r
	links         byte // the last one of -H, -L and -P, or 0
}

func run(_ context.Context, env *util.Env) int {
	var o fcopy.Options
	var f flags
	g := env.Getopt()
	for g.Next() {
		if !setOption(&o, &f, g.Letter) {
			return env.UsageError()
		}
	}
	args := g.Args()
	if len(args) < 2 {
		return env.UsageError()
	}
	if f.oldTree {
		switch {
		case f.tree:
			return env.Errx("the -R and -r options may not be specified together.")
		case f.links != 0:
			return env.Errx("the -H, -L, and -P options may not be specified with the -r option.")
		}
	}
	f.apply(&o)
	return copyAll(env, args[:len(args)-1], args[len(args)-1], o)
}

// setOption sets what an option asks for, and tells whether it is one.
func setOption(o *fcopy.Options, f *flags, letter byte) bool {
	switch letter {
	case 'a':
		f.tree, f.links, o.Preserve = true, 'P', true
	case 'H', 'L', 'P':
		f.links = letter
	case 'R':
		f.tree = true
	case 'r':
		f.oldTree = true
	case 'f':
		o.Force, o.Ask = true, false
	case 'i':
		o.Force, o.Ask = false, true
	case 'l':
		o.Link = true
	case 'N':
		o.NoFlags = true
	case 'p':
		o.Preserve = true
	case 'v':
		o.Verbose = true
	default:
		return false
	}
	return true
}

// apply says which links are followed. Without -R they all are, unless -P.
func (f flags) apply(o *fcopy.Options) {
	o.Recursive, o.Special = f.tree || f.oldTree, f.tree
	o.Follow = f.oldTree || f.tree && f.links == 'L' || !f.tree && f.links != 'P'
	o.FollowArguments = f.tree && f.links == 'H' || !f.tree && f.links != 'P'
	o.TargetLink = f.links == 'P'
	o.ReplaceLink = f.links == 'P' || f.tree && f.links == 0
}

// copyAll finds out what the target stands for, and copies.
func copyAll(env *util.Env, sources []string, target string, o fcopy.Options) int {
	slash := strings.HasSuffix(target, "/")
	sources = slices.Clone(sources)
	for i, s := range sources {
		sources[i] = trim(s)
	}
	target = trim(target)
	var st abi.Stat
	err := stat(env, target, &st, !o.TargetLink)
	if err != nil && err != abi.ENOENT {
		return env.Err(err, "%s", target)
	}
	shape := fcopy.Itself
	switch {
	case err == nil && st.Mode&abi.S_IFMT == abi.S_IFDIR:
		shape = fcopy.Inside
	case len(sources) > 1:
		return env.UsageError()
	case err == nil && slash:
		return env.Errx("%s is not a directory", target)
	case err != nil:
		if missing := stat(env, sources[0], &st, o.Follow || o.FollowArguments); missing != nil {
			return env.Err(missing, "%s", sources[0])
		}
		if st.Mode&abi.S_IFMT == abi.S_IFDIR && o.Recursive {
			shape = fcopy.Created
		} else if slash {
			return env.Errx("directory %s does not exist", target)
		}
	}
	if !fcopy.Tree(env, sources, target, shape, o) {
		return util.ExitFailure
	}
	return util.ExitOK
}

func stat(env *util.Env, path string, st *abi.Stat, follow bool) error {
	if follow {
		return env.Proc.Sys().Stat(path, st)
	}
	return env.Proc.Sys().Lstat(path, st)
}

// trim takes the slashes off the end of a path.
func trim(path string) string {
	if t := strings.TrimRight(path, "/"); t != "" || path == "" {
		return t
	}
	return "/"
}
