package sh

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is sh(1). A script that it is given by name is a file of the kernel.
var Utility = util.Utility{
	Name:    "sh",
	Section: 1,
	Doc:     "command interpreter (shell) whose commands are utilities and whose files are the kernel's",
	Usage: []string{
		"[-aCefIinuvx] [-o option] [file [argument ...]]",
		"[-aCefIinuvx] [-o option] -c string [name [argument ...]]",
		"[-aCefIinuvx] [-o option] -s [argument ...]",
	},
	Options: []util.Option{
		{Letter: 'a', Doc: "Export variables that are assigned to."},
		{Letter: 'C', Doc: "Do not overwrite files with >."},
		{Letter: 'c', Arg: "string", Doc: "Run the commands in string."},
		{Letter: 'e', Doc: "Exit when a command that is not tested fails."},
		{Letter: 'f', Doc: "Do not expand names of files."},
		{Letter: 'I', Doc: "Do not leave a session at the end of input."},
		{Letter: 'i', Doc: "Be interactive: prompt, and edit lines if that is possible."},
		{Letter: 'n', Doc: "Read commands without running them."},
		{Letter: 'o', Arg: "option", Doc: "Set an option by its name."},
		{Letter: 's', Doc: "Read commands from standard input."},
		{Letter: 'u', Doc: "Take it for an error to expand a variable that is not set."},
		{Letter: 'v', Doc: "Print commands as they are read."},
		{Letter: 'x', Doc: "Print commands before they run."},
	},
	Operands: []util.Operand{
		{Name: "file", Doc: "A file of the kernel with commands."},
		{Name: "argument", Doc: "A positional parameter: $1 and on."},
	},
	Main: func(ctx context.Context, env *util.Env) int { return Run(ctx, env, Setup{}) },
}

// Setup is how a program runs a shell in other ways than as a utility.
type Setup struct {
	// Name is what the prompt calls the kernel. If it is empty that is what RUMP_SERVER says, or the kernel's
	// host name.
	Name string

	// Script returns what a script holds that is given as an operand. If it is nil the operand names a file of
	// the kernel.
	Script func(name string) (string, error)
}

// Run runs a shell as the process env.Proc and returns its exit status. The arguments are those of sh(1). If standard input
// is that of the program, the program's signals go to the shell.
func Run(ctx context.Context, env *util.Env, setup Setup) int {
	var inv invocation
	if err := inv.parse(env.Args); err != nil {
		env.Warnx("%v", err)
		env.UsageError()
		return exitError
	}
	s := newShell(ctx, env, setup)
	if in, ok := s.fds.file(0).(*hostInput); ok && !inv.string && !inv.file && in.IsTerminal() && s.output(2).IsTerminal() {
		inv.interactive = true
	}
	s.interactive = inv.interactive
	s.opts, s.name, s.params = inv.opts, inv.name, inv.params
	stop := s.takeSignals(env.Stdin)
	if err := s.start(&inv, env, setup); err != nil {
		s.warn("%s: %s", inv.source, util.ErrorText(err))
		s.status = exitNotFound
		if !errors.Is(err, fs.ErrNotExist) {
			s.status = exitCannotRun
		}
	}
	status := s.exit()
	s.end()
	s.session.jobs.Wait()
	stop()
	return status
}

// start runs the commands that the shell was called for.
func (s *shell) start(inv *invocation, env *util.Env, setup Setup) error {
	switch {
	case inv.string:
		return s.execute(newTextInput(strings.NewReader(inv.source)), "")
	case inv.file:
		read := s.readFile
		if setup.Script != nil {
			read = setup.Script
		}
		text, err := read(inv.source)
		if err != nil {
			return err
		}
		return s.execute(newTextInput(strings.NewReader(text)), inv.source)
	case inv.interactive:
		s.interact(s.kernelName(env, setup))
		return nil
	}
	return s.execute(streamInput{s}, "")
}

// invocation is what the arguments of sh(1) say.
type invocation struct {
	opts        options
	string      bool // -c: source is the commands
	file        bool // source is a file's name
	interactive bool
	source      string
	name        string // $0
	params      []string
}

