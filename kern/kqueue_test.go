package kern_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// queue is a kqueue of a process.
type queue struct {
	*kerntest.P
	t  testing.TB
	fd int
}

func newQueue(t testing.TB, p *kerntest.P) queue {
	return queue{p, t, int(p.Must(abi.SYS_kqueue))}
}

func kevents(list ...abi.Kevent) []byte {
	var b []byte
	for i := range list {
		b = list[i].Append(b)
	}
	return b
}

func decodeKevents(b []byte, n int64) (list []abi.Kevent) {
	for range n {
		var ev abi.Kevent
		ev.Decode(b)
		list, b = append(list, ev), b[abi.SizeofKevent:]
	}
	return list
}

// change makes changes that have to give an errno.
func (q queue) change(want abi.Errno, list ...abi.Kevent) {
	q.t.Helper()
	q.Want(want, abi.SYS___kevent50, q.fd, kevents(list...), len(list), nil, 0, nil)
}

// add registers an interest.
func (q queue) add(filter uint32, ident int, flags, fflags uint32) {
	q.t.Helper()
	q.change(0, abi.Kevent{Ident: uint64(ident), Filter: filter, Flags: abi.EV_ADD | flags, Fflags: fflags, Udata: 77})
}

// now collects the events that are there, without waiting.
func (q queue) now() []abi.Kevent {
	q.t.Helper()
	b := make([]byte, 16*abi.SizeofKevent)
	return decodeKevents(b, q.Must(abi.SYS___kevent50, q.fd, nil, 0, b, 16, spec(0, 0)))
}

// wait waits for events.
func (q queue) wait() []abi.Kevent {
	q.t.Helper()
	b := make([]byte, 16*abi.SizeofKevent)
	return decodeKevents(b, q.Must(abi.SYS___kevent50, q.fd, nil, 0, b, 16, nil))
}

// expect says what is to be there now; udata is 77 throughout.
func (q queue) expect(what string, want ...abi.Kevent) {
	q.t.Helper()
	for i := range want {
		want[i].Udata = 77
	}
	if got := q.now(); fmt.Sprint(got) != fmt.Sprint(want) {
		q.t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// Oracle: kqueue(2): EVFILT_READ and EVFILT_WRITE with data and EV_EOF; an event stays while its cause does.
func TestKqueuePipe(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	r, w := p.Pipe()
	read := abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ, Data: 3}
	q.add(abi.EVFILT_READ, r, 0, 0)
	q.expect("empty")
	p.Write(w, "abc")
	q.expect("3 bytes", read)
	q.expect("still 3 bytes", read)
	p.Read(r, 3)
	q.expect("empty again")
	q.add(abi.EVFILT_WRITE, w, abi.EV_ONESHOT, 0)
	q.expect("room", abi.Kevent{Ident: uint64(w), Filter: abi.EVFILT_WRITE, Flags: abi.EV_ONESHOT, Data: 16384})
	q.expect("no more")
	q.change(abi.ENOENT, abi.Kevent{Ident: uint64(w), Filter: abi.EVFILT_WRITE, Flags: abi.EV_DELETE})
	p.Write(w, "x")
	p.Close(w)
	read.Data, read.Flags = 1, abi.EV_EOF
	q.expect("end", read)
	p.Close(r)
	q.expect("closed")
}

// Oracle: kqueue(2): EV_CLEAR, EV_DISABLE, EV_ENABLE, EV_DELETE, EV_DISPATCH.
func TestKqueueFlags(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	r, w := p.Pipe()
	key := abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ}
	with := func(flags uint32, data int64) abi.Kevent { ev := key; ev.Flags, ev.Data = flags, data; return ev }
	q.add(abi.EVFILT_READ, r, abi.EV_CLEAR, 0)
	p.Write(w, "a")
	q.expect("news", with(abi.EV_CLEAR, 1))
	q.expect("no news")
	p.Write(w, "b")
	q.expect("more news", with(abi.EV_CLEAR, 2))
	q.change(0, with(abi.EV_DISABLE, 0))
	p.Write(w, "c")
	q.expect("disabled")
	q.change(0, with(abi.EV_ENABLE, 0))
	q.expect("enabled", with(abi.EV_CLEAR, 3))
	q.change(0, with(abi.EV_DELETE, 0))
	p.Write(w, "d")
	q.expect("deleted")
	q.add(abi.EVFILT_READ, r, abi.EV_DISPATCH, 0)
	q.expect("dispatched", with(abi.EV_DISPATCH, 4))
	p.Write(w, "e")
	q.expect("disabled by it")
	q.change(0, with(abi.EV_ENABLE, 0))
	q.expect("enabled again", with(abi.EV_DISPATCH, 5))
	q.change(0, with(abi.EV_DELETE, 0))
	q.add(abi.EVFILT_READ, r, abi.EV_DISABLE, 0)
	q.expect("added disabled")
	q.change(0, abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD | abi.EV_ENABLE, Udata: 77})
	q.expect("enabled at last", with(0, 5))
}

