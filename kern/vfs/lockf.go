package vfs

import (
	"math"
	"slices"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// lockTable has all advisory locks of a kernel: the record locks of fcntl(2), which belong to processes, and those of
// flock(2), which belong to open files. Both kinds are in each other's way, as in NetBSD. One mutex guards all, since the search
// for deadlocks crosses files.
type lockTable struct {
	mu      sync.Mutex
	waiting []*lockRequest
}

// lockOwner is a *kern.Proc or a *kern.File.
type lockOwner any

// advLock is a lock on the bytes from start to end, both included.
type advLock struct {
	owner      lockOwner
	exclusive  bool
	start, end int64
}

// toEOF is the end of a lock that reaches as far as the file ever will.
const toEOF = math.MaxInt64

// lockList has the locks on one file, guarded by the table's mu.
type lockList struct {
	locks []advLock
	sel   kern.Selinfo // a lock has gone or become weaker
}

// lockRequest is a lock that somebody wants.
type lockRequest struct {
	vp *Vnode
	advLock
}

func (l *advLock) overlaps(o *advLock) bool { return l.start <= o.end && o.start <= l.end }

// blocks says whether l is in o's way.
func (l *advLock) blocks(o *advLock) bool {
	return l.owner != o.owner && (l.exclusive || o.exclusive) && l.overlaps(o)
}

// blocker is the first lock in the way of r, nil if none is; called with mu held.
func (r *lockRequest) blocker() *advLock {
	if r.vp.lockf == nil {
		return nil
	}
	for i := range r.vp.lockf.locks {
		if l := &r.vp.lockf.locks[i]; l.blocks(&r.advLock) {
			return l
		}
	}
	return nil
}

// set takes a lock, waiting for it if wait is set. What the owner had of the range is replaced.
//
// Errors: EAGAIN, EDEADLK for record locks, EINTR.
func (lt *lockTable) set(t *kern.Thread, r *lockRequest, wait bool) error {
	if taken, err := lt.try(r); taken || err != nil {
		return err
	}
	if !wait {
		return abi.EAGAIN
	}
	if r.exclusive && !r.isRecord() {
		// An upgrade gives up the shared lock first: two that upgrade at once would wait for ever.
		lt.clear(r.vp, r.owner, 0, toEOF)
	}
	lt.mu.Lock()
	lt.waiting = append(lt.waiting, r)
	lt.mu.Unlock()
	var taken bool
	var failed error
	err := t.WaitFor(&r.vp.lockf.sel, kern.Forever, func() bool {
		taken, failed = lt.try(r)
		return taken || failed != nil
	})
	lt.mu.Lock()
	lt.waiting = slices.DeleteFunc(lt.waiting, func(w *lockRequest) bool { return w == r })
	lt.mu.Unlock()
	if err == nil {
		err = failed
	}
	return err
}

// try takes a lock if nothing is in the way. Errors: EDEADLK if waiting for it would be for ever.
func (lt *lockTable) try(r *lockRequest) (taken bool, err error) {
	lt.mu.Lock()
	list := r.vp.lockf
	if list == nil {
		list = new(lockList)
		r.vp.lockf = list
	}
	if r.blocker() != nil {
		if r.isRecord() && lt.circle(r) {
			err = abi.EDEADLK
		}
		lt.mu.Unlock()
		return false, err
	}
	list.cut(r.owner, r.start, r.end)
	list.locks = append(list.locks, r.advLock)
	list.join(r.owner)
	lt.mu.Unlock()
	list.sel.Notify(0) // an exclusive lock may have become a shared one
	return true, nil
}

func (r *lockRequest) isRecord() bool {
	_, ok := r.owner.(*kern.Proc)
	return ok
}

// circle says whether the owners of what is in r's way wait, through any number of others, for r's owner.
func (lt *lockTable) circle(r *lockRequest) bool {
	seen := map[lockOwner]bool{}
	var waitsFor func(w *lockRequest) bool
	waitsFor = func(w *lockRequest) bool {
		for i := range w.vp.lockf.locks {
			l := &w.vp.lockf.locks[i]
			if !l.blocks(&w.advLock) {
				continue
			}
			if l.owner == r.owner {
				return true
			}
			if seen[l.owner] {
				continue
			}
			seen[l.owner] = true
			for _, next := range lt.waiting {
				if next.owner == l.owner && waitsFor(next) {
					return true
				}
			}
		}
		return false
	}
	return waitsFor(r)
}

// clear gives up what owner has of a range.
func (lt *lockTable) clear(vp *Vnode, owner lockOwner, start, end int64) {
	lt.mu.Lock()
	list := vp.lockf
	changed := list != nil && list.cut(owner, start, end)
	lt.mu.Unlock()
	if changed {
		list.sel.Notify(0)
	}
}

// releaseAll gives up all locks on a file.
func (lt *lockTable) releaseAll(vp *Vnode) {
	lt.mu.Lock()
	list := vp.lockf
	if list != nil {
		list.locks = nil
	}
	lt.mu.Unlock()
	if list != nil {
		list.sel.Notify(0)
	}
}

// release gives up all that owner has on a file.
func (lt *lockTable) release(vp *Vnode, owner lockOwner) { lt.clear(vp, owner, 0, toEOF) }

// cut takes the bytes from start to end out of the owner's locks.
func (list *lockList) cut(owner lockOwner, start, end int64) (changed bool) {
	var kept []advLock
	for _, l := range list.locks {
		if l.owner != owner || !l.overlaps(&advLock{start: start, end: end}) {
			kept = append(kept, l)
			continue
		}
		changed = true
		if l.start < start {
			left := l
			left.end = start - 1
			kept = append(kept, left)
		}
		if l.end > end {
			right := l
			right.start = end + 1
			kept = append(kept, right)
		}
	}
	list.locks = kept
	return changed
}

// join makes one of the owner's locks that touch and are of one kind.
func (list *lockList) join(owner lockOwner) {
	slices.SortStableFunc(list.locks, func(a, b advLock) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return 0
	})
	kept := list.locks[:0]
	last := -1 // the owner's last one in kept
	for _, l := range list.locks {
		if l.owner == owner {
			if last >= 0 && kept[last].exclusive == l.exclusive && kept[last].end != toEOF && kept[last].end+1 == l.start {
				kept[last].end = l.end
				continue
			}
			last = len(kept)
		}
		kept = append(kept, l)
	}
	list.locks = kept
}

