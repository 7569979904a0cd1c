package util

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Getopt takes options off a list of arguments, one after the other, in the manner of
// getopt(3) of NetBSD: options may be joined (-la), an argument may follow in the same word or
// in the next, the first operand ends them and so does "--". Nothing is permuted.
//
// A table in which options have long names is read as by getopt_long(3): a long name may be shortened as far as
// it stays clear, and options may follow operands.
//
//	g := env.Getopt()
//	for g.Next() {
//		switch g.Letter {
//		case 'a':
//			all = true
//		case 'f':
//			file = g.Arg
//		default:
//			return env.UsageError()
//		}
//	}
//	operands := g.Args()
//
// What is wrong has been said to Stderr; Letter is '?' then.
type Getopt struct {
	Letter byte   // the option
	Long   string // its long name, if it has one
	Arg    string // its argument

	options  []Option
	long     bool // options have long names
	inOrder  bool // the first operand ends them all the same
	name     string
	stderr   io.Writer
	args     []string
	word     string   // rest of a word with joined options
	operands []string // that came before options
}

// Getopt returns the options of env.Args by the utility's table.
func (env *Env) Getopt() *Getopt {
	return env.GetoptArgs(env.Args[1:])
}

// GetoptArgs returns the options of args by the utility's table.
func (env *Env) GetoptArgs(args []string) *Getopt {
	return NewGetopt(env.Name(), env.Stderr, env.utility.Options, args)
}

// NewGetopt returns the options of args by a table. Messages go to stderr and begin with name.
func NewGetopt(name string, stderr io.Writer, options []Option, args []string) *Getopt {
	long := slices.ContainsFunc(options, func(o Option) bool { return o.Long != "" })
	return &Getopt{options: options, long: long, name: name, stderr: stderr, args: args}
}

// InOrder has the first operand end the options even if these have long names, as a "+" does in getopt_long(3). It returns g.
func (g *Getopt) InOrder() *Getopt {
	g.inOrder = true
	return g
}

// Next goes to the next option and tells whether there is one.
func (g *Getopt) Next() bool {
	g.Arg, g.Long = "", ""
	if g.word == "" {
		if !g.nextWord() {
			return false
		}
		if g.long && g.word[0] == '-' {
			g.longOption()
			return true
		}
	}
	letter := g.word[:1]
	g.Letter, g.word = g.word[0], g.word[1:]
	option := g.find(g.Letter)
	switch {
	case option == nil:
		g.complain("unknown option", letter)
	case option.Arg == "":
	case g.word != "":
		g.Arg, g.word = g.word, ""
	case len(g.args) > 0:
		g.Arg, g.args = g.args[0], g.args[1:]
	default:
		g.complain("option requires an argument", letter)
	}
	if g.Letter != '?' {
		g.Long = option.Long
	}
	return true
}

// longOption takes the option that the word has: "-name" or "-name=argument".
func (g *Getopt) longOption() {
	word := g.word[1:]
	g.word = ""
	name, arg, joined := strings.Cut(word, "=")
	option, unique := g.findLong(name)
	switch {
	case !unique:
		g.complain("ambiguous option", name)
		return
	case option == nil:
		g.complain("unknown option", word)
		return
	case option.Arg == "" && joined:
		g.complain("option doesn't take an argument", name)
		return
	case option.Arg != "" && !joined && len(g.args) == 0:
		g.complain("option requires an argument", name)
		return
	case option.Arg != "" && !joined:
		arg, g.args = g.args[0], g.args[1:]
	}
	g.Letter, g.Long, g.Arg = option.Letter, option.Long, arg
}

// findLong returns the option of a long name, which may be cut short: nil if there is none. It is not unique
// if several begin like that.
func (g *Getopt) findLong(name string) (option *Option, unique bool) {
	unique = true
	for i := range g.options {
		o := &g.options[i]
		switch {
		case o.Long == "" || !strings.HasPrefix(o.Long, name):
		case o.Long == name:
			return o, true
		case option != nil:
			unique = false
		default:
			option = o
		}
	}
	return option, unique
}

// nextWord goes to the next word if it has options.
func (g *Getopt) nextWord() bool {
	for g.long && !g.inOrder && len(g.args) > 0 && (len(g.args[0]) < 2 || g.args[0][0] != '-') {
		g.operands, g.args = append(g.operands, g.args[0]), g.args[1:]
	}
	if len(g.args) == 0 || len(g.args[0]) < 2 || g.args[0][0] != '-' {
		return false
	}
	g.word, g.args = g.args[0][1:], g.args[1:]
	if g.word == "-" {
		g.word = ""
		return false
	}
	return true
}

func (g *Getopt) find(letter byte) *Option {
	for i := range g.options {
		if g.options[i].Letter == letter && letter != LongOnly {
			return &g.options[i]
		}
	}
	return nil
}

func (g *Getopt) complain(what, option string) {
	fmt.Fprintf(g.stderr, "%s: %s -- %s\n", g.name, what, option)
	g.Letter = '?'
}

// Args returns what is left: the operands.
func (g *Getopt) Args() []string {
	if len(g.operands) == 0 {
		return g.args
	}
	return slices.Concat(g.operands, g.args)
}
