package kern

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// kfilter is a filter of kqueue(2): it fills in where a new knote watches and how its event is asked for.
type kfilter struct {
	name   string
	attach func(t *Thread, kn *knote) error
}

// kfilters are the filters by number. EVFILT_AIO and EVFILT_SIGNAL are left out: there is no AIO here, and
// signals are the client's.
var kfilters = map[uint32]kfilter{
	abi.EVFILT_READ:  {"EVFILT_READ", attachFile},
	abi.EVFILT_WRITE: {"EVFILT_WRITE", attachFile},
	abi.EVFILT_VNODE: {"EVFILT_VNODE", attachFile},
	abi.EVFILT_PROC:  {"EVFILT_PROC", attachProc},
	abi.EVFILT_TIMER: {"EVFILT_TIMER", attachTimer},
}

// Ioctl knows KFILTER_BYNAME and KFILTER_BYFILTER, which tell filters' numbers and names.
//
// Errors: ENOENT for a filter that is not there, EFAULT, ENOTTY.
func (kq *kqueue) Ioctl(t *Thread, _ *File, cmd uint32, data []byte) error {
	var km abi.KfilterMapping
	switch cmd {
	case abi.KFILTER_BYNAME:
		km.Decode(data)
		name, err := t.Mem.CopyInStr(km.Name, maxFilterName)
		if err != nil {
			return err
		}
		for n, f := range kfilters {
			if f.name == string(name) {
				km.Filter = n
				return km.Encode(data)
			}
		}
		return abi.ENOENT
	case abi.KFILTER_BYFILTER:
		km.Decode(data)
		f, ok := kfilters[km.Filter]
		if !ok {
			return abi.ENOENT
		}
		name := append([]byte(f.name), 0)
		if uint64(len(name)) > km.Len {
			return abi.ENAMETOOLONG
		}
		return t.Mem.CopyOut(km.Name, name)
	}
	return abi.ENOTTY
}

// maxFilterName bounds the name of a filter, its NUL included.
const maxFilterName = 256

// keventChange does one change of kevent(2).
//
// Errors: EINVAL for an unknown filter or one that the file does not have, EBADF, ENOENT for a knote that is not there, ESRCH for a
// process that is not.
func (t *Thread) keventChange(kq *kqueue, ev *abi.Kevent) error {
	filter, ok := kfilters[ev.Filter]
	if !ok {
		return abi.EINVAL
	}
	key := knoteKey{ev.Ident, ev.Filter}
	kq.changing.Lock()
	defer kq.changing.Unlock()
	kq.mu.Lock()
	kn := kq.notes[key]
	kq.mu.Unlock()
	switch {
	case kn == nil && ev.Flags&abi.EV_ADD == 0:
		return abi.ENOENT
	case ev.Flags&abi.EV_DELETE != 0:
		if kn != nil {
			kq.drop(kn)
		}
		return nil
	case kn == nil:
		return t.keventAdd(kq, filter, key, ev)
	}
	kq.modify(kn, ev)
	return nil
}

// keventAdd registers a new knote; called with changing held.
func (t *Thread) keventAdd(kq *kqueue, filter kfilter, key knoteKey, ev *abi.Kevent) error {
	kn := &knote{key: key, kq: kq, flags: uint16(ev.Flags) &^ actionFlags, sfflags: ev.Fflags, sdata: ev.Data, udata: ev.Udata,
		disabled: ev.Flags&abi.EV_DISABLE != 0}
	kn.watch.Notify = kn.notify
	if err := filter.attach(t, kn); err != nil {
		return err
	}
	kq.mu.Lock()
	kq.notes[key] = kn
	kq.mu.Unlock()
	if kn.sel != nil {
		kn.sel.Watch(&kn.watch)
	}
	kn.notify(0, 0) // it may be there already
	return nil
}

// actionFlags are what to do, not how the knote is.
const actionFlags = abi.EV_ADD | abi.EV_DELETE | abi.EV_ENABLE | abi.EV_DISABLE | abi.EV_RECEIPT | abi.EV_SYSFLAGS

// modify changes a knote that is there: EV_ADD gives it new flags and data, EV_ENABLE and EV_DISABLE switch it.
func (kq *kqueue) modify(kn *knote, ev *abi.Kevent) {
	kq.mu.Lock()
	if ev.Flags&abi.EV_ADD != 0 {
		kn.flags, kn.sfflags, kn.sdata, kn.udata = uint16(ev.Flags)&^actionFlags, ev.Fflags, ev.Data, ev.Udata
	}
	if ev.Flags&abi.EV_DISABLE != 0 {
		kn.disabled = true
	}
	if ev.Flags&abi.EV_ENABLE != 0 {
		kn.disabled = false
	}
	kq.mu.Unlock()
	kn.notify(0, 0)
}