func (inv *invocation) parse(args []string) error {
	inv.name = "sh"
	if len(args) > 0 {
		inv.name = args[0]
		args = args[1:]
	}
	stdin := false
	rest, _, err := inv.opts.parse(args, func(c byte, on bool) bool {
		switch c {
		case 'c':
			inv.string = on
		case 'i':
			inv.interactive = on
		case 's':
			stdin = on
		default:
			return false
		}
		return true
	})
	switch {
	case err != nil:
		return err
	case inv.string && len(rest) == 0:
		return errors.New("-c requires an argument")
	case inv.string:
		inv.source, rest = rest[0], rest[1:]
		if len(rest) > 0 {
			inv.name, rest = rest[0], rest[1:]
		}
	case !stdin && len(rest) > 0:
		inv.file, inv.source, inv.name, rest = true, rest[0], rest[0], rest[1:]
	}
	inv.params = rest
	return nil
}

// newShell returns the shell that a program or another shell runs.
func newShell(ctx context.Context, env *util.Env, setup Setup) *shell {
	s := &shell{
		session: &session{set: env.Set, builtins: builtinTable()},
		proc:    env.Proc,
		fds:     descriptors{},
		vars:    newVariables(),
		funcs:   make(map[string]*syntax.Stmt),
		aliases: make(map[string]string),
		frame:   -1,
		cwd:     "/",
	}
	s.session.ctx, s.end = context.WithCancel(ctx)
	s.ctx, s.sig.stop = context.WithCancelCause(s.session.ctx)
	s.sig.traps = make(map[int]string)
	s.main = &s.sig
	s.fds[0] = newDescription(inputFile(env))
	s.fds[1] = newDescription(outputFile(env, env.Stdout))
	s.fds[2] = newDescription(outputFile(env, env.Stderr))
	s.stderr = port{s.session.ctx, s.fds.file(2)}
	if dir, err := s.proc.Sys().Getcwd(); err == nil {
		s.cwd = dir
	}
	if pid, err := s.proc.Sys().Getpid(); err == nil {
		s.pid = pid
	}
	s.environment(env)
	return s
}

// hostVariables are the variables of the host's environment that the shell takes over.
var hostVariables = [...]string{
	"BLOCKSIZE", "COLUMNS", "LANG", "LC_ALL", "LC_CTYPE", "LC_TIME", "RUMP_SERVER", "TERM", "TZ",
}

// environment sets the variables that a shell begins with: of another shell all that are exported, of the host
// only those that mean the same here.
func (s *shell) environment(env *util.Env) {
	set := func(name, value string, export bool) {
		s.vars.m[name] = variable{value: value, set: true, exported: export}
	}
	set("HOME", "/", true)
	set("PATH", "/sbin:/usr/sbin:/bin:/usr/bin", true)
	for _, name := range hostVariables {
		if value := env.Getenv(name); value != "" {
			set(name, value, true)
		}
	}
	for _, pair := range env.Environ {
		if name, value, ok := strings.Cut(pair, "="); ok && syntax.ValidName(name) {
			set(name, value, true)
		}
	}
	set("PWD", s.cwd, false)
	set("IFS", " \t\n", false)
	set("OPTIND", "1", false)
	set("PS2", "> ", false)
	set("PS4", "+ ", false)
}

// kernelName returns what the prompt calls the kernel.
func (s *shell) kernelName(env *util.Env, setup Setup) string {
	if setup.Name != "" {
		return setup.Name
	}
	if url := env.Getenv("RUMP_SERVER"); url != "" {
		url, _, _ = strings.Cut(url, "?")
		return path.Base(url)
	}
	if name := s.hostName(); name != "" {
		return name
	}
	return "rump"
}

// inputFile returns standard input as an open file: one of the kernel, or a stream of the host.
func inputFile(env *util.Env) openFile {
	switch in := env.Stdin.(type) {
	case nil:
		return closedFile{}
	case *client.File:
		return &kernelFile{env.Proc, in.Fd()}
	case port:
		return in.file
	}
	return newHostInput(env.Stdin)
}

// outputFile returns standard output or error as an open file.
func outputFile(env *util.Env, w io.Writer) openFile {
	for {
		inner, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			break
		}
		w = inner.Unwrap()
	}
	switch out := w.(type) {
	case nil:
		return closedFile{}
	case *client.File:
		return &kernelFile{env.Proc, out.Fd()}
	case port:
		return out.file
	}
	return &hostOutput{w: w}
}

// streamInput is commands from standard input, of which no more is read than is run.
type streamInput struct{ shell *shell }

func (in streamInput) line(bool) (string, error) {
	var line []byte
	next := byteReader(in.shell.ctx, in.shell.fds.file(0))
	err := in.shell.blocking(func() error {
		for {
			c, err := next()
			if err != nil {
				return err
			}
			if line = append(line, c); c == '\n' || len(line) > maxWord {
				return nil
			}
		}
	})
	if len(line) > 0 {
		return string(line), nil
	}
	return "", err
}
