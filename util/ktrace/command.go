package ktrace

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
	"github.com/rumpctrl/rumpctrl/util"
)

// runner goes on as a command and returns its exit status.
type runner func(ctx context.Context, env *util.Env) int

// command traces this process and goes on as a command.
func (tr *tracer) command(ctx context.Context, args []string) int {
	then, err := tr.find(args)
	if err != nil {
		return tr.env.Err(err, "exec of '%s' failed", args[0])
	}
	pid, err := tr.sys.Getpid()
	if err != nil {
		return tr.env.Err(err, "getpid")
	}
	if tr.file == "-" {
		return tr.streamCommand(ctx, pid, then)
	}
	if status := tr.begin(pid); status != util.ExitOK {
		return status
	}
	return then(ctx, tr.env)
}

// find looks a command up: a bare name among the utilities, then on the host's PATH. Nothing has been done yet.
func (tr *tracer) find(args []string) (runner, error) {
	if u := tr.env.Lookup(args[0]); u != nil && !strings.ContainsAny(args[0], `/\`) {
		return func(ctx context.Context, env *util.Env) int { return runUtility(ctx, env, u, args) }, nil
	}
	conn, ok := tr.env.Proc.Transport().(*sysproxy.Conn)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	file, err := exec.LookPath(args[0])
	if err != nil {
		return nil, notFound(err)
	}
	return func(ctx context.Context, env *util.Env) int { return runHost(ctx, env, conn, file, args) }, nil
}

// notFound turns what exec.LookPath says into execvp(3)'s errors.
func notFound(err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return abi.ENOENT
	}
	return abi.ToErrno(err)
}

// runUtility goes on as a utility of the set.
func runUtility(ctx context.Context, env *util.Env, u *util.Utility, args []string) int {
	if err := env.Proc.Exec(args[0]); err != nil {
		return env.Err(err, "exec of '%s' failed", args[0])
	}
	as := *env
	as.Args = args
	return util.Run(ctx, u, &as)
}

// connFD is the number under which a program of the host finds its connection: the first of exec.Cmd's ExtraFiles.
const connFD = 3

// hostGrace is how long a program of the host has to end after it was asked to, before it is killed.
const hostGrace = 2 * time.Second

// runHost goes on as a program of the host, which inherits the connection.
func runHost(ctx context.Context, env *util.Env, conn *sysproxy.Conn, file string, args []string) int {
	if err := env.Flush(); err != nil {
		return env.Err(err, "stdout")
	}
	cmd := exec.CommandContext(ctx, file, args[1:]...)
	cmd.Args[0] = args[0]
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = hostGrace
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.Stdin, below(env.Stdout), below(env.Stderr)
	if cmd.Env = env.Environ; cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	passed, vars, err := conn.ExecFile(connFD)
	if err != nil {
		return env.Err(err, "exec of '%s' failed", args[0])
	}
	defer passed.Close()
	cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], vars...)
	cmd.ExtraFiles = []*os.File{passed}
	if err := cmd.Start(); err != nil {
		return env.Err(err, "exec of '%s' failed", args[0])
	}
	passed.Close()
	conn.Close()
	return hostStatus(env, path.Base(args[0]), cmd.Wait())
}

// below is the host's file that a standard stream is made of, so that a program finds its terminal; the stream if there is none.
func below(w io.Writer) io.Writer {
	for at := w; ; {
		if f, ok := at.(*os.File); ok {
			return f
		}
		u, ok := at.(interface{ Unwrap() io.Writer })
		if !ok {
			return w
		}
		at = u.Unwrap()
	}
}

// signalled is added to a signal's number for the exit status of what it has ended, as a shell does.
const signalled = 128

// hostStatus is the exit status of a program of the host that has ended.
func hostStatus(env *util.Env, name string, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return util.ExitOK
	case !errors.As(err, &exit):
		return env.Err(err, "%s", name)
	case exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return signalled + int(ws.Signal())
	}
	return util.ExitFailure
}
