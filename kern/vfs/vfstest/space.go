package vfstest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// runSpace checks that statvfs(2) says what is left, and what happens when nothing is.
// Oracle: statvfs(2), write(2) and open(2) on ENOSPC.
func runSpace(t *testing.T, c *Config) {
	t.Run("statvfs", func(t *testing.T) { spaceCounts(t, c) })
	t.Run("renaming", func(t *testing.T) { spaceRenames(t, c) })
	t.Run("unlinked but open", func(t *testing.T) { spaceUnlinked(t, c) })
	if c.BootSmall == nil {
		return
	}
	t.Run("full of data", func(t *testing.T) { spaceFullData(t, c) })
	t.Run("full of files", func(t *testing.T) { spaceFullFiles(t, c) })
}

// free is what statvfs(2) says: bytes and files.
func free(t *testing.T, p *proc) (space, files int64) {
	t.Helper()
	st, e := p.statvfs(".")
	if e != 0 {
		t.Fatalf("statvfs: %v", e)
	}
	if st.Frsize == 0 || st.Bfree > st.Blocks || st.Bavail > st.Bfree || st.Ffree > st.Files {
		t.Fatalf("statvfs contradicts itself: %d of %d blocks of %d, %d available, %d of %d files",
			st.Bfree, st.Blocks, st.Frsize, st.Bavail, st.Ffree, st.Files)
	}
	return int64(st.Bfree * st.Frsize), int64(st.Ffree)
}

func spaceCounts(t *testing.T, c *Config) {
	k, dir := c.Boot(t)
	p := newProc(t, k, dir)
	if e := p.writeFile("other", nil); e != 0 {
		t.Fatal(e)
	}
	before, filesBefore := free(t, p)
	const size = 1 << 20
	if e := p.writeFile("f", make([]byte, size)); e != 0 {
		t.Fatal(e)
	}
	if during, _ := free(t, p); before-during < size || before-during > size+size/4 {
		t.Errorf("a file of %d bytes took %d", size, before-during)
	}
	if st, e := p.stat("f"); e != 0 || st.Blocks*512 < size || st.Blocks*512 > size+size/4 {
		t.Errorf("stat says %d blocks, %v", st.Blocks, e)
	}
	for i := range 50 {
		if e := p.writeFile(fmt.Sprint("small", i), []byte("x")); e != 0 {
			t.Fatal(e)
		}
	}
	if during, files := free(t, p); filesBefore > 0 && files >= filesBefore || during >= before-size {
		t.Errorf("51 files more: %d files free of %d, %d bytes of %d", files, filesBefore, during, before)
	}
	p.unlink("f")
	for i := range 50 {
		p.unlink(fmt.Sprint("small", i))
	}
	if after, files := free(t, p); after != before || files != filesBefore {
		t.Errorf("when all is removed: %d bytes free, were %d; %d files free, were %d", after, before, files, filesBefore)
	}
}

// spaceRenames checks that renaming takes nothing in the end: to longer names and back, and over files that go.
func spaceRenames(t *testing.T, c *Config) {
	k, dir := c.Boot(t)
	p := newProc(t, k, dir)
	for _, d := range []string{"a", "b"} {
		if e := p.mkdir(d); e != 0 {
			t.Fatal(e)
		}
	}
	if e := p.writeFile("a/f", []byte("data")); e != 0 {
		t.Fatal(e)
	}
	long := strings.Repeat("n", c.nameMax())
	before, filesBefore := free(t, p)
	for range 20 {
		if e := p.writeFile("b/g", []byte("data")); e != 0 {
			t.Fatal(e)
		}
		for _, names := range [][2]string{{"a/f", "a/" + long}, {"a/" + long, "b/" + long}, {"b/" + long, "b/g"}, {"b/g", "a/f"}} {
			if e := p.rename(names[0], names[1]); e != 0 {
				t.Fatalf("rename: %v", e)
			}
		}
	}
	if after, files := free(t, p); after != before || files != filesBefore {
		t.Errorf("after renaming: %d bytes free, were %d; %d files free, were %d", after, before, files, filesBefore)
	}
}

