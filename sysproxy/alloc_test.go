//go:build unix && !race

package sysproxy

import "testing"

// TestAllocations: a call allocates nothing, on neither side (both ends are in
// this process, and all allocations count).
func TestAllocations(t *testing.T) {
	for _, old := range []bool{false, true} {
		s := startServer(t, "", ServerConfig{NoPrefetch: old})
		c := dial(t, s)
		buf := make([]byte, 64<<10)
		call := c.NewCall(0)
		for _, bc := range benchCalls {
			if bc.num == sysWrite && old {
				continue // waits for a COPYIN: a new buffer may be needed
			}
			one := func() {
				call.Reset(bc.num)
				bc.fill(call, buf)
				if err := c.Do(call); err != nil || call.Err != 0 {
					t.Fatal(err, call.Err)
				}
			}
			for range 10 {
				one()
			}
			if n := testing.AllocsPerRun(200, one); n >= 1 {
				t.Errorf("%s: %v allocations (prefetch: %v)", bc.name, n, !old)
			}
		}
	}
}
