package kern

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// OSRelease is the NetBSD release whose ABI this kernel has.
const OSRelease = "7.99.34"

// MaxArgs is the number of argument registers of the widest system call, padding included.
const MaxArgs = 8

// Args are the arguments of a call in registers' order, padding arguments included: lseek(2)'s are
// fd, pad, offset, whence. Those that the client did not send are 0.
type Args [MaxArgs]uint64

// Int is argument i as a C int.
func (a *Args) Int(i int) int { return int(int32(a[i])) }

// Uint is argument i as a C unsigned int.
func (a *Args) Uint(i int) uint32 { return uint32(a[i]) }

// Int64 is argument i as a C long or off_t.
func (a *Args) Int64(i int) int64 { return int64(a[i]) }

// Handler serves a system call. It returns the call's first return value; the rare second one goes through
// Thread.SetRet1. Its error is an abi.Errno.
type Handler func(t *Thread, a *Args) (int64, error)

// Syscall is a row of the system call table: a call that somebody brought.
type Syscall struct {
	// Num is the call's number, abi.SYS_*; name and argument kinds follow from it.
	Num     int
	Handler Handler
}

// Syscalls lists the numbers of the calls that this kernel serves, in order.
func (k *Kernel) Syscalls() []int {
	var nums []int
	for n := range k.sysent {
		if k.sysent[n].Handler != nil {
			nums = append(nums, n)
		}
	}
	return nums
}

func (k *Kernel) addSyscalls(rows []Syscall) error {
	for _, r := range rows {
		if r.Num < 0 || r.Num >= len(k.sysent) || abi.SyscallByNum(r.Num) == nil {
			return fmt.Errorf("system call %d is unknown", r.Num)
		}
		if k.sysent[r.Num].Handler != nil {
			return fmt.Errorf("system call %s is brought twice", abi.SyscallByNum(r.Num).Name)
		}
		k.sysent[r.Num] = r
	}
	return nil
}

// Syscall runs one system call of the process on a new thread and returns its two values.
// Any number of calls may run at once. args beyond MaxArgs are ignored.
func (p *Proc) Syscall(m Memory, num int, args []uint64) (ret [2]uint64, errno abi.Errno) {
	t, err := p.enter(m)
	if err != nil {
		return ret, abi.ToErrno(err)
	}
	defer p.leave(t)
	clear(t.args[copy(t.args[:], args):])
	var v int64
	if p.ktrace.Load() == nil {
		v, err = t.dispatch(num)
	} else {
		v, err = t.ktraceCall(num)
	}
	if err != nil {
		return ret, abi.ToErrno(err)
	}
	return [2]uint64{uint64(v), t.ret1}, 0
}

// dispatch runs the call of a number. Errors: ENOSYS; the call's.
func (t *Thread) dispatch(num int) (int64, error) {
	if num < 0 || num >= len(t.K.sysent) || t.K.sysent[num].Handler == nil {
		return 0, abi.ENOSYS
	}
	t.num = num
	return t.call(&t.K.sysent[num])
}

// call runs a handler. A handler that panics fails its own call with EIO and leaves its stack in the message buffer.
func (t *Thread) call(row *Syscall) (v int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			t.K.Logf("system call %s: panic: %v\n%s", abi.SyscallByNum(row.Num).Name, r, debug.Stack())
			v, err = 0, abi.EIO
		}
	}()
	return row.Handler(t, &t.args)
}

// callGate counts the calls in flight so that a halt can wait for them. Every call passes it, so that it has no lock.
type callGate struct {
	n      atomic.Int64
	closed atomic.Bool
	left   chan struct{} // one place: a call has left the closed gate
}

func (g *callGate) init() { g.left = make(chan struct{}, 1) }

// enter counts a call, unless the gate is closed.
func (g *callGate) enter() bool {
	g.n.Add(1)
	if g.closed.Load() {
		g.leave()
		return false
	}
	return true
}

func (g *callGate) leave() {
	g.n.Add(-1)
	if g.closed.Load() {
		signal(g.left)
	}
}

// close lets nobody in any more and waits until no more than rest are left, or for the grace time.
func (g *callGate) close(rest int64, grace time.Duration) {
	g.closed.Store(true)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for g.n.Load() > rest {
		select {
		case <-g.left:
		case <-timer.C:
			return
		}
	}
}
