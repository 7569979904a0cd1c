package vfs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// lock is fcntl(2)'s F_SETLK or F_SETLKW.
func lock(p *kerntest.P, cmd, fd int, typ int16, start, n int64) abi.Errno {
	l := abi.Flock{Type: typ, Whence: abi.SEEK_SET, Start: start, Len: n}
	_, errno := p.Call(abi.SYS_fcntl, fd, cmd, l.Append(nil))
	return errno
}

// inTheWay is F_GETLK for a write lock.
func inTheWay(tb testing.TB, p *kerntest.P, fd int, start, n int64) (l abi.Flock) {
	tb.Helper()
	l = abi.Flock{Type: abi.F_WRLCK, Whence: abi.SEEK_SET, Start: start, Len: n}
	buf := l.Append(nil)
	p.Must(abi.SYS_fcntl, fd, abi.F_GETLK, buf)
	l.Decode(buf)
	return l
}

// TestRecordLocks takes, splits, changes and joins locks; another process sees them. Oracle: fcntl(2).
func TestRecordLocks(t *testing.T) {
	p := newProc(t)
	q := p.Fork()
	fd, other := open(p, "/f", abi.O_RDWR|abi.O_CREAT), open(q, "/f", abi.O_RDWR)
	// holds lists p's locks as q meets them: type, start, length.
	holds := func() (list []string) {
		for at := int64(0); ; {
			l := inTheWay(t, q, other, at, 0)
			if l.Type == abi.F_UNLCK {
				return list
			}
			if int(l.Pid) != p.PID {
				t.Errorf("the lock is of process %d, not %d", l.Pid, p.PID)
			}
			list = append(list, fmt.Sprintf("%c%d+%d", "?rw"[map[int16]int{abi.F_RDLCK: 1, abi.F_WRLCK: 2}[l.Type]], l.Start, l.Len))
			if l.Len == 0 {
				return list
			}
			at = l.Start + l.Len
		}
	}
	for _, c := range []struct {
		typ      int16
		start, n int64
		want     []string
	}{
		{abi.F_WRLCK, 10, 10, []string{"w10+10"}},
		{abi.F_WRLCK, 20, 5, []string{"w10+15"}},
		{abi.F_RDLCK, 12, 2, []string{"w10+2", "r12+2", "w14+11"}},
		{abi.F_UNLCK, 15, 5, []string{"w10+2", "r12+2", "w14+1", "w20+5"}},
		{abi.F_WRLCK, 12, 8, []string{"w10+15"}},
		{abi.F_UNLCK, 10, 1, []string{"w11+14"}},
		{abi.F_RDLCK, 25, 0, []string{"w11+14", "r25+0"}},
		{abi.F_RDLCK, 30, -5, []string{"w11+14", "r25+0"}},
		{abi.F_UNLCK, 0, 0, nil},
		{abi.F_RDLCK, 5, 0, []string{"r5+0"}},
		{abi.F_UNLCK, 100, 0, []string{"r5+95"}},
		{abi.F_UNLCK, 0, 0, nil},
	} {
		if errno := lock(p, abi.F_SETLK, fd, c.typ, c.start, c.n); errno != 0 {
			t.Fatalf("lock %+v: %v", c, errno)
		}
		if got := holds(); !slices.Equal(got, c.want) {
			t.Errorf("after type %d, %d+%d: %q, want %q", c.typ, c.start, c.n, got, c.want)
		}
	}
	lock(p, abi.F_SETLK, fd, abi.F_RDLCK, 0, 10)
	for _, c := range []struct {
		typ      int16
		start, n int64
		want     abi.Errno
	}{
		{abi.F_RDLCK, 0, 0, 0},
		{abi.F_WRLCK, 5, 1, abi.EAGAIN},
		{abi.F_WRLCK, 10, 0, 0},
		{abi.F_WRLCK, 5, -10, abi.EINVAL},
		{abi.F_WRLCK, 1<<63 - 1, 2, abi.EINVAL},
		{9, 0, 0, abi.EINVAL},
	} {
		if errno := lock(q, abi.F_SETLK, other, c.typ, c.start, c.n); errno != c.want {
			t.Errorf("other process: %+v: %v", c, errno)
		}
	}
	if errno := lock(p, abi.F_SETLK, open(p, "/f", abi.O_RDONLY), abi.F_WRLCK, 0, 1); errno != abi.EBADF {
		t.Errorf("a write lock on what is open for reading: %v", errno)
	}
}

