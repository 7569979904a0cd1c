package vfstest

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// runLocks checks advisory locks: flock(2), those of open(2), and fcntl(2)'s of records.
func runLocks(t *testing.T, c *Config) {
	for _, part := range []struct {
		name string
		run  func(t *testing.T, p, q *proc)
	}{
		{"flock", flockConflicts},
		{"flock is of the open file", flockSharing},
		{"open with a lock", lockOnOpen},
		{"records", recordLocks},
		{"records tell who", recordOwner},
		{"records split and join", recordSplit},
		{"records go with any close", recordClose},
		{"records go with the process", recordExit},
		{"a lock is waited for", recordWait},
		{"deadlock", recordDeadlock},
		{"bad locks", recordErrors},
	} {
		t.Run(part.name, func(t *testing.T) {
			k, dir := c.Boot(t)
			p, q := newProc(t, k, dir), newProc(t, k, dir)
			if e := p.writeFile("f", []byte("0123456789")); e != 0 {
				t.Fatal(e)
			}
			part.run(t, p, q)
		})
	}
}

// lockStep is a call of one of two processes on its descriptor, and the error that it gives.
type lockStep struct {
	who  *proc
	fd   int
	op   int // LOCK_* of flock(2)
	want abi.Errno
}

func openRW(t *testing.T, p *proc, path string) int {
	t.Helper()
	fd, e := p.open(path, abi.O_RDWR, 0)
	if e != 0 {
		t.Fatalf("open %s: %v", path, e)
	}
	return fd
}

func runFlocks(t *testing.T, steps []lockStep) {
	t.Helper()
	for i, s := range steps {
		if e := s.who.do(abi.SYS_flock, s.fd, s.op|abi.LOCK_NB); e != s.want {
			t.Errorf("step %d: flock %#x: %v, want %v", i, s.op, e, s.want)
		}
	}
}

// Oracle: flock(2).
func flockConflicts(t *testing.T, p, q *proc) {
	a, b := openRW(t, p, "f"), openRW(t, q, "f")
	runFlocks(t, []lockStep{
		{p, a, abi.LOCK_SH, 0},
		{q, b, abi.LOCK_SH, 0},
		{p, a, abi.LOCK_EX, abi.EAGAIN},
		{q, b, abi.LOCK_UN, 0},
		{p, a, abi.LOCK_EX, 0},
		{q, b, abi.LOCK_SH, abi.EAGAIN},
		{q, b, abi.LOCK_EX, abi.EAGAIN},
		{p, a, abi.LOCK_EX, 0},
		{p, a, abi.LOCK_SH, 0},
		{q, b, abi.LOCK_SH, 0},
		{p, a, abi.LOCK_UN, 0},
		{p, a, abi.LOCK_UN, 0},
		{q, b, abi.LOCK_EX, 0},
		{q, b, abi.LOCK_UN, 0},
		{q, 99, abi.LOCK_SH, abi.EBADF},
		{q, b, abi.LOCK_SH | abi.LOCK_EX, abi.EINVAL},
		{q, b, 0, abi.EINVAL},
	})
}

// flockSharing: a lock belongs to the open file: a second open in the same process is another, a dup is the same; it ends
// with the last descriptor. Oracle: flock(2).
func flockSharing(t *testing.T, p, q *proc) {
	a, b, other := openRW(t, p, "f"), openRW(t, p, "f"), openRW(t, q, "f")
	d, e := p.Call(abi.SYS_dup, a)
	if e != 0 {
		t.Fatal(e)
	}
	runFlocks(t, []lockStep{
		{p, a, abi.LOCK_EX, 0},
		{p, b, abi.LOCK_SH, abi.EAGAIN},
		{p, int(d), abi.LOCK_EX, 0},
	})
	p.close(a)
	runFlocks(t, []lockStep{{q, other, abi.LOCK_SH, abi.EAGAIN}})
	p.close(int(d))
	runFlocks(t, []lockStep{{q, other, abi.LOCK_EX, 0}})
}

// Oracle: open(2): O_SHLOCK, O_EXLOCK.
func lockOnOpen(t *testing.T, p, q *proc) {
	for i, s := range []struct {
		who   *proc
		flags int
		want  abi.Errno
	}{
		{p, abi.O_RDWR | abi.O_SHLOCK, 0},
		{q, abi.O_RDWR | abi.O_SHLOCK | abi.O_NONBLOCK, 0},
		{q, abi.O_RDWR | abi.O_EXLOCK | abi.O_NONBLOCK, abi.EAGAIN},
		{q, abi.O_RDWR, 0},
	} {
		if _, e := s.who.open("f", s.flags, 0); e != s.want {
			t.Errorf("open %d with %#x: %v, want %v", i, s.flags, e, s.want)
		}
	}
	if _, e := p.open("new", abi.O_RDWR|abi.O_CREAT|abi.O_EXLOCK, 0o644); e != 0 {
		t.Errorf("creating with a lock: %v", e)
	}
	if _, e := q.open("new", abi.O_RDWR|abi.O_SHLOCK|abi.O_NONBLOCK, 0); e != abi.EAGAIN {
		t.Errorf("opening what was created with a lock: %v, want EAGAIN", e)
	}
}

