package kern_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// iovecs lends buffers for good and gives the array that describes them.
func iovecs(p *kerntest.P, bufs ...[]byte) []byte {
	var b []byte
	for _, buf := range bufs {
		v := abi.Iovec{Base: p.Mem.Map(buf), Len: uint64(len(buf))}
		b = v.Append(b)
	}
	return b
}

// Oracle: readv(2), writev(2), preadv(2): the buffers in order, as one transfer.
func TestVectors(t *testing.T) {
	p := start(t)
	m := &memFile{}
	fd := open(t, p, m, readWrite)
	iov := iovecs(p, []byte("one "), nil, []byte("two "), []byte("three"))
	if n := p.Must(abi.SYS_writev, fd, iov, 4); n != 13 || string(m.data) != "one two three" {
		t.Fatalf("writev %d, %q", n, m.data)
	}
	if !reflect.DeepEqual(m.calls, []int{13}) {
		t.Errorf("writev made writes of %v", m.calls)
	}
	a, b := make([]byte, 5), make([]byte, 20)
	if n := p.Must(abi.SYS_preadv, fd, iovecs(p, a, b), 2, 0, 4); n != 9 || string(a) != "two t" || string(b[:4]) != "hree" {
		t.Errorf("preadv %d %q %q", n, a, b)
	}
	if n := p.Must(abi.SYS_pwritev, fd, iovecs(p, []byte("O"), []byte("N")), 2, 0, 0); n != 2 || !bytes.HasPrefix(m.data, []byte("ONe")) {
		t.Errorf("pwritev %d %q", n, m.data)
	}
	p.Must(abi.SYS_lseek, fd, 0, 0, abi.SEEK_SET)
	if n := p.Must(abi.SYS_readv, fd, iovecs(p, a), 1); n != 5 || string(a) != "ONe t" {
		t.Errorf("readv %d %q", n, a)
	}
}

// Oracle: readv(2)'s ERRORS.
func TestVectorErrors(t *testing.T) {
	p := start(t)
	fd := open(t, p, &memFile{}, readWrite)
	r, _ := p.Pipe()
	good := iovecs(p, make([]byte, 8))
	long := func(lens ...uint64) []byte {
		var b []byte
		for _, l := range lens {
			b = (&abi.Iovec{Base: 1 << 32, Len: l}).Append(b)
		}
		return b
	}
	for _, num := range []int{abi.SYS_readv, abi.SYS_writev, abi.SYS_preadv, abi.SYS_pwritev} {
		p.Want(abi.EINVAL, num, fd, good, 0)
		p.Want(abi.EINVAL, num, fd, good, -1)
		p.Want(abi.EINVAL, num, fd, good, abi.IOV_MAX+1)
		p.Want(abi.EFAULT, num, fd, good, 2)
		p.Want(abi.EFAULT, num, fd, 5, 1)
		p.Want(abi.EINVAL, num, fd, long(math.MaxInt64+1), 1)
		p.Want(abi.EINVAL, num, fd, long(math.MaxInt64, 1), 2)
		p.Want(abi.EFAULT, num, fd, long(10), 1)
		p.Want(abi.EBADF, num, 99, good, 1)
	}
	p.Want(abi.ESPIPE, abi.SYS_preadv, r, good, 1, 0, 0)
	p.Want(abi.EINVAL, abi.SYS_preadv, fd, good, 1, 0, -1)
	p.Want(abi.EINVAL, abi.SYS_pwritev, fd, good, 1, 0, -1)
}

// Transfers larger than a piece go in pieces of 1 MiB; the client sees one call.
func TestLargeTransfers(t *testing.T) {
	const mib = 1 << 20
	p := start(t)
	m := &memFile{}
	fd := open(t, p, m, readWrite)
	data := make([]byte, 2*mib+5)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	if n := p.Must(abi.SYS_write, fd, data, len(data)); n != int64(len(data)) || !bytes.Equal(m.data, data) {
		t.Fatalf("wrote %d of %d", n, len(data))
	}
	if want := []int{mib, mib, 5}; !reflect.DeepEqual(m.calls, want) {
		t.Errorf("writes of %v, want %v", m.calls, want)
	}
	m.calls = nil
	got := make([]byte, 3*mib)
	if n := p.Must(abi.SYS_pread, fd, got, len(got), 0, 1); n != int64(len(data)-1) || !bytes.Equal(got[:n], data[1:]) {
		t.Fatalf("read %d", n)
	}
	if want := []int{mib, mib, mib}; !reflect.DeepEqual(m.calls, want) {
		t.Errorf("reads of %v, want %v", m.calls, want)
	}
	m.calls = nil
	a, b := make([]byte, mib-1), make([]byte, mib)
	if n := p.Must(abi.SYS_preadv, fd, iovecs(p, a, b), 2, 0, 0); n != 2*mib-1 || !bytes.Equal(append(a, b...), data[:2*mib-1]) {
		t.Fatalf("preadv %d", n)
	}
	if n := p.Must(abi.SYS_pwritev, fd, iovecs(p, b, a), 2, 0, 3); n != 2*mib-1 || !bytes.Equal(m.data[3:2*mib+2], append(b, a...)) {
		t.Fatalf("pwritev %d", n)
	}
}

