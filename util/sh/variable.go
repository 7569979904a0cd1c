package sh

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// variable is a variable of the shell. The zero value is one that is unset.
type variable struct {
	value    string
	set      bool
	exported bool
	readonly bool
}

// variables are the variables of one shell. A variable that is made local gets its value back when the function or
// command ends that it is local to.
type variables struct {
	m      map[string]variable
	scopes []map[string]variable // what local variables were before
}

func newVariables() *variables { return &variables{m: make(map[string]variable)} }

// fork returns a copy for a subshell.
func (v *variables) fork() *variables {
	c := &variables{m: maps.Clone(v.m)}
	for _, scope := range v.scopes {
		c.scopes = append(c.scopes, maps.Clone(scope))
	}
	return c
}

// get returns a variable's value and whether it is set.
func (v *variables) get(name string) (string, bool) {
	va := v.m[name]
	return va.value, va.set
}

// set gives a variable a value. Errors: it is read only, or too long.
func (v *variables) set(name, value string) error {
	va := v.m[name]
	if va.readonly {
		return fmt.Errorf("%s: is read only", name)
	}
	if len(value) > maxWord {
		return errTooLong
	}
	va.value, va.set = value, true
	v.m[name] = va
	return nil
}

// unset makes a variable one that is not set. Errors: it is read only.
func (v *variables) unset(name string) error {
	if v.m[name].readonly {
		return fmt.Errorf("%s: is read only", name)
	}
	delete(v.m, name)
	return nil
}

// export has utilities get a variable.
func (v *variables) export(name string) error { return v.mark(name, false) }

// mark makes a variable exported or read only. Errors: its name is none.
func (v *variables) mark(name string, readonly bool) error {
	if !syntax.ValidName(name) {
		return fmt.Errorf("%s: bad variable name", name)
	}
	va := v.m[name]
	if readonly {
		va.readonly = true
	} else {
		va.exported = true
	}
	v.m[name] = va
	return nil
}

// push begins a scope for local variables, pop ends it.
func (v *variables) push() { v.scopes = append(v.scopes, nil) }

func (v *variables) pop() {
	last := len(v.scopes) - 1
	for name, before := range v.scopes[last] {
		if before == (variable{}) {
			delete(v.m, name)
		} else {
			v.m[name] = before
		}
	}
	v.scopes = v.scopes[:last]
}

// local makes a variable local to the innermost scope. It keeps its value and what it is.
func (v *variables) local(name string) { v.localAt(name, len(v.scopes)-1) }

// localAt is local for a scope further out.
func (v *variables) localAt(name string, at int) {
	if v.scopes[at] == nil {
		v.scopes[at] = make(map[string]variable)
	}
	if _, already := v.scopes[at][name]; !already {
		v.scopes[at][name] = v.m[name]
	}
}

// environ returns the environment of a utility, as it is now.
func (v *variables) environ() (list []string, getenv func(string) string) {
	env := make(map[string]string)
	for name, va := range v.m {
		if va.exported && va.set {
			env[name] = va.value
			list = append(list, name+"="+va.value)
		}
	}
	return list, func(name string) string { return env[name] }
}

// names returns the names of variables in alphabetical order.
func (v *variables) names(want func(variable) bool) []string {
	var list []string
	for name, va := range v.m {
		if want(va) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// quote returns text as one word of the shell.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// quoteIfNeeded is quote for text that is not a plain word.
func quoteIfNeeded(text string) string {
	plain := func(r rune) bool {
		return r == '_' || r > 127 || strings.ContainsRune("+,-./:=@%^", r) ||
			'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return quote(text)
}

// environment returns the variables that a script gets: those that are exported.
func (v *variables) environment() *variables {
	c := newVariables()
	for name, va := range v.m {
		if va.exported {
			va.readonly = false
			c.m[name] = va
		}
	}
	return c
}