// Oracle: kevent(2): errors of changes are events where there is room, and the call's otherwise; EV_RECEIPT reports success too.
func TestKeventErrors(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	r, w := p.Pipe()
	file := open(t, p, bare{}, readWrite)
	for _, c := range []struct {
		want abi.Errno
		ev   abi.Kevent
	}{
		{abi.EBADF, abi.Kevent{Ident: 99, Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}},
		{abi.EBADF, abi.Kevent{Ident: 1 << 40, Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}},
		{abi.EINVAL, abi.Kevent{Ident: uint64(w), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}},
		{abi.EINVAL, abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_VNODE, Flags: abi.EV_ADD}},
		{abi.EINVAL, abi.Kevent{Ident: uint64(file), Filter: abi.EVFILT_VNODE, Flags: abi.EV_ADD}},
		{0, abi.Kevent{Ident: uint64(file), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}},
		{abi.EINVAL, abi.Kevent{Filter: abi.EVFILT_AIO, Flags: abi.EV_ADD}},
		{abi.EINVAL, abi.Kevent{Filter: 99, Flags: abi.EV_ADD}},
		{abi.ESRCH, abi.Kevent{Ident: 9999, Filter: abi.EVFILT_PROC, Flags: abi.EV_ADD}},
		{abi.ESRCH, abi.Kevent{Ident: 1 << 40, Filter: abi.EVFILT_PROC, Flags: abi.EV_ADD}},
		{abi.EINVAL, abi.Kevent{Ident: 64, Filter: abi.EVFILT_SIGNAL, Flags: abi.EV_ADD}},
		{abi.EINVAL, abi.Kevent{Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD, Data: -1}},
		{abi.ENOENT, abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ, Flags: abi.EV_DELETE}},
		{abi.ENOENT, abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ, Flags: abi.EV_ENABLE}},
		{abi.EINVAL, abi.Kevent{Ident: uint64(q.fd), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}},
	} {
		q.change(c.want, c.ev)
		if c.want == 0 {
			continue
		}
		b := make([]byte, 2*abi.SizeofKevent)
		n := p.Must(abi.SYS___kevent50, q.fd, kevents(c.ev), 1, b, 2, nil)
		if got := decodeKevents(b, n); n != 1 || got[0].Flags != abi.EV_ERROR || got[0].Data != int64(c.want) || got[0].Ident != c.ev.Ident {
			t.Errorf("%+v reported as %+v", c.ev, got)
		}
	}
	b := make([]byte, 4*abi.SizeofKevent)
	list := kevents(abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD | abi.EV_RECEIPT},
		abi.Kevent{Ident: uint64(w), Filter: abi.EVFILT_WRITE, Flags: abi.EV_ADD | abi.EV_RECEIPT})
	if n := p.Must(abi.SYS___kevent50, q.fd, list, 2, b, 4, nil); n != 2 {
		t.Errorf("%d receipts", n)
	}
	for _, ev := range decodeKevents(b, 2) {
		if ev.Flags != abi.EV_ERROR || ev.Data != 0 {
			t.Errorf("receipt %+v", ev)
		}
	}
	p.Want(abi.EBADF, abi.SYS___kevent50, r, nil, 0, nil, 0, nil)
	p.Want(abi.EBADF, abi.SYS___kevent50, 99, nil, 0, nil, 0, nil)
	p.Want(abi.EFAULT, abi.SYS___kevent50, q.fd, 1, 1, nil, 0, nil)
	p.Want(abi.EFAULT, abi.SYS___kevent50, q.fd, nil, 0, 1, 1, nil)
	p.Want(abi.EINVAL, abi.SYS___kevent50, q.fd, nil, 0, b, 1, spec(0, -1))
	p.Want(abi.EFAULT, abi.SYS___kevent50, q.fd, nil, 0, b, 1, 1)
	p.Want(0, abi.SYS___kevent50, q.fd, nil, 0, nil, 0, nil)
	p.Want(abi.EINVAL, abi.SYS_kqueue1, abi.O_APPEND)
	p.Want(abi.ENXIO, abi.SYS_read, q.fd, b, 1)
	p.Want(abi.ENXIO, abi.SYS_write, q.fd, b, 1)
	fd := p.Must(abi.SYS_kqueue1, abi.O_CLOEXEC)
	if p.Must(abi.SYS_fcntl, fd, abi.F_GETFD) != abi.FD_CLOEXEC {
		t.Error("kqueue1 lost O_CLOEXEC")
	}
}

