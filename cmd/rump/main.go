// Command rump is the one command to begin with: a shell on a rump kernel that lives in the same process.
//
//	rump                                     a session on a kernel with every component
//	rump -c 'ls -l /; sysctl kern.hostname'  commands
//	rump script.sh argument                  a script, which is a file of the host
//	rump -s unix://csock                     the same shell on the kernel of a server
//
// Every command is one of the utilities and every path is the kernel's; "host CMD" runs a command of the host. The
// shell is package util/sh, docs/shell.md describes it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/internal/server"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/all"
	"github.com/rumpctrl/rumpctrl/util/sh"
)

func main() {
	os.Exit(run(context.Background(), &util.Env{
		Args:   os.Args,
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
		Set:    all.Set{},
	}))
}

// run runs a shell on the kernel that the arguments ask for, and returns its exit status.
func run(ctx context.Context, env *util.Env) int {
	inv, ok := parse(env)
	if !ok {
		fmt.Fprint(env.Stderr, usage)
		return util.ExitFailure
	}
	env.Args = inv.shell
	if inv.remote != "" {
		return remote(ctx, env, inv)
	}
	return embedded(ctx, env, inv)
}

// setup is how both kinds of kernel have their shell: a script is a file of the host.
func setup(name string) sh.Setup {
	return sh.Setup{Name: name, Script: func(file string) (string, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", host.Errno(err)
		}
		return string(text), nil
	}}
}

// remote runs a shell on the kernel of a server.
func remote(ctx context.Context, env *util.Env, inv *invocation) int {
	proc, err := client.Dial(ctx, inv.remote, "sh")
	if err != nil {
		fmt.Fprintf(env.Stderr, "rump: %v\n", err)
		return util.ExitFailure
	}
	defer proc.Close()
	env.Proc, env.Getenv = proc, withServer(env.Getenv, inv.remote)
	return sh.Run(ctx, env, setup(""))
}

// embedded runs a shell on a kernel of its own, which ends with it.
func embedded(ctx context.Context, env *util.Env, inv *invocation) int {
	k, url := server.Embed(&server.Env{
		Args: []string{"rump"}, Stdout: env.Stdout, Stderr: env.Stderr, Getenv: env.Getenv,
	}, inv.kernel, inv.serve)
	if k == nil {
		return util.ExitFailure
	}
	defer k.Halt()
	if inv.serve != "" {
		fmt.Fprintf(env.Stderr, "rump: serving %s\n", url)
	}
	proc, err := k.Process("sh")
	if err != nil {
		fmt.Fprintf(env.Stderr, "rump: %v\n", err)
		return util.ExitFailure
	}
	defer proc.Close()
	env.Proc, env.Getenv = proc, withServer(env.Getenv, url)
	return sh.Run(ctx, env, setup("rump"))
}

// withServer returns an environment in which RUMP_SERVER is url.
func withServer(getenv func(string) string, url string) func(string) string {
	return func(name string) string {
		if name == serverVariable {
			return url
		}
		return getenv(name)
	}
}
