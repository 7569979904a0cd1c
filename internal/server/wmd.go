package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/component/all"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/util"
)

// factions are what every kernel is made of. The original looks for them by itself, so that they cannot be
// asked for.
var factions = []string{"-lrumpvfs", "-lrumpnet", "-lrumpdev"}

// wmd is a run of rump_wmd(1): rump, where's my dependency.
type wmd struct {
	env    *Env
	level  int      // of debugging: -v
	libdir string   // -L
	wanted []string // -l and what follows
}

// whereIsMyDependency is rump_wmd. The components are part of this program, so that no directory of libraries is
// looked through and nothing takes time: the original's remarks about that are only printed with -v.
func whereIsMyDependency(env *Env) int {
	w := &wmd{env: env}
	if !w.parse(env.Args[1:]) {
		fmt.Fprintf(env.Stderr, "Usage: %s [-hv] [-L libdir] -lrump_component [...]\n", env.Args[0])
		return 1
	}
	if wrong := w.check(); wrong != "" {
		fmt.Fprintln(env.Stderr, wrong)
		return 1
	}
	if w.libdir != "" {
		w.debug(1, "The components are built in: %s is not searched.", w.libdir)
	}
	w.debug(0, "Searching component combinations. This may take a while ...")
	set := w.search()
	w.debug(0, "Found a set")
	fmt.Fprintln(env.Stdout, strings.Join(set, " "))
	return 0
}

// wmdOptions are the options of rump_wmd(1).
var wmdOptions = []util.Option{
	{Letter: 'h', Doc: "Print the usage."},
	{Letter: 'l', Arg: "rump_component", Doc: "A component that is wanted. These come last."},
	{Letter: 'L', Arg: "libdir", Doc: "A directory of libraries. The components are built in, so that it is not looked at."},
	{Letter: 'v', Doc: "Say more: what the original says of itself, and with a second one what was found."},
}

// parse reads the arguments. It returns false where a usage message is due.
func (w *wmd) parse(args []string) bool {
	g := util.NewGetopt(w.env.name(), w.env.Stderr, wmdOptions, args)
	for g.Next() {
		switch {
		case g.Letter == 'l':
			w.wanted = append(w.wanted, "-l"+g.Arg)
		case len(w.wanted) > 0:
			return false
		case g.Letter == 'v':
			w.level++
		case g.Letter == 'L' && strings.HasPrefix(g.Arg, "-l"):
			w.wanted = append(w.wanted, g.Arg) // -L$DIR, and there is no DIR
		case g.Letter == 'L':
			w.libdir = g.Arg
		default:
			return false
		}
	}
	if len(w.wanted) == 0 {
		return false
	}
	w.wanted = append(w.wanted, g.Args()...)
	return true
}

// check says what is wrong with the wanted components, in the original's words; nothing when all is well.
func (w *wmd) check() string {
	for _, lib := range w.wanted {
		if !strings.HasPrefix(lib, "-l") || lib == "-l" {
			return fmt.Sprintf("Param %q is not of format -llib", lib)
		}
	}
	var seen []string
	for _, lib := range w.wanted {
		if !isComponent(lib) || slices.Contains(seen, lib) {
			return notFound(lib)
		}
		seen = append(seen, lib)
	}
	for _, lib := range factions {
		if slices.Contains(seen, lib) {
			return notFound(lib)
		}
	}
	return ""
}

// isComponent says whether lib is a component's proper name with -l, of one that is there or to come.
func isComponent(lib string) bool {
	_, ok := all.Lookup(strings.TrimPrefix(lib, "-l"))
	return ok
}

func notFound(lib string) string { return fmt.Sprintf("%q not found in $ALLCOMP", lib) }

// search is the complete set: what is needed, then what is wanted as it was given.
func (w *wmd) search() []string {
	var set []string
	for _, name := range rump.With(w.wanted...) {
		if lib := "-l" + name; !slices.Contains(w.wanted, lib) {
			w.debug(1, "Found %s", lib)
			set = append(set, lib)
		}
	}
	return append(set, w.wanted...)
}

// debug says something about the search, where -v stands often enough.
func (w *wmd) debug(level int, format string, args ...any) {
	if w.level > level {
		fmt.Fprintf(w.env.Stderr, "DEBUG%d: %s\n", level, fmt.Sprintf(format, args...))
	}
}
