package kern

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// asyncIO raises SIGIO at a file's owner while O_ASYNC is set: whenever the file's Selinfo says that something happened.
type asyncIO struct {
	mu      sync.Mutex
	pgid    int32 // F_SETOWN: a pid, or a process group's number negated; 0 for none
	watcher *Watcher
	sel     *Selinfo

	wake   chan struct{} // one place: something happened
	closed chan struct{} // the watcher has been taken out
}

// owner is who gets SIGIO: a pid, or a process group's number negated; 0 for none.
func (f *File) owner() int32 {
	f.async.mu.Lock()
	defer f.async.mu.Unlock()
	return f.async.pgid
}

// setOwner says who gets SIGIO. Errors: ESRCH when there is no such process or group; EPERM when the group belongs to
// another session.
func (f *File) setOwner(t *Thread, id int32) error {
	switch {
	case id > 0:
		if t.K.Proc(int(id)) == nil {
			return abi.ESRCH
		}
	case id < 0:
		members := t.K.Group(-int(id))
		if len(members) == 0 {
			return abi.ESRCH
		}
		if members[0].Session() != t.Session() {
			return abi.EPERM
		}
	}
	f.async.mu.Lock()
	defer f.async.mu.Unlock()
	f.async.pgid = id
	return nil
}

// asyncChanged acts on a change of O_ASYNC. Files that are always ready have nothing to announce.
func (f *File) asyncChanged(t *Thread) {
	p, ok := f.Ops.(Poller)
	if !ok {
		return
	}
	f.async.mu.Lock()
	defer f.async.mu.Unlock()
	on := f.Flags()&abi.O_ASYNC != 0
	if on && f.async.watcher == nil {
		f.async.start(t.K, p.Selinfo())
	} else if !on {
		f.async.stop()
	}
}

// start watches sel; called with the lock held. The signals are raised on a goroutine of their own, since whoever
// notifies must not be kept waiting.
func (a *asyncIO) start(k *Kernel, sel *Selinfo) {
	wake, closed := make(chan struct{}, 1), make(chan struct{})
	a.sel, a.wake, a.closed = sel, wake, closed
	a.watcher = &Watcher{Notify: func(uint32, int64) { signal(wake) }}
	sel.Watch(a.watcher)
	go func() {
		for {
			select {
			case <-wake:
				a.raise(k)
			case <-closed:
				return
			case <-k.stopping:
				return
			}
		}
	}()
}

// stop watches no more; called with the lock held.
func (a *asyncIO) stop() {
	if a.watcher == nil {
		return
	}
	a.sel.Unwatch(a.watcher)
	close(a.closed)
	a.watcher = nil
}

// raise sends SIGIO to the owner.
func (a *asyncIO) raise(k *Kernel) {
	a.mu.Lock()
	id := int(a.pgid)
	a.mu.Unlock()
	switch {
	case id > 0:
		if p := k.Proc(id); p != nil {
			p.Signal(abi.SIGIO)
		}
	case id < 0:
		for _, p := range k.Group(-id) {
			p.Signal(abi.SIGIO)
		}
	}
}
