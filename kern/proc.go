package kern

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Cred are the credentials of a process; immutable, replaced as a whole.
type Cred struct {
	Ruid, Euid, Svuid uint32
	Rgid, Egid, Svgid uint32
	Groups            []uint32 // supplementary, sorted as given
}

// InGroup says whether gid is the effective or a supplementary group.
func (c *Cred) InGroup(gid uint32) bool { return c.Egid == gid || slices.Contains(c.Groups, gid) }

// Root says whether the effective user is the superuser.
func (c *Cred) Root() bool { return c.Euid == 0 }

// Cwdinfo is what the file system faction keeps for each process: root and working directory, umask.
type Cwdinfo interface {
	// Fork makes the child's.
	Fork() Cwdinfo
	// Free drops its references when the process exits.
	Free()
}

// Proc is a process: what a client is to the kernel. All methods may be called from any goroutine.
type Proc struct {
	K    *Kernel
	PID  int
	Desc Filedesc

	// Cwdi belongs to the file system faction; nil without it. Set when the process is made, never replaced.
	Cwdi Cwdinfo
	// Sel announces the process's events to kqueue (EVFILT_PROC, EVFILT_SIGNAL).
	Sel Selinfo
	// Raise delivers a signal to the client; nil when it has no way to take one. Set before the first call; the kernel
	// raises signals through Signal.
	Raise func(sig int)

	cred   atomic.Pointer[Cred]
	ktrace atomic.Pointer[ktrace] // nil when the process is not traced; changed under mu
	gone   chan struct{}          // closed when the client has vanished
	dead   atomic.Bool            // the process has left the table; set before NOTE_EXIT is announced
	timers timerTable

	mu       sync.Mutex
	name     string
	ppid     int
	pgid     int
	session  *Session
	limits   [abi.RLIM_NLIMITS]abi.Rlimit
	corename string
	nthreads int
	nextLWP  int32
	exited   bool
	execed   bool
	forked   bool          // it has, or has had, children
	sugid    bool          // user or group have changed: issetugid(2)
	idle     chan struct{} // closed when the last thread leaves an exiting process
	// controlled says that the session's terminal is the process's too: it has not given it up with TIOCNOTTY.
	controlled bool
}

// Thread is the context of one call: the process that made it, its kernel, its memory, its cancellation. It is used
// again for another call when its own ends: what stays behind keeps the Proc, not the Thread.
type Thread struct {
	*Proc
	Mem  Memory
	LWP  int32
	ret1 uint64
	cred *Cred // in place of the process's
	num  int   // the system call's
	args Args
	wake chan struct{} // lent to WaitFor, one at a time
	buf  [256]byte     // small structures on their way to or from the client
}

// SetRet1 sets the call's second return value (pipe, getpid and their like).
func (t *Thread) SetRet1(v uint64) { t.ret1 = v }

// Cred is the credentials that the thread acts with: the process's, unless As has made it another's.
func (t *Thread) Cred() *Cred {
	if t.cred != nil {
		return t.cred
	}
	return t.Proc.Cred()
}

// As is a thread of the same call that acts with other credentials, which must not be changed any more. It is used in t's place
// and in its time.
func (t *Thread) As(c *Cred) *Thread {
	return &Thread{Proc: t.Proc, Mem: t.Mem, LWP: t.LWP, cred: c}
}

// Cred is the process's credentials.
func (p *Proc) Cred() *Cred { return p.cred.Load() }

// SetCred replaces the process's credentials. c must not be changed any more.
func (p *Proc) SetCred(c *Cred) { p.cred.Store(c) }

// Name is the program's name.
func (p *Proc) Name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// PPID is the parent's pid.
func (p *Proc) PPID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ppid
}

// Gone is closed when the process's client has vanished.
func (p *Proc) Gone() <-chan struct{} { return p.gone }

// enter makes the thread of a call. Errors: ENXIO when the kernel halts, ESRCH when the process exits.
func (p *Proc) enter(m Memory) (*Thread, error) {
	if !p.K.calls.enter() {
		return nil, abi.ENXIO
	}
	p.mu.Lock()
	if p.exited {
		p.mu.Unlock()
		p.K.calls.leave()
		return nil, abi.ESRCH
	}
	p.nthreads++
	p.nextLWP = p.nextLWP%maxLWP + 1
	lwp := p.nextLWP
	p.mu.Unlock()
	t := p.K.threads.Get().(*Thread)
	t.Proc, t.Mem, t.LWP, t.ret1 = p, m, lwp, 0
	return t, nil
}

// maxLWP is where the numbers of threads begin again.
const maxLWP = 1 << 30

func (p *Proc) leave(t *Thread) {
	t.Proc, t.Mem = nil, nil
	p.K.threads.Put(t)
	p.mu.Lock()
	p.nthreads--
	if p.nthreads == 0 && p.exited {
		close(p.idle)
	}
	p.mu.Unlock()
	p.K.calls.leave()
}