// A kevent that waits is woken; many threads may wait at one kqueue, and every event is seen once.
func TestKeventWaits(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	r, w := p.Pipe()
	q.add(abi.EVFILT_READ, r, abi.EV_CLEAR, 0)
	list := p.Mem.Map(make([]byte, abi.SizeofKevent))
	first := blocked(p, abi.SYS___kevent50, uint64(q.fd), 0, 0, list, 1, 0)
	second := blocked(p, abi.SYS___kevent50, uint64(q.fd), 0, 0, list, 1, 0)
	p.Write(w, "x")
	var last <-chan result
	select {
	case got := <-first:
		last = second
		if got != (result{1, 0}) {
			t.Errorf("kevent gave %v", got)
		}
	case got := <-second:
		last = first
		if got != (result{1, 0}) {
			t.Errorf("kevent gave %v", got)
		}
	}
	p.Write(w, "y")
	if got := <-last; got != (result{1, 0}) {
		t.Errorf("kevent gave %v", got)
	}
	p.Want(0, abi.SYS___kevent50, q.fd, nil, 0, make([]byte, abi.SizeofKevent), 1, spec(0, 1000))
}

// Oracle: kqueue(2), EVFILT_PROC: NOTE_FORK, NOTE_EXEC, NOTE_EXIT with EV_EOF, and NOTE_TRACK.
func TestKqueueProc(t *testing.T) {
	k := kerntest.New(t)
	p, other := kerntest.Proc(t, k), kerntest.Proc(t, k)
	q := newQueue(t, p)
	ev := func(pid int, flags, fflags uint32, data int) abi.Kevent {
		return abi.Kevent{Ident: uint64(pid), Filter: abi.EVFILT_PROC, Flags: abi.EV_CLEAR | flags, Fflags: fflags, Data: int64(data)}
	}
	q.add(abi.EVFILT_PROC, other.PID, 0, abi.NOTE_FORK|abi.NOTE_EXIT)
	other.Exec("program")
	q.expect("not asked for")
	other.Fork()
	other.Fork()
	q.expect("forked twice", ev(other.PID, 0, abi.NOTE_FORK, 0))
	q.expect("no more")
	other.Exit()
	q.expect("exited", ev(other.PID, abi.EV_EOF|abi.EV_ONESHOT, abi.NOTE_EXIT, 0))
	q.expect("gone")
	q.change(abi.ENOENT, abi.Kevent{Ident: uint64(other.PID), Filter: abi.EVFILT_PROC, Flags: abi.EV_DELETE})

	third := kerntest.Proc(t, k)
	q.add(abi.EVFILT_PROC, third.PID, 0, abi.NOTE_TRACK|abi.NOTE_EXEC)
	child := third.Fork()
	q.expect("child", ev(child.PID, 0, abi.NOTE_CHILD, third.PID))
	child.Exec("program")
	q.expect("child's exec", ev(child.PID, 0, abi.NOTE_EXEC, 0))
	grandchild := child.Fork()
	q.expect("grandchild", ev(grandchild.PID, 0, abi.NOTE_CHILD, child.PID))

	user := kerntest.Proc(t, k)
	user.Must(abi.SYS_setuid, 5)
	own := newQueue(t, user)
	own.change(abi.EACCES, abi.Kevent{Ident: uint64(p.PID), Filter: abi.EVFILT_PROC, Flags: abi.EV_ADD})
	own.add(abi.EVFILT_PROC, user.PID, 0, abi.NOTE_FORK)
}