// A write of up to a piece asks the client once: the memory is lent, not copied.
func TestWriteLendsOnce(t *testing.T) {
	p := start(t)
	fd := open(t, p, null{}, readWrite)
	const n = 1 << 20
	m := &countMemory{Memory: &p.Mem}
	addr := p.Mem.Map(make([]byte, n))
	if _, errno := p.Syscall(m, abi.SYS_write, []uint64{uint64(fd), addr, n}); errno != 0 {
		t.Fatal(errno)
	}
	if m.lends != 1 || m.copies != 0 {
		t.Errorf("%d lends and %d copies", m.lends, m.copies)
	}
}

type countMemory struct {
	kern.Memory
	lends, copies int
}

func (m *countMemory) Lend(addr uint64, n int) ([]byte, error) {
	m.lends++
	return m.Memory.Lend(addr, n)
}

func (m *countMemory) CopyIn(addr uint64, p []byte) error {
	m.copies++
	return m.Memory.CopyIn(addr, p)
}

// failing transfers a number of bytes and fails then.
type failing struct {
	bare
	n   int
	err error
}

func (f *failing) Read(*kern.Thread, *kern.File, []byte, int64) (int, error)  { return f.n, f.err }
func (f *failing) Write(*kern.Thread, *kern.File, []byte, int64) (int, error) { return f.n, f.err }

// Oracle: read(2) and write(2): what has been moved before an interruption counts; EPIPE raises SIGPIPE.
func TestPartialTransfers(t *testing.T) {
	p := start(t)
	for _, c := range []struct {
		n      int
		err    abi.Errno
		read   result
		write  result
		signal bool
	}{
		{3, abi.EINTR, result{3, 0}, result{3, 0}, false},
		{3, abi.EAGAIN, result{3, 0}, result{3, 0}, false},
		{0, abi.EINTR, result{0, abi.EINTR}, result{0, abi.EINTR}, false},
		{3, abi.EIO, result{0, abi.EIO}, result{3, 0}, false},
		{0, abi.ENOSPC, result{0, abi.ENOSPC}, result{0, abi.ENOSPC}, false},
		{0, abi.EPIPE, result{0, abi.EPIPE}, result{0, abi.EPIPE}, true},
	} {
		fd := open(t, p, &failing{n: c.n, err: c.err}, readWrite)
		before := len(p.Signals())
		ret, errno := p.Call(abi.SYS_read, fd, make([]byte, 10), 10)
		if got := (result{ret, errno}); got != c.read {
			t.Errorf("%d bytes and %v: read gives %v", c.n, c.err, got)
		}
		ret, errno = p.Call(abi.SYS_write, fd, make([]byte, 10), 10)
		if got := (result{ret, errno}); got != c.write {
			t.Errorf("%d bytes and %v: write gives %v", c.n, c.err, got)
		}
		if raised := len(p.Signals()) > before; raised != c.signal {
			t.Errorf("%v: SIGPIPE raised: %v", c.err, raised)
		}
	}
}

// hotCalls are those that a busy client makes most, with their registers.
func hotCalls(tb testing.TB, p *kerntest.P) map[string][]uint64 {
	fd := uint64(open(tb, p, null{}, readWrite))
	addr := p.Mem.Map(make([]byte, 4096))
	return map[string][]uint64{
		"getpid": {abi.SYS_getpid},
		"read":   {abi.SYS_read, fd, addr, 4096},
		"write":  {abi.SYS_write, fd, addr, 4096},
		"lseek":  {abi.SYS_lseek, fd, 0, 0, 0},
	}
}

func TestHotCallsDoNotAllocate(t *testing.T) {
	p := start(t)
	for name, regs := range hotCalls(t, p) {
		n := testing.AllocsPerRun(100, func() { p.Syscall(&p.Mem, int(regs[0]), regs[1:]) })
		if n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	p := start(b)
	for name, regs := range hotCalls(b, p) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Syscall(&p.Mem, int(regs[0]), regs[1:])
			}
		})
	}
}

func BenchmarkGetpidParallel(b *testing.B) {
	k := kerntest.New(b)
	b.RunParallel(func(pb *testing.PB) {
		p, err := k.NewProc("bench")
		if err != nil {
			b.Error(err)
			return
		}
		defer p.Exit()
		var m kerntest.Memory
		for pb.Next() {
			p.Syscall(&m, abi.SYS_getpid, nil)
		}
	})
}