// Fork makes a child of the process with copies of its descriptors, credentials, limits and directories.
//
// Errors: EAGAIN past the limit of processes, ESRCH when the process exits, ENXIO when the kernel has halted.
func (p *Proc) Fork() (*Proc, error) {
	if p.K.halting.Load() {
		return nil, abi.ENXIO
	}
	c, err := p.K.procs.add(p.Name(), p)
	if err != nil {
		return nil, err
	}
	c.SetCred(p.Cred())
	if p.Cwdi != nil {
		c.Cwdi = p.Cwdi.Fork()
	}
	c.Desc.copyFrom(&p.Desc)
	p.Sel.NotifyProc(abi.NOTE_FORK, c.PID)
	return c, nil
}

// inherit takes over from the parent what a forked process has of it, before anybody can find the child.
func (p *Proc) inherit(parent *Proc) error {
	parent.mu.Lock()
	defer parent.mu.Unlock()
	if parent.exited {
		return abi.ESRCH
	}
	parent.forked = true
	p.ppid, p.pgid, p.session, p.controlled = parent.PID, parent.pgid, parent.session, parent.controlled
	p.limits, p.corename, p.sugid = parent.limits, parent.corename, parent.sugid
	p.ktraceInherit(parent)
	return nil
}

// Exec gives the process a new name, closes its close-on-exec descriptors, deletes its timers of timer_create(2)
// (those of setitimer(2) go on) and saves its effective ids. The caller sees to it that no other thread is in a call.
func (p *Proc) Exec(name string) error {
	p.mu.Lock()
	c := *p.Cred()
	c.Svuid, c.Svgid = c.Euid, c.Egid
	p.SetCred(&c)
	p.name, p.execed = name, true
	p.sugid = c.Ruid != c.Euid || c.Rgid != c.Egid
	p.mu.Unlock()
	p.ktraceExec()
	p.timers.deletePosix()
	p.Desc.closeOnExec(p.internalThread())
	p.Sel.NotifyProc(abi.NOTE_EXEC, 0)
	return nil
}

// Exit ends the process: blocked calls are interrupted, and when all have left, descriptors are closed and
// directories released. Idempotent; returns when the process is gone.
func (p *Proc) Exit() {
	p.mu.Lock()
	first := !p.exited
	if first {
		p.exited = true
		close(p.gone)
		if p.nthreads == 0 {
			close(p.idle)
		}
	}
	p.mu.Unlock()
	<-p.idle
	if first {
		p.reap()
	}
}

// exitIfIdle ends the process unless one of its threads is in a call; it says whether the process has ended.
func (p *Proc) exitIfIdle() bool {
	p.mu.Lock()
	before, idle := p.exited, p.nthreads == 0
	if !before && idle {
		p.exited = true
		close(p.gone)
		close(p.idle)
	}
	p.mu.Unlock()
	if !before && idle {
		p.reap()
	}
	return idle
}

// reap frees what an exited process without threads still holds.
func (p *Proc) reap() {
	p.timers.deleteAll()
	p.ktraceEnd(p.internalThread(), nil)
	p.Desc.closeAll(p.internalThread())
	p.endSession()
	if p.Cwdi != nil {
		p.Cwdi.Free()
	}
	p.K.procs.remove(p)
	p.dead.Store(true)
	p.Sel.NotifyProc(abi.NOTE_EXIT, 0)
}

// noteSignal is the hint by which Signal tells EVFILT_SIGNAL; the data is the signal's number. It is below the bits of
// NOTE_PCTRLMASK, which are a process's other events.
const noteSignal = 0x08000000

// Signal posts a signal, one of abi.SIG*, to the process: it is raised at the client, and kqueue counts it.
func (p *Proc) Signal(sig int) {
	p.ktraceSignal(sig)
	if p.Raise != nil {
		p.Raise(sig)
	}
	p.Sel.NotifyProc(noteSignal, sig)
}

// internalThread is a thread for what the kernel does by itself on the process's behalf: it lends no memory.
func (p *Proc) internalThread() *Thread { return &Thread{Proc: p, Mem: noMemory{}} }

// noMemory is the memory of a thread that serves no client: every address is outside.
type noMemory struct{}

func (noMemory) CopyIn(uint64, []byte) error           { return abi.EFAULT }
func (noMemory) CopyInStr(uint64, int) ([]byte, error) { return nil, abi.EFAULT }
func (noMemory) CopyOut(uint64, []byte) error          { return abi.EFAULT }
func (noMemory) Lend(uint64, int) ([]byte, error)      { return nil, abi.EFAULT }
func (noMemory) Reserve(uint64, int) ([]byte, error)   { return nil, abi.EFAULT }
func (noMemory) Commit(uint64, []byte) error           { return abi.EFAULT }
func (noMemory) Anon(uint64) (uint64, error)           { return 0, abi.ENOMEM }
func (noMemory) Block()                                {}

// KernelThread is a thread of process 0 for what the kernel does by itself: mounting its root, booting, halting.
func (k *Kernel) KernelThread() *Thread { return k.procs.proc0.internalThread() }
