package server

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/component/all"
	"github.com/rumpctrl/rumpctrl/rump"
)

// library is an argument of -l.
type library struct {
	given     string
	component all.Entry
	err       error // why it is no component of this kernel
}

// resolve finds the components of libraries.
func resolve(libraries []string) []library {
	list := make([]library, len(libraries))
	for i, l := range libraries {
		c, err := rump.LookupComponent(l)
		list[i] = library{given: l, component: c, err: err}
	}
	return list
}

// given says whether a component, by its proper name, is among the libraries.
func given(component string, libraries []library) bool {
	return slices.ContainsFunc(libraries, func(l library) bool { return l.err == nil && l.component.Name == component })
}

// problem says why a library cannot be loaded with the others; nothing when it can.
func (l library) problem(others []library) string {
	if l.err != nil {
		return l.err.Error()
	}
	missing := slices.DeleteFunc(slices.Clone(l.component.Needs), func(need string) bool { return given(need, others) })
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("%s needs -l%s", l.component.Name, strings.Join(missing, " -l"))
}

// checkLibraries says what is wrong with the -l options. It has nothing to say about a complete set.
//
// The first line is the original's, whose second one is the dynamic linker's.
func checkLibraries(names []string, stderr io.Writer) bool {
	libraries := resolve(names)
	var last string
	var problems, there []string
	for _, l := range libraries {
		if why := l.problem(libraries); why != "" {
			last = l.given
			problems = append(problems, why)
		}
		if l.err == nil {
			there = append(there, l.component.Name)
		}
	}
	if last == "" {
		return true
	}
	fmt.Fprintf(stderr, "failed to load -libraries, last error from %q:\n", last)
	for _, why := range problems {
		fmt.Fprintf(stderr, "  %s\n", why)
	}
	if set := rump.With(there...); len(set) > 0 && checkLibraries(set, io.Discard) {
		fmt.Fprintf(stderr, "  this set is complete: -l%s\n", strings.Join(set, " -l"))
	}
	return false
}