// setlk locks, or with F_UNLCK unlocks, a range of a file.
func (p *proc) setlk(fd, cmd, typ int, start, length int64) abi.Errno {
	fl := abi.Flock{Type: int16(typ), Whence: abi.SEEK_SET, Start: start, Len: length}
	b := make([]byte, abi.SizeofFlock)
	if err := fl.Encode(b); err != nil {
		return abi.EIO
	}
	return p.do(abi.SYS_fcntl, fd, cmd, b)
}

// getlk asks what stands in the way of a lock.
func (p *proc) getlk(fd, typ int, start, length int64) (fl abi.Flock, e abi.Errno) {
	fl = abi.Flock{Type: int16(typ), Whence: abi.SEEK_SET, Start: start, Len: length}
	b := make([]byte, abi.SizeofFlock)
	if err := fl.Encode(b); err != nil {
		return fl, abi.EIO
	}
	if e = p.do(abi.SYS_fcntl, fd, abi.F_GETLK, b); e == 0 {
		e = abi.ToErrno(fl.Decode(b))
	}
	return fl, e
}

// recordStep is a lock of a range that does not wait, and the error that it gives.
type recordStep struct {
	who        *proc
	fd, typ    int
	start, len int64
	want       abi.Errno
}

func runRecords(t *testing.T, steps []recordStep) {
	t.Helper()
	for i, s := range steps {
		if e := s.who.setlk(s.fd, abi.F_SETLK, s.typ, s.start, s.len); e != s.want {
			t.Errorf("step %d: type %d from %d for %d: %v, want %v", i, s.typ, s.start, s.len, e, s.want)
		}
	}
}

// Oracle: fcntl(2); POSIX fcntl.
func recordLocks(t *testing.T, p, q *proc) {
	a, b := openRW(t, p, "f"), openRW(t, q, "f")
	runRecords(t, []recordStep{
		{p, a, abi.F_WRLCK, 0, 10, 0},
		{q, b, abi.F_RDLCK, 9, 1, abi.EAGAIN},
		{q, b, abi.F_WRLCK, 10, 1, 0},
		{q, b, abi.F_WRLCK, 0, 0, abi.EAGAIN},
		{p, a, abi.F_WRLCK, 0, 10, 0},
		{p, a, abi.F_RDLCK, 0, 10, 0},
		{q, b, abi.F_RDLCK, 5, 1, 0},
		{p, a, abi.F_WRLCK, 5, 1, abi.EAGAIN},
		{p, a, abi.F_WRLCK, 4, 1, 0},
		{q, b, abi.F_UNLCK, 5, 1, 0},
		{p, a, abi.F_WRLCK, 0, 10, 0},
		{p, a, abi.F_UNLCK, 0, 0, 0},
		{q, b, abi.F_WRLCK, 0, 0, 0},
		{p, a, abi.F_RDLCK, 1 << 40, 1, abi.EAGAIN},
	})
}

// Oracle: fcntl(2): F_GETLK.
func recordOwner(t *testing.T, p, q *proc) {
	a, b := openRW(t, p, "f"), openRW(t, q, "f")
	runRecords(t, []recordStep{{p, a, abi.F_WRLCK, 3, 4, 0}, {q, b, abi.F_WRLCK, 20, 5, 0}})
	fl, e := q.getlk(b, abi.F_RDLCK, 0, 0)
	if e != 0 || fl.Type != abi.F_WRLCK || fl.Start != 3 || fl.Len != 4 || int(fl.Pid) != p.PID {
		t.Errorf("F_GETLK: %+v, %v; want the lock of %d from 3 for 4", fl, e, p.PID)
	}
	if fl, e = q.getlk(b, abi.F_WRLCK, 7, 0); e != 0 || fl.Type != abi.F_UNLCK {
		t.Errorf("F_GETLK where only one's own lock is: %+v, %v", fl, e)
	}
}

