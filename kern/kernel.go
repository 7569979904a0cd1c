package kern

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Config says what a new kernel is like. The zero value is a kernel without components.
type Config struct {
	// Components are started in the order of what they need; see Order.
	Components []*Component
	// NCPU is what hw.ncpu reports; 0 means 2, as the original.
	NCPU int
	// MemLimit bounds the memory that caches and file systems take, in bytes; 0 means no limit.
	MemLimit int64
	// Hostname is the initial kern.hostname; empty means "rump-" and a random number.
	Hostname string
	// Console receives what processes write to descriptors 1 and 2; nil discards it.
	Console io.Writer
	// ConsoleInput is what processes read from descriptor 0; nil is at end of file.
	ConsoleInput io.Reader
	// Verbose receives the kernel's messages as they are logged; nil keeps them in the message buffer alone.
	Verbose io.Writer
}

// Faction numbers the parts of the kernel that keep state of their own in it.
type Faction int

// The factions.
const (
	FactionVFS Faction = iota
	FactionDev
	FactionNet
	numFactions
)

// Kernel is one rump kernel. Any number of them live in a process; they share nothing.
type Kernel struct {
	cfg        Config
	components []*Component // in the order of their start
	sysent     [abi.SYS_MAXSYSCALL + 1]Syscall
	factions   [numFactions]any

	// Mem accounts for what file systems and caches hold, within Config.MemLimit.
	Mem Mem
	// Msgbuf holds the kernel's messages (dmesg, kern.msgbuf).
	Msgbuf Msgbuf

	clock   clock
	console console
	devsw   devsw
	procs   proctab
	threads sync.Pool
	sysctl  Sysctl
	vars    sysctlVars
	uids    uidTable
	pipes   pipeStats
	kqueues kqueueStats

	calls    callGate
	halting  atomic.Bool
	howto    atomic.Uint32
	stopping chan struct{} // closed when Halt begins: every Sleep ends
	done     chan struct{}

	atBoot []func() error

	hooksMu sync.Mutex
	hooks   []func() // run by Halt, last first
}

// New makes a kernel of its components, without starting it.
//
// Errors: a *MissingError when a component needs one that is not there; an error for a component or a
// system call that is given twice.
func New(cfg Config) (*Kernel, error) {
	order, err := Order(cfg.Components)
	if err != nil {
		return nil, err
	}
	if cfg.NCPU == 0 {
		cfg.NCPU = 2
	}
	k := &Kernel{cfg: cfg, components: order, stopping: make(chan struct{}), done: make(chan struct{})}
	k.Mem.limit = cfg.MemLimit
	k.Msgbuf.tee = cfg.Verbose
	k.threads.New = func() any { return new(Thread) }
	k.calls.init()
	k.clock.init()
	k.console.init(k)
	k.pipes.init()
	k.procs.init(k)
	if err := k.addSyscalls(baseSyscalls()); err != nil {
		return nil, err
	}
	for _, c := range order {
		if err := k.addSyscalls(c.Syscalls); err != nil {
			return nil, fmt.Errorf("component %s: %w", c.Name, err)
		}
	}
	return k, nil
}

// Boot starts the components. When one fails, those before it are stopped again and its error is returned.
func (k *Kernel) Boot() error {
	if err := k.initSysctl(); err != nil {
		return err
	}
	k.Logf("NetBSD %s (rumpctrl) %s\n", OSRelease, runtime.Version())
	for _, c := range k.components {
		if c.Attach == nil {
			continue
		}
		if err := c.Attach(k); err != nil {
			k.Halt()
			return fmt.Errorf("component %s: %w", c.Name, err)
		}
	}
	for _, f := range k.atBoot {
		if err := f(); err != nil {
			k.Halt()
			return err
		}
	}
	return nil
}

// AtBoot has f called when all components have been attached, the first one given first: for what a component sets up by
// what others have brought. For Attach.
func (k *Kernel) AtBoot(f func() error) { k.atBoot = append(k.atBoot, f) }

// AtHalt has f called once by Halt, after the calls in flight have ended; the last one given is called first. When a
// process halts the kernel with reboot(2), that call is in flight still: f must not wait for it.
func (k *Kernel) AtHalt(f func()) {
	k.hooksMu.Lock()
	defer k.hooksMu.Unlock()
	k.hooks = append(k.hooks, f)
}

// Halt stops the kernel: no further call enters, blocked ones are interrupted, and when all have left the
// processes exit and the hooks of AtHalt run: listeners close, file systems are synced and unmounted. Idempotent; the
// second caller waits for the first.
func (k *Kernel) Halt() { k.halt(nil) }

// haltGrace is how long a halt waits for calls whose clients do not answer.
const haltGrace = 2 * time.Second

// halt is Halt, called from within a call of t unless that is nil: t's client is answered when all is done.
func (k *Kernel) halt(t *Thread) {
	within := int64(0)
	if t != nil {
		within = 1
	}
	if k.halting.Swap(true) {
		if within == 0 {
			<-k.done
		}
		return
	}
	close(k.stopping)
	k.calls.close(within, haltGrace)
	k.exitAll()
	k.hooksMu.Lock()
	hooks := k.hooks
	k.hooks = nil
	k.hooksMu.Unlock()
	for i := len(hooks) - 1; i >= 0; i-- {
		hooks[i]()
	}
	if t != nil {
		if r, ok := t.Mem.(Responder); ok {
			r.Respond()
		}
	}
	close(k.done)
}

// exitAll ends the processes, so that no file is open when file systems are unmounted. Those that are in a call still,
// since they halt the kernel or because their clients do not answer, lose their descriptors and timers.
func (k *Kernel) exitAll() {
	for _, p := range k.Procs() {
		if p == k.procs.proc0 {
			continue
		}
		if !p.exitIfIdle() {
			p.timers.deleteAll()
			p.Desc.closeAll(p.internalThread())
		}
	}
}

// Done is closed when the kernel has halted.
func (k *Kernel) Done() <-chan struct{} { return k.done }

// Components lists what the kernel is made of, in the order of start.
func (k *Kernel) Components() []*Component { return k.components }

// NCPU is the number of virtual processors that the kernel reports.
func (k *Kernel) NCPU() int { return k.cfg.NCPU }

// SetFaction stores a faction's state; for its component's Attach.
func (k *Kernel) SetFaction(f Faction, state any) { k.factions[f] = state }

// FactionState is what SetFaction stored: nil in a kernel without the faction.
func (k *Kernel) FactionState(f Faction) any { return k.factions[f] }

// Logf writes a message to the kernel's message buffer, as printf(9).
func (k *Kernel) Logf(format string, args ...any) { fmt.Fprintf(&k.Msgbuf, format, args...) }

// Mem accounts for kernel memory in bytes. A zero limit is no limit.
type Mem struct {
	limit int64
	used  atomic.Int64
}

// Alloc takes n bytes. Errors: ENOMEM past the limit.
func (m *Mem) Alloc(n int64) error {
	if used := m.used.Add(n); m.limit > 0 && used > m.limit {
		m.used.Add(-n)
		return abi.ENOMEM
	}
	return nil
}

// Free gives n bytes back.
func (m *Mem) Free(n int64) { m.used.Add(-n) }

// Used is the number of bytes taken.
func (m *Mem) Used() int64 { return m.used.Load() }

// Limit is the number of bytes that may be taken; 0 without a limit.
func (m *Mem) Limit() int64 { return m.limit }