// Lock is fcntl(2)'s F_GETLK, F_SETLK and F_SETLKW.
//
// Errors: EAGAIN, EDEADLK, EINTR, EBADF for a revoked file, EINVAL for a range that begins before the file or reaches past the largest offset.
func (of *openVnode) Lock(t *kern.Thread, _ *kern.File, cmd int, l *abi.Flock) error {
	if err := of.valid(); err != nil {
		return err
	}
	r := &lockRequest{vp: of.leaf, advLock: advLock{owner: t.Proc, exclusive: l.Type == abi.F_WRLCK}}
	var err error
	if r.start, r.end, err = of.lockRange(t, l); err != nil {
		return err
	}
	lt := &of.vp.mount.vfs.locks
	switch {
	case cmd == abi.F_GETLK:
		lt.get(r, l)
		return nil
	case l.Type == abi.F_UNLCK:
		lt.clear(of.leaf, r.owner, r.start, r.end)
		return nil
	}
	if err := lt.set(t, r, cmd == abi.F_SETLKW); err != nil {
		return err
	}
	if !hasOpen(t.Proc, of.leaf) {
		// Another thread has closed the file's last descriptor meanwhile; nothing would ever release the lock.
		lt.release(of.leaf, t.Proc)
	}
	return nil
}

// lockRange is the range of a flock structure: both ends included. A negative length means the bytes before Start.
func (of *openVnode) lockRange(t *kern.Thread, l *abi.Flock) (start, end int64, err error) {
	start = l.Start
	if l.Whence == abi.SEEK_END {
		size, err := of.vp.size(t)
		if err != nil {
			return 0, 0, err
		}
		if start > 0 && size > math.MaxInt64-start {
			return 0, 0, abi.EINVAL
		}
		start += size
	}
	switch {
	case l.Len == 0:
		end = toEOF
	case l.Len > 0:
		if start > math.MaxInt64-(l.Len-1) {
			return 0, 0, abi.EINVAL
		}
		end = start + l.Len - 1
	default:
		start, end = start+l.Len, start-1
	}
	if start < 0 {
		return 0, 0, abi.EINVAL
	}
	return start, end, nil
}

// get fills l with the lock that is in the way of r, or makes its type F_UNLCK.
func (lt *lockTable) get(r *lockRequest, l *abi.Flock) {
	lt.mu.Lock()
	defer lt.mu.Unlock()
	b := r.blocker()
	if b == nil {
		l.Type = abi.F_UNLCK
		return
	}
	*l = abi.Flock{Start: b.start, Type: abi.F_RDLCK, Whence: abi.SEEK_SET, Pid: -1}
	if b.exclusive {
		l.Type = abi.F_WRLCK
	}
	if b.end != toEOF {
		l.Len = b.end - b.start + 1
	}
	if p, ok := b.owner.(*kern.Proc); ok {
		l.Pid = int32(p.PID)
	}
}

// hasOpen says whether a process has a descriptor of a file.
func hasOpen(p *kern.Proc, vp *Vnode) bool {
	found := false
	p.Desc.Open(func(_ int, f *kern.File) {
		if vf, ok := f.Ops.(vnodeFile); ok {
			found = found || vf.base().leaf == vp
		}
	})
	return found
}

// flock is flock(2). Errors: EBADF, EOPNOTSUPP for what is no vnode, EINVAL, EAGAIN with LOCK_NB, EINTR.
func flock(t *kern.Thread, a *kern.Args) (int64, error) {
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	vf, ok := f.Ops.(vnodeFile)
	if !ok {
		return 0, abi.EOPNOTSUPP
	}
	return 0, vf.base().flock(t, f, a.Int(1))
}

// flock locks or unlocks the whole file for f.
func (of *openVnode) flock(t *kern.Thread, f *kern.File, how int) error {
	if err := of.valid(); err != nil {
		return err
	}
	lt := &of.vp.mount.vfs.locks
	switch how &^ abi.LOCK_NB {
	case abi.LOCK_UN:
		lt.release(of.leaf, f)
		return nil
	case abi.LOCK_SH, abi.LOCK_EX:
	default:
		return abi.EINVAL
	}
	of.flocked.Store(true)
	r := &lockRequest{vp: of.leaf, advLock: advLock{owner: f, exclusive: how&abi.LOCK_EX != 0, end: toEOF}}
	return lt.set(t, r, how&abi.LOCK_NB == 0)
}
