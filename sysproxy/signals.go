package sysproxy

import (
	"math/bits"
	"sync"
)

// maxSignal is the largest number of a signal.
const maxSignal = 63

// signals calls a function for signals, one after the other and on a goroutine
// that lives while there are any.
type signals struct {
	f func(sig int)

	mu      sync.Mutex
	pending uint64 // by number
	running bool
}

// raise notes that sig arrived.
func (s *signals) raise(sig int) {
	if sig < 1 || sig > maxSignal {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending |= 1 << sig
	if !s.running {
		s.running = true
		go s.deliver()
	}
}

// deliver calls f until no signal is pending, lowest number first.
func (s *signals) deliver() {
	for {
		s.mu.Lock()
		if s.pending == 0 {
			s.running = false
			s.mu.Unlock()
			return
		}
		sig := bits.TrailingZeros64(s.pending)
		s.pending &^= 1 << sig
		s.mu.Unlock()
		s.f(sig)
	}
}
