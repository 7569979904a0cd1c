package server

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// failure is why a server cannot start.
type failure struct {
	lead   []string  // lines ahead of the reason
	reason string    // in the original's words
	errno  abi.Errno // the reason's number and text
	detail string    // what the original does not say; may be empty
}

// serve is rump_server, or with everything rump_allserver. It returns the exit status: in the background 0 as
// soon as the service runs, or the error's number; in the foreground when the kernel has halted.
func serve(env *Env, everything bool) int {
	s, ok := parse(env.name(), env.Args[1:], env.Getenv, env.Stderr)
	if ok && everything {
		s.libraries = append(rump.Components(), s.libraries...)
	}
	if !ok || !checkLibraries(s.libraries, env.Stderr) {
		return 1
	}
	if s.foreground {
		return run(env, s, func() error { return nil })
	}
	report, second := host.Detached()
	if !second {
		return detach(env)
	}
	return run(env, s, func() error { return report.Ready(s.verbose) })
}

// detach starts the server in the background.
func detach(env *Env) int {
	status, err := host.Detach()
	if err != nil {
		fmt.Fprintf(env.Stderr, "rump daemonize: %v\n", err)
		return 1
	}
	return status
}

// run starts the server, calls ready and waits until the kernel has halted.
func run(env *Env, s *settings, ready func() error) int {
	signal.Ignore(syscall.SIGPIPE) // nobody may read what the console or -v print any more
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	k, _, failed := start(env, s)
	if failed != nil {
		return failed.tell(env, s.foreground)
	}
	if err := ready(); err != nil {
		k.Halt()
		return (&failure{reason: "rump daemonize", errno: host.Errno(err)}).tell(env, s.foreground)
	}
	select {
	case <-k.Done():
	case <-signals:
		signal.Stop(signals) // a second one ends a halt that hangs
		k.Halt()
	}
	return 0
}

// start makes the kernel and has it listen, unless it is private, before it boots: whatever fails, nothing is left
// behind. at is the URL for clients.
func start(env *Env, s *settings) (k *rump.Kernel, at string, failed *failure) {
	if k, failed = s.kernel(env); failed == nil {
		failed = s.modulesFailure()
	}
	if failed != nil {
		return nil, "", failed
	}
	if !s.private {
		var err error
		if at, err = k.Listen(s.url); err != nil {
			return nil, "", listenFailure(err)
		}
	}
	if err := k.Boot(); err != nil {
		return nil, "", bootFailure(err)
	}
	return k, at, nil
}

// kernel makes the kernel that the settings describe.
func (s *settings) kernel(env *Env) (*rump.Kernel, *failure) {
	ncpu, err1 := parseNCPU(s.ncpu)
	memlimit, err2 := parseMemLimit(s.memlimit)
	if err := errors.Join(err1, err2); err != nil {
		return nil, &failure{reason: "rump init failed", errno: abi.EINVAL, detail: err.Error()}
	}
	cfg := rump.Config{Components: append(s.libraries, rump.Base), NCPU: ncpu, MemLimit: memlimit,
		Console: env.Stdout, Drives: s.drives}
	if s.verbose {
		cfg.Verbose = env.Stderr
	}
	k, err := rump.New(cfg)
	if err != nil {
		return nil, bootFailure(err)
	}
	return k, nil
}

// listenFailure is what the original says when it cannot listen.
func listenFailure(err error) *failure {
	f := &failure{lead: []string{err.Error()}, reason: "rump server init failed", errno: host.Errno(err)}
	var cannot *sysproxy.ListenError
	if errors.As(err, &cannot) {
		f.errno = host.Errno(cannot.Err)
	}
	return f
}

// bootFailure is what the original says when a kernel does not start.
func bootFailure(err error) *failure {
	var drive *rump.DriveError
	if !errors.As(err, &drive) {
		return &failure{reason: "rump init failed", errno: host.Errno(err), detail: err.Error()}
	}
	return &failure{reason: drive.Stage, errno: drive.Errno(), detail: drive.Drive.HostPath + ": " + cause(drive.Err)}
}

// cause is an error's text without the name of a file that has been said.
func cause(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err.Error()
}

// tell prints the failure and returns the exit status: the error's number for a server that was to detach, 1 for one in
// the foreground.
func (f *failure) tell(env *Env, foreground bool) int {
	for _, line := range f.lead {
		fmt.Fprintln(env.Stderr, line)
	}
	fmt.Fprintf(env.Stderr, "%s: %v\n", f.reason, f.errno)
	if f.detail != "" {
		fmt.Fprintf(env.Stderr, "  %s\n", f.detail)
	}
	if foreground {
		return 1
	}
	return int(f.errno)
}
