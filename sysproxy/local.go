package sysproxy

import (
	"net"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// local is a process on a kernel in this very program.
type local struct {
	proc   Process
	banner Banner
	space  AddressSpace
	mems   sync.Pool // of *localMemory

	// threads is read-locked by each call in flight; Exec waits for them by
	// locking it.
	threads sync.RWMutex

	mu     sync.Mutex
	done   chan struct{}
	over   bool // done is closed
	closed bool
}

// Local makes a process on a kernel in this very program, which lends its
// memory without a copy. b is what the kernel calls itself.
func Local(k Kernel, name string, b Banner) (Transport, error) {
	p, err := k.NewProcess(name)
	if err != nil {
		return nil, err
	}
	return newLocal(p, b), nil
}

func newLocal(p Process, b Banner) *local {
	return &local{proc: p, banner: b, done: make(chan struct{})}
}

// NewCall implements Transport.
func (l *local) NewCall(num int) *Call { return l.space.NewCall(num) }

// Banner implements Transport.
func (l *local) Banner() Banner { return l.banner }

// Do implements Transport.
func (l *local) Do(c *Call) error {
	l.threads.RLock()
	defer l.threads.RUnlock()
	m, _ := l.mems.Get().(*localMemory)
	if m == nil {
		m = &localMemory{}
	}
	l.mu.Lock()
	closed := l.closed
	m.done = l.done
	l.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	m.call = c
	clear(m.args[copy(m.args[:], c.args):])
	c.Ret, c.Err = l.proc.Syscall(m, c.Num, m.args[:])
	m.call, m.done = nil, nil
	l.mems.Put(m)
	return nil
}

// Fork implements Transport.
func (l *local) Fork() (Transport, error) {
	p, err := l.proc.Fork()
	if err != nil {
		return nil, err
	}
	return newLocal(p, l.banner), nil
}

// Exec implements Transport.
func (l *local) Exec(name string) error {
	l.interrupt(false)
	l.threads.Lock()
	defer l.threads.Unlock()
	err := l.proc.Exec(name)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.done, l.over = make(chan struct{}), false
	return err
}

// interrupt tells calls in flight to stop waiting. It returns true if the
// process is to be closed and was not yet.
func (l *local) interrupt(last bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.over = true
		close(l.done)
	}
	first := last && !l.closed
	l.closed = l.closed || last
	return first
}

// Close implements Transport.
func (l *local) Close() error {
	if l.interrupt(true) {
		l.proc.Exit()
		l.space.Unmap()
	}
	return nil
}

// localMemory is the memory of a call without a wire.
type localMemory struct {
	call *Call
	args [MaxArgs]uint64
	done chan struct{}
}

var _ Memory = (*localMemory)(nil)

func (m *localMemory) CopyIn(addr uint64, p []byte) error { return m.call.CopyIn(addr, p) }

func (m *localMemory) CopyInStr(addr uint64, limit int) ([]byte, error) {
	b, err := m.call.CopyInStr(addr, limit)
	if err != nil {
		return nil, err
	}
	return b[:len(b)-1], nil
}

func (m *localMemory) CopyOut(addr uint64, p []byte) error {
	return m.call.CopyOut(addr, p)
}

func (m *localMemory) Lend(addr uint64, n int) ([]byte, error) {
	return m.lend(addr, n, false)
}

func (m *localMemory) Reserve(addr uint64, n int) ([]byte, error) {
	return m.lend(addr, n, true)
}

func (m *localMemory) lend(addr uint64, n int, write bool) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if b, ok := m.call.Lend(addr, n, write); ok {
		return b, nil
	}
	return nil, abi.EFAULT
}

// Commit has nothing to do: the buffer is the client's memory.
func (m *localMemory) Commit(uint64, []byte) error { return nil }

func (m *localMemory) Anon(n uint64) (uint64, error) { return m.call.space.Map(n) }

func (m *localMemory) Done() <-chan struct{} { return m.done }

// Block has nothing to do: every thread has a goroutine of its own.
func (m *localMemory) Block() {}

// Respond has nothing to do: the answer is Syscall's return.
func (m *localMemory) Respond() {}
