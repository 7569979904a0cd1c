package sh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// builtin is a command that the shell carries out itself.
type builtin struct {
	run     func(s *shell, args []string) int // args[0] is its name
	special bool                              // POSIX: assignments stay, a bad redirection ends a script
	strict  bool                              // failing ends a script
	declare bool                              // its operands are assignments: no field splitting
}

// simple carries out a simple command: its words are expanded, then its redirections and
// assignments are made, then it runs.
func (s *shell) simple(call *syntax.CallExpr, redirs []*syntax.Redirect) {
	last := s.last
	s.last = false
	s.substStatus = 0
	words := call.Args
	if len(s.aliases) > 0 {
		words = s.expandAliases(words)
	}
	args, err := s.commandFields(words)
	if err != nil {
		s.giveUp(err)
		return
	}
	if len(args) == 0 {
		s.assignments(call, redirs)
		return
	}
	run := s.lookup(args, last)
	before := s.fds.copy()
	if !s.redirect(redirs) {
		s.restore(before)
		s.status = exitError
		if run.special {
			s.flow.abort()
		}
		return
	}
	keep := run.keep
	s.assignAndRun(call.Assigns, args, run)
	if keep && !s.flow.leaving() {
		before.release()
		return
	}
	s.restore(before)
}

// assignments carries out a command that has no name: assignments last, redirections do not.
func (s *shell) assignments(call *syntax.CallExpr, redirs []*syntax.Redirect) {
	before := s.fds.copy()
	ok := s.redirect(redirs)
	s.restore(before)
	if !ok {
		s.status = exitError
		return
	}
	list, err := s.assignEach(call.Assigns, false)
	if err != nil {
		s.giveUp(err)
		return
	}
	s.trace(list, nil)
	s.status = s.substStatus
}

// assignAndRun makes the assignments before a command, runs it and sets the exit status. The
// assignments are undone unless the command is a special builtin.
func (s *shell) assignAndRun(assigns []*syntax.Assign, args []string, run runner) {
	local := !run.special && len(assigns) > 0
	if local {
		s.vars.push()
		defer s.vars.pop()
	}
	list, err := s.assignEach(assigns, local)
	if err != nil {
		s.giveUp(err)
		return
	}
	s.trace(list, args)
	s.given = list
	s.status = run.call()
	if run.strict && s.status != 0 {
		s.flow.abort()
	}
}

// assignment is an assignment with its value expanded.
type assignment struct{ name, value string }

