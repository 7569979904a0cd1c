package rump

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// TestBootFails: when one drive cannot be mapped the host is as it was, listeners included, and another kernel can have
// the files.
func TestBootFails(t *testing.T) {
	dir := t.TempDir()
	short, fresh, sock := filepath.Join(dir, "short"), filepath.Join(dir, "fresh"), filepath.Join(dir, "sock")
	if err := os.WriteFile(short, []byte("short"), 0o644); err != nil {
		t.Fatal(err)
	}
	drives := []Drive{
		{Key: "/short", HostPath: short, Size: 4096},
		{Key: "/fresh", HostPath: fresh, Size: 4096},
		{Key: "/short", HostPath: short, Size: 4096, Offset: 4096},
	}
	k, err := New(Config{Drives: drives})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Listen("unix://" + sock); err != nil {
		t.Fatal(err)
	}
	var bad *DriveError
	if err := k.Boot(); !errors.As(err, &bad) || bad.Errno() != abi.EEXIST || bad.Stage != "etfs register" {
		t.Errorf("a key that is taken: %v, want EEXIST", err)
	}
	<-k.Done()
	for _, path := range []string{fresh, sock} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", path, err)
		}
	}
	if b, _ := os.ReadFile(short); string(b) != "short" {
		t.Errorf("a file has %d bytes, 5 before", len(b))
	}
	if err := k.Boot(); !errors.Is(err, abi.EBUSY) {
		t.Errorf("booting again: %v, want EBUSY", err)
	}
	boot(t, Config{Drives: drives[:2]})
}

// TestListenBeforeBoot: a client that connects early is served when the kernel runs.
func TestListenBeforeBoot(t *testing.T) {
	k, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Halt()
	url, _ := listen(t, k)
	answer := make(chan error)
	go func() { answer <- dial(t, url).WriteFile("/early", nil, 0o600) }()
	if _, err := k.Process("too early"); !errors.Is(err, abi.ENXIO) {
		t.Errorf("a process before Boot: %v, want ENXIO", err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

// TestSides: a block and a character device of one place are one disk; partitions of one file are disks of their own.
func TestSides(t *testing.T) {
	img := filepath.Join(t.TempDir(), "img")
	k := boot(t, Config{Drives: []Drive{
		{Key: "/whole", HostPath: img, Size: 8192},
		{Key: "/rwhole", HostPath: img, Size: 4096, Type: Chr},
		{Key: "/part", HostPath: img, Size: 2048, Offset: 4096},
		{Key: "/rpart", HostPath: img, Size: 2048, Offset: 4096, Type: Chr},
		{Key: "/note", HostPath: img, Size: 512, Offset: 4096, Type: Reg},
	}})
	p := local(t, k)
	want := map[string]int64{"/whole": 8192, "/rwhole": 8192, "/part": 2048, "/rpart": 2048, "/note": 512}
	for name, size := range want {
		f, err := p.OpenFile(name, abi.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		n, err := f.ReadAt(make([]byte, 16384), 0)
		if int64(n) != size {
			t.Errorf("%s has %d bytes, %v; want %d", name, n, err, size)
		}
		if name == "/rpart" {
			if _, err := f.WriteAt([]byte(strings.Repeat("p", 512)), 0); err != nil {
				t.Error(err)
			}
		}
		f.Close()
	}
	if b, err := p.ReadFile("/note"); err != nil || string(b) != strings.Repeat("p", 512) {
		t.Errorf("what the partition has been given is not in the file: %.10q, %v", b, err)
	}
	dev := func(name string) (major, minor int) {
		var st abi.Stat
		if err := p.Sys().Stat(name, &st); err != nil {
			t.Fatal(err)
		}
		return kern.Major(st.Rdev), kern.Minor(st.Rdev)
	}
	for name, unit := range map[string]int{"/whole": 0, "/rwhole": 0, "/part": 1, "/rpart": 1} {
		if major, minor := dev(name); major != 197 || minor != unit {
			t.Errorf("%s is %d, %d; want 197, %d", name, major, minor, unit)
		}
	}
	if !strings.Contains(string(k.Kernel().Msgbuf.Bytes()), "/rwhole is the other side of /whole: its size is 8192, not 4096\n") {
		t.Error("the kernel's messages do not say which size counts")
	}
}