// TestLocksGoAtClose: a process loses its record locks on a file when it closes any descriptor of it, or exits; a child has none of
// them. Oracle: fcntl(2).
func TestLocksGoAtClose(t *testing.T) {
	p := newProc(t)
	q := p.Fork()
	fd, again := open(p, "/f", abi.O_RDWR|abi.O_CREAT), open(p, "/f", abi.O_RDONLY)
	other := open(q, "/f", abi.O_RDWR)
	free := func() bool { return inTheWay(t, q, other, 0, 0).Type == abi.F_UNLCK }
	lock(p, abi.F_SETLK, fd, abi.F_WRLCK, 0, 0)
	child := p.Fork()
	if errno := lock(child, abi.F_SETLK, fd, abi.F_WRLCK, 0, 0); errno != abi.EAGAIN {
		t.Errorf("the child has the parent's lock: %v", errno)
	}
	child.Close(fd)
	if free() {
		t.Error("the child's close took the parent's lock away")
	}
	p.Close(again)
	if !free() {
		t.Error("the lock has outlived a close")
	}
	lock(p, abi.F_SETLK, fd, abi.F_WRLCK, 0, 0)
	p.Exit()
	if !free() {
		t.Error("the lock has outlived its process")
	}
}

// TestLockWait: a waiting lock is granted when the one in its way goes; a process that goes stops waiting.
func TestLockWait(t *testing.T) {
	p := newProc(t)
	fd := open(p, "/f", abi.O_RDWR|abi.O_CREAT)
	lock(p, abi.F_SETLK, fd, abi.F_WRLCK, 0, 10)
	q, gone := p.Fork(), p.Fork()
	other, third := open(q, "/f", abi.O_RDWR), open(gone, "/f", abi.O_RDWR)
	granted, interrupted := make(chan abi.Errno), make(chan abi.Errno)
	go func() { granted <- lock(q, abi.F_SETLKW, other, abi.F_WRLCK, 5, 10) }()
	go func() { interrupted <- lock(gone, abi.F_SETLKW, third, abi.F_WRLCK, 0, 0) }()
	gone.Proc.Exit()
	if errno := <-interrupted; errno != abi.EINTR && errno != abi.ESRCH {
		t.Errorf("a process that has gone: %v", errno)
	}
	lock(p, abi.F_SETLK, fd, abi.F_UNLCK, 5, 5)
	if errno := <-granted; errno != 0 {
		t.Errorf("granted: %v", errno)
	}
	if l := inTheWay(t, p, fd, 0, 0); l.Start != 5 || l.Len != 10 || int(l.Pid) != q.PID {
		t.Errorf("then %+v", l)
	}
}

// TestDeadlock: of processes that wait for each other, one is told. Oracle: fcntl(2), EDEADLK.
func TestDeadlock(t *testing.T) {
	p := newProc(t)
	fd := open(p, "/f", abi.O_RDWR|abi.O_CREAT)
	const n = 3
	procs := []*kerntest.P{p, p.Fork(), p.Fork()}
	for i, q := range procs {
		if errno := lock(q, abi.F_SETLK, fd, abi.F_WRLCK, int64(i), 1); errno != 0 {
			t.Fatal(errno)
		}
	}
	results := make(chan abi.Errno, n)
	var all sync.WaitGroup
	for i, q := range procs {
		all.Go(func() {
			errno := lock(q, abi.F_SETLKW, fd, abi.F_WRLCK, int64((i+1)%n), 1)
			if errno == abi.EDEADLK {
				lock(q, abi.F_SETLK, fd, abi.F_UNLCK, 0, 0)
			}
			results <- errno
			if errno == 0 {
				lock(q, abi.F_SETLK, fd, abi.F_UNLCK, 0, 0)
			}
		})
	}
	all.Wait()
	close(results)
	told := 0
	for errno := range results {
		switch errno {
		case abi.EDEADLK:
			told++
		case 0:
		default:
			t.Errorf("%v", errno)
		}
	}
	if told != 1 {
		t.Errorf("%d of %d were told", told, n)
	}
}

