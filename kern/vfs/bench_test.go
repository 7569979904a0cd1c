package vfs_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// caller makes calls whose arguments are in memory already: what is measured is the kernel alone.
type caller struct {
	*kerntest.P
	args [4]uint64
}

func benchCaller(tb testing.TB) *caller { return &caller{P: newProc(tb)} }

func (c *caller) str(s string) uint64 { return c.Mem.Map(append([]byte(s), 0)) }

func (c *caller) call(num int, args ...uint64) uint64 {
	n := copy(c.args[:], args)
	ret, errno := c.Syscall(&c.Mem, num, c.args[:n])
	if errno != 0 {
		panic(errno)
	}
	return ret[0]
}

func BenchmarkStat(b *testing.B) {
	for _, path := range []string{"/", "/tmp", "/a/b/c/d/file"} {
		b.Run(path, func(b *testing.B) {
			c := benchCaller(b)
			tree(c.P, "/a/", "/a/b/", "/a/b/c/", "/a/b/c/d/", "/a/b/c/d/file")
			addr, st := c.str(path), c.Mem.Map(make([]byte, abi.SizeofStat))
			b.ReportAllocs()
			for b.Loop() {
				c.call(abi.SYS___stat50, addr, st)
			}
		})
	}
}

// TestStatAllocatesNothing: a path whose names are cached costs no memory.
func TestStatAllocatesNothing(t *testing.T) {
	c := benchCaller(t)
	tree(c.P, "/a/", "/a/b/", "/a/b/file")
	addr, st := c.str("/a/b/file"), c.Mem.Map(make([]byte, abi.SizeofStat))
	got := testing.AllocsPerRun(1000, func() { c.call(abi.SYS___stat50, addr, st) })
	if got >= 1 {
		t.Errorf("%v allocations a stat", got)
	}
}

// BenchmarkLookup looks up paths whose names are cached: one that is not there, ones through symbolic links, "..", and one from a
// directory's descriptor. It allocates nothing.
func BenchmarkLookup(b *testing.B) {
	for _, path := range []string{"/a/b/file", "/a/b/nope", "/link/b/file", "/a/b/../b/file", "file"} {
		b.Run(path, func(b *testing.B) {
			c := benchCaller(b)
			tree(c.P, "/a/", "/a/b/", "/a/b/file")
			c.call(abi.SYS_symlink, c.str("a"), c.str("/link"))
			dir := c.call(abi.SYS_open, c.str("/a/b"), abi.O_RDONLY, 0)
			addr := c.str(path)
			args := []uint64{dir, addr, abi.F_OK, 0}
			b.ReportAllocs()
			for b.Loop() {
				c.Syscall(&c.Mem, abi.SYS_faccessat, args)
			}
		})
	}
}

func BenchmarkOpenClose(b *testing.B) {
	c := benchCaller(b)
	tree(c.P, "/tmp/file")
	addr := c.str("/tmp/file")
	b.ReportAllocs()
	for b.Loop() {
		c.call(abi.SYS_close, c.call(abi.SYS_open, addr, abi.O_RDWR, 0))
	}
}

func BenchmarkCreateUnlink(b *testing.B) {
	c := benchCaller(b)
	addr := c.str("/tmp/file")
	b.ReportAllocs()
	for b.Loop() {
		c.call(abi.SYS_close, c.call(abi.SYS_open, addr, abi.O_RDWR|abi.O_CREAT, 0644))
		c.call(abi.SYS_unlink, addr)
	}
}

func BenchmarkReadWrite(b *testing.B) {
	for _, size := range []uint64{4 << 10, 64 << 10} {
		for _, w := range []struct {
			name string
			num  int
		}{{"read", abi.SYS_pread}, {"write", abi.SYS_pwrite}} {
			b.Run(w.name+map[uint64]string{4 << 10: "4K", 64 << 10: "64K"}[size], func(b *testing.B) {
				c := benchCaller(b)
				fd := c.call(abi.SYS_open, c.str("/tmp/file"), abi.O_RDWR|abi.O_CREAT, 0644)
				buf := c.Mem.Map(make([]byte, size))
				c.call(abi.SYS_pwrite, fd, buf, size, 0)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					c.call(w.num, fd, buf, size, 0)
				}
			})
		}
	}
}