// Oracle: kqueue(2), EVFILT_SIGNAL: how often since the last report, whatever the client does with the signal.
func TestKqueueSignal(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	q.add(abi.EVFILT_SIGNAL, abi.SIGUSR1, 0, 0)
	p.Signal(abi.SIGUSR1)
	p.Signal(abi.SIGUSR2)
	p.Signal(abi.SIGUSR1)
	want := abi.Kevent{Ident: abi.SIGUSR1, Filter: abi.EVFILT_SIGNAL, Flags: abi.EV_CLEAR, Data: 2}
	q.expect("two signals", want)
	q.expect("no more")
	if s := p.Signals(); len(s) != 3 {
		t.Errorf("raised %v", s)
	}
}

// Oracle: kqueue(2), EVFILT_TIMER: data is the number of times since the last report; EV_ONESHOT fires once.
func TestKqueueTimer(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	q.change(0, abi.Kevent{Ident: 1, Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD, Data: 1})
	for range 3 {
		if got := q.wait(); len(got) != 1 || got[0].Data < 1 || got[0].Ident != 1 {
			t.Errorf("%+v", got)
		}
	}
	q.change(0, abi.Kevent{Ident: 1, Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD, Data: 2})
	q.wait()
	q.change(0, abi.Kevent{Ident: 1, Filter: abi.EVFILT_TIMER, Flags: abi.EV_DELETE})
	q.change(0, abi.Kevent{Ident: 2, Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD | abi.EV_ONESHOT, Data: 1})
	if got := q.wait(); len(got) != 1 || got[0].Data != 1 || got[0].Ident != 2 {
		t.Errorf("%+v", got)
	}
	q.change(abi.ENOENT, abi.Kevent{Ident: 2, Filter: abi.EVFILT_TIMER, Flags: abi.EV_DELETE})
	for i := range 4096 {
		q.change(0, abi.Kevent{Ident: uint64(i), Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD, Data: 1 << 30})
	}
	q.change(abi.ENOMEM, abi.Kevent{Ident: 4096, Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD, Data: 1 << 30})
	p.Close(q.fd)
	q = newQueue(t, p)
	q.change(0, abi.Kevent{Ident: 1, Filter: abi.EVFILT_TIMER, Flags: abi.EV_ADD, Data: 1 << 30})
}

// vnode is a file that announces what happens to it.
type vnode struct {
	memFile
	sel kern.Selinfo
}

func (v *vnode) Knote(_ *kern.File, filter uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	if filter != abi.EVFILT_VNODE {
		return nil, nil, abi.EINVAL
	}
	return &v.sel, func(hint, sfflags uint32) (bool, int64, uint32, uint16) {
		return hint&sfflags != 0, 0, hint & sfflags, 0
	}, nil
}

