package kern_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// Oracle: poll(2): revents by the state of the files, POLLNVAL, POLLHUP, negative descriptors.
func TestPoll(t *testing.T) {
	p := start(t)
	r, w := p.Pipe()
	deadR, deadW := p.Pipe()
	p.Close(deadW)
	wOnly, rOnly := 0, 0
	rOnly, wOnly = p.Pipe()
	p.Close(rOnly)
	file := open(t, p, &memFile{}, readWrite)
	ask := func(fd int, events int16) abi.Pollfd { return abi.Pollfd{Fd: int32(fd), Events: events, Revents: 0x55} }
	fds := pollfds(ask(r, abi.POLLIN), ask(w, abi.POLLOUT|abi.POLLIN), ask(99, abi.POLLIN), ask(-1, abi.POLLIN), ask(deadR, abi.POLLIN),
		ask(wOnly, abi.POLLOUT), ask(file, abi.POLLIN|abi.POLLOUT|abi.POLLPRI), ask(deadR, 0))
	if n := p.Must(abi.SYS_poll, fds, 8, 0); n != 6 {
		t.Errorf("poll = %d", n)
	}
	want := []int16{0, abi.POLLOUT, abi.POLLNVAL, 0, abi.POLLIN | abi.POLLHUP, abi.POLLOUT | abi.POLLHUP, abi.POLLIN | abi.POLLOUT, abi.POLLHUP}
	if got := revents(fds); !slices.Equal(got, want) {
		t.Errorf("revents %x, want %x", got, want)
	}
	p.Write(w, "x")
	fds = pollfds(ask(r, abi.POLLIN|abi.POLLRDNORM))
	if n := p.Must(abi.SYS_poll, fds, 1, -1); n != 1 || revents(fds)[0] != abi.POLLIN|abi.POLLRDNORM {
		t.Errorf("poll = %d, %x", n, revents(fds))
	}
}

// Oracle: poll(2)'s ERRORS and timeouts.
func TestPollErrors(t *testing.T) {
	p := start(t)
	r, _ := p.Pipe()
	fds := pollfds(abi.Pollfd{Fd: int32(r), Events: abi.POLLIN})
	for _, c := range []struct {
		want abi.Errno
		num  int
		args []any
	}{
		{0, abi.SYS_poll, []any{fds, 1, 1}},
		{0, abi.SYS_poll, []any{nil, 0, 1}},
		{0, abi.SYS___pollts50, []any{fds, 1, spec(0, 0), nil}},
		{0, abi.SYS___pollts50, []any{fds, 1, spec(0, 1), make([]byte, abi.SizeofSigset)}},
		{abi.EINVAL, abi.SYS_poll, []any{fds, 1, -2}},
		{abi.EINVAL, abi.SYS_poll, []any{fds, 100000, 0}},
		{abi.EINVAL, abi.SYS_poll, []any{fds, -1, 0}},
		{abi.EFAULT, abi.SYS_poll, []any{fds, 2, 0}},
		{abi.EFAULT, abi.SYS_poll, []any{nil, 1, 0}},
		{abi.EINVAL, abi.SYS___pollts50, []any{fds, 1, spec(-1, 0), nil}},
		{abi.EINVAL, abi.SYS___pollts50, []any{fds, 1, spec(0, 1e9), nil}},
		{abi.EFAULT, abi.SYS___pollts50, []any{fds, 1, 1, nil}},
		{abi.EFAULT, abi.SYS___pollts50, []any{fds, 1, nil, 1}},
	} {
		p.Want(c.want, c.num, c.args...)
	}
}

// A poll that waits is woken by what it waits for, and by nothing else.
func TestPollWakes(t *testing.T) {
	p := start(t)
	r, w := p.Pipe()
	r2, w2 := p.Pipe()
	fds := pollfds(abi.Pollfd{Fd: int32(r), Events: abi.POLLIN}, abi.Pollfd{Fd: int32(r2), Events: abi.POLLIN})
	wait := func() <-chan result {
		return blocked(p, abi.SYS_poll, p.Mem.Map(fds), 2, ^uint64(0))
	}
	done := wait()
	p.Write(w2, "x")
	if got := <-done; got != (result{1, 0}) || !slices.Equal(revents(fds), []int16{0, abi.POLLIN}) {
		t.Errorf("poll gave %v, %x", got, revents(fds))
	}
	p.Read(r2, 1)
	done = wait()
	p.Close(w)
	if got := <-done; got != (result{1, 0}) || !slices.Equal(revents(fds), []int16{abi.POLLIN | abi.POLLHUP, 0}) {
		t.Errorf("poll gave %v, %x", got, revents(fds))
	}
	// Another thread closes what is waited for.
	p.Must(abi.SYS_dup2, r2, r)
	done = wait()
	p.Close(r)
	p.Close(w2)
	if got := <-done; got != (result{2, 0}) || !slices.Equal(revents(fds), []int16{abi.POLLNVAL, abi.POLLIN | abi.POLLHUP}) {
		t.Errorf("poll gave %v, %x", got, revents(fds))
	}
}

