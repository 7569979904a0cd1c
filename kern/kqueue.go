package kern

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// kqueue is a queue of events: the Ops of the descriptor that kqueue(2) gives.
//
// Locks: a Selinfo that notifies a knote holds its own lock and takes mu; so mu is never held while a Selinfo is watched,
// unwatched or notified, or while a knote's event is asked for. changing is held over these, outside of all locks
// of files; those of kqueues that watch each other are taken from the watching one to the watched.
type kqueue struct {
	desc *Filedesc // of the process whose descriptors it watches; a kqueue is not inherited
	sel  Selinfo   // notified when the queue gets a knote

	changing sync.Mutex // serialises registrations, scans and closing

	mu     sync.Mutex
	notes  map[knoteKey]*knote
	queue  []*knote // those that may be active, in order
	closed bool
}

// kqueueStats is what the kqueues of a kernel have in common.
type kqueueStats struct {
	adding sync.Mutex // held while a knote is added, so that no circle of kqueues comes to be

	mu     sync.Mutex
	timers int // of EVFILT_TIMER
}

// knoteKey tells a kqueue's knotes apart: by filter and what kevent calls ident.
type knoteKey struct {
	ident  uint64
	filter uint32
}

// knote is a registered interest. The constant part is made by the filter's attach.
type knote struct {
	key   knoteKey
	kq    *kqueue
	watch Watcher
	file  *File    // of descriptor filters; not held
	inner *kqueue  // when a kqueue is watched
	sel   *Selinfo // where it watches; nil for timers
	// event says whether the event is there. It is called without kq.mu.
	event KnoteEvent
	// note takes in what sel announces, and says whether to look at the knote; nil keeps the hint. Called with kq.mu held.
	note func(hint uint32, data int64) bool
	// after is called for each announcement without kq.mu; nil for nothing.
	after  func(hint uint32, data int64)
	change func(data int64) error // EV_ADD again with other data; nil for nothing
	stop   func()                 // ends what the filter started; nil for nothing

	// The rest is guarded by kq.mu.
	flags    uint16 // EV_CLEAR, EV_ONESHOT, EV_DISPATCH, and EV_EOF when that is for good
	sfflags  uint32 // as the user asked
	udata    int64
	hint     uint32 // NOTE_* announced and not yet reported
	data     int64  // of the filters that count
	queued   bool
	disabled bool
	dropped  bool
}

// kqueue makes a kqueue. Errors: EINVAL for flags other than O_CLOEXEC, O_NONBLOCK and O_NOSIGPIPE; EMFILE.
func (t *Thread) kqueue(flags int) (int64, error) {
	if flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK|abi.O_NOSIGPIPE) != 0 {
		return 0, abi.EINVAL
	}
	kq := &kqueue{desc: &t.Desc, notes: map[knoteKey]*knote{}}
	f := NewFile(abi.DTYPE_KQUEUE, kq, abi.FREAD|abi.FWRITE|uint32(flags)&abi.O_NONBLOCK)
	t.Desc.addKqueue(kq)
	fd, err := t.Desc.Alloc(f, 0, flags&abi.O_CLOEXEC != 0)
	if err != nil {
		f.Release(t)
		return 0, err
	}
	return int64(fd), nil
}

// notify is a knote's Watcher.
func (kn *knote) notify(hint uint32, data int64) {
	kq := kn.kq
	kq.mu.Lock()
	look := true
	if kn.note != nil {
		look = kn.note(hint, data)
	} else {
		kn.hint |= hint & kn.sfflags
	}
	news := look && kq.enqueue(kn)
	kq.mu.Unlock()
	if news {
		kq.sel.Notify(0)
	}
	if kn.after != nil {
		kn.after(hint, data)
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
		if kq.report(kn, &events[n]) {
			n++
		}
	}
	return n
}

// active says whether there is an event to report. Knotes that turn out inactive leave the queue on the way.
func (kq *kqueue) active() bool {
	kq.changing.Lock()
	defer kq.changing.Unlock()
	looked := kq.dequeue()
	for i, kn := range looked {
		if _, active := kq.look(kn); active {
			kq.requeue(looked[i:])
			return true
		}
	}
	return false
}

