// Package find is find(1): it walks trees of files of the kernel and does something with those that an expression is true of.
//
// The expression is parsed (parse.go) into functions, which the table of primaries (primary.go) makes: what they ask of
// attributes is in attribute.go and when.go, what they do in output.go, exec.go and remove.go. A primary that executes
// something runs a utility as a process on the kernel; what the set of utilities does not have is not found, whatever the host
// has of that name.
//
// Start reading at run.
package find

import (
	"context"
	"strings"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// Utility is find.
var Utility = util.Utility{
	Name:    "find",
	Section: 1,
	Doc:     "walk a file hierarchy",
	Usage:   []string{"Usage: find [-H | -L | -P] [-dEhsXx] [-f file] file [file ...] [expression]"},
	Options: []util.Option{
		{Letter: 'd', Doc: "Visit directories after what is in them."},
		{Letter: 'E', Doc: "Regular expressions of -regex and -iregex are extended ones."},
		{Letter: 'f', Arg: "file", Doc: "Walk this too, whatever its name begins with."},
		{Letter: 'H', Doc: "Follow symbolic links among the operands."},
		{Letter: 'h', Doc: "The same as -L."},
		{Letter: 'L', Doc: "Follow all symbolic links."},
		{Letter: 'P', Doc: "Follow no symbolic links: the default."},
		{Letter: 's', Doc: "Visit what is in a directory in the order of the names."},
		{Letter: 'X', Doc: "Pass over names that xargs(1) would split, with a message."},
		{Letter: 'x', Doc: "Stay on the file systems of the operands."},
	},
	Operands: operands(),
	Main:     run,
}

// finder finds files.
type finder struct {
	ctx    context.Context
	env    *util.Env
	sys    *client.Sys
	owners *passwd.DB
	now    int64 // when it began, by the kernel's clock, in seconds

	walk     fts.Options
	after    bool // -d: directories come after what is in them
	extended bool // -E
	xargs    bool // -X

	test    test
	cursor  *fts.Cursor // stands in the directory of the file that is looked at
	volumes map[uint64]volume
	sets    []*set        // of -exec ... {} +
	outputs []*outputFile // of -fprint
	line    []byte        // of -print
	stop    bool          // -exit has been met, or nobody reads the output
	status  int
}

// test is an expression or a part of it: it tells whether it is true of a file.
type test func(*fts.Entry) bool

func run(ctx context.Context, env *util.Env) int {
	f := &finder{
		ctx: ctx, env: env, sys: env.Proc.Sys(), owners: passwd.New(env.Proc.Sys()), volumes: make(map[uint64]volume),
		walk: fts.Options{NoStat: true, Ahead: true},
	}
	files, rest, ok := f.options()
	if !ok || len(files) == 0 {
		return env.UsageError()
	}
	err := f.clock()
	if err == nil {
		err = f.parse(rest)
	}
	if err != nil {
		env.Warnx("%s", err)
		f.status = util.ExitFailure
	} else {
		f.find(files)
		f.runSets()
	}
	f.closeOutputs()
	return f.status
}

// options takes the options, and splits what follows into files and the expression.
func (f *finder) options() (files, rest []string, ok bool) {
	g := f.env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'd':
			f.after = true
		case 'E':
			f.extended = true
		case 'f':
			files = append(files, g.Arg)
		case 'H', 'L', 'P':
			f.walk.Links(g.Letter)
		case 'h':
			f.walk.Follow = true
		case 's':
			f.walk.Compare = func(a, b *fts.Entry) int { return strings.Compare(a.Rel, b.Rel) }
		case 'X':
			f.xargs = true
		case 'x':
			f.walk.OneDevice = true
		default:
			return nil, nil, false
		}
	}
	rest = g.Args()
	for len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && rest[0] != "!" && rest[0] != "(" {
		files, rest = append(files, rest[0]), rest[1:]
	}
	return files, rest, true
}

// delimiters are what xargs(1) takes for something else than a part of a name.
const delimiters = " \t\n\\'\""

// find walks the files.
func (f *finder) find(files []string) {
	for c, e := range fts.Walk(f.sys, files, &f.walk) {
		if f.ctx.Err() != nil {
			f.status = util.ExitFailure
			return
		}
		switch {
		case e.Info == fts.Missing || e.Info == fts.Unreadable:
			f.status = f.env.Err(e.Err, "%s", e.Path)
			continue
		case e.Info == fts.Dir && f.after, e.Info == fts.DirAfter && !f.after:
			continue
		case f.xargs && strings.ContainsAny(e.Path, delimiters):
			f.status = f.env.Errx("%s: illegal path", e.Path)
			continue
		}
		f.cursor = c
		f.test(e)
		if f.stop {
			return
		}
	}
}