// spaceUnlinked checks that a removed file keeps its space while it is open, and no longer.
func spaceUnlinked(t *testing.T, c *Config) {
	k, dir := c.Boot(t)
	p := newProc(t, k, dir)
	if e := p.writeFile("other", nil); e != 0 {
		t.Fatal(e)
	}
	before, _ := free(t, p)
	fd, e := p.open("f", abi.O_RDWR|abi.O_CREAT, 0o644)
	if e != 0 {
		t.Fatal(e)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	if n, e := p.write(fd, data); e != 0 || n < len(data) {
		t.Fatalf("write: %d, %v", n, e)
	}
	if e := p.unlink("f"); e != 0 {
		t.Fatal(e)
	}
	if during, _ := free(t, p); during > before-int64(len(data)) {
		t.Errorf("the open file's space was given back: %d free, %d before", during, before)
	}
	if got, e := p.pread(fd, len(data), 0); e != 0 || !bytes.Equal(got, data) {
		t.Errorf("the open file has lost its data: %v", e)
	}
	p.close(fd)
	if after, _ := free(t, p); after != before {
		t.Errorf("%d free after the last close, were %d", after, before)
	}
}

// fillFile writes to a descriptor until there is no space left and returns how much there was.
func fillFile(t *testing.T, p *proc, fd int) int64 {
	t.Helper()
	block := bytes.Repeat([]byte("fill"), 1<<14)
	var total int64
	for {
		n, e := p.write(fd, block)
		total += int64(n)
		if e == abi.ENOSPC {
			return total
		}
		if e != 0 || n == 0 || total > 1<<30 {
			t.Fatalf("write after %d bytes: %d, %v", total, n, e)
		}
	}
}

func spaceFullData(t *testing.T, c *Config) {
	k, dir := c.BootSmall(t)
	p := newProc(t, k, dir)
	if e := p.writeFile("keep", []byte("kept")); e != 0 {
		t.Fatal(e)
	}
	before, _ := free(t, p)
	fd, e := p.open("f", abi.O_RDWR|abi.O_CREAT, 0o644)
	if e != 0 {
		t.Fatal(e)
	}
	total := fillFile(t, p, fd)
	if total < before/2 {
		t.Errorf("only %d bytes fitted into %d", total, before)
	}
	if st, e := p.fstat(fd); e != 0 || st.Size != total {
		t.Errorf("%d bytes written, size %d, %v", total, st.Size, e)
	}
	if n, e := p.pwrite(fd, []byte("over"), 0); e != 0 || n != 4 {
		t.Errorf("writing over data of a full file system: %d, %v", n, e)
	}
	if got, e := p.readFile("keep"); e != 0 || string(got) != "kept" {
		t.Errorf("another file: %q, %v", got, e)
	}
	if e := p.ftruncate(fd, 0); e != 0 {
		t.Errorf("ftruncate: %v", e)
	}
	if n, e := p.write(fd, []byte("again")); e != 0 || n != 5 {
		t.Errorf("writing after room was made: %d, %v", n, e)
	}
	p.close(fd)
	if e := p.unlink("f"); e != 0 {
		t.Errorf("unlink: %v", e)
	}
	if after, _ := free(t, p); after != before {
		t.Errorf("%d free after all, were %d", after, before)
	}
}

// spaceFullFiles makes files until no more fit, then makes room for one.
func spaceFullFiles(t *testing.T, c *Config) {
	k, dir := c.BootSmall(t)
	p := newProc(t, k, dir)
	if e := p.mkdir("d"); e != 0 {
		t.Fatal(e)
	}
	n := 0
	for ; n < 1<<16; n++ {
		fd, e := p.open(fmt.Sprint("d/", n), abi.O_WRONLY|abi.O_CREAT, 0o644)
		if e == abi.ENOSPC {
			break
		}
		if e != 0 {
			t.Fatalf("file %d: %v", n, e)
		}
		p.close(fd)
	}
	if e := p.mkdir("d/dir"); e != abi.ENOSPC {
		t.Errorf("mkdir in a full file system: %v, want ENOSPC", e)
	}
	if list, e := p.readdir("d"); e != 0 || len(list) != n {
		t.Errorf("%d names of %d, %v", len(list), n, e)
	}
	for i := range 10 {
		if e := p.unlink(fmt.Sprint("d/", i)); e != 0 {
			t.Fatalf("unlink: %v", e)
		}
	}
	if e := p.mkdir("d/dir"); e != 0 {
		t.Errorf("mkdir after room was made: %v", e)
	}
}
