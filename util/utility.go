package util

import (
	"context"
	"slices"
)

// Utility is a utility: what it is called, how it is used and what it does. Values are
// read only.
type Utility struct {
	Name     string    // as it is called, "ls"
	Section  int       // of the manual: 1 or 8
	Doc      string    // one line, as the manual page's NAME: "list directory contents"
	Usage    []string  // the lines of the usage message after the name: "[-1AaBb] [file ...]", or whole from "usage:" on
	Options  []Option  // all of them; getopt and the documentation read the same table
	Operands []Operand // what the documentation says of operands
	Missing  []string  // for the documentation: what the manual page has and this has not, and why
	NoKernel bool      // it runs without a kernel: Env.Proc is nil
	AlsoName []string  // other names that it has; Env.Args[0] tells which
	SumsUp   bool      // SIGINT ends its context, not the program: it has something to say at its end

	// Main does it and returns the exit status. What it has written to env.Stdout
	// is flushed for it.
	Main func(ctx context.Context, env *Env) int
}

// Option is an option of a utility.
type Option struct {
	Letter byte   // 'a' for -a, LongOnly if it has no letter
	Long   string // "reference" for --reference, empty if it has no long name
	Arg    string // what its argument is called, empty if it takes none
	Doc    string // one sentence
}

// LongOnly is the letter of an option that has none: Getopt.Long tells which it is.
const LongOnly byte = 0

// Synopsis returns how the option is written: "-a", "-f file", "--reference=rfile", "-d date, --date=date".
func (o *Option) Synopsis() string {
	var s string
	if o.Letter != LongOnly {
		s = "-" + string(o.Letter)
		if o.Arg != "" {
			s += " " + o.Arg
		}
	}
	if o.Long == "" {
		return s
	}
	if s != "" {
		s += ", "
	}
	s += "--" + o.Long
	if o.Arg != "" {
		s += "=" + o.Arg
	}
	return s
}

// Operand is an operand of a utility, or a group of them: "bs=n".
type Operand struct {
	Name string
	Doc  string // one sentence
}

// Names returns all names of the utility.
func (u *Utility) Names() []string { return append([]string{u.Name}, u.AlsoName...) }

// Called tells whether name is one of the utility's.
func (u *Utility) Called(name string) bool {
	return u.Name == name || slices.Contains(u.AlsoName, name)
}

// Set is a set of utilities.
type Set interface {
	// Lookup returns the utility of a name, or nil.
	Lookup(name string) *Utility
}
