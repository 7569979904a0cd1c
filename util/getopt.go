package util

import (
	"fmt"
	"io"
)

// Getopt takes options off a list of arguments, one after the other, in the manner of
// getopt(3) of NetBSD: options may be joined (-la), an argument may follow in the same word or
// in the next, the first operand ends them and so does "--". Nothing is permuted.
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
	Arg    string // its argument

	options []Option
	name    string
	stderr  io.Writer
	args    []string
	word    string // rest of a word with joined options
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
	return &Getopt{options: options, name: name, stderr: stderr, args: args}
}

// Next goes to the next option and tells whether there is one.
func (g *Getopt) Next() bool {
	g.Arg = ""
	if g.word == "" && !g.nextWord() {
		return false
	}
	g.Letter, g.word = g.word[0], g.word[1:]
	option := g.find(g.Letter)
	switch {
	case option == nil:
		g.complain("unknown option")
	case option.Arg == "":
	case g.word != "":
		g.Arg, g.word = g.word, ""
	case len(g.args) > 0:
		g.Arg, g.args = g.args[0], g.args[1:]
	default:
		g.complain("option requires an argument")
	}
	return true
}

// nextWord goes to the next word if it has options.
func (g *Getopt) nextWord() bool {
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
		if g.options[i].Letter == letter {
			return &g.options[i]
		}
	}
	return nil
}

func (g *Getopt) complain(what string) {
	fmt.Fprintf(g.stderr, "%s: %s -- %c\n", g.name, what, g.Letter)
	g.Letter = '?'
}

// Args returns what is left: the operands.
func (g *Getopt) Args() []string { return g.args }
