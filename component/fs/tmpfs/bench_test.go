package tmpfs_test

import (
	"fmt"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// These are whole system calls of a process in this program, argument passing included; package memfs has the benchmarks of what
// is below.

// benchFile is a file of 16 MiB on a tmpfs, open.
func benchFile(b *testing.B) (p *kerntest.P, fd int) {
	p = mounted(b, defaults)
	fd = int(p.Must(abi.SYS_open, "/mnt/f", abi.O_RDWR|abi.O_CREAT, 0o644))
	p.Must(abi.SYS_write, fd, make([]byte, benchSize), benchSize)
	return p, fd
}

const benchSize = 16 << 20

// benchIO makes a call of a size again and again, from the start of the file to its end.
func benchIO(b *testing.B, num, size int) {
	p, fd := benchFile(b)
	buf := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for i := range b.N {
		p.Must(num, fd, buf, size, 0, i*size%benchSize)
	}
}

func BenchmarkRead64K(b *testing.B)  { benchIO(b, abi.SYS_pread, 64<<10) }
func BenchmarkWrite64K(b *testing.B) { benchIO(b, abi.SYS_pwrite, 64<<10) }
func BenchmarkRead4K(b *testing.B)   { benchIO(b, abi.SYS_pread, 4<<10) }
func BenchmarkWrite4K(b *testing.B)  { benchIO(b, abi.SYS_pwrite, 4<<10) }

func BenchmarkCreateUnlink(b *testing.B) {
	p := mounted(b, defaults)
	b.ReportAllocs()
	for range b.N {
		fd := int(p.Must(abi.SYS_open, "/mnt/f", abi.O_RDWR|abi.O_CREAT, 0o644))
		p.Must(abi.SYS_close, fd)
		p.Must(abi.SYS_unlink, "/mnt/f")
	}
}

// BenchmarkGetdents10000 lists a directory of 10,000 files with the buffer that readdir(3) has.
func BenchmarkGetdents10000(b *testing.B) {
	p := mounted(b, defaults)
	for i := range 10000 {
		p.Close(int(p.Must(abi.SYS_open, fmt.Sprint("/mnt/file", i), abi.O_WRONLY|abi.O_CREAT, 0o644)))
	}
	fd := int(p.Must(abi.SYS_open, "/mnt", abi.O_RDONLY))
	buf := make([]byte, 8192)
	b.ReportAllocs()
	for range b.N {
		p.Must(abi.SYS_lseek, fd, 0, 0, abi.SEEK_SET)
		total := int64(0)
		for n := int64(1); n > 0; total += n {
			n = p.Must(abi.SYS___getdents30, fd, buf, len(buf))
		}
		if total < 10000*24 {
			b.Fatalf("%d bytes", total)
		}
	}
}
