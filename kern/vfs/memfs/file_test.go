package memfs

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/vfs"
)

// fileModel is a file's contents and which of its pages were written.
type fileModel struct {
	data  []byte
	pages map[int]bool
}

func (m *fileModel) write(p []byte, off int) {
	if end := off + len(p); end > len(m.data) {
		m.data = append(m.data, make([]byte, end-len(m.data))...)
	}
	copy(m.data[off:], p)
	for pg := off / pageSize; len(p) > 0 && pg <= (off+len(p)-1)/pageSize; pg++ {
		m.pages[pg] = true
	}
}

func (m *fileModel) truncate(size int) {
	if size > len(m.data) {
		m.data = append(m.data, make([]byte, size-len(m.data))...)
	}
	m.data = m.data[:size]
	for pg := range m.pages {
		if pg*pageSize >= size {
			delete(m.pages, pg)
		}
	}
}

// allocate is what posix_fallocate(2) does.
func (m *fileModel) allocate(off, n int) {
	if end := off + n; end > len(m.data) {
		m.truncate(end)
	}
	for pg := off / pageSize; n > 0 && pg <= (off+n-1)/pageSize; pg++ {
		m.pages[pg] = true
	}
}

// discard is what fdiscard(2) does.
func (m *fileModel) discard(off, n int) {
	end := min(off+n, len(m.data))
	if off >= end {
		return
	}
	clear(m.data[off:end])
	for pg := range m.pages {
		if pg*pageSize >= off && (pg+1)*pageSize <= end || pg*pageSize >= off && end == len(m.data) && pg*pageSize < end {
			delete(m.pages, pg)
		}
	}
}

// TestFileModel makes random reads, writes, truncations, reservations and discards and compares with a slice of bytes; every page that was
// written or reserved is held and charged, and no other.
func TestFileModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace})
		reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
		empty := f.space.usage().used
		m := fileModel{pages: map[int]bool{}}
		place := func(label string) int {
			unit := rapid.SampledFrom([]int{1, pageSize, chunkSize}).Draw(rt, label+" unit")
			return max(0, rapid.IntRange(0, 3*chunkSize/unit).Draw(rt, label)*unit+rapid.IntRange(-2, 2).Draw(rt, label+" near"))
		}
		ranged := func(do func(*kern.Thread, int64, int64) error, model func(off, n int)) func(*rapid.T) {
			return func(*rapid.T) {
				off, n := place("offset"), place("length")
				if err := do(nil, int64(off), int64(n)); err != nil {
					rt.Fatal(err)
				}
				model(off, n)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(*rapid.T) {
				p := bytes.Repeat([]byte{rapid.Byte().Draw(rt, "byte")}, place("length"))
				off := place("offset")
				if n, err := reg.WriteAt(nil, p, int64(off)); err != nil || n != len(p) {
					rt.Fatalf("write %d at %d: %d, %v", len(p), off, n, err)
				}
				if len(p) > 0 {
					m.write(p, off)
				}
			},
			"truncate": func(*rapid.T) {
				size := place("size")
				if err := reg.SetAttr(nil, &vfs.SetAttr{Valid: vfs.SetSize, Size: int64(size)}); err != nil {
					rt.Fatal(err)
				}
				m.truncate(size)
			},
			"allocate": ranged(reg.Allocate, m.allocate),
			"discard":  ranged(reg.Discard, m.discard),
			"": func(*rapid.T) {
				got := bytes.Repeat([]byte{0xaa}, len(m.data)+10)
				n, err := reg.ReadAt(nil, got, 0)
				if err != nil || !bytes.Equal(got[:n], m.data) {
					rt.Fatalf("read %d of %d, %v", n, len(m.data), err)
				}
				want := int64(len(m.pages)) * pageSize
				if a := attrOf(t, reg); a.Size != int64(len(m.data)) || a.Bytes != want || f.space.usage().used != empty+want {
					rt.Fatalf("size %d, %d bytes held, %d charged; want %d, %d", a.Size, a.Bytes, f.space.usage().used-empty,
						len(m.data), want)
				}
			},
		})
		remove(t, f.root, "f", reg)
		if used := f.space.usage().used; used >= empty {
			rt.Fatalf("%d bytes used after removal, %d with an empty file", used, empty)
		}
	})
}

// TestPartialWrite checks what a write that does not fit leaves, for every alignment: as much as fits, and an account that
// is right. The oracle is the comment on vfs.Writer.
func TestPartialWrite(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace})
		reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
		hole := rng.Int64N(3 * chunkSize)
		if _, err := reg.WriteAt(nil, []byte("x"), hole); err != nil {
			t.Fatal(err)
		}
		room := rng.Int64N(40)
		f.space.limit = f.space.used + room*pageSize + rng.Int64N(pageSize)
		off := rng.Int64N(chunkSize)
		p := bytes.Repeat([]byte("y"), 50*pageSize)
		n, err := reg.WriteAt(nil, p, off)
		if !errors.Is(err, abi.ENOSPC) && !(err == nil && n == len(p)) {
			t.Fatalf("%d, %v", n, err)
		}
		if left := f.space.limit - f.space.used; err != nil && left >= pageSize {
			t.Errorf("%d bytes were left", left)
		}
		got := make([]byte, n)
		if m, err := reg.ReadAt(nil, got, off); err != nil || m != n || !bytes.Equal(got, p[:n]) {
			t.Errorf("%d written at %d, read %d, %v", n, off, m, err)
		}
		if a := attrOf(t, reg); a.Size != max(hole+1, off+int64(n)) {
			t.Errorf("size %d after %d at %d", a.Size, n, off)
		}
	}
}