// Oracle: kqueue(2), EVFILT_VNODE: the events asked for, together.
func TestKqueueVnode(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	v := &vnode{}
	fd := open(t, p, v, readWrite)
	dup := int(p.Must(abi.SYS_dup, fd))
	q.add(abi.EVFILT_VNODE, fd, abi.EV_CLEAR, abi.NOTE_WRITE|abi.NOTE_DELETE)
	v.sel.Notify(abi.NOTE_ATTRIB)
	q.expect("not asked for")
	v.sel.Notify(abi.NOTE_WRITE | abi.NOTE_EXTEND)
	v.sel.Notify(abi.NOTE_DELETE)
	q.expect("both", abi.Kevent{Ident: uint64(fd), Filter: abi.EVFILT_VNODE, Flags: abi.EV_CLEAR, Fflags: abi.NOTE_WRITE | abi.NOTE_DELETE})
	q.expect("no more")
	v.sel.Notify(abi.NOTE_DELETE)
	p.Close(fd) // the descriptor's knotes go, the file stays
	q.expect("closed")
	q.add(abi.EVFILT_VNODE, dup, 0, abi.NOTE_WRITE)
	p.Must(abi.SYS_dup2, 1, dup)
	v.sel.Notify(abi.NOTE_WRITE)
	q.expect("replaced")
}

// Oracle: kqueue(2): a kqueue can be polled and watched by another; circles are refused.
func TestKqueueNested(t *testing.T) {
	p := start(t)
	inner, middle, outer := newQueue(t, p), newQueue(t, p), newQueue(t, p)
	r, w := p.Pipe()
	inner.add(abi.EVFILT_READ, r, 0, 0)
	middle.add(abi.EVFILT_READ, inner.fd, 0, 0)
	outer.add(abi.EVFILT_READ, middle.fd, 0, 0)
	circle := func(from, to queue) {
		t.Helper()
		from.change(abi.EINVAL, abi.Kevent{Ident: uint64(to.fd), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD})
	}
	circle(inner, outer)
	circle(inner, inner)
	circle(middle, outer)
	inner.change(abi.EINVAL, abi.Kevent{Ident: uint64(outer.fd), Filter: abi.EVFILT_WRITE, Flags: abi.EV_ADD})
	ready := func(fd int) int16 {
		fds := pollfds(abi.Pollfd{Fd: int32(fd), Events: abi.POLLIN})
		p.Must(abi.SYS_poll, fds, 1, 0)
		return revents(fds)[0]
	}
	if ready(outer.fd) != 0 {
		t.Error("ready without an event")
	}
	fds := pollfds(abi.Pollfd{Fd: int32(outer.fd), Events: abi.POLLIN})
	done := blocked(p, abi.SYS_poll, p.Mem.Map(fds), 1, ^uint64(0))
	p.Write(w, "x")
	if got := <-done; got != (result{1, 0}) {
		t.Errorf("poll gave %v", got)
	}
	outer.expect("an event two kqueues further", abi.Kevent{Ident: uint64(middle.fd), Filter: abi.EVFILT_READ, Data: 1})
	p.Read(r, 1)
	if ready(outer.fd) != 0 || ready(inner.fd) != 0 {
		t.Error("ready after the event has gone")
	}
	p.Close(middle.fd)
	inner.add(abi.EVFILT_READ, outer.fd, 0, 0) // no circle any more
	b := make([]byte, abi.SizeofStat)
	p.Must(abi.SYS___fstat50, inner.fd, b)
	var st abi.Stat
	if st.Decode(b); st.Mode != abi.S_IFIFO || st.Blksize != abi.SizeofKevent {
		t.Errorf("fstat %+v", st)
	}
}

