package sh

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/abi"
)

// job is a command in the background: a subshell with a goroutine of its own.
type job struct {
	number int // %1
	pid    int // of the subshell, on the kernel
	text   string
	shell  *shell
	done   chan struct{} // closed at the end
	status int           // valid then
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// jobs are the jobs that a shell has started and not waited for, by number.
type jobs struct {
	list []*job
	last int // $!, 0 if there was none
}

// add gives a job the smallest number that is free.
func (t *jobs) add(j *job) {
	j.number = 1
	for _, other := range t.list {
		if other.number == j.number {
			j.number++
		}
	}
	t.list = append(t.list, j)
	slices.SortFunc(t.list, func(a, b *job) int { return a.number - b.number })
	t.last = j.pid
}

// remove forgets a job.
func (t *jobs) remove(j *job) {
	t.list = slices.DeleteFunc(t.list, func(other *job) bool { return other == j })
}

// find returns the job that an operand names: %1, %%, %+, %- and %text, or a process's number.
func (t *jobs) find(operand string) *job {
	name, percent := strings.CutPrefix(operand, "%")
	n, err := strconv.Atoi(name)
	for _, j := range slices.Backward(t.list) {
		switch {
		case !percent && err == nil && j.pid == n,
			percent && err == nil && j.number == n,
			percent && (name == "" || name == "%" || name == "+"),
			percent && name != "-" && err != nil && strings.HasPrefix(j.text, name):
			return j
		}
	}
	if percent && name == "-" && len(t.list) > 1 {
		return t.list[len(t.list)-2]
	}
	return nil
}

// background starts a statement as a job. It reads nothing if its input is not redirected, and the terminal's
// interrupt does not reach it.
func (s *shell) background(st *syntax.Stmt) {
	child, err := s.fork(s.session.ctx)
	if err != nil {
		s.status = s.cannotFork(err)
		return
	}
	child.fds.set(0, newDescription(nullFile{}))
	pid, err := child.proc.Sys().Getpid()
	if err != nil {
		child.exit()
		s.status = s.cannotFork(err)
		return
	}
	command := *st
	command.Background = false
	child.last = endsShell(&command)
	j := &job{pid: pid, text: source(&command), shell: child, done: make(chan struct{})}
	s.jobs.add(j)
	s.session.jobs.Go(func() {
		j.status = child.run([]*syntax.Stmt{&command})
		close(j.done)
	})
	if s.interactive && !s.owned {
		s.warnJob(j)
	}
	s.status = 0
}

// warnJob tells the user of a session which job was started.
func (s *shell) warnJob(j *job) { fmt.Fprintf(s.output(2), "[%d] %d\n", j.number, j.pid) }

// source returns a statement as source in one line.
func source(st *syntax.Stmt) string {
	var b bytes.Buffer
	if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&b, st); err != nil {
		return "?"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// waitJob waits for a job and forgets it.
func (s *shell) waitJob(ctx context.Context, j *job) int {
	select {
	case <-j.done:
		s.jobs.remove(j)
		return j.status
	case <-ctx.Done():
		return exitSignal + causeSignal(ctx)
	}
}

// reportJobs tells the user of a session which jobs have ended.
func (s *shell) reportJobs() {
	for _, j := range slices.Clone(s.jobs.list) {
		if j.ended() {
			fmt.Fprint(s.output(2), j.line())
			s.jobs.remove(j)
		}
	}
}

// line returns what jobs(1) prints of a job.
func (j *job) line() string {
	state := "Running"
	if j.ended() {
		switch {
		case j.status == 0:
			state = "Done"
		case j.status > exitSignal:
			state = abi.SignalText(j.status - exitSignal)
		default:
			state = fmt.Sprintf("Done(%d)", j.status)
		}
	}
	return fmt.Sprintf("[%d] %-12s %s\n", j.number, state, j.text)
}

// waitCommand is the builtin wait.
func waitCommand(s *shell, args []string) int {
	ctx, done := s.foreground()
	defer done()
	if len(args) == 1 {
		for _, j := range slices.Clone(s.jobs.list) {
			s.waitJob(ctx, j)
			if sig := causeSignal(ctx); sig != 0 {
				return exitSignal + sig
			}
		}
		return 0
	}
	status := 0
	for _, arg := range args[1:] {
		j := s.jobs.find(arg)
		if j == nil {
			status = exitNotFound
			continue
		}
		status = s.waitJob(ctx, j)
	}
	return status
}

// jobsCommand is the builtin jobs.
func jobsCommand(s *shell, args []string) int {
	opts, args, ok := s.getoptions(args, "lp")
	if !ok {
		return s.usage("jobs [-lp] [job ...]")
	}
	list := s.jobs.list
	if len(args) > 0 {
		list = nil
		for _, arg := range args {
			j := s.jobs.find(arg)
			if j == nil {
				return s.noJob("jobs", arg)
			}
			list = append(list, j)
		}
	}
	var out strings.Builder
	for _, j := range slices.Clone(list) {
		switch {
		case opts.has('p'):
			fmt.Fprintln(&out, j.pid)
		case opts.has('l'):
			fmt.Fprintf(&out, "%d %s", j.pid, j.line())
		default:
			out.WriteString(j.line())
		}
		if j.ended() {
			s.jobs.remove(j)
		}
	}
	return s.print(out.String())
}

func (s *shell) noJob(command, name string) int {
	s.warn("%s: no such job: %s", command, name)
	return exitError
}

// fgCommand is the builtin fg: it waits for a job, which the terminal's interrupt ends meanwhile.
func fgCommand(s *shell, args []string) int {
	operand := "%%"
	if len(args) > 1 {
		operand = args[1]
	}
	j := s.jobs.find(operand)
	if j == nil {
		return s.noJob("fg", operand)
	}
	if status := s.print(j.text + "\n"); status != 0 {
		return status
	}
	ctx, done := s.foreground()
	defer done()
	stop := context.AfterFunc(ctx, func() { j.shell.sig.deliver(causeSignal(ctx)) })
	defer stop()
	<-j.done
	s.jobs.remove(j)
	return j.status
}

// bgCommand is the builtin bg. No job is ever stopped.
func bgCommand(s *shell, args []string) int {
	operand := "%%"
	if len(args) > 1 {
		operand = args[1]
	}
	if s.jobs.find(operand) == nil {
		return s.noJob("bg", operand)
	}
	s.warn("bg: job already in background")
	return 1
}

// killCommand is the builtin kill. It knows the jobs of the shell and the shell itself: a rump kernel
// sends no signals.
func killCommand(s *shell, args []string) int {
	const usage = "kill [-s signal_name] pid | job ...\n       kill -l [status]\n       kill [-signal] pid | job ..."
	args = args[1:]
	sig, ok := abi.SIGTERM, true
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		name := args[0][1:]
		args = args[1:]
		switch {
		case name == "l":
			return s.killList(args)
		case name == "s" && len(args) > 0:
			name, args = args[0], args[1:]
			fallthrough
		case name != "-":
			if sig, ok = signalNumber(name); !ok {
				s.warn("kill: unknown signal %s", name)
				return 1
			}
		}
	}
	if len(args) == 0 {
		return s.usage(usage)
	}
	status := 0
	for _, arg := range args {
		if !s.kill(sig, arg) {
			status = 1
		}
	}
	return status
}

// kill sends a signal to a job or to the shell, or says why it cannot. Signal 0 only tells whether there is one to
// send to.
func (s *shell) kill(sig int, operand string) bool {
	if sig == abi.SIGSTOP || sig == abi.SIGTSTP || sig == abi.SIGCONT {
		s.warn("kill: %s: jobs cannot be stopped", abi.SignalName(sig))
		return false
	}
	target := s.killTarget(operand)
	if target == nil {
		s.warn("kill: %s: No such process", operand)
		return false
	}
	if sig != 0 {
		target.deliver(sig)
	}
	return true
}

// killTarget returns what a signal for a job or a process's number goes to, or nil.
func (s *shell) killTarget(operand string) *signals {
	if j := s.jobs.find(operand); j != nil {
		if j.ended() {
			return nil
		}
		return &j.shell.sig
	}
	switch n, err := strconv.Atoi(operand); {
	case err != nil:
		return nil
	case n == s.pid:
		return s.main
	case n == s.ownPID():
		return &s.sig
	}
	return nil
}

// ownPID returns the number of the shell's own process, which is not $$ in a subshell.
func (s *shell) ownPID() int {
	if !s.owned {
		return s.pid
	}
	pid, err := s.proc.Sys().Getpid()
	if err != nil {
		return -1
	}
	return pid
}

// killList is kill -l: the names of all signals, or of that which an exit status tells of.
func (s *shell) killList(args []string) int {
	if len(args) == 0 {
		var names []string
		for n := 1; n < abi.NSIG; n++ {
			names = append(names, signalName(n))
		}
		return s.print(strings.Join(names, " ") + "\n")
	}
	for _, arg := range args {
		n, ok := signalNumber(arg)
		if status, err := strconv.Atoi(arg); err == nil && status > exitSignal {
			n, ok = signalNumber(strconv.Itoa(status - exitSignal))
		}
		if !ok || n == 0 {
			s.warn("kill: unknown signal %s", arg)
			return 1
		}
		if status := s.print(signalName(n) + "\n"); status != 0 {
			return status
		}
	}
	return 0
}
