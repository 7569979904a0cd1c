package kern_test

import (
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// start boots a kernel and makes a process on it.
func start(t testing.TB) *kerntest.P {
	t.Helper()
	return kerntest.Proc(t, kerntest.New(t))
}

// open gives the process a descriptor of an open file.
func open(t testing.TB, p *kerntest.P, ops kern.Ops, flags uint32) int {
	t.Helper()
	fd, err := p.Desc.Alloc(kern.NewFile(abi.DTYPE_VNODE, ops, flags), 0, false)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// memFile is a regular file in memory, with everything that package kern asks of one.
type memFile struct {
	mu     sync.Mutex
	data   []byte
	calls  []int // lengths of the reads and writes, in order
	synced []bool
	locks  []abi.Flock
	closed int
}

var (
	_ kern.Reader    = (*memFile)(nil)
	_ kern.Writer    = (*memFile)(nil)
	_ kern.Seeker    = (*memFile)(nil)
	_ kern.Stater    = (*memFile)(nil)
	_ kern.Truncater = (*memFile)(nil)
	_ kern.Syncer    = (*memFile)(nil)
	_ kern.Locker    = (*memFile)(nil)
)

func (m *memFile) Close(*kern.Thread, *kern.File) error {
	m.closed++
	return nil
}

func (m *memFile) Read(_ *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls[:min(len(m.calls), 16)], len(p))
	if off == kern.Current {
		f.OffMu.Lock()
		defer f.OffMu.Unlock()
		off = f.Offset
		defer func() { f.Offset = off }()
	}
	n := copy(p, m.data[min(off, int64(len(m.data))):])
	off += int64(n)
	return n, nil
}

func (m *memFile) Write(_ *kern.Thread, f *kern.File, p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls[:min(len(m.calls), 16)], len(p))
	if off == kern.Current {
		f.OffMu.Lock()
		defer f.OffMu.Unlock()
		off = f.Offset
		defer func() { f.Offset = off }()
	}
	if grow := int(off) + len(p) - len(m.data); grow > 0 {
		m.data = append(m.data, make([]byte, grow)...)
	}
	n := copy(m.data[off:], p)
	off += int64(n)
	return n, nil
}

func (m *memFile) Seek(_ *kern.Thread, f *kern.File, off int64, whence int) (int64, error) {
	f.OffMu.Lock()
	defer f.OffMu.Unlock()
	switch whence {
	case abi.SEEK_CUR:
		off += f.Offset
	case abi.SEEK_END:
		off += int64(len(m.data))
	}
	if off < 0 {
		return 0, abi.EINVAL
	}
	f.Offset = off
	return off, nil
}

func (m *memFile) Stat(_ *kern.Thread, _ *kern.File, st *abi.Stat) error {
	*st = abi.Stat{Mode: abi.S_IFREG | 0644, Size: int64(len(m.data))}
	return nil
}

func (m *memFile) Truncate(_ *kern.Thread, _ *kern.File, size int64) error {
	m.data = append(m.data, make([]byte, max(0, int(size)-len(m.data)))...)[:size]
	return nil
}

func (m *memFile) Sync(_ *kern.Thread, _ *kern.File, dataOnly bool) error {
	m.synced = append(m.synced, dataOnly)
	return nil
}

func (m *memFile) Lock(_ *kern.Thread, _ *kern.File, _ int, l *abi.Flock) error {
	m.locks = append(m.locks, *l)
	l.Type = abi.F_UNLCK
	return nil
}

// null is a device that swallows what is written and reads as zeroes.
type null struct{}

func (null) Close(*kern.Thread, *kern.File) error                               { return nil }
func (null) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) { return len(p), nil }
func (null) Read(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// bare can do nothing but be closed.
type bare struct{}

func (bare) Close(*kern.Thread, *kern.File) error { return nil }

// result is what a call returned.
type result struct {
	ret   int64
	errno abi.Errno
}

// blocked makes a call on a goroutine of its own and waits until it waits: until Block has been called.
func blocked(p *kerntest.P, num int, args ...uint64) <-chan result {
	m := &blockMemory{Memory: &p.Mem, blocked: make(chan struct{}, 1)}
	done := make(chan result, 1)
	go func() {
		ret, errno := p.Syscall(m, num, args)
		done <- result{int64(ret[0]), errno}
	}()
	<-m.blocked
	return done
}

// blockMemory tells when its call begins to wait.
type blockMemory struct {
	kern.Memory
	blocked chan struct{}
}

func (m *blockMemory) Block() {
	select {
	case m.blocked <- struct{}{}:
	default:
	}
}
