package sh

import (
	"fmt"
	"strings"
)

// optPipefail stands for the option that has no letter.
const optPipefail = 0

// option is an option of the shell.
type option struct {
	letter byte // of set -e
	name   string
}

// optionTable has the options by name.
var optionTable = [...]option{
	{'a', "allexport"},
	{'e', "errexit"},
	{'I', "ignoreeof"},
	{'C', "noclobber"},
	{'n', "noexec"},
	{'f', "noglob"},
	{'u', "nounset"},
	{optPipefail, "pipefail"},
	{'v', "verbose"},
	{'x', "xtrace"},
}

// options tells by its letter whether an option is set.
type options [128]bool

func (o *options) on(letter byte) bool { return o[letter] }

// letters returns "$-".
func (o *options) letters() string {
	var b strings.Builder
	for _, opt := range optionTable {
		if opt.letter != optPipefail && o[opt.letter] {
			b.WriteByte(opt.letter)
		}
	}
	return b.String()
}

// set sets an option by its letter or, if that is 0, by its name, and tells whether there is one.
func (o *options) set(letter byte, name string, on bool) bool {
	for _, opt := range optionTable {
		if letter != 0 && letter == opt.letter || letter == 0 && name == opt.name {
			o[opt.letter] = on
			return true
		}
	}
	return false
}

// parse takes options off arguments as set(1) and sh(1) have them: -e, +e, -o name. It returns what is left and whether
// "--" was among them. letter is called for letters that are no options, and tells whether it knows them.
func (o *options) parse(args []string, letter func(c byte, on bool) bool) (rest []string, ended bool, err error) {
	for len(args) > 0 {
		word := args[0]
		if len(word) < 2 || word[0] != '-' && word[0] != '+' {
			break
		}
		args = args[1:]
		if word == "--" {
			return args, true, nil
		}
		on := word[0] == '-'
		for i := 1; i < len(word); i++ {
			c := word[i]
			switch {
			case c == 'o' && len(args) > 0:
				if !o.set(0, args[0], on) {
					return nil, false, fmt.Errorf("illegal option -o %s", args[0])
				}
				args = args[1:]
			case c != 0 && o.set(c, "", on), letter(c, on):
			default:
				return nil, false, fmt.Errorf("illegal option %c%c", word[0], c)
			}
		}
	}
	return args, false, nil
}

// setCommand is the builtin set.
func setCommand(s *shell, args []string) int {
	if len(args) == 1 {
		return s.print(s.listVariables())
	}
	if len(args) == 2 && (args[1] == "-o" || args[1] == "+o") {
		return s.print(s.opts.list(args[1] == "+o"))
	}
	if args[1] == "-" { // an old way to say +vx --
		s.opts['x'], s.opts['v'] = false, false
		args[1] = "--"
		if len(args) == 2 {
			return 0
		}
	}
	opts := s.opts
	rest, ended, err := opts.parse(args[1:], func(byte, bool) bool { return false })
	if err != nil {
		s.warn("set: %v", err)
		return exitError
	}
	s.opts = opts
	if ended || len(rest) > 0 {
		s.params = rest
	}
	return 0
}

// listVariables returns all variables that are set as assignments.
func (s *shell) listVariables() string {
	var b strings.Builder
	for _, name := range s.vars.names(func(v variable) bool { return v.set }) {
		value, _ := s.vars.get(name)
		fmt.Fprintf(&b, "%s=%s\n", name, quoteIfNeeded(value))
	}
	return b.String()
}

// list returns the options as a table, or as commands that set them.
func (o *options) list(commands bool) string {
	var b strings.Builder
	if !commands {
		b.WriteString("Current option settings\n")
	}
	for _, opt := range optionTable {
		on := o.on(opt.letter)
		switch {
		case commands && on:
			fmt.Fprintf(&b, "set -o %s\n", opt.name)
		case commands:
			fmt.Fprintf(&b, "set +o %s\n", opt.name)
		case on:
			fmt.Fprintf(&b, "%-16son\n", opt.name)
		default:
			fmt.Fprintf(&b, "%-16soff\n", opt.name)
		}
	}
	return b.String()
}

// letterSet has the options that a builtin was given.
type letterSet string

func (l letterSet) has(c byte) bool { return strings.IndexByte(string(l), c) >= 0 }

// getoptions takes the options of a builtin, which take no arguments, off its arguments. What is wrong has been said.
func (s *shell) getoptions(args []string, letters string) (letterSet, []string, bool) {
	name, args := args[0], args[1:]
	var found []byte
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0][1:]
		args = args[1:]
		if word == "-" {
			break
		}
		for i := range len(word) {
			if strings.IndexByte(letters, word[i]) < 0 {
				s.warn("%s: illegal option -%c", name, word[i])
				return "", nil, false
			}
			found = append(found, word[i])
		}
	}
	return letterSet(found), args, true
}