// Oracle: kqueue(2): KFILTER_BYNAME and KFILTER_BYFILTER.
func TestKfilters(t *testing.T) {
	p := start(t)
	q := newQueue(t, p)
	name := make([]byte, 32)
	namep := p.Mem.Map(name)
	mapping := func(filter uint32, length uint64) []byte {
		return kerntest.Struct(&abi.KfilterMapping{Name: namep, Len: length, Filter: filter})
	}
	for filter, want := range map[uint32]string{abi.EVFILT_READ: "EVFILT_READ", abi.EVFILT_WRITE: "EVFILT_WRITE", abi.EVFILT_AIO: "EVFILT_AIO",
		abi.EVFILT_VNODE: "EVFILT_VNODE", abi.EVFILT_PROC: "EVFILT_PROC", abi.EVFILT_SIGNAL: "EVFILT_SIGNAL", abi.EVFILT_TIMER: "EVFILT_TIMER"} {
		p.Must(abi.SYS_ioctl, q.fd, abi.KFILTER_BYFILTER, mapping(filter, 32))
		if s := abi.CString(name); s != want {
			t.Errorf("filter %d is %q", filter, s)
		}
		m := mapping(99, 0)
		p.Must(abi.SYS_ioctl, q.fd, abi.KFILTER_BYNAME, m)
		var km abi.KfilterMapping
		if km.Decode(m); km.Filter != filter {
			t.Errorf("%s is %d", want, km.Filter)
		}
	}
	p.Want(abi.ENAMETOOLONG, abi.SYS_ioctl, q.fd, abi.KFILTER_BYFILTER, mapping(abi.EVFILT_READ, 5))
	p.Want(abi.ENOENT, abi.SYS_ioctl, q.fd, abi.KFILTER_BYFILTER, mapping(99, 32))
	copy(name, "EVFILT_NOSUCH\x00")
	p.Want(abi.ENOENT, abi.SYS_ioctl, q.fd, abi.KFILTER_BYNAME, mapping(0, 0))
	p.Want(abi.ENOTTY, abi.SYS_ioctl, q.fd, abi.FIONREAD, make([]byte, 4))
}

// slowEvents is a file whose event takes as long as the test wants.
type slowEvents struct {
	kern.Selinfo
	asked, answer chan struct{}
}

func (s *slowEvents) Close(*kern.Thread, *kern.File) error { return nil }

func (s *slowEvents) Knote(*kern.File, uint32) (*kern.Selinfo, kern.KnoteEvent, error) {
	return &s.Selinfo, func(uint32, uint32) (bool, int64, uint32, uint16) {
		close(s.asked)
		<-s.answer
		return false, 0, 0, 0
	}, nil
}

// Oracle: kqueue(2): closing a descriptor removes its events, and those alone: not one that is registered for another file, which has got the
// number while the closing is still under way.
func TestKqueueNumberInUseAgain(t *testing.T) {
	p := start(t)
	busy, q := newQueue(t, p), newQueue(t, p)
	slow := &slowEvents{asked: make(chan struct{}), answer: make(chan struct{})}
	fd := open(t, p, slow, abi.FREAD)
	busy.add(abi.EVFILT_READ, fd, 0, 0)
	q.add(abi.EVFILT_READ, fd, 0, 0)
	var others sync.WaitGroup
	others.Go(func() { busy.now() })
	<-slow.asked
	others.Go(func() { p.Close(fd) })
	for {
		if _, errno := p.Call(abi.SYS_fcntl, fd, abi.F_GETFD, 0); errno == abi.EBADF {
			break
		}
		runtime.Gosched()
	}
	r, w := p.Pipe()
	if r != fd {
		t.Fatalf("the pipe has %d, not %d", r, fd)
	}
	q.add(abi.EVFILT_READ, r, 0, 0)
	close(slow.answer)
	others.Wait()
	p.Write(w, "abc")
	q.expect("3 bytes", abi.Kevent{Ident: uint64(r), Filter: abi.EVFILT_READ, Data: 3})
}
