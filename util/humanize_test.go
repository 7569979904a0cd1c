package util

import (
	"math"
	"testing"
)

// TestHumanize has what humanize_number(3) makes, as ls -h (5 bytes, HN_DECIMAL|HN_B|HN_NOSPACE) and df -h
// print it.
func TestHumanize(t *testing.T) {
	ls := Humanize{Decimal: true, NoSpace: true, Bytes: true}
	tests := []struct {
		h    Humanize
		n    int64
		size int
		want string
	}{
		{ls, 0, 5, "0B"},
		{ls, 5, 5, "5B"}, // transcript core-06, ls -h
		{ls, 999, 5, "999B"},
		{ls, 1000, 5, "1.0K"},
		{ls, 1023, 5, "1.0K"},
		{ls, 1536, 5, "1.5K"},
		{ls, 10 << 10, 5, "10K"},
		{ls, 999 << 10, 5, "999K"},
		{ls, 1000 << 10, 5, "1.0M"},
		{ls, 1 << 40, 5, "1.0T"},
		{ls, 100 << 50, 5, "100P"},
		{ls, math.MaxInt64, 5, "8.0E"},
		{ls, math.MinInt64, 6, "-8.0E"},
		{ls, -5, 5, "-5B"},
		{Humanize{}, 1536, 8, "1536 "}, // the blank is there without a unit too,
		{Humanize{Decimal: true}, 1 << 20, 6, "1.0 M"},
		{Humanize{SI: true, Decimal: true, NoSpace: true, Suffix: "B"}, 1500, 6, "1.5kB"},
		{Humanize{Suffix: " bytes"}, 1234567, 12, "1 M bytes"},
	}
	for _, tt := range tests {
		got, ok := tt.h.Format(tt.n, tt.size)
		if !ok || got != tt.want {
			t.Errorf("%+v: %d in %d bytes is %q, %v; want %q", tt.h, tt.n, tt.size, got, ok, tt.want)
		}
		if len(got) >= tt.size {
			t.Errorf("%q has no room in %d bytes", got, tt.size)
		}
	}
	if got, ok := (Humanize{}).Format(1, 3); ok {
		t.Errorf("room for %q in 3 bytes", got)
	}
}

func FuzzHumanize(f *testing.F) {
	f.Add(int64(1536), 5, true, true)
	f.Fuzz(func(t *testing.T, n int64, size int, decimal, si bool) {
		size %= 64
		h := Humanize{Decimal: decimal, SI: si, NoSpace: true, Bytes: true}
		if got, ok := h.Format(n, size); ok && len(got) >= max(size, 1) {
			t.Errorf("%d in %d bytes is %q", n, size, got)
		}
	})
}
