package host

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Yield lets others run: other goroutines, and other programs that want this processor. Who waits for something in shared memory calls it, since
// the one that he waits for may have been put off the processor by him.
func (s *Shared) Yield() {
	unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	runtime.Gosched()
}
