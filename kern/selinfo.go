package kern

import (
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Selinfo is a place where things happen that others wait for: the read side of a pipe, a socket, a vnode, a
// process. Every wait in the kernel goes through one: blocking calls, poll, select and kqueue alike.
//
// The zero value is ready. The rule against lost wake-ups: whoever waits watches first and then looks at the
// condition; whoever changes the condition changes it first and then notifies.
type Selinfo struct {
	mu       sync.Mutex
	watchers []*Watcher
}

// Watcher is told of the events of the Selinfos that it watches.
type Watcher struct {
	// Notify is called for each event with the Selinfo's lock held: it must not block and must not call the
	// Selinfo. hint says what happened, in NOTE_* bits where the event has such, with data as kevent(2) has it.
	Notify func(hint uint32, data int64)
}

// Watch adds w; it may watch any number of Selinfos.
func (s *Selinfo) Watch(w *Watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, w)
}

// Unwatch takes w out again. After it returns Notify is not called any more.
func (s *Selinfo) Unwatch(w *Watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, x := range s.watchers {
		if x == w {
			last := len(s.watchers) - 1
			s.watchers[i], s.watchers[last] = s.watchers[last], nil
			s.watchers = s.watchers[:last]
			return
		}
	}
}

// Notify tells the watchers that something happened. The caller may hold its own locks, if no Watcher's
// Notify takes them.
func (s *Selinfo) Notify(hint uint32) { s.notify(hint, 0) }

// NotifyProc tells of a process event with its data: the child's pid, the exit status.
func (s *Selinfo) NotifyProc(hint uint32, data int) { s.notify(hint, int64(data)) }

func (s *Selinfo) notify(hint uint32, data int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watchers {
		w.Notify(hint, data)
	}
}

// Forever is the timeout of a wait without one.
const Forever time.Duration = -1

// WaitFor waits at s until ready says true. ready may take locks; it is called once before anything is waited
// for, and again after each event. timeout 0 looks without waiting.
//
// Errors: EWOULDBLOCK after the timeout, EINTR when the process's client vanished or the kernel halts.
func (t *Thread) WaitFor(s *Selinfo, timeout time.Duration, ready func() bool) error {
	if ready() {
		return nil
	}
	if timeout == 0 {
		return abi.EWOULDBLOCK
	}
	wake := t.wakeChan()
	w := &Watcher{Notify: func(uint32, int64) { signal(wake) }}
	s.Watch(w)
	defer s.Unwatch(w)
	deadline := deadlineAfter(timeout)
	for !ready() {
		if err := t.Sleep(wake, deadline); err != nil {
			return err
		}
	}
	return nil
}

// wakeChan is a channel of one place, empty, for the waits of this thread.
func (t *Thread) wakeChan() chan struct{} {
	if t.wake == nil {
		t.wake = make(chan struct{}, 1)
	}
	select {
	case <-t.wake:
	default:
	}
	return t.wake
}

// signal makes a channel of one place readable.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// deadlineAfter is the moment after a timeout; the zero time for Forever.
func deadlineAfter(timeout time.Duration) time.Time {
	if timeout < 0 {
		return time.Time{}
	}
	return time.Now().Add(timeout)
}

// Sleep waits for a receive from wake (nil: nothing) or the deadline (the zero time: none).
//
// Errors: EWOULDBLOCK at the deadline, EINTR when the process's client vanished, or has the call end (Canceller), or the
// kernel halts.
func (t *Thread) Sleep(wake <-chan struct{}, deadline time.Time) error {
	t.Mem.Block()
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	var cancelled <-chan struct{}
	if c, ok := t.Mem.(Canceller); ok {
		cancelled = c.Done()
	}
	select {
	case <-wake:
		return nil
	case <-expired:
		return abi.EWOULDBLOCK
	case <-cancelled:
	case <-t.gone:
	case <-t.K.stopping:
	}
	return abi.EINTR
}