// look asks for a knote's event; called with changing held.
func (kq *kqueue) look(kn *knote) (abi.Kevent, bool) {
	kq.mu.Lock()
	off, hint, sfflags := kn.disabled || kn.dropped, kn.hint, kn.sfflags
	kq.mu.Unlock()
	if off {
		return abi.Kevent{}, false
	}
	active, data, fflags, flags := kn.event(hint, sfflags)
	return abi.Kevent{Ident: kn.key.ident, Filter: kn.key.filter, Flags: uint32(flags), Fflags: fflags, Data: data}, active
}

// report fills in ev if a knote's event is there, and does what its flags say comes after: EV_ONESHOT drops it, EV_DISPATCH
// disables it, EV_CLEAR begins anew; any other goes back into the queue to be looked at again.
func (kq *kqueue) report(kn *knote, ev *abi.Kevent) bool {
	got, active := kq.look(kn)
	if !active {
		return false
	}
	kq.mu.Lock()
	got.Flags |= uint32(kn.flags)
	got.Udata = kn.udata
	*ev = got
	if kn.flags&abi.EV_CLEAR != 0 {
		kn.clear(got.Fflags, got.Data)
	}
	once := kn.flags&abi.EV_ONESHOT != 0
	switch {
	case once:
	case kn.flags&abi.EV_DISPATCH != 0:
		kn.disabled = true
	case kn.flags&abi.EV_CLEAR == 0:
		kq.enqueue(kn)
	}
	kq.mu.Unlock()
	if once {
		kq.drop(kn)
	}
	return true
}

// clear forgets what has been reported; called with kq.mu held. Filters that count lose only what was counted then.
func (kn *knote) clear(fflags uint32, data int64) {
	kn.hint &^= fflags
	if kn.note != nil {
		kn.data -= data
	}
}

// drop takes a knote out for good; called with changing held.
func (kq *kqueue) drop(kn *knote) {
	if kn.sel != nil {
		kn.sel.Unwatch(&kn.watch)
	}
	kq.mu.Lock()
	dropped := kn.dropped
	kn.dropped = true
	delete(kq.notes, kn.key)
	kq.mu.Unlock()
	if !dropped && kn.stop != nil {
		kn.stop()
	}
}

// dropFile drops the knotes of a descriptor that is closed.
func (kq *kqueue) dropFile(fd int, f *File) {
	kq.changing.Lock()
	defer kq.changing.Unlock()
	for _, filter := range []uint32{abi.EVFILT_READ, abi.EVFILT_WRITE, abi.EVFILT_VNODE} {
		if kn := kq.find(knoteKey{uint64(fd), filter}); kn != nil && kn.file == f {
			kq.drop(kn)
		}
	}
}

func (kq *kqueue) find(key knoteKey) *knote {
	kq.mu.Lock()
	defer kq.mu.Unlock()
	return kq.notes[key]
}

// Close drops everything.
func (kq *kqueue) Close(*Thread, *File) error {
	kq.desc.removeKqueue(kq)
	kq.changing.Lock()
	defer kq.changing.Unlock()
	kq.mu.Lock()
	kq.closed = true
	notes := make([]*knote, 0, len(kq.notes))
	for _, kn := range kq.notes {
		notes = append(notes, kn)
	}
	kq.mu.Unlock()
	for _, kn := range notes {
		kq.drop(kn)
	}
	return nil
}

// Read and Write are not how a kqueue is used. Errors: ENXIO.
func (kq *kqueue) Read(*Thread, *File, []byte, int64) (int, error) { return 0, abi.ENXIO }

// Write is as Read.
func (kq *kqueue) Write(*Thread, *File, []byte, int64) (int, error) { return 0, abi.ENXIO }

// Poll says whether there is an event.
func (kq *kqueue) Poll(_ *File, events int) int {
	if events&(abi.POLLIN|abi.POLLRDNORM) == 0 || !kq.active() {
		return 0
	}
	return events & (abi.POLLIN | abi.POLLRDNORM)
}

// Selinfo is where new events are announced.
func (kq *kqueue) Selinfo() *Selinfo { return &kq.sel }

// Stat describes a fifo whose size is the number of events that may be there.
func (kq *kqueue) Stat(_ *Thread, _ *File, st *abi.Stat) error {
	kq.mu.Lock()
	defer kq.mu.Unlock()
	*st = abi.Stat{Mode: abi.S_IFIFO, Size: int64(len(kq.queue)), Blksize: abi.SizeofKevent}
	return nil
}
