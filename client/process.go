package client

import (
	"context"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// Process is a process on a kernel. Its methods may be called by many
// goroutines at once: each call in flight is a thread of the process. What a
// process has one of (working directory, umask, credentials, descriptors) they
// share.
type Process struct {
	sys    Sys
	tree   Sysctl
	poller netpoller
}

// New returns the process that a transport is.
func New(t sysproxy.Transport) *Process {
	p := new(Process)
	p.sys.t = t
	p.tree.s = &p.sys
	p.poller.sys = &p.sys
	return p
}

// Dial connects to the kernel at url and makes a process there, a child of init with the given
// name. ctx bounds the connecting. Errors: as [sysproxy.Dial].
func Dial(ctx context.Context, url, name string, opts ...sysproxy.Option) (*Process, error) {
	c, err := sysproxy.Dial(ctx, url, name, opts...)
	if err != nil {
		return nil, err
	}
	return New(c), nil
}

// FromEnv connects to the kernel that the environment names: goes on as the process that the
// executing program was, or makes a new one at the URL in RUMP_SERVER. Errors:
// [sysproxy.ErrNoServer]; as [sysproxy.Dial].
func FromEnv(ctx context.Context, name string, getenv func(string) string, opts ...sysproxy.Option) (*Process, error) {
	c, err := sysproxy.FromEnviron(ctx, getenv, name, opts...)
	if err != nil {
		return nil, err
	}
	return New(c), nil
}

// Transport returns what carries the calls.
func (p *Process) Transport() sysproxy.Transport { return p.sys.t }

// Sys returns the system calls of the process.
func (p *Process) Sys() *Sys { return &p.sys }

// Banner tells which kernel the process is on.
func (p *Process) Banner() sysproxy.Banner { return p.sys.t.Banner() }

// Fork makes a child process, as fork(2): it has copies of the descriptors,
// the working directory, the credentials and so on, and the one thread that uses
// the value returned. Errors: EAGAIN, EPROCLIM and what breaks a connection.
func (p *Process) Fork() (*Process, error) {
	t, err := p.sys.t.Fork()
	if err != nil {
		return nil, err
	}
	return New(t), nil
}

// Exec gives the process a new name, as a program that it executes would have,
// and closes its close-on-exec descriptors. Calls of other threads are interrupted.
func (p *Process) Exec(name string) error { return p.sys.t.Exec(name) }

// Close ends the process. Its descriptors close, its locks are released and its
// calls in flight fail.
func (p *Process) Close() error { return p.sys.t.Close() }

// Wait returns when the kernel stops serving the process: after [Sys.Reboot], which may answer before the
// kernel has ended.
func (p *Process) Wait() {
	for {
		err := p.sys.Nanosleep(abi.Timespec{Sec: 3600}, nil)
		if err != nil && err != abi.EINTR {
			return
		}
	}
}
