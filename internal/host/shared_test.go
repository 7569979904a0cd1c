//go:build unix

package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

func openShared(t *testing.T, path string) *Shared {
	t.Helper()
	s, err := OpenShared(path, 8192)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("files cannot be mapped here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestShared: two mappings of a file are the same memory (mmap(2), MAP_SHARED).
func TestShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b := openShared(t, path), openShared(t, path)
	if fileSize(t, path) != 8192 || a.Path() != path {
		t.Errorf("size %d, path %q", fileSize(t, path), a.Path())
	}
	a.Bytes()[100] = 7
	if b.Bytes()[100] != 7 || !b.Word(8188).CompareAndSwap(0, 5) || a.Word(8188).Load() != 5 {
		t.Error("what one writes the other does not see")
	}
	if _, err := a.WriteAt([]byte{9}, 4); err != nil || b.Bytes()[4] != 9 {
		t.Errorf("written through the descriptor: %d, %v", b.Bytes()[4], err)
	}
	for _, off := range []int{-4, 8190, 8192, 2} {
		if !panics(func() { a.Word(off) }) {
			t.Errorf("a word at %d", off)
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func TestSharedRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenShared(filepath.Join(dir, "no", "bus"), 8192); Errno(err) != abi.ENOENT {
		t.Errorf("in no directory: %v", err)
	}
	if _, err := OpenShared(dir, 8192); Errno(err) != abi.EISDIR {
		t.Errorf("a directory: %v", err)
	}
	if _, err := OpenShared(os.DevNull, 8192); err == nil {
		t.Error("the null device was mapped")
	}
}

// TestGuard: a file that was cut short is an error of the call that stumbled over it; other panics stay panics.
func TestGuard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	s := openShared(t, path)
	if err := s.Guard(func() { s.Bytes()[5000]++ }); err != nil {
		t.Errorf("on a whole file: %v", err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	deferred := false
	err := s.Guard(func() {
		defer func() { deferred = true }()
		s.Bytes()[5000]++
	})
	if !errors.Is(err, ErrFileGone) || !deferred {
		t.Errorf("on a file that is gone: %v, deferred %v", err, deferred)
	}
	if !panics(func() { s.Guard(func() { var p *int; *p = 1 }) }) {
		t.Error("the guard hides other faults")
	}
}

func TestLockByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	a, b := openShared(t, path), openShared(t, path)
	if err := a.LockByte(3); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no locks of open files here")
	} else if err != nil {
		t.Fatal(err)
	}
	if err := b.LockByte(3); !errors.Is(err, ErrInUse) {
		t.Errorf("locked twice: %v", err)
	}
	if err := b.LockByte(4); err != nil {
		t.Errorf("another byte: %v", err)
	}
	for off, want := range map[int64]bool{3: true, 5: false} {
		if got, err := b.ByteLocked(off); got != want || err != nil {
			t.Errorf("byte %d locked: %v, %v", off, got, err)
		}
	}
}

// TestWatch: a write through a descriptor wakes who waits (inotify(7), IN_MODIFY), and Close ends the waiting.
func TestWatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	s := openShared(t, path)
	w, err := WatchFile(path)
	if err != nil {
		t.Fatal(err)
	}
	woken, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		for s.Word(4).Load() == 0 {
			if err := w.Wait(false); err != nil {
				woken <- err
				return
			}
		}
		woken <- nil
		var err error
		for err == nil {
			err = w.Wait(false)
		}
		ended <- err
	}()
	if _, err := s.WriteAt([]byte{3, 0, 0, 0}, 4); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("waiting ended with %v", err)
	}
	if _, err := WatchFile(filepath.Join(t.TempDir(), "none")); Errno(err) != abi.ENOENT {
		t.Errorf("watching no file: %v", err)
	}
}
