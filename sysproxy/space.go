package sysproxy

import (
	"sync"
	"sync/atomic"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// spaceBase is the first address that is given out. Nothing below 4 GiB is
	// ever valid, so that a null pointer, or a small number mistaken for
	// one, is a fault.
	spaceBase = 1 << 32

	// spacePage separates lent ranges: each begins on a page of its own and
	// at least one page of nothing follows it.
	spacePage = 4096

	// DefaultMaxAnon is how much memory a kernel may ask for by ANONMMAP.
	DefaultMaxAnon = 16 << 20
)

// AddressSpace gives out the addresses under which a process lends memory to
// its kernel. They mean nothing to the host: an address is found again only
// in the call that lent it, never used twice, and never next to another.
//
// The zero value is ready for use. All methods may be called concurrently.
type AddressSpace struct {
	next  atomic.Uint64
	calls sync.Pool

	anonMu    sync.RWMutex
	anon      []span
	anonBytes uint64
	maxAnon   uint64
}

// NewCall returns an empty call that lends from this space.
func (s *AddressSpace) NewCall(num int) *Call {
	c, _ := s.calls.Get().(*Call)
	if c == nil {
		c = newCall(s)
	}
	c.Reset(num)
	return c
}

// reserve returns the address of n fresh bytes.
func (s *AddressSpace) reserve(n int) uint64 {
	size := (uint64(n)+spacePage-1)&^uint64(spacePage-1) + spacePage
	return spaceBase + s.next.Add(size) - size
}

// SetMaxAnon limits the memory that the kernel can have allocated by Map.
func (s *AddressSpace) SetMaxAnon(n uint64) {
	s.anonMu.Lock()
	s.maxAnon = n
	s.anonMu.Unlock()
}

// Map allocates n bytes for the kernel to use in calls to come (ANONMMAP).
// Errors: ENOMEM, EINVAL if n is zero.
func (s *AddressSpace) Map(n uint64) (uint64, error) {
	if n == 0 {
		return 0, abi.EINVAL
	}
	s.anonMu.Lock()
	defer s.anonMu.Unlock()
	limit := s.maxAnon
	if limit == 0 {
		limit = DefaultMaxAnon
	}
	if n > limit || s.anonBytes > limit-n {
		return 0, abi.ENOMEM
	}
	s.anonBytes += n
	b := make([]byte, n)
	addr := s.reserve(len(b))
	s.anon = append(s.anon, span{addr: addr, b: b, mode: lentIn | lentOut})
	return addr, nil
}

// Mapped returns n bytes at addr of the memory that Map allocated.
func (s *AddressSpace) Mapped(addr uint64, n int) ([]byte, bool) {
	s.anonMu.RLock()
	defer s.anonMu.RUnlock()
	for i := range s.anon {
		if b, ok := s.anon[i].at(addr, n); ok {
			return b, true
		}
	}
	return nil, false
}

// mappedFrom returns the memory that Map allocated from addr on.
func (s *AddressSpace) mappedFrom(addr uint64) ([]byte, bool) {
	s.anonMu.RLock()
	defer s.anonMu.RUnlock()
	for i := range s.anon {
		if b, ok := s.anon[i].from(addr); ok {
			return b, true
		}
	}
	return nil, false
}

// Unmap frees everything that Map allocated.
func (s *AddressSpace) Unmap() {
	s.anonMu.Lock()
	s.anon, s.anonBytes = nil, 0
	s.anonMu.Unlock()
}
