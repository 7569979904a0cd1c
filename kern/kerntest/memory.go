package kerntest

import (
	"bytes"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Memory is a client's memory: ranges of bytes at addresses that are given out once and never again, with nothing
// between them. It implements [kern.Memory]; what is not in a range is EFAULT. The zero value has no ranges.
type Memory struct {
	mu   sync.RWMutex
	maps []mapping
	next uint64
}

type mapping struct {
	addr uint64
	b    []byte
}

var _ kern.Memory = (*Memory)(nil)

// firstAddr is above everything that could be a small number mistaken for an address.
const firstAddr = 1 << 32

// guard is the least distance between ranges.
const guard = 4096

// Map makes b the memory at a new address, which it returns: the kernel reads and writes b itself.
func (m *Memory) Map(b []byte) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next == 0 {
		m.next = firstAddr
	}
	addr := m.next
	m.next += uint64(len(b)+2*guard-1) &^ (guard - 1)
	m.maps = append(m.maps, mapping{addr, b})
	return addr
}

// at is the memory from addr to the end of its range.
func (m *Memory) at(addr uint64) ([]byte, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for i := range m.maps {
		if r := &m.maps[i]; addr >= r.addr && addr-r.addr <= uint64(len(r.b)) {
			return r.b[addr-r.addr:], true
		}
	}
	return nil, false
}

func (m *Memory) view(addr uint64, n int) ([]byte, error) {
	b, ok := m.at(addr)
	if !ok || n > len(b) {
		return nil, abi.EFAULT
	}
	return b[:n:n], nil
}

// CopyIn fills p from addr.
func (m *Memory) CopyIn(addr uint64, p []byte) error {
	b, err := m.view(addr, len(p))
	copy(p, b)
	return err
}

// CopyInStr reads a string without its NUL.
func (m *Memory) CopyInStr(addr uint64, max int) ([]byte, error) {
	b, ok := m.at(addr)
	if !ok {
		return nil, abi.EFAULT
	}
	if i := bytes.IndexByte(b[:min(max, len(b))], 0); i >= 0 {
		return b[:i:i], nil
	}
	if len(b) < max {
		return nil, abi.EFAULT
	}
	return nil, abi.ENAMETOOLONG
}

// CopyOut writes p to addr.
func (m *Memory) CopyOut(addr uint64, p []byte) error {
	b, err := m.view(addr, len(p))
	copy(b, p)
	return err
}

// Lend is the memory itself.
func (m *Memory) Lend(addr uint64, n int) ([]byte, error) { return m.view(addr, n) }

// Reserve is the memory itself.
func (m *Memory) Reserve(addr uint64, n int) ([]byte, error) { return m.view(addr, n) }

// Commit has nothing to do but to check: the bytes are there.
func (m *Memory) Commit(addr uint64, b []byte) error {
	_, err := m.view(addr, len(b))
	return err
}

// Anon maps n new bytes. Errors: ENOMEM for more than a test has use for.
func (m *Memory) Anon(n uint64) (uint64, error) {
	if n == 0 || n > 16<<20 {
		return 0, abi.ENOMEM
	}
	return m.Map(make([]byte, n)), nil
}

// Block has nothing to do.
func (m *Memory) Block() {}

// with is a Memory that has m's ranges and further ones of its own.
func (m *Memory) with() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next == 0 {
		m.next = firstAddr
	}
	// Addresses of the call's own ranges begin far above: m may get more ranges meanwhile.
	return &Memory{maps: append([]mapping(nil), m.maps...), next: m.next + 1<<40}
}

// Bytes is n bytes of what is mapped at addr: for memory that the kernel has asked for. Nil when they are not there.
func (m *Memory) Bytes(addr uint64, n int) []byte {
	b, _ := m.view(addr, n)
	return b
}
