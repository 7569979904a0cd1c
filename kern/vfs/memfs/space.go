package memfs

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// What things are charged, in bytes. They are what tmpfs of the original is charged on a 64-bit machine, so that df -i agrees.
const (
	pageSize    = 4096
	nodeCost    = 216
	direntCost  = 48
	nameQuantum = 32 // names and link targets are charged in these
)

// nameCost is what a string of a node is charged.
func nameCost(s string) int64 { return roundUp(int64(len(s)), nameQuantum) }

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// space is a file system's account of bytes and nodes.
type space struct {
	mem *kern.Mem

	mu       sync.Mutex
	limit    int64 // bytes
	used     int64
	maxNodes int64
	nodes    int64
	closed   bool // unmounted: what is still held was given back as a whole
}

// take charges n bytes. Errors: ENOSPC.
func (s *space) take(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeLocked(n)
}

func (s *space) takeLocked(n int64) error {
	if s.closed || n > s.limit-s.used || s.mem.Alloc(n) != nil {
		return abi.ENOSPC
	}
	s.used += n
	return nil
}

// takePages charges up to want pages, at least one. Errors: ENOSPC when there is not one.
func (s *space) takePages(want int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.takeLocked(want*pageSize) == nil {
		return want, nil
	}
	got := min(want, s.availLocked()/pageSize)
	for ; got > 0; got-- { // others may take the kernel's memory meanwhile
		if s.takeLocked(got*pageSize) == nil {
			return got, nil
		}
	}
	return 0, abi.ENOSPC
}

// takeNode charges a node with its strings, and an entry of that name to hold it. Errors: ENOSPC.
func (s *space) takeNode(extra int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nodes >= s.maxNodes {
		return abi.ENOSPC
	}
	if err := s.takeLocked(nodeCost + extra); err != nil {
		return err
	}
	s.nodes++
	return nil
}

// give returns n bytes.
func (s *space) give(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveLocked(n)
}

func (s *space) giveLocked(n int64) {
	if s.closed {
		return
	}
	s.used -= n
	s.mem.Free(n)
}

// giveNode returns a node with its strings and pages.
func (s *space) giveNode(extra int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveLocked(nodeCost + extra)
	s.nodes--
}

// close returns everything; nothing can be charged any more.
func (s *space) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveLocked(s.used)
	s.closed = true
}

// availLocked is the number of bytes that could be charged now: what the limit leaves, if the kernel has it.
func (s *space) availLocked() int64 {
	avail := s.limit - s.used
	if limit := s.mem.Limit(); limit > 0 {
		avail = min(avail, limit-s.mem.Used())
	}
	return max(avail, 0)
}

// usage is a moment of a space.
type usage struct{ used, avail, nodes, freeNodes int64 }

func (s *space) usage() usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := usage{used: s.used, avail: s.availLocked(), nodes: s.nodes}
	u.freeNodes = max(0, min(s.maxNodes-s.nodes, u.avail/pageSize*pageSize/nodeCost))
	return u
}

// setLimits changes the limits. Errors: EBUSY when more than that is held already; then nothing has changed.
func (s *space) setLimits(bytes, nodes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes < roundUp(s.used, pageSize) || nodes < s.nodes {
		return abi.EBUSY
	}
	s.limit, s.maxNodes = bytes, nodes
	return nil
}