// Oracle: fcntl(2): locks of a process are replaced, split and joined.
func recordSplit(t *testing.T, p, q *proc) {
	a, b := openRW(t, p, "f"), openRW(t, q, "f")
	runRecords(t, []recordStep{
		{p, a, abi.F_WRLCK, 0, 30, 0},
		{p, a, abi.F_UNLCK, 10, 10, 0},
		{q, b, abi.F_WRLCK, 10, 10, 0},
		{q, b, abi.F_WRLCK, 9, 1, abi.EAGAIN},
		{q, b, abi.F_WRLCK, 20, 1, abi.EAGAIN},
		{q, b, abi.F_UNLCK, 0, 0, 0},
		{p, a, abi.F_RDLCK, 5, 20, 0},
		{q, b, abi.F_RDLCK, 5, 20, 0},
		{q, b, abi.F_RDLCK, 4, 1, abi.EAGAIN},
		{q, b, abi.F_RDLCK, 25, 1, abi.EAGAIN},
	})
	if fl, e := q.getlk(b, abi.F_WRLCK, 0, 0); e != 0 || fl.Start != 0 || fl.Len != 5 || fl.Type != abi.F_WRLCK {
		t.Errorf("the first of the parts: %+v, %v; want a write lock from 0 for 5", fl, e)
	}
}

// Oracle: fcntl(2): all locks of a process on a file go when any descriptor of it is closed.
func recordClose(t *testing.T, p, q *proc) {
	a, b, second := openRW(t, p, "f"), openRW(t, q, "f"), openRW(t, p, "f")
	runRecords(t, []recordStep{{p, a, abi.F_WRLCK, 0, 0, 0}, {q, b, abi.F_WRLCK, 0, 0, abi.EAGAIN}})
	p.close(second)
	runRecords(t, []recordStep{{q, b, abi.F_WRLCK, 0, 0, 0}})
}

// Oracle: fcntl(2): locks go with their process.
func recordExit(t *testing.T, p, q *proc) {
	a, b := openRW(t, p, "f"), openRW(t, q, "f")
	runRecords(t, []recordStep{{p, a, abi.F_WRLCK, 0, 0, 0}, {q, b, abi.F_WRLCK, 0, 0, abi.EAGAIN}})
	p.Exit()
	runRecords(t, []recordStep{{q, b, abi.F_WRLCK, 0, 0, 0}})
}

// Oracle: fcntl(2): F_SETLKW waits.
func recordWait(t *testing.T, p, q *proc) {
	a, b := openRW(t, p, "f"), openRW(t, q, "f")
	runRecords(t, []recordStep{{p, a, abi.F_WRLCK, 0, 10, 0}})
	got := make(chan abi.Errno)
	go func() { got <- q.setlk(b, abi.F_SETLKW, abi.F_WRLCK, 5, 10) }()
	runRecords(t, []recordStep{{p, a, abi.F_UNLCK, 0, 7, 0}, {p, a, abi.F_UNLCK, 7, 3, 0}})
	if e := <-got; e != 0 {
		t.Errorf("the lock that was waited for: %v", e)
	}
	runRecords(t, []recordStep{{p, a, abi.F_WRLCK, 0, 10, abi.EAGAIN}})
}

// recordDeadlock has two processes wait for each other: one of them is told. Oracle: fcntl(2): EDEADLK.
func recordDeadlock(t *testing.T, p, q *proc) {
	a, b := openRW(t, p, "f"), openRW(t, q, "f")
	runRecords(t, []recordStep{{p, a, abi.F_WRLCK, 0, 1, 0}, {q, b, abi.F_WRLCK, 1, 1, 0}})
	wait := func(who *proc, fd int, start, own int64) chan abi.Errno {
		done := make(chan abi.Errno, 1)
		go func() {
			e := who.setlk(fd, abi.F_SETLKW, abi.F_WRLCK, start, 1)
			if e == abi.EDEADLK {
				who.setlk(fd, abi.F_SETLK, abi.F_UNLCK, own, 1)
			}
			done <- e
		}()
		return done
	}
	first, second := wait(p, a, 1, 0), wait(q, b, 0, 1)
	x, y := <-first, <-second
	if (x == abi.EDEADLK) == (y == abi.EDEADLK) || x != 0 && y != 0 {
		t.Errorf("two processes that wait for each other: %v and %v, want EDEADLK for one and success for the other", x, y)
	}
}

// Oracle: fcntl(2): EBADF, EINVAL.
func recordErrors(t *testing.T, p, _ *proc) {
	rw := openRW(t, p, "f")
	r, e := p.open("f", abi.O_RDONLY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	w, e := p.open("f", abi.O_WRONLY, 0)
	if e != 0 {
		t.Fatal(e)
	}
	runRecords(t, []recordStep{
		{p, r, abi.F_WRLCK, 0, 1, abi.EBADF},
		{p, w, abi.F_RDLCK, 0, 1, abi.EBADF},
		{p, r, abi.F_RDLCK, 0, 1, 0},
		{p, 99, abi.F_RDLCK, 0, 1, abi.EBADF},
		{p, rw, abi.F_RDLCK, -1, 1, abi.EINVAL},
		{p, rw, 77, 0, 1, abi.EINVAL},
	})
}
