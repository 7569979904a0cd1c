package kern_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// waiter brings open(2) with a handler that waits for a turn.
func waiter(sel *kern.Selinfo, turn *atomic.Int64) *kern.Component {
	return &kern.Component{Name: "waiter", Syscalls: []kern.Syscall{{Num: abi.SYS_open, Handler: func(t *kern.Thread, a *kern.Args) (int64, error) {
		mine := a.Int64(0)
		err := t.WaitFor(sel, kern.Forever, func() bool { return turn.Load() == mine })
		turn.Add(1)
		sel.Notify(0)
		return 0, err
	}}}}
}

// Whoever watches, looks and sleeps misses no change: each of many threads waits for the one before it.
func TestNoLostWakeups(t *testing.T) {
	var sel kern.Selinfo
	var turn atomic.Int64
	k := kerntest.New(t, waiter(&sel, &turn))
	p := kerntest.Proc(t, k)
	const n = 200
	var wg sync.WaitGroup
	for i := n - 1; i >= 0; i-- {
		wg.Go(func() { p.Must(abi.SYS_open, i) })
	}
	wg.Wait()
	if turn.Load() != n {
		t.Errorf("turn %d", turn.Load())
	}
}

// WaitFor without time only looks.
func TestWaitForNothing(t *testing.T) {
	th := kerntest.New(t).KernelThread()
	var sel kern.Selinfo
	if err := th.WaitFor(&sel, 0, func() bool { return false }); err != abi.EWOULDBLOCK {
		t.Error(err)
	}
	if err := th.WaitFor(&sel, 1, func() bool { return false }); err != abi.EWOULDBLOCK {
		t.Error(err)
	}
	if err := th.WaitFor(&sel, 0, func() bool { return true }); err != nil {
		t.Error(err)
	}
}

// After Unwatch a Watcher is left alone, and the others are not.
func TestUnwatch(t *testing.T) {
	var sel kern.Selinfo
	var hits [3]int
	var w [3]*kern.Watcher
	for i := range w {
		w[i] = &kern.Watcher{Notify: func(uint32, int64) { hits[i]++ }}
		sel.Watch(w[i])
	}
	sel.Notify(0)
	sel.Unwatch(w[0])
	sel.Unwatch(w[0])
	sel.NotifyProc(0, 5)
	if hits != [3]int{1, 2, 2} {
		t.Errorf("hits %v", hits)
	}
}
