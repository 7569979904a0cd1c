package rump

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// Config says what a new kernel is like. The zero value is a kernel with every component and no drives.
type Config struct {
	// Components are the names of the components; empty means all there are. What they need must be there too: see
	// With. The order does not matter.
	Components []string
	// NCPU is what hw.ncpu reports; 0 means 2.
	NCPU int
	// MemLimit bounds the memory that caches and file systems take, in bytes; 0 means no limit.
	MemLimit int64
	// Hostname is the initial kern.hostname; empty means one that is made up.
	Hostname string
	// Console receives what processes write to the kernel's console; nil discards it.
	Console io.Writer
	// ConsoleInput is what processes read from the console; nil is at end of file.
	ConsoleInput io.Reader
	// Verbose receives the kernel's messages as they are logged; nil keeps them in the kernel's message buffer.
	Verbose io.Writer
	// Drives are host files to map. They need rumpvfs.
	Drives []Drive
	// Buses are the Ethernets in memory that interfaces can be on, by a linkstr of "mem:NAME": kernels that are made with the same
	// Buses meet there by name. They need rumpnet_shmif. Nil means none.
	Buses *Buses
	// Server says how clients are served: limits and deadlines.
	Server sysproxy.ServerConfig
}

// Buses are Ethernets in memory, by names, for kernels of one program. The zero value is ready.
type Buses = membus.Buses

// Kernel is a rump kernel with what belongs to it in this program: mapped host files, listeners, clients'
// connections. All methods may be called by many goroutines at once.
type Kernel struct {
	kernel *kern.Kernel
	local  *ends
	remote *ends
	drives []Drive
	images host.Images
	gone   chan struct{} // closed when the kernel has halted and the last connection is closed

	mu        sync.Mutex
	started   bool // Boot has been called
	booted    bool
	closed    bool // no listener is added any more
	listeners []sysproxy.Listener
}

// New makes a kernel without starting it. Nothing of the host is touched yet.
//
// Errors: *UnknownComponentError; one that wraps a *kern.MissingError and names the complete set of components.
func New(cfg Config) (*Kernel, error) {
	components, err := pick(cfg.Components)
	if err != nil {
		return nil, err
	}
	if cfg.Buses != nil {
		components = append(components, cfg.Buses.Component())
	}
	inner, err := kern.New(kern.Config{
		Components: components, NCPU: cfg.NCPU, MemLimit: cfg.MemLimit, Hostname: cfg.Hostname,
		Console: cfg.Console, ConsoleInput: cfg.ConsoleInput, Verbose: cfg.Verbose,
	})
	var missing *kern.MissingError
	if errors.As(err, &missing) {
		return nil, incomplete(err, cfg.Components)
	}
	if err != nil {
		return nil, err
	}
	k := &Kernel{kernel: inner, drives: cfg.Drives, gone: make(chan struct{})}
	k.local, k.remote = &ends{kernel: inner}, &ends{kernel: inner}
	if k.remote.server, err = sysproxy.NewServer(k.remote, cfg.Server); err != nil {
		return nil, err
	}
	inner.AtHalt(func() { k.images.Close() }) // the first hook is the last to run
	return k, nil
}

// Boot starts the kernel, maps its drives and begins to serve the listeners that are there. When it fails nothing
// stays: host files that were made are removed, those that were extended are cut back, listeners are closed.
//
// Errors: *DriveError; those of a component; EBUSY for a kernel that has been booted.
func (k *Kernel) Boot() error {
	if !k.begin() {
		return abi.EBUSY
	}
	err := k.kernel.Boot()
	if err == nil {
		err = k.mapDrives()
	}
	if err != nil {
		k.images.Undo()
		k.Halt()
		return err
	}
	k.kernel.AtHalt(k.stopListening) // the last hook is the first to run
	k.mu.Lock()
	defer k.mu.Unlock()
	k.booted = true
	for _, l := range k.listeners {
		go k.accept(l)
	}
	return nil
}

// begin says that this is the first boot.
func (k *Kernel) begin() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	first := !k.started && !k.closed
	k.started = true
	return first
}

// Kernel is the kernel itself.
func (k *Kernel) Kernel() *kern.Kernel { return k.kernel }

// Process makes a process on the kernel, a child of init: with root's credentials, in the root directory. Its calls
// run on their callers' goroutines and work on the callers' memory without a copy. Close ends it, and
// interrupts its calls.
//
// Errors: ENXIO for a kernel that has not been booted or has halted, EAGAIN past the limit of processes.
func (k *Kernel) Process(name string) (*client.Process, error) {
	k.mu.Lock()
	booted := k.booted
	k.mu.Unlock()
	if !booted {
		return nil, abi.ENXIO
	}
	t, err := sysproxy.Local(k.local, name, k.remote.server.Banner())
	if err != nil {
		return nil, err
	}
	return client.New(t), nil
}

// ProcessContext makes a process, as Process does, that ends when ctx does: its calls are interrupted then, and
// further ones fail.
func (k *Kernel) ProcessContext(ctx context.Context, name string) (*client.Process, error) {
	p, err := k.Process(name)
	if err == nil {
		context.AfterFunc(ctx, func() { p.Close() })
	}
	return p, err
}

// Stats counts what has been served to clients on sockets.
func (k *Kernel) Stats() sysproxy.Stats { return k.remote.server.Stats() }

// Halt stops the kernel as reboot(2) does: listeners are closed and their sockets removed, calls in flight are
// waited for (those that wait for something are interrupted), file systems are synced and unmounted, connections
// closed. It returns when all is done. It must not be called from within a system call of this kernel.
func (k *Kernel) Halt() {
	k.stopListening()
	k.kernel.Halt()
	<-k.gone
}

// Done is closed when the kernel has halted, by Halt or because a process called reboot(2), and its last connection is
// closed.
func (k *Kernel) Done() <-chan struct{} { return k.gone }
