// Package kerntest calls a kernel from tests, as a client in the same process: with numbers, strings and byte slices for
// arguments, and memory that is lent to each call.
//
//	k := kerntest.New(t, components...)
//	p := kerntest.Proc(t, k)
//	fd, errno := p.Call(abi.SYS_open, "/file", abi.O_RDWR|abi.O_CREAT, 0644)
//
// It is for the tests of package kern and of everything that stands on it. Programs use package client, which knows the
// calls by name and turns error numbers into errors.
package kerntest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// New boots a kernel of the components; it is halted when the test ends.
func New(t testing.TB, components ...*kern.Component) *kern.Kernel {
	t.Helper()
	return NewConfig(t, kern.Config{Components: components})
}

// NewConfig boots a kernel; it is halted when the test ends.
func NewConfig(t testing.TB, cfg kern.Config) *kern.Kernel {
	t.Helper()
	k, err := kern.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	return k
}

// P is a process that a test makes calls as. Any number of goroutines may call at once: each is a thread.
type P struct {
	*kern.Proc
	// Mem has the memory that is there for all calls. Arguments are lent to their call alone.
	Mem Memory

	tb testing.TB

	mu      sync.Mutex
	signals []int
	raised  chan struct{} // one place: a signal has been raised
}

// Proc makes a process, root's, with the console on 0, 1 and 2. It exits when the test ends.
func Proc(t testing.TB, k *kern.Kernel) *P {
	t.Helper()
	kp, err := k.NewProc(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kp.Exit)
	return Wrap(t, kp)
}

// Wrap makes calls as a process that is there. When it exits is the test's affair.
func Wrap(t testing.TB, kp *kern.Proc) *P {
	p := &P{Proc: kp, tb: t, raised: make(chan struct{}, 1)}
	kp.Raise = p.raise
	return p
}

// Fork makes a child of the process.
func (p *P) Fork() *P {
	p.tb.Helper()
	kp, err := p.Proc.Fork()
	if err != nil {
		p.tb.Fatal(err)
	}
	p.tb.Cleanup(kp.Exit)
	return Wrap(p.tb, kp)
}

func (p *P) raise(sig int) {
	p.mu.Lock()
	p.signals = append(p.signals, sig)
	p.mu.Unlock()
	select {
	case p.raised <- struct{}{}:
	default:
	}
}

// Signals are those raised so far, in order.
func (p *P) Signals() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]int(nil), p.signals...)
}

// WaitSignals waits until n signals have been raised in all, and returns them. The test's own deadline ends the wait.
func (p *P) WaitSignals(n int) []int {
	for {
		if s := p.Signals(); len(s) >= n {
			return s
		}
		<-p.raised
	}
}

// Call makes a system call. An argument may be any integer, a string (lent with a NUL), a []byte (lent to be
// read and written), or nil for 0; a nil []byte is 0 too. Whatever else fails the test.
func (p *P) Call(num int, args ...any) (int64, abi.Errno) {
	p.tb.Helper()
	ret, errno := p.Call2(num, args...)
	return int64(ret[0]), errno
}

// Call2 is Call with both return values.
func (p *P) Call2(num int, args ...any) ([2]uint64, abi.Errno) {
	p.tb.Helper()
	m := p.Mem.with()
	regs := make([]uint64, len(args))
	for i, a := range args {
		r, err := register(m, a)
		if err != nil {
			p.tb.Fatalf("argument %d of system call %d: %v", i, num, err)
		}
		regs[i] = r
	}
	return p.Syscall(m, num, regs)
}

// register is the value that stands for an argument; memory is lent by m.
func register(m *Memory, arg any) (uint64, error) {
	switch v := arg.(type) {
	case nil:
		return 0, nil
	case int:
		return uint64(v), nil
	case int32:
		return uint64(v), nil
	case int64:
		return uint64(v), nil
	case uint32:
		return uint64(v), nil
	case uint64:
		return v, nil
	case string:
		return m.Map(append([]byte(v), 0)), nil
	case []byte:
		if v == nil {
			return 0, nil
		}
		return m.Map(v), nil
	}
	return 0, fmt.Errorf("%T cannot be passed", arg)
}

// Must is Call for calls that have to succeed.
func (p *P) Must(num int, args ...any) int64 {
	p.tb.Helper()
	v, errno := p.Call(num, args...)
	if errno != 0 {
		p.tb.Fatalf("%s: %v", callName(num), errno)
	}
	return v
}

// Want is Call for calls that have to fail with an errno (or succeed, with 0).
func (p *P) Want(errno abi.Errno, num int, args ...any) {
	p.tb.Helper()
	if v, got := p.Call(num, args...); got != errno {
		p.tb.Errorf("%s = %d, errno %s; want errno %s", callName(num), v, name(got), name(errno))
	}
}

func name(e abi.Errno) string {
	if e == 0 {
		return "0"
	}
	return e.Name()
}

func callName(num int) string {
	if s := abi.SyscallByNum(num); s != nil {
		return s.Name
	}
	return fmt.Sprint("system call ", num)
}
