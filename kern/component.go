package kern

import (
	"fmt"
	"slices"
	"strings"
)

// Component is a part that a kernel can be made with or without: a file system, a driver, a protocol.
// It is data: the server boots from it, rump_wmd sorts it, modstat and the documentation list it.
type Component struct {
	// Name is the library's name without -l: "rumpfs_tmpfs".
	Name string
	// Needs names the components that must be there too, in the order in which rump_wmd prints them.
	Needs []string
	// Doc is one line for the documentation: what it brings.
	Doc string
	// Modules are the kernel modules that it appears as in modstat.
	Modules []Module
	// Syscalls are the rows that it brings to the system call table.
	Syscalls []Syscall
	// Attach starts it in a kernel; nil when there is nothing to start. It may register AtHalt hooks.
	Attach func(k *Kernel) error
}

// Module is one line of modstat: a module that is built into the kernel.
type Module struct {
	Name string
	// Class is one of abi.MODULE_CLASS_*.
	Class int
	// Requires names modules, as module(9).
	Requires []string
}

// MissingError says which components a set lacks.
type MissingError struct {
	// Component needs the missing ones.
	Component string
	// Missing are names without -l.
	Missing []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s needs -l%s", e.Component, strings.Join(e.Missing, " -l"))
}

// Order sorts components so that each comes after those it needs, and otherwise keeps the given order.
//
// Errors: *MissingError; a component given twice; a circle.
func Order(components []*Component) ([]*Component, error) {
	byName := make(map[string]*Component, len(components))
	for _, c := range components {
		if byName[c.Name] != nil {
			return nil, fmt.Errorf("component %s is given twice", c.Name)
		}
		byName[c.Name] = c
	}
	s := sorter{byName: byName, state: map[string]int{}}
	for _, c := range components {
		if err := s.visit(c); err != nil {
			return nil, err
		}
	}
	return s.order, nil
}

// sorter is a depth-first topological sort; state is 1 on the way down and 2 when placed.
type sorter struct {
	byName map[string]*Component
	state  map[string]int
	order  []*Component
}

func (s *sorter) visit(c *Component) error {
	switch s.state[c.Name] {
	case 1:
		return fmt.Errorf("component %s needs itself", c.Name)
	case 2:
		return nil
	}
	s.state[c.Name] = 1
	missing := slices.DeleteFunc(slices.Clone(c.Needs), func(n string) bool { return s.byName[n] != nil })
	if len(missing) > 0 {
		return &MissingError{Component: c.Name, Missing: missing}
	}
	for _, n := range c.Needs {
		if err := s.visit(s.byName[n]); err != nil {
			return err
		}
	}
	s.state[c.Name] = 2
	s.order = append(s.order, c)
	return nil
}

// Closure is the set of components that the wanted ones need, themselves included: each wanted one after
// what it needs, in the order of its Needs, as rump_wmd prints it.
//
// Errors: a name that is not in all.
func Closure(all []*Component, wanted ...string) ([]*Component, error) {
	var set []*Component
	for _, name := range wanted {
		c, err := lookupComponent(all, name)
		if err != nil {
			return nil, err
		}
		if set, err = addNeeds(all, set, c); err != nil {
			return nil, err
		}
		if !slices.Contains(set, c) {
			set = append(set, c)
		}
	}
	return set, nil
}

// addNeeds appends what c needs: all its direct needs first, then what those need in turn.
func addNeeds(all, set []*Component, c *Component) ([]*Component, error) {
	start := len(set)
	for _, name := range c.Needs {
		n, err := lookupComponent(all, name)
		if err != nil {
			return nil, err
		}
		if n != c && !slices.Contains(set, n) {
			set = append(set, n)
		}
	}
	for _, n := range set[start:] {
		var err error
		if set, err = addNeeds(all, set, n); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func lookupComponent(all []*Component, name string) (*Component, error) {
	i := slices.IndexFunc(all, func(c *Component) bool { return c.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown component %s", name)
	}
	return all[i], nil
}
