// Package ed is ed(1): the line editor, for files of the kernel.
//
// Commands come from the standard input, which is the host's, and what they print goes to the standard output; the files
// that they read and write are the kernel's. The editor's own messages, "?" and numbers of bytes among them, go to the standard
// error, as those of NetBSD's ed do.
//
// Where things are: buffer.go has the text and its undoing, input.go the standard input and the interrupts, address.go what
// stands before a command, command.go the table of commands, and the other files the commands by their subject. Regular
// expressions are those of package regex: basic ones, or extended ones with -E, with back-references.
//
// The text is kept in memory and not in a file in /tmp. There is no encryption: -x and the command x are refused.
// A command behind an exclamation mark is the name of a utility with its arguments (shell.go): ed itself runs no program of
// the host. The shell is a utility too, so that a pipeline is written "!sh -c 'ls | cat'"; its command "host" is then the one
// way from a script to the host, and -S closes that with all others.
//
// Start reading at [Utility] and (*editor).session.
package ed

import (
	"context"
	"fmt"
	"strings"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ed/regex"
)

// Utility is ed.
var Utility = newUtility(limits{lines: 16 << 20, bytes: 1 << 30})

func newUtility(most limits) util.Utility {
	return util.Utility{
		Name:    "ed",
		Section: 1,
		Doc:     "text editor",
		Usage:   []string{"Usage: ed [-] [-ESsx] [-p string] [name]"},
		Options: []util.Option{
			{Letter: 'E', Doc: "Regular expressions are extended ones."},
			{Letter: 'p', Arg: "string", Doc: "Prompt for commands with string; the command P turns that off and on."},
			{Letter: 'S', Doc: "Run no utilities: the command ! and files that begin with ! are refused."},
			{Letter: 's', Doc: "Print no numbers of bytes, and do not warn of changes that are lost. - alone is the same."},
			{Letter: 'x', Doc: "Encryption, which is refused: it is not supported."},
		},
		Operands: []util.Operand{{Name: "name", Doc: "The file to edit; !command is what a utility prints."}},
		Main:     func(ctx context.Context, env *util.Env) int { return run(ctx, env, most) },
	}
}

// Exit statuses.
const (
	exitTrouble = 2 // an error in a script, or the end came by a signal
	exitFatal   = 3 // nothing can be printed any more
)

// editor is a session.
type editor struct {
	ctx context.Context
	env *util.Env
	sys *client.Sys

	commands map[byte]*action
	buf      *buffer
	in       *input

	current int    // line, 0 before the first
	text    string // of the command, or of the command list of g; it ends with a newline
	pos     int    // in text
	global  bool   // the command is of g's list

	terminal   bool // somebody types: an error does not end the session
	scripted   bool // -s
	secure     bool // -S
	extended   bool // -E
	modified   bool // since it was written
	explain    bool // H
	prompting  bool // P
	prompt     string
	file       string // the default name, with its backslashes
	lastError  error
	lastSearch *regex.Regexp
	active     []*line // lines that a global command has still to come to
	subst      substitution
	shell      string // the last command that ran a utility
	columns    int    // of what l prints
	window     int    // lines of the terminal, but for two
	scrolled   int    // lines that z goes on by; 0 if it was not told
	wrapped    int    // lines that l has printed since somebody has looked
}

func run(ctx context.Context, env *util.Env, most limits) int {
	in := newInput(ctx, env.Stdin)
	defer in.stop()
	return newEditor(ctx, env, in, most).session()
}

func newEditor(ctx context.Context, env *util.Env, in *input, most limits) *editor {
	return &editor{
		ctx: ctx, env: env, sys: env.Proc.Sys(),
		commands: commands(), buf: newBuffer(most), in: in,
		terminal: util.IsTerminal(env.Stdin),
		prompt:   "*", columns: 72, window: 22,
	}
}

// session takes the arguments, does commands until the end and returns the exit status.
func (e *editor) session() int {
	args, status := e.options(e.env.Args[1:])
	if status != util.ExitOK {
		return status
	}
	if len(args) > 0 && !e.open(args[0]) {
		return exitTrouble
	}
	return e.run()
}

// options takes the options off the arguments. A "-" among them is -s.
func (e *editor) options(args []string) (operands []string, status int) {
	for {
		g := e.env.GetoptArgs(args)
		for g.Next() {
			switch g.Letter {
			case 'E':
				e.extended = true
			case 'p':
				e.prompt, e.prompting = g.Arg, true
			case 'S':
				e.secure = true
			case 's':
				e.scripted = true
			case 'x':
				return nil, e.env.Errx("-x: encryption is not supported")
			default:
				return nil, e.env.UsageError()
			}
		}
		args = g.Args()
		if len(args) == 0 || args[0] != "-" {
			return args, util.ExitOK
		}
		e.scripted = true
		args = args[1:]
	}
}

// open reads the file that the editor is called with. It returns false if that ends the session.
func (e *editor) open(name string) bool {
	err := error(errFilename)
	if name != "" {
		err = e.readOperand(name)
	}
	switch err {
	case nil:
		return true
	case errFilename, errShell:
		fmt.Fprintln(e.env.Stderr, "?") // of a file that cannot be read, the kernel's message says enough
	}
	e.lastError = err
	return e.terminal
}

// readOperand reads what an operand names, and makes that the default name unless it is a command.
func (e *editor) readOperand(name string) error {
	source := file{name: name}
	if name[0] == '!' {
		if e.secure {
			return errShell
		}
		e.shell = name[1:]
		source = file{name: e.shell, command: true}
	} else {
		e.file = name
	}
	if _, err := e.read(source, 0); err != nil {
		return err
	}
	e.buf.forget()
	return nil
}

// run does commands until the end and returns the exit status.
func (e *editor) run() int {
	for {
		if e.prompting {
			fmt.Fprint(e.env.Stdout, e.prompt)
		}
		err := e.step()
		switch err {
		case nil:
			continue
		case errQuit:
			return util.ExitOK
		case errHangUp:
			e.saveHangUp()
			return exitTrouble
		case errOutput:
			return exitFatal
		}
		if !e.fail(err) {
			return exitTrouble
		}
	}
}

// step reads a command and does it.
func (e *editor) step() error {
	line, err := e.readLine()
	if err != nil {
		return err
	}
	switch {
	case line == "" && e.modified && !e.scripted:
		return errModified
	case line == "":
		return errQuit
	case !strings.HasSuffix(line, "\n"):
		return errEOF
	}
	e.text, e.pos, e.global, e.wrapped = line, 0, false, 0
	return e.command()
}

// fail tells of an error and returns false if it ends the session.
func (e *editor) fail(err error) bool {
	e.lastError = err
	script := !e.terminal
	switch err {
	case errInterrupt:
		script = false
		fmt.Fprint(e.env.Stderr, "\n?\n")
	case errModified:
		e.modified = false // the next time it is not asked
		fallthrough
	default:
		fmt.Fprint(e.env.Stderr, "?\n")
	}
	switch {
	case !e.explain:
	case script:
		fmt.Fprintf(e.env.Stderr, "script, line %d: %s\n", e.in.line, err)
	default:
		fmt.Fprintln(e.env.Stderr, err)
	}
	return !script
}
