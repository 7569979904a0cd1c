package kern

import (
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// kqueueSyscalls are kqueue(2), kqueue1(2) and kevent(2).
func kqueueSyscalls() []Syscall {
	return []Syscall{
		{abi.SYS_kqueue, func(t *Thread, _ *Args) (int64, error) { return t.kqueue(0) }},
		{abi.SYS_kqueue1, func(t *Thread, a *Args) (int64, error) { return t.kqueue(a.Int(0)) }},
		{abi.SYS___kevent50, sysKevent},
	}
}

// keventChunk is how many changes or events are moved at a time, and how many events one call reports at most.
const keventChunk = 64

// sysKevent is kevent(fd, changelist, nchanges, eventlist, nevents, timeout).
//
// Errors: EBADF for what is no kqueue, EFAULT, EINVAL, EINTR; those of a change when there is no room to report it.
func sysKevent(t *Thread, a *Args) (int64, error) {
	f, err := t.Desc.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	kq, ok := f.Ops.(*kqueue)
	if !ok {
		return 0, abi.EBADF
	}
	timeout, err := t.timespecTimeout(a[5])
	if err != nil {
		return 0, err
	}
	reported, err := t.keventChanges(kq, a[1], a[2], a[3], a[4])
	if err != nil || reported > 0 || a[4] == 0 {
		return reported, err
	}
	return t.keventWait(kq, a[3], a[4], timeout)
}

// keventChanges registers n changes. One that fails, or has EV_RECEIPT, is reported in the event list while there is
// room in it.
func (t *Thread) keventChanges(kq *kqueue, changes, n, events, room uint64) (reported int64, err error) {
	for n > 0 {
		b := make([]byte, min(n, keventChunk)*abi.SizeofKevent)
		if err := t.Mem.CopyIn(changes, b); err != nil {
			return 0, err
		}
		changes, n = changes+uint64(len(b)), n-uint64(len(b)/abi.SizeofKevent)
		for ; len(b) > 0; b = b[abi.SizeofKevent:] {
			var ev abi.Kevent
			if err := ev.Decode(b); err != nil {
				return 0, err
			}
			failed := t.keventChange(kq, &ev)
			if failed == nil && ev.Flags&abi.EV_RECEIPT == 0 {
				continue
			}
			if uint64(reported) >= room {
				return reported, failed
			}
			ev.Flags, ev.Data = abi.EV_ERROR, int64(abi.ToErrno(failed))
			if err := t.CopyOutStruct(events+uint64(reported)*abi.SizeofKevent, &ev, abi.SizeofKevent); err != nil {
				return 0, err
			}
			reported++
		}
	}
	return reported, nil
}

// keventWait waits for events and copies out up to room of them.
func (t *Thread) keventWait(kq *kqueue, events, room uint64, timeout time.Duration) (int64, error) {
	got := make([]abi.Kevent, min(room, keventChunk))
	n := 0
	err := t.WaitFor(&kq.sel, timeout, func() bool {
		n = kq.scan(got)
		return n > 0
	})
	if err == abi.EWOULDBLOCK {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var b []byte
	for i := range got[:n] {
		b = got[i].Append(b)
	}
	return int64(n), t.Mem.CopyOut(events, b)
}

// keventChange does one change of kevent(2).
//
// Errors: EINVAL for an unknown filter or one that the file does not have, EBADF, ENOENT for a knote that is not there; those
// of the filter.
func (t *Thread) keventChange(kq *kqueue, ev *abi.Kevent) error {
	filter := filterByNumber(ev.Filter)
	if filter == nil || filter.attach == nil {
		return abi.EINVAL
	}
	key := knoteKey{ev.Ident, ev.Filter}
	if filter.file {
		f, err := t.Desc.Get(keventFD(ev.Ident))
		if err != nil {
			return err
		}
		f.Release(t)
	}
	kq.changing.Lock()
	defer kq.changing.Unlock()
	kn := kq.find(key)
	if kn != nil && kn.file != nil && !kq.desc.refersTo(keventFD(ev.Ident), kn.file) {
		kq.drop(kn) // of a descriptor that is being closed, whose number is in use again already
		kn = nil
	}
	switch {
	case kn == nil && ev.Flags&abi.EV_ADD == 0:
		return abi.ENOENT
	case kn == nil:
		return t.keventAdd(kq, filter, key, ev)
	case ev.Flags&abi.EV_ADD == 0 && ev.Flags&abi.EV_DELETE != 0:
		kq.drop(kn)
		return nil
	}
	return kq.modify(kn, ev)
}

// keventFD is the descriptor that an ident means; -1 for what can be none.
func keventFD(ident uint64) int {
	if ident >= maxDescriptors {
		return -1
	}
	return int(ident)
}

// keptFlags are those of a change that say how the knote is; the others say what to do.
const keptFlags = abi.EV_CLEAR | abi.EV_ONESHOT | abi.EV_DISPATCH

// keventAdd registers a new knote; called with changing held.
func (t *Thread) keventAdd(kq *kqueue, filter *kfilter, key knoteKey, ev *abi.Kevent) error {
	t.K.kqueues.adding.Lock()
	defer t.K.kqueues.adding.Unlock()
	kn := &knote{key: key, kq: kq, flags: uint16(ev.Flags & keptFlags), sfflags: ev.Fflags, udata: ev.Udata,
		disabled: ev.Flags&abi.EV_DISABLE != 0}
	kn.watch.Notify = kn.notify
	if err := filter.attach(t, kn, ev.Data); err != nil {
		return err
	}
	kq.add(kn)
	if kn.file != nil && !kq.desc.refersTo(keventFD(key.ident), kn.file) {
		kq.drop(kn)
		return abi.EBADF
	}
	return nil
}

// add makes a knote known and looks whether its event is there already. A child that is tracked is added at any time, even while
// the kqueue is closed.
func (kq *kqueue) add(kn *knote) {
	kq.mu.Lock()
	if !kq.closed {
		kq.notes[kn.key] = kn
	}
	kn.dropped = kq.closed
	kq.mu.Unlock()
	if kn.sel != nil {
		kn.sel.Watch(&kn.watch)
	}
	kq.mu.Lock()
	dropped := kn.dropped
	kq.mu.Unlock()
	if dropped && kn.sel != nil {
		kn.sel.Unwatch(&kn.watch)
	}
	kq.lookAgain(kn)
}

// lookAgain queues a knote without anything having been announced.
func (kq *kqueue) lookAgain(kn *knote) {
	kq.mu.Lock()
	news := kq.enqueue(kn)
	kq.mu.Unlock()
	if news {
		kq.sel.Notify(0)
	}
}

// refersTo says whether a descriptor still refers to a file.
func (d *Filedesc) refersTo(fd int, f *File) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return fd >= 0 && fd < len(d.slots) && d.slots[fd].file == f
}

// modify changes a knote that is there: EV_ADD gives it new fflags, data and udata, EV_ENABLE and EV_DISABLE switch it.
// Errors: those of the filter for its data.
func (kq *kqueue) modify(kn *knote, ev *abi.Kevent) error {
	if ev.Flags&abi.EV_ADD != 0 && kn.change != nil {
		if err := kn.change(ev.Data); err != nil {
			return err
		}
	}
	kq.mu.Lock()
	if ev.Flags&abi.EV_ADD != 0 {
		kn.sfflags, kn.udata = ev.Fflags, ev.Udata
	}
	if ev.Flags&abi.EV_DISABLE != 0 {
		kn.disabled = true
	}
	if ev.Flags&abi.EV_ENABLE != 0 {
		kn.disabled = false
	}
	kq.mu.Unlock()
	kq.lookAgain(kn)
	return nil
}
