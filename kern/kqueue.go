package kern

import (
	"sync"
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

// kqueue is a queue of events: the Ops of the descriptor.
//
// Locks: a Selinfo that notifies a knote holds its own lock and takes mu; so mu is never held while a Selinfo is watched,
// unwatched or notified, or while a knote's event is asked for.
type kqueue struct {
	sel     Selinfo // notified when the queue becomes readable
	created abi.Timespec

	// changing serialises registrations, scans and closing; it is held over what mu must not be.
	changing sync.Mutex

	mu     sync.Mutex
	notes  map[knoteKey]*knote
	queue  []*knote // those that may be active, in order
	nested bool     // a kqueue is among what is watched, or this is watched by a kqueue
}

// knoteKey tells a kqueue's knotes apart: by filter and what kevent calls ident.
type knoteKey struct {
	ident  uint64
	filter uint32
}

// knote is a registered interest.
type knote struct {
	key   knoteKey
	kq    *kqueue
	file  *File    // of descriptor filters
	sel   *Selinfo // where it watches; nil for timers
	event KnoteEvent
	stop  func()           // ends what the filter started
	taken func(data int64) // told of data that was reported
	watch Watcher

	// The rest is guarded by kq.mu.
	flags    uint16
	sfflags  uint32
	sdata    int64
	udata    int64
	hint     uint32
	data     int64 // of the last notification
	queued   bool
	disabled bool
	dropped  bool
}

// kqueue makes a kqueue. Errors: EINVAL for flags other than O_CLOEXEC, O_NONBLOCK and O_NOSIGPIPE; EMFILE.
func (t *Thread) kqueue(flags int) (int64, error) {
	if flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK|abi.O_NOSIGPIPE) != 0 {
		return 0, abi.EINVAL
	}
	kq := &kqueue{notes: map[knoteKey]*knote{}, created: Timespec(t.K.Now())}
	f := NewFile(abi.DTYPE_KQUEUE, kq, abi.FREAD|abi.FWRITE|uint32(flags)&abi.O_NONBLOCK)
	fd, err := t.Desc.Alloc(f, 0, flags&abi.O_CLOEXEC != 0)
	if err != nil {
		f.Release(t)
		return 0, err
	}
	t.Desc.addKqueue(kq)
	return int64(fd), nil
}

// notify is a knote's Watcher: it notes the hint and queues the knote.
func (kn *knote) notify(hint uint32, data int64) {
	kq := kn.kq
	kq.mu.Lock()
	if hint == 0 || hint&kn.sfflags != 0 {
		kn.hint |= hint
		kn.data = data
	}
	woke := kq.enqueue(kn)
	kq.mu.Unlock()
	if woke {
		kq.sel.Notify(0)
	}
}

// enqueue puts a knote into the queue; called with mu held. It reports whether that is news.
func (kq *kqueue) enqueue(kn *knote) bool {
	if kn.queued || kn.disabled || kn.dropped {
		return false
	}
	kn.queued = true
	kq.queue = append(kq.queue, kn)
	return true
}

// dequeue takes the queue, to look at its knotes.
func (kq *kqueue) dequeue() []*knote {
	kq.mu.Lock()
	defer kq.mu.Unlock()
	q := kq.queue
	kq.queue = nil
	for _, kn := range q {
		kn.queued = false
	}
	return q
}

// scan fills events with what is active now and returns how many there are.
func (kq *kqueue) scan(events []abi.Kevent) int {
	kq.changing.Lock()
	defer kq.changing.Unlock()
	n := 0
	looked := kq.dequeue()
	for i, kn := range looked {
		if n == len(events) {
			kq.requeue(looked[i:])
			break
		}
		if kq.look(kn, &events[n]) {
			n++
		}
	}
	return n
}

// requeue puts knotes that were not looked at to the front again.
func (kq *kqueue) requeue(rest []*knote) {
	kq.mu.Lock()
	defer kq.mu.Unlock()
	behind := kq.queue
	kq.queue = nil
	for _, kn := range append(rest[:len(rest):len(rest)], behind...) {
		kn.queued = false
		kq.enqueue(kn)
	}
}

// look asks whether a knote's event is there, fills in ev, and does what its flags say comes after: EV_ONESHOT drops it,
// EV_DISPATCH disables it, EV_CLEAR begins anew; any other goes back into the queue to be looked at again.
func (kq *kqueue) look(kn *knote, ev *abi.Kevent) bool {
	kq.mu.Lock()
	if kn.disabled || kn.dropped {
		kq.mu.Unlock()
		return false
	}
	hint, sfflags, noted := kn.hint, kn.sfflags, kn.data
	kq.mu.Unlock()
	active, data, fflags, flags := kn.event(hint, sfflags)
	if !active {
		return false
	}
	if kn.key.filter == abi.EVFILT_PROC {
		data = noted
	}
	if kn.taken != nil {
		kn.taken(data)
	}
	kq.mu.Lock()
	*ev = abi.Kevent{Ident: kn.key.ident, Filter: kn.key.filter, Flags: uint32(kn.flags | flags), Fflags: fflags, Data: data, Udata: kn.udata}
	after := kn.flags
	switch {
	case after&abi.EV_ONESHOT != 0:
	case after&abi.EV_DISPATCH != 0:
		kn.disabled = true
		kn.hint = 0
	case after&abi.EV_CLEAR != 0:
		kn.hint &^= hint
	default:
		kq.enqueue(kn)
	}
	kq.mu.Unlock()
	if after&abi.EV_ONESHOT != 0 {
		kq.drop(kn)
	}
	return true
}

