package sh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Exit statuses of the shell itself.
const (
	exitError     = 2   // of a builtin, an expansion or a redirection; bad syntax
	exitCannotRun = 126 // a file that cannot be run
	exitNotFound  = 127
	exitSignal    = 128 // and the number of the signal
)

const (
	maxNesting = 250      // functions, subshells, eval and the like inside each other
	maxWord    = 64 << 20 // bytes in a word or in a variable
)

// session is what all shells of one run share: those that are read from a terminal or script and the
// subshells that they fork.
type session struct {
	set      util.Set
	builtins map[string]builtin
	ctx      context.Context // done when the session ends
	end      context.CancelFunc
	main     *signals       // of the shell that is no subshell
	pid      int            // of its process: $$
	jobs     sync.WaitGroup // of all shells, to end with the session

	gone   sync.Once // the end of the kernel has been told
	stderr io.Writer // what the session began with, for that

	interactive bool
}

// shell is one shell or subshell: a process on the kernel and what the language knows. It belongs to
// the goroutine that runs it, but for sig.
type shell struct {
	*session

	ctx     context.Context // of what runs now; its cause tells the signal that ended it
	proc    *client.Process
	owned   bool // proc is a fork of its own, to be closed at the end
	last    bool // the shell ends with the command that it runs: no need to fork for that
	nesting int

	fds     descriptors
	vars    *variables
	funcs   map[string]*syntax.Stmt
	aliases map[string]string
	params  []string // $1 and on
	name    string   // $0
	opts    options
	cwd     string // the logical working directory
	getopts getoptsState

	status      int // $?
	substStatus int // of the last command substitution
	flow        flow
	given       []assignment // that precede the command that runs
	loops       int          // that enclose the command in its function
	calls       int          // functions and sourced files that enclose the command
	frame       int          // scope of the function's local variables, -1 outside functions
	tested      int          // constructs that enclose the command and look at its status: no set -e

	sig  signals
	jobs jobs
}

// fork returns a subshell: a forked process with copies of everything, that ends when ctx is
// done. Errors: the kernel's, errNesting.
func (s *shell) fork(ctx context.Context) (*shell, error) {
	if s.nesting >= maxNesting {
		return nil, errNesting
	}
	proc, err := s.proc.Fork()
	if err != nil {
		return nil, err
	}
	child := &shell{
		session: s.session, proc: proc, owned: true,
		nesting: s.nesting + 1,
		fds:     s.fds.fork(proc),
		vars:    s.vars.fork(),
		funcs:   maps.Clone(s.funcs),
		aliases: maps.Clone(s.aliases),
		params:  s.params, name: s.name, opts: s.opts, cwd: s.cwd, getopts: s.getopts,
		status: s.status, loops: s.loops, calls: s.calls, tested: s.tested, frame: s.frame,
	}
	child.ctx, child.sig.stop = context.WithCancelCause(ctx)
	s.sig.inherit(&child.sig)
	context.AfterFunc(child.ctx, func() { proc.Close() })
	return child, nil
}

var errNesting = errors.New("nested too deeply")

// cannotFork says that there is no process to be had. It returns the exit status.
func (s *shell) cannotFork(err error) int {
	return s.failed(exitError, "cannot fork: %s", util.ErrorText(err))
}

// failed says why a call of the kernel failed, and returns the exit status for it; the last one if that is because there is no kernel any more.
func (s *shell) failed(status int, format string, args ...any) int {
	s.checkKernel()
	if s.flow.ended() {
		return s.status
	}
	s.warn(format, args...)
	return status
}

// exit ends a shell or subshell: the trap of EXIT runs, descriptors close. It returns the exit status.
func (s *shell) exit() int {
	s.runExitTrap()
	s.fds.release()
	status := s.status
	if sig := causeSignal(s.ctx); sig != 0 {
		status = exitSignal + sig
	}
	if s.owned {
		s.leaveDirectory(s.proc)
		s.proc.Close()
	}
	s.sig.stop(nil)
	return status
}

// run carries out statements in a subshell, to its end.
func (s *shell) run(stmts []*syntax.Stmt) int {
	s.stmts(stmts)
	return s.exit()
}

// output returns descriptor fd as a writer.
func (s *shell) output(fd int) port { return port{s.ctx, s.fds.file(fd)} }

// warn says what is wrong, on standard error: "sh: ls: not found". A shell that is being ended says nothing.
func (s *shell) warn(format string, args ...any) {
	if s.ctx.Err() != nil {
		return
	}
	fmt.Fprintf(s.output(2), "sh: "+format+"\n", args...)
}

// usage says how a builtin is used.
func (s *shell) usage(line string) int {
	fmt.Fprintf(s.output(2), "usage: %s\n", line)
	return exitError
}

// print writes to standard output for a builtin and returns its exit status. A shell whose output
// nobody reads ends, as by SIGPIPE.
func (s *shell) print(text string) int {
	if text == "" {
		return 0
	}
	_, err := s.output(1).Write([]byte(text))
	switch {
	case err == nil:
		return 0
	case s.ctx.Err() != nil:
		return exitError
	case isBrokenPipe(err) && s.owned:
		s.flow.exit()
		return exitSignal + sigpipe
	}
	s.warn("write: %s", util.ErrorText(err))
	return 1
}

// abort gives up the command line for an error of the shell: a script ends, a session goes on with its next
// line. It returns the exit status.
func (s *shell) abort(format string, args ...any) int {
	if s.flow.ended() {
		return s.status
	}
	s.warn(format, args...)
	s.flow.abort()
	s.status = exitError
	return exitError
}

// giveUp is abort for an error of an expansion or assignment.
func (s *shell) giveUp(err error) {
	if err == errTold {
		s.abortQuietly()
		return
	}
	s.abort("%v", err)
}

// errTold is the error of an expansion that has been told.
var errTold = errors.New("told already")

func (s *shell) abortQuietly() {
	if !s.flow.ended() {
		s.flow.abort()
		s.status = exitError
	}
}

// nest counts constructs inside each other that each take stack. The caller has to call s.nesting-- if
// it returns true.
func (s *shell) nest() bool {
	if s.nesting >= maxNesting {
		s.abort("%v", errNesting)
		return false
	}
	s.nesting++
	return true
}
