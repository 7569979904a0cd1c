//go:build !race

package client

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// TestAllocations: the calls that programs make most allocate nothing of their own.
func TestAllocations(t *testing.T) {
	p := recorded(func(c *sysproxy.Call) error { return nil })
	s := p.Sys()
	buf := make([]byte, 4096)
	var st abi.Stat
	var ts abi.Timespec
	for name, use := range map[string]func() error{
		"getpid":        func() error { _, err := s.Getpid(); return err },
		"read":          func() error { _, err := s.Read(3, buf); return err },
		"write":         func() error { _, err := s.Write(3, buf); return err },
		"pread":         func() error { _, err := s.Pread(3, buf, 5); return err },
		"pwrite":        func() error { _, err := s.Pwrite(3, buf, 5); return err },
		"lseek":         func() error { _, err := s.Lseek(3, 5, 0); return err },
		"open":          func() error { _, err := s.Open("/dir/file", 0, 0); return err },
		"close":         func() error { return s.Close(3) },
		"stat":          func() error { return s.Stat("/dir/file", &st) },
		"fstat":         func() error { return s.Fstat(3, &st) },
		"fstatat":       func() error { return s.Fstatat(3, "file", &st, 0) },
		"getdents":      func() error { _, err := s.Getdents(3, buf); return err },
		"rename":        func() error { return s.Rename("/a", "/b") },
		"unlink":        func() error { return s.Unlink("/a") },
		"clock_gettime": func() error { return s.ClockGettime(0, &ts) },
	} {
		if err := use(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := testing.AllocsPerRun(100, func() { use() }); n >= 1 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