// TestAllocateNoSpace: all or nothing. The oracle is the comment on Allocate.
func TestAllocateNoSpace(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace, MaxBytes: 1 << 20})
	reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	before := f.space.usage()
	for _, n := range []int64{1 << 20, 1 << 62} {
		if err := reg.Allocate(nil, 4096, n); !errors.Is(err, abi.ENOSPC) {
			t.Errorf("allocating %d: %v", n, err)
		}
	}
	if a := attrOf(t, reg); a.Size != 0 || a.Bytes != 0 || f.space.usage() != before {
		t.Errorf("size %d, %d bytes, %+v; %+v before", a.Size, a.Bytes, f.space.usage(), before)
	}
	if err := reg.Allocate(nil, 0, 1<<19); err != nil {
		t.Error(err)
	}
}

// TestSparse checks that holes cost nothing however large they are, and that cutting them off takes no time that depends on
// their length.
func TestSparse(t *testing.T) {
	f := newFS(t, newKernel(t, 0), Config{Face: tmpfsFace})
	reg := create[*file](t, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	const far = 1<<62 + 12345
	if _, err := reg.WriteAt(nil, []byte("end"), far); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.WriteAt(nil, []byte("begin"), 10); err != nil {
		t.Fatal(err)
	}
	a := attrOf(t, reg)
	if a.Size != far+3 || a.Bytes != 2*pageSize {
		t.Errorf("size %d, %d bytes", a.Size, a.Bytes)
	}
	if err := reg.SetAttr(nil, &vfs.SetAttr{Valid: vfs.SetSize, Size: 12}); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 20)
	if n, err := reg.ReadAt(nil, p, 0); err != nil || string(p[:n]) != "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00be" {
		t.Errorf("%q, %v", p[:n], err)
	}
	if n, err := reg.WriteAt(nil, []byte("xx"), 1<<63-2); !errors.Is(err, abi.EFBIG) {
		t.Errorf("past the largest size: %d, %v", n, err)
	}
}

// benchFile is a file of 16 MiB.
func benchFile(b *testing.B) *file {
	f := newFS(b, newKernel(b, 0), Config{Face: tmpfsFace})
	reg := create[*file](b, f.root, "f", vfs.NewNode{Mode: abi.S_IFREG})
	if _, err := reg.WriteAt(nil, make([]byte, benchSize), 0); err != nil {
		b.Fatal(err)
	}
	return reg
}

const benchSize = 16 << 20

// BenchmarkCopy is the yardstick of the reads and writes: copying 64 KiB within 16 MiB.
func BenchmarkCopy(b *testing.B) {
	mem, p := make([]byte, benchSize), make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for i := range b.N {
		copy(p, mem[i*len(p)%benchSize:])
	}
}

func BenchmarkSequentialRead64K(b *testing.B) {
	reg, p := benchFile(b), make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for i := range b.N {
		reg.ReadAt(nil, p, int64(i*len(p)%benchSize))
	}
}

func BenchmarkSequentialWrite64K(b *testing.B) {
	reg, p := benchFile(b), make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for i := range b.N {
		reg.WriteAt(nil, p, int64(i*len(p)%benchSize))
	}
}

// BenchmarkNewFileWrite64K writes files of 16 MiB from nothing, removing each.
func BenchmarkNewFileWrite64K(b *testing.B) {
	reg, p := benchFile(b), make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for i := range b.N {
		off := int64(i * len(p) % benchSize)
		if off == 0 {
			reg.truncate(0)
		}
		reg.WriteAt(nil, p, off)
	}
}

// BenchmarkNewFileWrite4K is the same by pages.
func BenchmarkNewFileWrite4K(b *testing.B) {
	reg, p := benchFile(b), make([]byte, 4<<10)
	b.SetBytes(int64(len(p)))
	for i := range b.N {
		off := int64(i * len(p) % benchSize)
		if off == 0 {
			reg.truncate(0)
		}
		reg.WriteAt(nil, p, off)
	}
}

func BenchmarkRandomRead4K(b *testing.B) {
	reg, p, rng := benchFile(b), make([]byte, 4<<10), rand.New(rand.NewPCG(1, 1))
	b.SetBytes(int64(len(p)))
	for range b.N {
		reg.ReadAt(nil, p, rng.Int64N(benchSize-4096))
	}
}

func BenchmarkRandomWrite4K(b *testing.B) {
	reg, p, rng := benchFile(b), make([]byte, 4<<10), rand.New(rand.NewPCG(1, 1))
	b.SetBytes(int64(len(p)))
	for range b.N {
		reg.WriteAt(nil, p, rng.Int64N(benchSize-4096))
	}
}

func BenchmarkCreateUnlink(b *testing.B) {
	f := newFS(b, newKernel(b, 0), Config{Face: tmpfsFace})
	b.ReportAllocs()
	for range b.N {
		n, err := f.root.Create(nil, "file", &vfs.NewNode{Mode: abi.S_IFREG})
		if err != nil {
			b.Fatal(err)
		}
		remove(b, f.root, "file", n)
	}
}

// BenchmarkReadDir10000 lists a directory of 10,000 files.
func BenchmarkReadDir10000(b *testing.B) {
	f := newFS(b, newKernel(b, 0), Config{Face: tmpfsFace})
	for i := range 10000 {
		create[*file](b, f.root, fmt.Sprint("file", i), vfs.NewNode{Mode: abi.S_IFREG})
	}
	b.ReportAllocs()
	for range b.N {
		n := 0
		f.root.ReadDir(nil, 0, func(vfs.Dirent) bool { n++; return true })
		if n != 10002 {
			b.Fatal(n)
		}
	}
}