// attachFile is EVFILT_READ, EVFILT_WRITE and EVFILT_VNODE: the file's own knotes, or else what its Poll says.
func attachFile(t *Thread, kn *knote) error {
	if kn.key.ident > maxDescriptors {
		return abi.EBADF
	}
	f, err := t.Desc.Get(int(kn.key.ident))
	if err != nil {
		return err
	}
	defer f.Release(t)
	kn.file = f
	if other, ok := f.Ops.(*kqueue); ok {
		return attachKqueue(kn, other)
	}
	if kf, ok := f.Ops.(KnoteFilter); ok {
		kn.sel, kn.event, err = kf.Knote(f, kn.key.filter)
		return err
	}
	p, ok := f.Ops.(Poller)
	if !ok {
		return abi.EOPNOTSUPP
	}
	events, ok := map[uint32]int{abi.EVFILT_READ: abi.POLLIN, abi.EVFILT_WRITE: abi.POLLOUT}[kn.key.filter]
	if !ok {
		return abi.EINVAL
	}
	kn.sel = p.Selinfo()
	kn.event = func(_, _ uint32) (bool, int64, uint32, uint16) {
		got := p.Poll(f, events)
		var flags uint16
		if got&abi.POLLHUP != 0 {
			flags = abi.EV_EOF
		}
		return got != 0, 0, 0, flags
	}
	return nil
}

// attachKqueue watches a kqueue by another. Only one deep: in a circle an event would notify itself.
//
// Errors: EINVAL when that would be deeper, or for another filter than EVFILT_READ.
func attachKqueue(kn *knote, other *kqueue) error {
	if kn.key.filter != abi.EVFILT_READ || other == kn.kq {
		return abi.EINVAL
	}
	for _, kq := range []*kqueue{other, kn.kq} {
		kq.mu.Lock()
		nested := kq.nested
		kq.nested = true
		kq.mu.Unlock()
		if nested {
			return abi.EINVAL
		}
	}
	kn.sel = &other.sel
	kn.event = func(_, _ uint32) (bool, int64, uint32, uint16) { return other.active(), 0, 0, 0 }
	return nil
}

// attachProc is EVFILT_PROC: NOTE_EXIT, NOTE_FORK and NOTE_EXEC of a process.
//
// Errors: ESRCH; EINVAL for NOTE_TRACK: children are not followed.
func attachProc(t *Thread, kn *knote) error {
	if kn.sfflags&abi.NOTE_TRACK != 0 {
		return abi.EINVAL
	}
	if kn.key.ident > math.MaxInt32 {
		return abi.ESRCH
	}
	p := t.K.Proc(int(kn.key.ident))
	if p == nil {
		return abi.ESRCH
	}
	kn.flags |= abi.EV_CLEAR
	kn.sel = &p.Sel
	kn.event = func(hint, sfflags uint32) (active bool, data int64, fflags uint32, flags uint16) {
		fflags = hint & sfflags
		if hint&abi.NOTE_EXIT != 0 {
			flags = abi.EV_EOF | abi.EV_ONESHOT
		}
		return fflags != 0, 0, fflags, flags
	}
	return nil
}

// attachTimer is EVFILT_TIMER: data milliseconds, again and again unless EV_ONESHOT; the event's data counts
// how often it has passed since the last look.
//
// Errors: EINVAL for a negative time.
func attachTimer(_ *Thread, kn *knote) error {
	if kn.sdata < 0 || kn.sdata > math.MaxInt64/int64(time.Millisecond) {
		return abi.EINVAL
	}
	kn.flags |= abi.EV_CLEAR
	period := max(time.Duration(kn.sdata)*time.Millisecond, time.Microsecond)
	tm := &knoteTimer{kn: kn, period: period, once: kn.flags&abi.EV_ONESHOT != 0}
	kn.event, kn.stop, kn.taken = tm.event, tm.stop, func(n int64) { tm.passed.Add(-n) }
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.timer = time.AfterFunc(period, tm.tick)
	return nil
}

// knoteTimer ticks for a knote.
type knoteTimer struct {
	kn     *knote
	period time.Duration
	once   bool
	passed atomic.Int64

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

func (tm *knoteTimer) tick() {
	tm.passed.Add(1)
	tm.kn.notify(0, 0)
	tm.mu.Lock()
	defer tm.mu.Unlock()
	if !tm.once && !tm.stopped {
		tm.timer.Reset(tm.period)
	}
}

func (tm *knoteTimer) stop() {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.stopped = true
	tm.timer.Stop()
}

func (tm *knoteTimer) event(_, _ uint32) (bool, int64, uint32, uint16) {
	n := tm.passed.Load()
	return n > 0, n, 0, 0
}
