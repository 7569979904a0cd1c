//go:build !linux

package host

import "runtime"

// Yield lets other goroutines run.
func (s *Shared) Yield() { runtime.Gosched() }
