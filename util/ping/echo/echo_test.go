package echo_test

import (
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/util/ping/echo"
)

// Oracle: RFC 1071's example.
func TestChecksum(t *testing.T) {
	if got := echo.Checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}); got != ^uint16(0xddf2) {
		t.Errorf("%#x", got)
	}
	if got := echo.Checksum([]byte{0xff}); got != 0x00ff {
		t.Errorf("%#x", got)
	}
}

// Oracle: ping(8): one packet an interval, at the same moments; late ones are caught up with up to a tenth of a second.
func TestPace(t *testing.T) {
	start := time.Unix(1000, 0)
	p := echo.Pace{Interval: time.Second}
	for _, c := range []struct {
		at   time.Duration
		due  bool
		next time.Duration
	}{
		{0, true, time.Second},
		{500 * time.Millisecond, false, time.Second},
		{1050 * time.Millisecond, true, 2 * time.Second},
		{5050 * time.Millisecond, true, 5 * time.Second},
	} {
		now := start.Add(c.at)
		if p.Due(now) != c.due {
			t.Fatalf("at %v: due %v", c.at, !c.due)
		}
		if c.due {
			p.Sent(now)
		}
		if got := p.Next().Sub(start); got != c.next {
			t.Errorf("after %v the next is at %v, want %v", c.at, got, c.next)
		}
	}
}

// Oracle: the definitions of mean and sample deviation.
func TestTimes(t *testing.T) {
	var times echo.Times
	for _, ms := range []int{2, 4, 4, 4, 5, 5, 7, 9} {
		times.Add(time.Duration(ms) * time.Millisecond)
	}
	least, average, most, deviation := times.Summary()
	if least != 2 || average != 5 || most != 9 || deviation < 2.138 || deviation > 2.139 {
		t.Errorf("%v %v %v %v", least, average, most, deviation)
	}
	var seen echo.Seen
	if seen.Mark(65535) || !seen.Mark(65535) || seen.Mark(0) {
		t.Error("marks are wrong")
	}
	if seen.Clear(65535); seen.Mark(65535) {
		t.Error("a cleared mark is there")
	}
}
