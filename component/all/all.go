// Package all is the table of all components: those that there are, and those of the original that are still to come.
// The server makes kernels from it, rump_wmd prints its sets, and the documentation lists it.
//
// Start reading with table.go.
package all

import (
	"slices"

	"github.com/rumpctrl/rumpctrl/kern"
)

// Entry is a component, there or to come.
type Entry struct {
	// Name is the library's name without -l.
	Name string
	// Needs names what it needs, in the order in which rump_wmd prints it.
	Needs []string
	// Doc is one line: what it brings, or will.
	Doc string
	// Component is what a kernel is made with; nil when it is not written yet.
	Component *kern.Component
}

// have is the entry of a component that is there.
func have(c *kern.Component) Entry {
	return Entry{Name: c.Name, Needs: c.Needs, Doc: c.Doc, Component: c}
}

// Components are those that are there, each made anew: kernels share nothing.
func Components() []*kern.Component {
	var list []*kern.Component
	for _, e := range Entries() {
		if e.Component != nil {
			list = append(list, e.Component)
		}
	}
	return list
}

// Lookup finds an entry by name; ok is false when no component is called that, now or later.
func Lookup(name string) (e Entry, ok bool) {
	entries := Entries()
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	return entries[i], true
}

// Closure is the set of entries that the wanted ones need, themselves included, in rump_wmd's order (kern.Closure).
//
// Errors: a name that no entry has.
func Closure(wanted ...string) ([]Entry, error) {
	entries := Entries()
	byComponent := map[*kern.Component]Entry{}
	components := make([]*kern.Component, len(entries))
	for i, e := range entries {
		components[i] = &kern.Component{Name: e.Name, Needs: e.Needs}
		byComponent[components[i]] = e
	}
	order, err := kern.Closure(components, wanted...)
	if err != nil {
		return nil, err
	}
	set := make([]Entry, len(order))
	for i, c := range order {
		set[i] = byComponent[c]
	}
	return set, nil
}
