package parsedate_test

import (
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/util/parsedate"
)

// TestParse holds the examples and words of parsedate(3). It is Wednesday, 2016-03-16 15:30:45 in a zone 2 hours east.
func TestParse(t *testing.T) {
	now := time.Date(2016, 3, 16, 15, 30, 45, 500, time.FixedZone("", 7200))
	for _, c := range []struct{ text, want string }{
		{"", "2016-03-16 00:00:00"},
		{"69-09-10", "1969-09-10 00:00:00"},
		{"68-09-10", "2068-09-10 00:00:00"},
		{"2006-11-17", "2006-11-17 00:00:00"},
		{"2006-11-17T10:01:02Z", "2006-11-17 12:01:02"},
		{"10/1/2000", "2000-10-01 00:00:00"},
		{"2000/10/1", "2000-10-01 00:00:00"},
		{"20 Jun 1994", "1994-06-20 00:00:00"},
		{"June 20, 1994 10:01", "1994-06-20 10:01:00"},
		{"23jun2001", "2001-06-23 00:00:00"},
		{"1-sep-06", "2006-09-01 00:00:00"},
		{"1/11", "2016-01-11 00:00:00"},
		{"20061117", "2006-11-17 00:00:00"},
		{"20 June 10:01", "2016-06-20 10:01:00"},
		{"Thu Jan  1 00:00:10 UTC 1970", "1970-01-01 02:00:10"},
		{"@1163721600", "2006-11-17 02:00:00"},
		{"10:01", "2016-03-16 10:01:00"},
		{"10:12pm", "2016-03-16 22:12:00"},
		{"12 a.m.", "2016-03-16 00:00:00"},
		{"12pm", "2016-03-16 12:00:00"},
		{"noon", "2016-03-16 12:00:00"},
		{"12:11:01.000012", "2016-03-16 12:11:01"},
		{"12:21-0500", "2016-03-16 19:21:00"},
		{"12:21 EST", "2016-03-16 19:21:00"},
		{"12:21 EDT", "2016-03-16 18:21:00"},
		{"12:21 est dst", "2016-03-16 18:21:00"},
		{"12:21 g.m.t.", "2016-03-16 14:21:00"},
		{"1030", "2016-03-16 10:30:00"},
		{"9", "2016-03-16 09:00:00"},
		{"-1 month", "2016-02-16 15:30:45"},
		{"+2 years", "2018-03-16 15:30:45"},
		{"one week ago", "2016-03-09 15:30:45"},
		{"2 days 3 hours ago", "2016-03-14 12:30:45"}, // both are negated
		{"tomorrow 10:00", "2016-03-17 10:00:00"},
		{"yesterday", "2016-03-15 15:30:45"},
		{"now", "2016-03-16 15:30:45"},
		{"fortnight", "2016-03-30 15:30:45"},
		{"last friday", "2016-03-11 00:00:00"},
		{"this thursday", "2016-03-17 00:00:00"},
		{"next sunday", "2016-03-20 00:00:00"},
		{"third wed. 8am", "2016-03-30 08:00:00"},
		{"wednesday, 2006-11-17", "2006-11-17 00:00:00"},
		{"next week", "2016-03-23 15:30:45"},
		{"10:00 -1 day (a (nested) comment)", "2016-03-15 10:00:00"},
	} {
		got, err := parsedate.Parse(c.text, now)
		if err != nil || got.Format(time.DateTime) != c.want || got.Nanosecond() != 0 {
			t.Errorf("%q: %v, %v; want %s", c.text, got, err, c.want)
		}
	}
}

// TestParseErrors has what is no date.
func TestParseErrors(t *testing.T) {
	for _, text := range []string{"nonsense", "2006-02-30", "13/1/2000", "25:00", "10:60", "13pm", "10:00 11:00", "1/1 2/2", "(open", "last",
		"99999999999", "@", "1999999999 years", "9999999999 weeks", "june", "10:", "*", "1/1/1 est gmt", "monday tuesday", "ago", "12:00-9900"} {
		if got, err := parsedate.Parse(text, time.Unix(0, 0)); err == nil {
			t.Errorf("%q: %v, no error", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Thu Jan  1 00:00:10 UTC 1970")
	f.Add("-1 month last friday 12:21-0500")
	f.Add("@12 (x) 10/1/2000 ago")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parsedate.Parse(text, time.Unix(1e9, 0).UTC())
		if err == nil && (got.Year() < -30_000 || got.Year() > 40_000) {
			t.Errorf("%q: %v", text, got)
		}
	})
}
