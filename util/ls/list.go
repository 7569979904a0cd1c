package ls

import (
	"fmt"
	"slices"

	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/fts"
	"github.com/rumpctrl/rumpctrl/util/passwd"
)

// lister lists the arguments.
type lister struct {
	config
	env     *util.Env
	cursor  *fts.Cursor
	walk    *fts.Options
	owners  *passwd.DB
	several bool   // there is more than one argument
	printed bool   // something was, so that a directory is set off by an empty line
	asked   bool   // the kernel, for the user
	dev     uint64 // of the argument
	status  int
}

// run lists the arguments: first what is not a directory, then the directories.
func (l *lister) run(args []string) int {
	sys := l.env.Proc.Sys()
	l.cursor = fts.NewCursor(sys)
	defer l.cursor.Close()
	l.owners = passwd.New(sys)
	list := make([]*fts.Entry, len(args))
	for i, arg := range args {
		list[i] = fts.Argument(sys, arg, l.walk)
	}
	if l.walk.Compare != nil {
		slices.SortStableFunc(list, l.walk.Compare)
	}
	l.several = len(args) > 1
	var files, dirs []*fts.Entry
	for _, e := range l.present(list) {
		if e.IsDir() && !l.plainDirs {
			dirs = append(dirs, e)
		} else {
			files = append(files, e)
		}
	}
	l.display(nil, files)
	for _, e := range dirs {
		l.dev = e.Stat.Dev
		if err := l.directory(e); err != nil {
			return l.env.Err(err, "%s", e.Path)
		}
	}
	return l.status
}

// present returns the entries that have attributes, and reports the others.
func (l *lister) present(list []*fts.Entry) []*fts.Entry {
	good := make([]*fts.Entry, 0, len(list))
	for _, e := range list {
		if e.Info == fts.Missing {
			l.fail(e.Rel, e.Err)
		} else {
			good = append(good, e)
		}
	}
	return good
}

// fail reports a file that cannot be listed.
func (l *lister) fail(name string, err error) {
	l.env.Warn(err, "%s", name)
	l.status = util.ExitFailure
}

// directory lists what is in a directory and, with -R, in those below it. The error is that the
// way back is lost.
func (l *lister) directory(e *fts.Entry) error {
	l.header(e)
	if err := l.cursor.EnterEntry(e); err != nil {
		l.fail(e.Name(), err)
		return nil
	}
	list, err := l.cursor.Children(e, l.walk)
	list = l.visible(list)
	l.display(e, l.present(list))
	if err != nil {
		l.fail(e.Name(), err)
	}
	for _, child := range list {
		if err := l.below(child); err != nil {
			return err
		}
	}
	return l.cursor.Leave()
}

// below lists a directory that was found in another: -R.
func (l *lister) below(e *fts.Entry) error {
	switch {
	case !l.recursive, e.Rel == ".", e.Rel == "..":
	case e.Info == fts.Cycle:
		l.env.Warnx("%s: directory causes a cycle", e.Rel)
	case e.Info != fts.Dir:
	case l.walk.OneDevice && e.Stat != nil && e.Stat.Dev != l.dev:
	default:
		return l.directory(e)
	}
	return nil
}

// header names the directory whose list follows.
func (l *lister) header(e *fts.Entry) {
	switch {
	case l.leaves:
	case l.printed:
		fmt.Fprintf(l.env.Stdout, "\n%s:\n", e.Path)
	case l.several:
		fmt.Fprintf(l.env.Stdout, "%s:\n", e.Path)
		l.printed = true
	}
}

// visible returns those whose names do not begin with a dot, or all: with -a or -A, and for the
// super-user, about whom the kernel is asked only if there is a name to hide.
func (l *lister) visible(list []*fts.Entry) []*fts.Entry {
	seen := make([]*fts.Entry, 0, len(list))
	for _, e := range list {
		if e.Rel[0] != '.' || l.showsDots() {
			seen = append(seen, e)
		}
	}
	return seen
}

// showsDots tells whether names that begin with a dot are listed.
func (l *lister) showsDots() bool {
	if !l.dots && !l.asked {
		l.asked = true
		uid, err := l.env.Proc.Sys().Getuid()
		l.dots = err == nil && uid == 0
	}
	return l.dots
}
