// Command rumpctrl is all utilities for rump kernels in one program: called by the name of one, or with the
// name as its first argument, it runs that utility on the kernel that RUMP_SERVER names.
//
//	RUMP_SERVER=unix://csock rumpctrl ls -l /
//
// Alone it lists them; "rumpctrl help NAME" describes one, "rumpctrl install DIR" makes a directory of links and
// the file to source for a shell full of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/sysproxy"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
)

// self is what the program is called when it is no utility.
const self = "rumpctrl"

func main() {
	env := &util.Env{
		Args:   os.Args,
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
		Set:    all.Set{},

		HostEnviron: os.Environ,
		Connect: func(ctx context.Context, name string, getenv func(string) string) (*client.Process, error) {
			return client.FromEnv(ctx, name, getenv)
		},
	}
	os.Exit(dispatch(context.Background(), env))
}

// dispatch runs what env.Args say and returns the exit status.
func dispatch(ctx context.Context, env *util.Env) int {
	if len(env.Args) == 0 {
		env.Args = []string{self}
	}
	if u := all.Lookup(programName(env.Args[0])); u != nil {
		return runUtility(ctx, u, env)
	}
	if len(env.Args) == 1 {
		return overview(env)
	}
	name, args := env.Args[1], env.Args[1:]
	if u := all.Lookup(name); u != nil {
		env.Args = args
		return runUtility(ctx, u, env)
	}
	for _, c := range commands {
		if c.name == name {
			return c.run(env, args[1:])
		}
	}
	fmt.Fprintf(env.Stderr, "%s: %s: no such utility; %s lists them\n", self, name, self)
	return util.ExitNotFound
}

// programName returns the name of a program by its path.
func programName(path string) string {
	name := filepath.Base(path)
	if ext := filepath.Ext(name); strings.EqualFold(ext, ".exe") {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// runUtility connects to the kernel, if the utility needs one, and runs it.
func runUtility(ctx context.Context, u *util.Utility, env *util.Env) int {
	env.Args[0] = programName(env.Args[0])
	if !u.NoKernel {
		proc, err := client.FromEnv(ctx, env.Args[0], env.Getenv)
		if err != nil {
			return noKernel(env, err)
		}
		defer proc.Close()
		os.Unsetenv("RUMPCLIENT__EXECFD") // the connection is ours now, and nobody else's
		env.Proc = proc
	}
	if u.SumsUp {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt)
		defer stop()
	}
	return util.Run(ctx, u, env)
}

// noKernel says that there is no kernel to run on, in the words of the C library: why, only if it is a matter of
// what the user has written.
func noKernel(env *util.Env, err error) int {
	var badURL *sysproxy.URLError
	var badTLS *sysproxy.TLSError
	if errors.As(err, &badURL) || errors.As(err, &badTLS) || errors.Is(err, sysproxy.ErrNoServer) {
		fmt.Fprintln(env.Stderr, err)
	}
	fmt.Fprintln(env.Stderr, "rumpclient init failed")
	return util.ExitFailure
}
