package rump

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// ends is the kernel as package sysproxy sees it, for a server and for processes in this program alike.
type ends struct {
	kernel *kern.Kernel
	server *sysproxy.Server // nil for processes in this program, which take no signals
}

// process is a client's process as package sysproxy sees it.
type process struct {
	ends *ends
	proc *kern.Proc
}

var (
	_ sysproxy.Kernel  = (*ends)(nil)
	_ sysproxy.Process = (*process)(nil)
	_ kern.Memory      = sysproxy.Memory(nil)
	_ kern.Canceller   = sysproxy.Memory(nil)
	_ kern.Responder   = sysproxy.Memory(nil)
)

// NewProcess implements sysproxy.Kernel.
func (e *ends) NewProcess(name string) (sysproxy.Process, error) {
	p, err := e.kernel.NewProc(name)
	if err != nil {
		return nil, err
	}
	return e.wrap(p), nil
}

// wrap has the process's signals go to its client.
func (e *ends) wrap(p *kern.Proc) *process {
	w := &process{ends: e, proc: p}
	if e.server != nil {
		p.Raise = func(sig int) { e.server.Raise(w, sig) }
	}
	return w
}

// Syscall implements sysproxy.Process.
func (p *process) Syscall(m sysproxy.Memory, num int, args []uint64) ([2]uint64, abi.Errno) {
	return p.proc.Syscall(m, num, args)
}

// Fork implements sysproxy.Process.
func (p *process) Fork() (sysproxy.Process, error) {
	child, err := p.proc.Fork()
	if err != nil {
		return nil, err
	}
	return p.ends.wrap(child), nil
}

// Exec implements sysproxy.Process.
func (p *process) Exec(name string) error { return p.proc.Exec(name) }

// Exit implements sysproxy.Process.
func (p *process) Exit() { p.proc.Exit() }