// fdset is a set of descriptors of select(2).
func fdset(fds ...int) []byte {
	b := make([]byte, 32)
	for _, fd := range fds {
		b[fd/8] |= 1 << (fd % 8)
	}
	return b
}

func members(set []byte) (fds []int) {
	for fd := range 8 * len(set) {
		if set[fd/8]>>(fd%8)&1 != 0 {
			fds = append(fds, fd)
		}
	}
	return fds
}

// Oracle: select(2).
func TestSelect(t *testing.T) {
	p := start(t)
	r, w := p.Pipe()
	dead, deadW := p.Pipe()
	p.Close(deadW)
	p.Must(abi.SYS_dup2, r, 100)
	in, out, ex := fdset(r, dead, 100), fdset(w), fdset(r, w, dead)
	zero := kerntest.Struct(&abi.Timeval{})
	if n := p.Must(abi.SYS___select50, 128, in, out, ex, zero); n != 2 {
		t.Errorf("select = %d", n)
	}
	if !slices.Equal(members(in), []int{dead}) || !slices.Equal(members(out), []int{w}) || len(members(ex)) != 0 {
		t.Errorf("in %v out %v ex %v", members(in), members(out), members(ex))
	}
	p.Write(w, "x")
	in = fdset(r, 100)
	if n := p.Must(abi.SYS___pselect50, 128, in, nil, nil, nil, nil); n != 2 || !slices.Equal(members(in), []int{r, 100}) {
		t.Errorf("pselect = %d, %v", n, members(in))
	}
	in = fdset(r, 100)
	if n := p.Must(abi.SYS___select50, r+1, in[:4], nil, nil, nil); n != 1 {
		t.Errorf("select of the first = %d", n)
	}
	// Only the descriptor's end matters to the third set: nothing exceptional ever happens to a pipe, and the call waits.
	if n := p.Must(abi.SYS___select50, 128, nil, nil, fdset(dead), kerntest.Struct(&abi.Timeval{Usec: 1000})); n != 0 {
		t.Errorf("select for exceptions = %d", n)
	}
	for _, c := range []struct {
		want abi.Errno
		args []any
	}{
		{abi.EBADF, []any{128, fdset(77), nil, nil, zero}},
		{0, []any{70, fdset(77), nil, nil, zero}},
		{0, []any{100000, fdset(r), nil, nil, zero}}, // no more is looked at than the process may have
		{abi.EINVAL, []any{-1, nil, nil, nil, zero}},
		{abi.EINVAL, []any{0, nil, nil, nil, kerntest.Struct(&abi.Timeval{Sec: -1})}},
		{abi.EINVAL, []any{0, nil, nil, nil, kerntest.Struct(&abi.Timeval{Usec: 1e6})}},
		{abi.EFAULT, []any{0, nil, nil, nil, 1}},
		{abi.EFAULT, []any{64, 1, nil, nil, zero}},
		{0, []any{0, 1, nil, nil, zero}},
	} {
		p.Want(c.want, abi.SYS___select50, c.args...)
	}
	p.Want(abi.EINVAL, abi.SYS___pselect50, 0, nil, nil, nil, spec(0, -1), nil)
	p.Want(abi.EFAULT, abi.SYS___pselect50, 0, nil, nil, nil, spec(0, 0), 1)
}

func TestSelectWakes(t *testing.T) {
	p := start(t)
	r, w := p.Pipe()
	in := fdset(r)
	done := blocked(p, abi.SYS___select50, uint64(w+1), p.Mem.Map(in), 0, 0, 0)
	p.Write(w, "x")
	if got := <-done; got != (result{1, 0}) || !slices.Equal(members(in), []int{r}) {
		t.Errorf("select gave %v, %v", got, members(in))
	}
}

func BenchmarkPoll(b *testing.B) {
	p := start(b)
	r, w := p.Pipe()
	fds := pollfds(abi.Pollfd{Fd: int32(r), Events: abi.POLLIN}, abi.Pollfd{Fd: int32(w), Events: abi.POLLOUT})
	addr := p.Mem.Map(fds)
	b.ReportAllocs()
	for b.Loop() {
		p.Syscall(&p.Mem, abi.SYS_poll, []uint64{addr, 2, 0})
	}
}

func BenchmarkSysctl(b *testing.B) {
	p := start(b)
	name := p.Mem.Map(kerntest.Ints(abi.CTL_KERN, abi.KERN_HOSTNAME))
	old := p.Mem.Map(make([]byte, 256))
	size := make([]byte, 8)
	sizep := p.Mem.Map(size)
	b.ReportAllocs()
	for b.Loop() {
		binary.LittleEndian.PutUint64(size, 256)
		p.Syscall(&p.Mem, abi.SYS___sysctl, []uint64{name, 2, old, sizep, 0, 0})
	}
}
