//go:build unix

package host

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// writeFile makes a file of size bytes, each of which tells its offset.
func writeFile(t *testing.T, path string, size int) []byte {
	t.Helper()
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return b
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func openWindow(t *testing.T, s *Images, path string, offset, size int64) *Window {
	t.Helper()
	i, err := s.Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	w, err := i.Window(offset, size)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWindowBounds: a window shows what rump_server(1) says: [offset, offset+size).
func TestWindowBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "img")
	content := writeFile(t, path, 4096)
	var s Images
	defer s.Close()
	w := openWindow(t, &s, path, 1024, 2048)
	for _, c := range []struct {
		off     int64
		n, want int
		err     error
	}{
		{0, 2048, 2048, nil}, {100, 10, 10, nil}, {2040, 8, 8, nil}, {2040, 9, 8, io.EOF},
		{2048, 1, 0, io.EOF}, {1 << 40, 1, 0, io.EOF}, {-1, 1, 0, abi.EINVAL}, {5, 0, 0, nil},
	} {
		p := make([]byte, c.n)
		n, err := w.ReadAt(p, c.off)
		if n != c.want || err != c.err {
			t.Errorf("read %d at %d: %d, %v; want %d, %v", c.n, c.off, n, err, c.want, c.err)
		} else if n > 0 && !bytes.Equal(p[:n], content[1024+c.off:][:n]) {
			t.Errorf("read %d at %d: wrong bytes", c.n, c.off)
		}
	}
	for _, c := range []struct {
		off     int64
		n, want int
		err     error
	}{
		{0, 10, 10, nil}, {2040, 8, 8, nil}, {2040, 9, 8, abi.ENOSPC}, {2048, 1, 0, abi.ENOSPC},
		{-1, 1, 0, abi.EINVAL}, {2048, 0, 0, nil},
	} {
		p := bytes.Repeat([]byte{0xee}, c.n)
		if n, err := w.WriteAt(p, c.off); n != c.want || err != c.err {
			t.Errorf("write %d at %d: %d, %v; want %d, %v", c.n, c.off, n, err, c.want, c.err)
		} else {
			copy(content[1024+max(c.off, 0):][:n], p)
		}
	}
	if err := w.Sync(); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
		t.Error("the host's file has changed outside of what was written")
	}
}

// TestWindowCutShort: the host's file is truncated under the kernel; what is gone reads as zeroes.
func TestWindowCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "img")
	content := writeFile(t, path, 4096)
	var s Images
	defer s.Close()
	w := openWindow(t, &s, path, 0, 4096)
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	p := bytes.Repeat([]byte{0xee}, 4096)
	if n, err := w.ReadAt(p, 0); n != 4096 || err != nil {
		t.Fatalf("read: %d, %v", n, err)
	}
	if !bytes.Equal(p[:1000], content[:1000]) || !bytes.Equal(p[1000:], make([]byte, 3096)) {
		t.Error("wrong bytes")
	}
}

// TestGrowAndUndo: files are made and extended as rump_server(1) says; a start that fails leaves things as they were.
func TestGrowAndUndo(t *testing.T) {
	dir := t.TempDir()
	short, fresh, long := filepath.Join(dir, "short"), filepath.Join(dir, "fresh"), filepath.Join(dir, "long")
	content := writeFile(t, short, 100)
	writeFile(t, long, 5000)
	open := func() *Images {
		s := new(Images)
		for _, p := range []string{short, fresh, long} {
			openWindow(t, s, p, 1000, 3000)
		}
		for p, want := range map[string]int64{short: 4000, fresh: 4000, long: 5000} {
			if got := fileSize(t, p); got != want {
				t.Errorf("%s has %d bytes, want %d", p, got, want)
			}
		}
		return s
	}
	if err := open().Undo(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(short); !bytes.Equal(got, content) {
		t.Errorf("after Undo the short file has %d bytes, want its own 100", len(got))
	}
	if _, err := os.Stat(fresh); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Undo the file that was made: %v", err)
	}
	if err := open().Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(fresh); err != nil || info.Size() != 4000 || info.Mode()&^0o644 != 0 {
		t.Errorf("after Close the file that was made: %v, %v", info, err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		path   string
		create bool
		want   abi.Errno
	}{
		{filepath.Join(dir, "nope"), false, abi.ENOENT},
		{filepath.Join(dir, "nope", "x"), true, abi.ENOENT},
		{dir, true, abi.EISDIR},
		{fifo, true, abi.EINVAL},
	} {
		var s Images
		if _, err := s.Open(c.path, c.create); Errno(err) != c.want {
			t.Errorf("%s: %v, want %v", c.path, err, c.want)
		}
		s.Close()
	}
	var s Images
	defer s.Close()
	i, err := s.Open(filepath.Join(dir, "img"), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range [][2]int64{{-1, 10}, {0, -1}, {1<<63 - 1, 2}} {
		if _, err := i.Window(w[0], w[1]); Errno(err) != abi.EINVAL {
			t.Errorf("window %v: %v, want EINVAL", w, err)
		}
	}
}

// TestImagesShareAndLock: one kernel maps a file twice, another one cannot until the first has closed it.
func TestImagesShareAndLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "img")
	writeFile(t, path, 1024)
	link := path + "-link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	var one, two Images
	defer two.Close()
	a, b := openWindow(t, &one, path, 0, 512), openWindow(t, &one, link, 512, 512)
	if a.Image() != b.Image() {
		t.Error("a file that is mapped twice is open twice")
	}
	_, err := two.Open(path, false)
	if !errors.Is(err, ErrInUse) || Errno(err) != abi.EBUSY {
		t.Fatalf("a second kernel: %v, want in use", err)
	}
	one.Close()
	if _, err := two.Open(path, false); err != nil {
		t.Errorf("after the first kernel has closed it: %v", err)
	}
}

// TestReadOnly maps a file that may not be written. The superuser may write all, so that another open flag stands
// in for the mode there.
func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "img")
	content := writeFile(t, path, 512)
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		t.Skip("the superuser may write any file; package server's tests have another user's program do this")
	}
	var one, two Images
	defer one.Close()
	defer two.Close()
	for _, s := range []*Images{&one, &two} {
		w := openWindow(t, s, path, 0, 512)
		if !w.ReadOnly() {
			t.Error("a file of mode 0444 is mapped for writing")
		}
		if _, err := w.WriteAt(content, 0); err != abi.EROFS {
			t.Errorf("write: %v, want EROFS", err)
		}
		if err := w.Sync(); err != nil {
			t.Error(err)
		}
		if n, err := w.ReadAt(make([]byte, 512), 0); n != 512 || err != nil {
			t.Errorf("read: %d, %v", n, err)
		}
	}
}

// TestConcurrent has readers and writers of disjoint blocks.
func TestConcurrent(t *testing.T) {
	var s Images
	defer s.Close()
	w := openWindow(t, &s, filepath.Join(t.TempDir(), "img"), 0, 16*512)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			block, got := bytes.Repeat([]byte{byte(i + 1)}, 512), make([]byte, 512)
			if _, err := w.WriteAt(block, int64(i)*512); err != nil {
				t.Error(err)
			}
			if _, err := w.ReadAt(got, int64(i)*512); err != nil || !bytes.Equal(got, block) {
				t.Errorf("block %d: %v, %x", i, err, got[:4])
			}
		})
	}
	wg.Wait()
}
