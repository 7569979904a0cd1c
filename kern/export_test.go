package kern

import "time"

// Slewed is how much of an adjustment has been made after a time.
func Slewed(delta, elapsed time.Duration) time.Duration {
	begin := time.Now()
	s := &clockState{slew: delta, since: begin}
	return s.slewed(begin.Add(elapsed))
}
