package server

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/rump"
)

// checkLibraries says what is wrong with the -l options. It has nothing to say about a complete set.
//
// The first line is the original's, whose second one is the dynamic linker's.
func checkLibraries(libraries []string, stderr io.Writer) bool {
	var last string
	var problems []string
	for _, lib := range libraries {
		if why := libraryProblem(lib, libraries); why != "" {
			last = lib
			problems = append(problems, why)
		}
	}
	if last == "" {
		return true
	}
	fmt.Fprintf(stderr, "failed to load -libraries, last error from %q:\n", last)
	for _, why := range problems {
		fmt.Fprintf(stderr, "  %s\n", why)
	}
	if known := thoseThere(libraries); len(known) > 0 {
		fmt.Fprintf(stderr, "  this set is complete: -l%s\n", strings.Join(rump.With(known...), " -l"))
	}
	return false
}

// libraryProblem says why a library cannot be loaded with the others; nothing when it can.
func libraryProblem(lib string, libraries []string) string {
	c, err := rump.LookupComponent(lib)
	if err != nil {
		return err.Error()
	}
	missing := slices.DeleteFunc(slices.Clone(c.Needs), func(need string) bool { return given(need, libraries) })
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("%s needs -l%s", c.Name, strings.Join(missing, " -l"))
}

// given says whether a component, by its proper name, is among the libraries.
func given(component string, libraries []string) bool {
	return slices.ContainsFunc(libraries, func(l string) bool {
		c, err := rump.LookupComponent(l)
		return err == nil && c.Name == component
	})
}

// thoseThere are the libraries that are components of this kernel, if they can be completed.
func thoseThere(libraries []string) []string {
	return slices.DeleteFunc(slices.Clone(libraries), func(l string) bool {
		_, err := rump.LookupComponent(l)
		return err != nil || slices.ContainsFunc(rump.With(l), func(need string) bool {
			_, err := rump.LookupComponent(need)
			return err != nil
		})
	})
}
