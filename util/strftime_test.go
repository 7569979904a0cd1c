package util

import (
	"testing"
	"time"
)

// TestStrftime holds every conversion of strftime(3) in the C locale.
func TestStrftime(t *testing.T) {
	zone := time.FixedZone("XST", -5*3600)
	early := time.Date(2005, 1, 2, 3, 4, 5, 6, zone) // a Sunday, of the last ISO week of 2004
	late := time.Date(2012, 12, 31, 23, 59, 60, 0, time.UTC).Add(-time.Second)
	for _, c := range []struct {
		format string
		t      time.Time
		want   string
	}{
		{"%A %a %B %b %h", early, "Sunday Sun January Jan Jan"},
		{"%c|%D|%F|%R|%r|%T|%v|%X|%x|%+", early, "Sun Jan  2 03:04:05 2005|01/02/05|2005-01-02|03:04|03:04:05 AM|03:04:05| 2-Jan-2005|03:04:05|01/02/05|" +
			"Sun Jan  2 03:04:05 XST 2005"},
		{"%C %d %e %H %I %j %k %l %M %m %p %S %s %Y %y %Z %z", early, "20 02  2 03 03 002  3  3 04 01 AM 05 1104653045 2005 05 XST -0500"},
		{"%G %g %V %U %W %u %w", early, "2004 04 53 01 00 7 0"},
		{"%G %g %V %U %W %u %w", late, "2013 13 01 53 53 1 1"},
		{"%H %I %k %l %p", late, "23 11 23 11 PM"},
		{"%Ey %Om %%%n%t%", late, "12 12 %\n\t%"},
		{"%E", late, "E"},
	} {
		if got := Strftime(c.format, c.t); got != c.want {
			t.Errorf("%q: %q, want %q", c.format, got, c.want)
		}
	}
}

func FuzzStrftime(f *testing.F) {
	f.Add("%c %Ey %", int64(0))
	f.Fuzz(func(t *testing.T, format string, sec int64) {
		if got := Strftime(format, time.Unix(sec%(1<<40), 0).UTC()); len(got) > 64*len(format) {
			t.Errorf("%q: %d bytes", format, len(got))
		}
	})
}
