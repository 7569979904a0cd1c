package bench

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// idleTime is how long a kernel is watched that has nothing to do.
const idleTime = 3 * time.Second

// BenchmarkNetIdle measures the processor time that a kernel on a bus with a peer uses when traffic has stopped: in ticks of the
// host's clock (10 ms) over three seconds, of the peer's process and of this one.
func BenchmarkNetIdle(b *testing.B) {
	x, _, pid := links[1].apart(b)
	if _, ok := ticks("self"); !ok {
		b.Skip("there is no /proc on this machine")
	}
	c := dialDiscard(b, x.p, far.Addr().String(), discardConnPort)
	defer c.Close()
	for b.Loop() {
		_, err := c.Write(make([]byte, netPiece))
		check(b, err)
	}
	time.Sleep(idleTime / 3) // what follows traffic, such as delayed acknowledgements, comes to its end
	here, _ := ticks("self")
	there, _ := ticks(strconv.Itoa(pid))
	time.Sleep(idleTime)
	here2, _ := ticks("self")
	there2, _ := ticks(strconv.Itoa(pid))
	b.ReportMetric(here2-here, "ticks-here")
	b.ReportMetric(there2-there, "ticks-peer")
}

// ticks is how much processor time a process has used.
func ticks(pid string) (float64, bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, false
	}
	const user, system = 11, 12 // of the fields after the name
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	u, err1 := strconv.ParseFloat(fields[user], 64)
	s, err2 := strconv.ParseFloat(fields[system], 64)
	return u + s, err1 == nil && err2 == nil
}
