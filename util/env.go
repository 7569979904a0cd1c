package util

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// Exit statuses.
const (
	ExitOK       = 0
	ExitFailure  = 1
	ExitNotFound = 127 // no such utility
)

// Env is what a utility runs in. It belongs to the goroutine that runs the utility.
type Env struct {
	// Args are the arguments; Args[0] is the base name by which the utility was called.
	Args []string

	// Stdin, Stdout and Stderr are the standard streams: the host's, or those of the
	// shell that runs the utility. [Run] has Stdout buffered, and flushed before
	// anything goes to Stderr, so that the two come out in the order of a terminal.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Getenv returns a variable of the environment, empty if it is not set.
	Getenv func(string) string

	// Environ is the whole environment as NAME=value if it is a shell's; nil if it is the host's, of which
	// a utility only asks for what it knows.
	Environ []string

	// HostEnviron returns the host's environment, where Getenv asks that; nil where it does not.
	HostEnviron func() []string

	// Proc is the process on the kernel; nil for a utility that needs none.
	Proc *client.Process

	// Connect makes a process on the kernel that an environment names, for a utility that runs without one and has another
	// run; nil if that cannot be.
	Connect func(ctx context.Context, name string, getenv func(string) string) (*client.Process, error)

	// Set is where [Env.Run] finds other utilities; nil if there are none.
	Set Set

	utility *Utility
	ctx     context.Context // that Run was given
}

// Run runs a utility to its end and returns its exit status. What it wrote to Stdout is out
// then; if that failed, the status is at least 1, with a message unless the reader went
// away.
func Run(ctx context.Context, u *Utility, env *Env) int {
	inner := *env
	out := newOutput(env.Stdout)
	inner.Stdout, inner.Stderr, inner.utility, inner.ctx = out, newOrdered(env.Stderr, out), u, ctx
	status := u.Main(ctx, &inner)
	if err := out.Flush(); err != nil && status == ExitOK {
		if !errors.Is(err, io.ErrClosedPipe) {
			inner.Warn(err, "stdout")
		}
		status = ExitFailure
	}
	return status
}

// Name returns the base name by which the utility was called.
func (env *Env) Name() string {
	if len(env.Args) == 0 {
		return ""
	}
	return path.Base(env.Args[0])
}

// Utility returns the utility that runs.
func (env *Env) Utility() *Utility { return env.utility }

// Variables returns the whole environment as NAME=value.
func (env *Env) Variables() []string {
	if env.Environ == nil && env.HostEnviron != nil {
		return env.HostEnviron()
	}
	return env.Environ
}

// Flush writes out what is buffered of Stdout.
func (env *Env) Flush() error {
	if f, ok := env.Stdout.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// Warn prints a message to Stderr with the text of err, as warn(3):
// "ls: /nope: No such file or directory". The format says what failed and may be empty. It prints nothing if what failed is
// that the utility has been interrupted: who did that knows.
func (env *Env) Warn(err error, format string, args ...any) {
	if env.interrupted(err) {
		return
	}
	text := ErrorText(err)
	if format != "" {
		text = fmt.Sprintf(format, args...) + ": " + text
	}
	fmt.Fprintf(env.Stderr, "%s: %s\n", env.Name(), text)
}

// interrupted tells whether err comes from the end of the context that the utility runs under.
func (env *Env) interrupted(err error) bool {
	if env.ctx == nil || env.ctx.Err() == nil {
		return false
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) || errors.Is(err, abi.EINTR)
}

// Warnx prints a message to Stderr, as warnx(3).
func (env *Env) Warnx(format string, args ...any) {
	fmt.Fprintf(env.Stderr, "%s: %s\n", env.Name(), fmt.Sprintf(format, args...))
}

// Err is Warn that returns the status 1: "return env.Err(err, path)".
func (env *Env) Err(err error, format string, args ...any) int {
	env.Warn(err, format, args...)
	return ExitFailure
}

// Errx is Warnx that returns the status 1.
func (env *Env) Errx(format string, args ...any) int {
	env.Warnx(format, args...)
	return ExitFailure
}

// UsageError prints how the utility is used to Stderr and returns the status 1.
func (env *Env) UsageError() int {
	env.utility.writeUsage(env.Stderr, env.Name())
	return ExitFailure
}

// ErrorText returns what strerror(3) would say of err: the text of the abi.Errno that it
// is or wraps, without the operation and path that package client puts around it.
func ErrorText(err error) string {
	var errno abi.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// Location returns the time zone that TZ names, or the host's.
func (env *Env) Location() *time.Location {
	tz := env.Getenv("TZ")
	if tz == "" || tz == os.Getenv("TZ") {
		return time.Local
	}
	if loc, err := time.LoadLocation(tz); err == nil {
		return loc
	}
	return time.UTC
}

// Run runs another utility of the set with arguments and waits for its end, as a process
// of its own on the kernel: fork, exec and wait. The status is 127, with a message, if
// the set has no such utility.
func (env *Env) Run(ctx context.Context, name string, args ...string) int {
	u := env.Lookup(name)
	if u == nil {
		env.Warnx("%s: not found", name)
		return ExitNotFound
	}
	child := *env
	child.Args = append([]string{name}, args...)
	switch {
	case u.NoKernel:
	case env.Proc != nil:
		proc, err := env.Proc.Fork()
		if err != nil {
			return env.Err(err, "fork")
		}
		defer proc.Close()
		if err := proc.Exec(name); err != nil {
			return env.Err(err, "%s", name)
		}
		child.Proc = proc
	case env.Connect != nil:
		proc, err := env.Connect(ctx, name, env.Getenv)
		if err != nil {
			return env.Errx("%v", err)
		}
		defer proc.Close()
		child.Proc = proc
	}
	return Run(ctx, u, &child)
}

// Lookup returns the utility of a name in the set, or nil.
func (env *Env) Lookup(name string) *Utility {
	if env.Set == nil {
		return nil
	}
	return env.Set.Lookup(name)
}
