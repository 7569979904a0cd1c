package kern

import (
	"math"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// kfilter is a filter of kqueue(2). attach fills in where a new knote watches and how its event is asked for; data is
// the change's. It is nil for a filter that has a number and is not there.
type kfilter struct {
	name   string
	file   bool // ident is a descriptor
	attach func(t *Thread, kn *knote, data int64) error
}

// kfilters are the filters by number. There is no asynchronous I/O here, and so no EVFILT_AIO.
var kfilters = [abi.EVFILT_SYSCOUNT]kfilter{
	abi.EVFILT_READ:   {"EVFILT_READ", true, attachFile},
	abi.EVFILT_WRITE:  {"EVFILT_WRITE", true, attachFile},
	abi.EVFILT_AIO:    {"EVFILT_AIO", false, nil},
	abi.EVFILT_VNODE:  {"EVFILT_VNODE", true, attachFile},
	abi.EVFILT_PROC:   {"EVFILT_PROC", false, attachProc},
	abi.EVFILT_SIGNAL: {"EVFILT_SIGNAL", false, attachSignal},
	abi.EVFILT_TIMER:  {"EVFILT_TIMER", false, attachTimer},
}

// filterByNumber is nil for a number that is no filter's.
func filterByNumber(n uint32) *kfilter {
	if n >= abi.EVFILT_SYSCOUNT {
		return nil
	}
	return &kfilters[n]
}

// maxFilterName bounds the name of a filter, its NUL included.
const maxFilterName = 32

// Ioctl knows KFILTER_BYNAME and KFILTER_BYFILTER, which tell filters' numbers and names.
//
// Errors: ENOENT for a filter that is not there, ENAMETOOLONG, EFAULT, ENOTTY.
func (kq *kqueue) Ioctl(t *Thread, _ *File, cmd uint32, data []byte) error {
	var km abi.KfilterMapping
	switch cmd {
	case abi.KFILTER_BYNAME, abi.KFILTER_BYFILTER:
		if err := km.Decode(data); err != nil {
			return err
		}
	default:
		return abi.ENOTTY
	}
	if cmd == abi.KFILTER_BYFILTER {
		f := filterByNumber(km.Filter)
		if f == nil {
			return abi.ENOENT
		}
		name := append([]byte(f.name), 0)
		if uint64(len(name)) > km.Len {
			return abi.ENAMETOOLONG
		}
		return t.Mem.CopyOut(km.Name, name)
	}
	name, err := t.Mem.CopyInStr(km.Name, maxFilterName)
	if err != nil {
		return err
	}
	for n := range kfilters {
		if kfilters[n].name == string(name) {
			km.Filter = uint32(n)
			return km.Encode(data)
		}
	}
	return abi.ENOENT
}

// attachFile is EVFILT_READ, EVFILT_WRITE and EVFILT_VNODE: the file's own knotes, or else what its Poll says.
//
// Errors: EBADF, EINVAL for a filter that the file does not have.
func attachFile(t *Thread, kn *knote, _ int64) error {
	f, err := t.Desc.Get(keventFD(kn.key.ident))
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
	if kn.key.filter == abi.EVFILT_VNODE {
		return abi.EINVAL
	}
	p, ok := f.Ops.(Poller)
	if !ok {
		kn.event = func(_, _ uint32) (bool, int64, uint32, uint16) { return true, 0, 0, 0 }
		return nil
	}
	kn.sel, kn.event = p.Selinfo(), pollEvent(p, f, kn.key.filter)
	return nil
}

// pollEvent is the event of a file that has no knotes of its own.
func pollEvent(p Poller, f *File, filter uint32) KnoteEvent {
	events := abi.POLLIN | abi.POLLRDNORM
	if filter == abi.EVFILT_WRITE {
		events = abi.POLLOUT | abi.POLLWRNORM
	}
	return func(_, _ uint32) (bool, int64, uint32, uint16) {
		got := p.Poll(f, events)
		if got&abi.POLLHUP != 0 {
			return true, 0, 0, abi.EV_EOF
		}
		return got&events != 0, 0, 0, 0
	}
}

// attachKqueue watches a kqueue by another, unless that watches the first, itself or through others: in a circle an event would
// notify itself. Called with the kernel's kqueues.adding held.
//
// Errors: EINVAL for a circle, and for another filter than EVFILT_READ.
func attachKqueue(kn *knote, other *kqueue) error {
	if kn.key.filter != abi.EVFILT_READ || other.leadsTo(kn.kq) {
		return abi.EINVAL
	}
	kn.inner, kn.sel = other, &other.sel
	kn.event = func(_, _ uint32) (bool, int64, uint32, uint16) {
		if !other.active() {
			return false, 0, 0, 0
		}
		other.mu.Lock()
		defer other.mu.Unlock()
		return true, int64(len(other.queue)), 0, 0
	}
	return nil
}

// leadsTo says whether kq is target or watches it, itself or through others.
func (kq *kqueue) leadsTo(target *kqueue) bool {
	if kq == target {
		return true
	}
	kq.mu.Lock()
	var inner []*kqueue
	for _, kn := range kq.notes {
		if kn.inner != nil {
			inner = append(inner, kn.inner)
		}
	}
	kq.mu.Unlock()
	for _, i := range inner {
		if i.leadsTo(target) {
			return true
		}
	}
	return false
}

// attachProc is EVFILT_PROC: NOTE_EXIT, NOTE_FORK and NOTE_EXEC of a process, and with NOTE_TRACK those of its children.
//
// Errors: ESRCH; EACCES for a process of another user.
func attachProc(t *Thread, kn *knote, _ int64) error {
	if kn.key.ident > math.MaxInt32 {
		return abi.ESRCH
	}
	p := t.K.Proc(int(kn.key.ident))
	if p == nil {
		return abi.ESRCH
	}
	if c := t.Cred(); !c.Root() && c.Euid != p.Cred().Ruid {
		return abi.EACCES
	}
	kn.watchProc(p)
	return nil
}

// watchProc makes a knote one of EVFILT_PROC.
func (kn *knote) watchProc(p *Proc) {
	kn.flags |= abi.EV_CLEAR
	kn.sel = &p.Sel
	kn.note = func(hint uint32, data int64) bool {
		kn.hint |= hint & kn.sfflags & abi.NOTE_PCTRLMASK
		if hint&abi.NOTE_EXIT != 0 {
			kn.flags |= abi.EV_EOF | abi.EV_ONESHOT
		}
		return kn.hint != 0 || hint&abi.NOTE_EXIT != 0
	}
	kn.event = func(hint, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
		if p.dead.Load() {
			kn.kq.mu.Lock()
			kn.flags |= abi.EV_EOF | abi.EV_ONESHOT
			hint |= kn.sfflags & abi.NOTE_EXIT
			kn.kq.mu.Unlock()
			return true, kn.parent(hint), hint, 0
		}
		return hint != 0, kn.parent(hint), hint, 0
	}
	kn.after = func(hint uint32, pid int64) {
		if hint&abi.NOTE_FORK != 0 {
			kn.track(p, int(pid))
		}
	}
}

// parent is the data of NOTE_CHILD; other events of a process have none.
func (kn *knote) parent(hint uint32) int64 {
	if hint&abi.NOTE_CHILD == 0 {
		return 0
	}
	kn.kq.mu.Lock()
	defer kn.kq.mu.Unlock()
	return kn.data
}

// track watches a child of a process that is watched with NOTE_TRACK. The child's knote begins with the event NOTE_CHILD, whose
// data is the parent.
func (kn *knote) track(p *Proc, pid int) {
	kq := kn.kq
	kq.mu.Lock()
	follow := kn.sfflags&abi.NOTE_TRACK != 0 && !kn.dropped
	child := &knote{key: knoteKey{uint64(pid), abi.EVFILT_PROC}, kq: kq, flags: kn.flags &^ (abi.EV_EOF | abi.EV_ONESHOT),
		sfflags: kn.sfflags, udata: kn.udata, hint: abi.NOTE_CHILD, data: int64(p.PID)}
	taken := kq.notes[child.key] != nil
	kq.mu.Unlock()
	c := p.K.Proc(pid)
	if !follow || taken || c == nil {
		return
	}
	child.watch.Notify = child.notify
	child.watchProc(c)
	kq.add(child)
}

// attachSignal is EVFILT_SIGNAL: how often a signal has been posted to the process. Errors: EINVAL.
func attachSignal(t *Thread, kn *knote, _ int64) error {
	if kn.key.ident == 0 || kn.key.ident >= abi.NSIG {
		return abi.EINVAL
	}
	signo := int64(kn.key.ident)
	kn.flags |= abi.EV_CLEAR
	kn.sel = &t.Sel
	kn.note = func(hint uint32, data int64) bool {
		if hint != noteSignal || data != signo {
			return false
		}
		kn.data++
		return true
	}
	kn.event = kn.counted
	return nil
}

// counted is the event of a filter that counts in data.
func (kn *knote) counted(_, _ uint32) (active bool, data int64, fflags uint32, flags uint16) {
	kn.kq.mu.Lock()
	defer kn.kq.mu.Unlock()
	return kn.data > 0, kn.data, 0, 0
}

// maxKnoteTimers bounds the EVFILT_TIMERs of a kernel.
const maxKnoteTimers = 4096

// attachTimer is EVFILT_TIMER: data milliseconds, again and again unless EV_ONESHOT; the event's data counts
// how often it has passed since the last report.
//
// Errors: EINVAL for a negative time, ENOMEM for more timers than there may be.
func attachTimer(t *Thread, kn *knote, data int64) error {
	tm := &knoteTimer{kn: kn, once: kn.flags&abi.EV_ONESHOT != 0}
	if err := tm.set(data); err != nil {
		return err
	}
	stats := &t.K.kqueues
	if !stats.countTimer(+1) {
		return abi.ENOMEM
	}
	kn.flags |= abi.EV_CLEAR
	kn.note = func(uint32, int64) bool { kn.data++; return true }
	kn.event = kn.counted
	kn.change = tm.set
	kn.stop = func() {
		tm.stop()
		stats.countTimer(-1)
	}
	tm.start()
	return nil
}

// countTimer counts EVFILT_TIMERs; it says whether there may be so many.
func (s *kqueueStats) countTimer(by int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timers+by > maxKnoteTimers {
		return false
	}
	s.timers += by
	return true
}

// knoteTimer ticks for a knote.
type knoteTimer struct {
	kn   *knote
	once bool

	mu      sync.Mutex
	period  time.Duration
	timer   *time.Timer
	stopped bool
}

// set gives the timer's period in milliseconds; one that runs takes it up at its next tick. Errors: EINVAL.
func (tm *knoteTimer) set(ms int64) error {
	if ms < 0 || ms > math.MaxInt64/int64(time.Millisecond) {
		return abi.EINVAL
	}
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.period = max(time.Duration(ms)*time.Millisecond, time.Millisecond)
	return nil
}

func (tm *knoteTimer) start() {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.timer = time.AfterFunc(tm.period, tm.tick)
}

func (tm *knoteTimer) tick() {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	if tm.stopped {
		return
	}
	tm.kn.notify(0, 0)
	if !tm.once {
		tm.timer.Reset(tm.period)
	}
}

func (tm *knoteTimer) stop() {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.stopped = true
	tm.timer.Stop()
}