// assignEach makes assignments one after the other, so that each sees those before it. With local they are for a
// command: local to the innermost scope, and exported.
func (s *shell) assignEach(assigns []*syntax.Assign, local bool) ([]assignment, error) {
	var list []assignment
	for _, as := range assigns {
		value, err := s.assignmentValue(as.Value)
		if err != nil {
			return nil, err
		}
		a := assignment{as.Name.Value, value}
		if local {
			s.vars.local(a.name)
			err = s.vars.export(a.name)
		}
		if err == nil {
			err = s.setVar(a.name, a.value)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// trace prints a command before it runs, with set -x.
func (s *shell) trace(list []assignment, args []string) {
	if !s.opts.on('x') {
		return
	}
	var words []string
	for _, a := range list {
		words = append(words, a.name+"="+quoteIfNeeded(a.value))
	}
	for _, arg := range args {
		words = append(words, quoteIfNeeded(arg))
	}
	if len(words) > 0 {
		fmt.Fprintf(s.output(2), "%s%s\n", s.expandPrompt("PS4"), strings.Join(words, " "))
	}
}

// expandAliases puts the text of an alias in the place of a command's first word, and goes on with the next word if
// the text ends in a blank. An alias stands for words, not for operators.
func (s *shell) expandAliases(words []*syntax.Word) []*syntax.Word {
	var done []*syntax.Word
	for more := true; more && len(words) > 0; words = words[1:] {
		var expanded []*syntax.Word
		expanded, more = s.expandAlias(words[0], nil)
		done = append(done, expanded...)
	}
	return append(done, words...)
}

// expandAlias expands a word that is an alias, and the first word of its text in turn, but for the aliases in outer,
// which are being expanded. blank says that a text ends in a blank.
func (s *shell) expandAlias(word *syntax.Word, outer []string) (words []*syntax.Word, blank bool) {
	name := word.Lit()
	text, ok := s.aliases[name]
	if !ok || name == "" || slices.Contains(outer, name) {
		return []*syntax.Word{word}, false
	}
	words, err := aliasWords(text)
	if err != nil {
		s.warn("alias %s: %v", name, err)
		return []*syntax.Word{word}, false
	}
	blank = strings.HasSuffix(text, " ") || strings.HasSuffix(text, "\t")
	if len(words) > 0 {
		first, _ := s.expandAlias(words[0], append(outer, name))
		words = append(first, words[1:]...)
	}
	return words, blank
}

// aliasWords parses the text of an alias.
func aliasWords(text string) ([]*syntax.Word, error) {
	var words []*syntax.Word
	for w, err := range newParser().WordsSeq(strings.NewReader(text)) {
		if err != nil {
			return nil, err
		}
		words = append(words, w)
	}
	return words, nil
}

// commandFields expands the words of a command. Words of declare builtins that look like
// assignments are expanded as such.
func (s *shell) commandFields(words []*syntax.Word) ([]string, error) {
	if len(words) == 0 || !s.builtins[words[0].Lit()].declare {
		return s.fields(words)
	}
	args := []string{words[0].Lit()}
	for _, w := range words[1:] {
		if isAssignment(w) {
			arg, err := s.declaration(w)
			if err != nil {
				return nil, err
			}
			args = append(args, arg)
			continue
		}
		list, err := s.fields([]*syntax.Word{w})
		if err != nil {
			return nil, err
		}
		args = append(args, list...)
	}
	return args, nil
}

// isAssignment tells whether a word begins with a name and "=".
func isAssignment(w *syntax.Word) bool {
	lit, ok := w.Parts[0].(*syntax.Lit)
	if !ok {
		return false
	}
	name, _, found := strings.Cut(lit.Value, "=")
	return found && syntax.ValidName(name)
}

// runner is a command that has been found.
type runner struct {
	call    func() int // runs it and returns the exit status
	special bool       // it is a special builtin
	strict  bool       // failing ends a script
	keep    bool       // its redirections stay: exec without a command
}

// lookup finds a command by its name: a special builtin, a function, another builtin, a utility.
func (s *shell) lookup(args []string, last bool) runner {
	name := args[0]
	b, ok := s.builtins[name]
	if ok && b.special {
		return runner{
			call:    func() int { return b.run(s, args) },
			special: true,
			strict:  b.strict,
			keep:    name == "exec",
		}
	}
	if body, ok := s.funcs[name]; ok {
		return runner{call: func() int { return s.function(body, args) }}
	}
	return runner{call: func() int { return s.external(args, last) }}
}

// external runs a command that is no function: a builtin, a utility, or a script by its path.
func (s *shell) external(args []string, last bool) int {
	name := args[0]
	if b, ok := s.builtins[name]; ok {
		return b.run(s, args)
	}
	if strings.Contains(name, "/") {
		return s.script(args)
	}
	u := s.findUtility(name)
	if u == nil {
		s.warn("%s: not found", name)
		return exitNotFound
	}
	return s.utility(u, args, last)
}

func (s *shell) findUtility(name string) *util.Utility {
	if s.set == nil || name == "" {
		return nil
	}
	return s.set.Lookup(name)
}

// function calls a function.
func (s *shell) function(body *syntax.Stmt, args []string) int {
	if !s.nest() {
		return s.status
	}
	params, loops, frame := s.params, s.loops, s.frame
	s.vars.push()
	s.params, s.loops, s.frame = args[1:], 0, len(s.vars.scopes)-1
	s.calls++
	s.stmt(body)
	s.calls--
	s.vars.pop()
	s.params, s.loops, s.frame = params, loops, frame
	s.nesting--
	s.flow.returned()
	return s.status
}

// command is a process on the kernel that does something for the shell, and what it has for descriptors.
type command struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	proc   *client.Process
	fds    descriptors
	end    func()
}

// spawn forks a process for a command in the foreground. It ends with the context, and with end.
func (s *shell) spawn() (*command, error) {
	ctx, done := s.foreground()
	proc, err := s.proc.Fork()
	if err != nil {
		done()
		return nil, err
	}
	c := &command{proc: proc, fds: s.fds.fork(proc)}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { proc.Close() })
	c.end = func() {
		stop()
		c.fds.release()
		s.leaveDirectory(proc)
		proc.Close()
		c.cancel(nil)
		done()
	}
	return c, nil
}

// leaveDirectory has a process that ends give up its working directory: a remote kernel hears of the end
// later, and a file system with a process in it cannot be unmounted.
func (s *shell) leaveDirectory(proc *client.Process) {
	if s.cwd != "/" {
		proc.Sys().Chdir("/") //nolint:errcheck // there may be no kernel any more
	}
}

// become is spawn without a fork: the command takes the place of the shell.
func (s *shell) become() *command {
	c := &command{proc: s.proc, fds: s.fds.copy()}
	c.ctx, c.cancel = context.WithCancelCause(s.ctx)
	c.end = func() {
		c.fds.release()
		c.cancel(nil)
	}
	return c
}

// utility runs a utility as a process of its own or, if the shell ends with it, in the shell's.
func (s *shell) utility(u *util.Utility, args []string, last bool) int {
	var c *command
	if last {
		c = s.become()
	} else {
		var err error
		if c, err = s.spawn(); err != nil {
			return s.cannotFork(err)
		}
	}
	defer c.end()
	if err := c.proc.Exec(u.Name); err != nil && c.ctx.Err() == nil {
		return s.failed(exitCannotRun, "%s: %s", args[0], util.ErrorText(err))
	}
	env := &util.Env{
		Args:   args,
		Stdin:  c.stdio(0),
		Stdout: c.stdio(1),
		Stderr: c.stdio(2),
		Set:    s.set,
	}
	env.Environ, env.Getenv = s.vars.environ()
	if !u.NoKernel {
		env.Proc = c.proc
	}
	status := util.Run(c.ctx, u, env)
	if sig := causeSignal(c.ctx); sig != 0 {
		return exitSignal + sig
	}
	if !last {
		s.checkKernel()
	}
	return status
}

// stdio returns a standard stream for a utility. A file of the kernel is one with its offset.
func (c *command) stdio(fd int) io.ReadWriter {
	file := c.fds.file(fd)
	if k, ok := file.(*kernelFile); ok {
		return c.proc.NewFile(k.fd, "")
	}
	return port{c.ctx, file}
}

func isBrokenPipe(err error) bool { return errors.Is(err, io.ErrClosedPipe) }
