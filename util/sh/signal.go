package sh

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// sigExit is how a trap knows the end of the shell.
const sigExit = 0

// killed is the cause of a context that a signal has ended.
type killed struct{ sig int }

func (k killed) Error() string { return abi.SignalText(k.sig) }

// causeSignal returns the signal that ended ctx, or 0.
func causeSignal(ctx context.Context) int {
	if k, ok := context.Cause(ctx).(killed); ok {
		return k.sig
	}
	return 0
}

// signals are what a shell does about signals. A signal reaches one shell of this program: the
// terminal's goes to the shell that reads it, that of kill to a job. What waits in the
// foreground of a shell ends with any signal, as its processes would.
type signals struct {
	stop context.CancelCauseFunc // ends what the shell runs

	mu         sync.Mutex
	traps      map[int]string // what to do on a signal, "" for nothing
	pending    []int          // signals whose traps have not run yet
	foreground context.CancelCauseFunc
	interrupt  func() // wakes calls of the shell's own process

	inTrap bool // only the goroutine of the shell looks at it
}

// inherit gives a subshell's signals what a fork leaves: signals that are ignored.
func (sig *signals) inherit(child *signals) {
	sig.mu.Lock()
	defer sig.mu.Unlock()
	child.traps = make(map[int]string)
	for n, action := range sig.traps {
		if action == "" && n != sigExit {
			child.traps[n] = ""
		}
	}
}

// deliver does what the shell has decided about a signal. Any goroutine may call it.
func (sig *signals) deliver(n int) {
	sig.mu.Lock()
	defer sig.mu.Unlock()
	action, trapped := sig.traps[n]
	trapped = trapped && n != abi.SIGKILL
	switch {
	case trapped && action == "", !trapped && ignoredByDefault(n):
		return
	case trapped:
		sig.pending = append(sig.pending, n)
	default:
		sig.stop(killed{n})
	}
	if sig.foreground != nil {
		sig.foreground(killed{n})
	}
	if sig.interrupt != nil {
		go sig.interrupt()
	}
}

// ignoredByDefault tells whether a process goes on after a signal that it has no trap for.
func ignoredByDefault(n int) bool {
	switch n {
	case abi.SIGURG, abi.SIGCHLD, abi.SIGIO, abi.SIGWINCH, abi.SIGINFO, abi.SIGCONT:
		return true
	}
	return false
}

// foreground returns the context of a command that the shell waits for, and what to call at its end.
func (s *shell) foreground() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	s.sig.mu.Lock()
	outer := s.sig.foreground
	s.sig.foreground = cancel
	s.sig.mu.Unlock()
	return ctx, func() {
		s.sig.mu.Lock()
		s.sig.foreground = outer
		s.sig.mu.Unlock()
		cancel(nil)
	}
}

// blocking makes calls of the shell's own process that may wait: a signal wakes them. A subshell needs no
// waking: its process ends.
func (s *shell) blocking(call func() error) error {
	if s.owned {
		return call()
	}
	s.sig.mu.Lock()
	s.sig.interrupt = func() { s.proc.Exec("sh") } //nolint:errcheck // it wakes, nothing else
	s.sig.mu.Unlock()
	err := call()
	s.sig.mu.Lock()
	s.sig.interrupt = nil
	s.sig.mu.Unlock()
	return err
}

// runTraps runs the traps of the signals that have come.
func (s *shell) runTraps() {
	for !s.sig.inTrap && !s.flow.ended() {
		s.sig.mu.Lock()
		if len(s.sig.pending) == 0 {
			s.sig.mu.Unlock()
			return
		}
		action := s.sig.traps[s.sig.pending[0]]
		s.sig.pending = s.sig.pending[1:]
		s.sig.mu.Unlock()
		s.trap(action)
	}
}

// trap runs the action of a trap, which leaves $? as it was.
func (s *shell) trap(action string) {
	s.sig.inTrap = true
	status := s.status
	s.evaluate(action)
	if !s.flow.ended() {
		s.status = status
	}
	s.sig.inTrap = false
}

// runExitTrap runs the trap of EXIT, once.
func (s *shell) runExitTrap() {
	s.sig.mu.Lock()
	action := s.sig.traps[sigExit]
	delete(s.sig.traps, sigExit)
	s.sig.mu.Unlock()
	if action == "" || s.ctx.Err() != nil {
		return
	}
	s.flow = flow{}
	status := s.status
	s.sig.inTrap = true
	s.evaluate(action)
	if !s.flow.ended() {
		s.status = status
	}
}

// signalNumber returns the number of a signal given by number or name, with or without SIG.
func signalNumber(name string) (int, bool) {
	if n, err := strconv.Atoi(name); err == nil {
		return n, 0 <= n && n < abi.NSIG
	}
	name = strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if name == "EXIT" {
		return sigExit, true
	}
	for n := 1; n < abi.NSIG; n++ {
		if signalName(n) == name {
			return n, true
		}
	}
	return 0, false
}

// signalName returns the name of a signal without SIG.
func signalName(n int) string {
	if n == sigExit {
		return "EXIT"
	}
	return strings.TrimPrefix(abi.SignalName(n), "SIG")
}

// trapCommand is the builtin trap.
func trapCommand(s *shell, args []string) int {
	args = args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return s.print(s.sig.list())
	}
	action, reset := args[0], false
	if n, err := strconv.Atoi(action); action == "-" || len(args) == 1 || err == nil && n >= 0 {
		reset = true
		if action == "-" {
			args = args[1:]
		}
	} else {
		args = args[1:]
	}
	status := 0
	for _, name := range args {
		n, ok := signalNumber(name)
		if !ok {
			s.warn("trap: %s: bad trap", name)
			status = 1
			continue
		}
		s.sig.set(n, action, reset)
	}
	return status
}

// set sets the trap of a signal or, with reset, the default.
func (sig *signals) set(n int, action string, reset bool) {
	sig.mu.Lock()
	defer sig.mu.Unlock()
	if reset {
		delete(sig.traps, n)
	} else {
		sig.traps[n] = action
	}
}

// list returns the traps as commands that set them.
func (sig *signals) list() string {
	sig.mu.Lock()
	defer sig.mu.Unlock()
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(sig.traps)) {
		fmt.Fprintf(&b, "trap -- %s %s\n", quote(sig.traps[n]), signalName(n))
	}
	return b.String()
}
