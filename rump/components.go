package rump

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rumpctrl/rumpctrl/component/all"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Base is what every kernel has. As the only component of a Config it stands for a kernel without others.
const Base = "rump"

// ComponentError says that there is no component of a name.
type ComponentError struct {
	// Name as it was given.
	Name string
	// Planned says that the original has such a component, and this kernel has not yet.
	Planned bool
}

func (e *ComponentError) Error() string {
	if e.Planned {
		return fmt.Sprintf("component %s is not written yet", e.Name)
	}
	return "there is no component " + e.Name
}

// LookupComponent finds a component by a name that may be given as for a linker or a loader: "rumpfs_tmpfs", "fs_tmpfs",
// "-lrumpfs_tmpfs", "librumpfs_tmpfs.so", with a path or without.
//
// Errors: *ComponentError. With one for a component that is planned the entry is its.
func LookupComponent(name string) (all.Entry, error) { return lookup(all.Entries(), name) }

func lookup(entries []all.Entry, name string) (all.Entry, error) {
	base := strings.TrimPrefix(path.Base(name), "-l")
	base, _, _ = strings.Cut(base, ".so")
	spellings := []string{base, strings.TrimPrefix(base, "lib")}
	if base != "" {
		spellings = append(spellings, "rump"+base)
	}
	for _, n := range spellings {
		i := slices.IndexFunc(entries, func(e all.Entry) bool { return e.Name == n })
		switch {
		case i >= 0 && entries[i].Component == nil:
			return entries[i], &ComponentError{Name: n, Planned: true}
		case i >= 0:
			return entries[i], nil
		}
	}
	return all.Entry{}, &ComponentError{Name: name}
}

// Components lists the names of all components that a kernel can have.
func Components() []string {
	var names []string
	for _, c := range all.Components() {
		names = append(names, c.Name)
	}
	return names
}

// With returns the named components and all that they need, for Config.Components. A name that is not known
// stays in the list, so that New says so.
func With(names ...string) []string {
	entries := all.Entries()
	var known, unknown []string
	for _, name := range names {
		if e, _ := lookup(entries, name); e.Name != "" {
			known = append(known, e.Name)
		} else {
			unknown = append(unknown, name)
		}
	}
	set, err := all.Closure(known...)
	if err != nil { // the table itself lacks something; New says what
		return append(known, unknown...)
	}
	var list []string
	for _, e := range set {
		list = append(list, e.Name)
	}
	return append(list, unknown...)
}

// pick finds the components of a Config: all of them for an empty list. A name that stands twice counts once.
func pick(names []string) ([]*kern.Component, error) {
	entries := all.Entries()
	var list []*kern.Component
	if len(names) == 0 {
		for _, e := range entries {
			if e.Component != nil {
				list = append(list, e.Component)
			}
		}
		return list, nil
	}
	for _, name := range names {
		e, err := lookup(entries, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, e.Component) {
			list = append(list, e.Component)
		}
	}
	return list, nil
}

// incomplete says which set of components would do, in place of one that lacks some.
func incomplete(err error, names []string) error {
	return fmt.Errorf("%w; this set is complete: -l%s", err, strings.Join(With(names...), " -l"))
}