// TestFlock: whole-file locks belong to the open file, shared by descriptors that are copies. Oracle: flock(2).
func TestFlock(t *testing.T) {
	p := newProc(t)
	a := open(p, "/f", abi.O_RDWR|abi.O_CREAT)
	b := open(p, "/f", abi.O_RDWR)
	p.Must(abi.SYS_flock, a, abi.LOCK_SH)
	p.Must(abi.SYS_flock, b, abi.LOCK_SH|abi.LOCK_NB)
	p.Want(abi.EAGAIN, abi.SYS_flock, a, abi.LOCK_EX|abi.LOCK_NB)
	p.Must(abi.SYS_flock, b, abi.LOCK_UN)
	p.Must(abi.SYS_flock, a, abi.LOCK_EX|abi.LOCK_NB)
	p.Want(abi.EAGAIN, abi.SYS_flock, b, abi.LOCK_SH|abi.LOCK_NB)
	dup := int(p.Must(abi.SYS_dup, a))
	p.Close(a)
	p.Want(abi.EAGAIN, abi.SYS_flock, b, abi.LOCK_SH|abi.LOCK_NB)
	done := make(chan abi.Errno)
	go func() {
		_, errno := p.Call(abi.SYS_flock, b, abi.LOCK_EX)
		done <- errno
	}()
	p.Close(dup)
	if errno := <-done; errno != 0 {
		t.Errorf("after the last close: %v", errno)
	}
	p.Want(abi.EINVAL, abi.SYS_flock, b, 0)
	p.Want(abi.EINVAL, abi.SYS_flock, b, abi.LOCK_SH|abi.LOCK_EX)
	p.Want(abi.EBADF, abi.SYS_flock, 99, abi.LOCK_SH)
	r, _ := p.Pipe()
	p.Want(abi.EOPNOTSUPP, abi.SYS_flock, r, abi.LOCK_SH)
	p.Want(abi.EAGAIN, abi.SYS_open, "/f", abi.O_RDWR|abi.O_SHLOCK|abi.O_NONBLOCK, 0)
	p.Close(b)
	c := open(p, "/f", abi.O_RDWR|abi.O_EXLOCK)
	p.Want(abi.EAGAIN, abi.SYS_open, "/f", abi.O_RDWR|abi.O_SHLOCK|abi.O_NONBLOCK, 0)
	// Record locks and these are in each other's way, as in NetBSD.
	if l := inTheWay(t, p, c, 0, 0); l.Pid != -1 || l.Type != abi.F_WRLCK {
		t.Errorf("in the way: %+v", l)
	}
}

// TestLockModel has a process lock and unlock random ranges: what is locked agrees byte by byte with an array.
func TestLockModel(t *testing.T) {
	p := newProc(t)
	q := p.Fork()
	fd, other := open(p, "/f", abi.O_RDWR|abi.O_CREAT), open(q, "/f", abi.O_RDWR)
	const size = 24
	var model [size]int16
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range model {
		model[i] = abi.F_UNLCK
	}
	for range 300 {
		start := rng.Int64N(size)
		n := 1 + rng.Int64N(size-start)
		typ := []int16{abi.F_RDLCK, abi.F_WRLCK, abi.F_UNLCK}[rng.IntN(3)]
		if errno := lock(p, abi.F_SETLK, fd, typ, start, n); errno != 0 {
			t.Fatal(errno)
		}
		for i := start; i < start+n; i++ {
			model[i] = typ
		}
		for i := range model {
			if l := inTheWay(t, q, other, int64(i), 1); l.Type != model[i] {
				t.Fatalf("byte %d is locked by type %d, not %d", i, l.Type, model[i])
			}
		}
	}
}