// drop takes a knote out for good; called with changing held.
func (kq *kqueue) drop(kn *knote) {
	if kn.sel != nil {
		kn.sel.Unwatch(&kn.watch)
	}
	if kn.stop != nil {
		kn.stop()
	}
	kq.mu.Lock()
	defer kq.mu.Unlock()
	kn.dropped = true
	delete(kq.notes, kn.key)
}

// dropFile drops the knotes of a descriptor that is closed.
func (kq *kqueue) dropFile(fd int) {
	kq.changing.Lock()
	defer kq.changing.Unlock()
	for filter := uint32(abi.EVFILT_READ); filter <= abi.EVFILT_VNODE; filter++ {
		kq.mu.Lock()
		kn := kq.notes[knoteKey{uint64(fd), filter}]
		kq.mu.Unlock()
		if kn != nil && kn.file != nil {
			kq.drop(kn)
		}
	}
}

// Close drops everything; the descriptor tables forget the kqueue by themselves.
func (kq *kqueue) Close(t *Thread, _ *File) error {
	t.Desc.removeKqueue(kq)
	kq.changing.Lock()
	defer kq.changing.Unlock()
	kq.mu.Lock()
	notes := kq.notes
	kq.notes = map[knoteKey]*knote{}
	kq.mu.Unlock()
	for _, kn := range notes {
		kq.drop(kn)
	}
	return nil
}

// Poll says whether an event may be there. Knotes that turned out inactive leave the queue on the way.
func (kq *kqueue) Poll(_ *File, events int) int {
	if events&(abi.POLLIN|abi.POLLRDNORM) == 0 || !kq.active() {
		return 0
	}
	return events & (abi.POLLIN | abi.POLLRDNORM)
}

func (kq *kqueue) active() bool {
	kq.changing.Lock()
	defer kq.changing.Unlock()
	looked := kq.dequeue()
	for i, kn := range looked {
		kq.mu.Lock()
		hint, sfflags, off := kn.hint, kn.sfflags, kn.disabled || kn.dropped
		kq.mu.Unlock()
		if off {
			continue
		}
		if active, _, _, _ := kn.event(hint, sfflags); active {
			kq.requeue(looked[i:])
			return true
		}
	}
	return false
}

func (kq *kqueue) Selinfo() *Selinfo { return &kq.sel }

// Stat is a fifo's without a size, as NetBSD's.
func (kq *kqueue) Stat(_ *Thread, _ *File, st *abi.Stat) error {
	kq.mu.Lock()
	defer kq.mu.Unlock()
	*st = abi.Stat{Mode: abi.S_IFIFO, Nlink: 1, Size: int64(len(kq.queue)), Blksize: abi.SizeofKevent,
		Atim: kq.created, Mtim: kq.created, Ctim: kq.created, Birthtim: kq.created}
	return nil
}

// keventChunk is how many changes or events are moved at a time.
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

// keventChanges registers the changes. One that fails, or has EV_RECEIPT, is reported in the event list while there is room.
func (t *Thread) keventChanges(kq *kqueue, changes, n, events, room uint64) (reported int64, err error) {
	var raw [keventChunk * abi.SizeofKevent]byte
	for n > 0 {
		b := raw[:min(n, keventChunk)*abi.SizeofKevent]
		if err := t.Mem.CopyIn(changes, b); err != nil {
			return reported, err
		}
		changes, n = changes+uint64(len(b)), n-uint64(len(b)/abi.SizeofKevent)
		for ; len(b) > 0; b = b[abi.SizeofKevent:] {
			var ev abi.Kevent
			ev.Decode(b)
			err := t.keventChange(kq, &ev)
			if err == nil && ev.Flags&abi.EV_RECEIPT == 0 {
				continue
			}
			if uint64(reported) >= room {
				return reported, err
			}
			ev.Flags, ev.Data = abi.EV_ERROR, int64(abi.ToErrno(err))
			if err := t.CopyOutStruct(events+uint64(reported)*abi.SizeofKevent, &ev, abi.SizeofKevent); err != nil {
				return reported, err
			}
			reported++
		}
	}
	return reported, nil
}

// keventWait waits for events and copies out up to room of them.
func (t *Thread) keventWait(kq *kqueue, events, room uint64, timeout time.Duration) (int64, error) {
	var got [keventChunk]abi.Kevent
	n := 0
	err := t.WaitFor(&kq.sel, timeout, func() bool {
		n = kq.scan(got[:min(room, keventChunk)])
		return n > 0
	})
	if err == abi.EWOULDBLOCK {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var raw [keventChunk * abi.SizeofKevent]byte
	for i := range got[:n] {
		got[i].Encode(raw[i*abi.SizeofKevent:])
	}
	return int64(n), t.Mem.CopyOut(events, raw[:n*abi.SizeofKevent])
}
