package date_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

const usage = "Usage: date [-ajnu] [-d date] [-r seconds] [+format] [[[[[[CC]yy]mm]dd]HH]MM[.SS]]\n"

// TestPrint holds what is printed against date(1) and strftime(3).
func TestPrint(t *testing.T) {
	k := utiltest.New(t)
	k.Vars["TZ"] = "America/New_York"
	k.Check([]utiltest.Step{
		{Cmd: "date -r 500000000 '+%Y-%m-%d %H:%M:%S %Z'", Out: "1985-11-04 19:53:20 EST\n"},
		{Cmd: "date -ur 500000000 '+%Y-%m-%d %H:%M:%S %Z'", Out: "1985-11-05 00:53:20 UTC\n"},
		{Cmd: "date -ur 0x1dcd6500 +%F%n%s", Out: "1985-11-05\n500000000\n"},
		{Cmd: "date -ur -1 +%F", Out: "1969-12-31\n"},
		{Cmd: "date -u -d '2006-11-17 10:12pm' +%s", Out: "1163801520\n"},
		{Cmd: "date -d '2006-11-17 10:12pm' +%s", Out: "1163819520\n"},
		{Cmd: "date -u -j 200602291200 +%s", Out: "date: Day out of range (max 28) in canonical time\ndate: 200602291200\n" +
			"date:        ^\n" + usage, Status: 1},
		{Cmd: "date -u -j 200802291200.30 +%s", Out: "1204286430\n"},
		{Cmd: "date -u -j +%s 200802291200.30", Out: "1204286430\n"},
		{Cmd: "date -u -r 1204286430 -j 6901010000 +%F", Out: "1969-01-01\n"},
		{Cmd: "date -u -r 1204286430 -j 6801010000 +%F", Out: "2068-01-01\n"},
		{Cmd: "date -u -r 1204286430 -j 03010000 '+%F %T'", Out: "2008-03-01 00:00:00\n"},
		{Cmd: "date -u -r 1204286430 -j 010101 '+%F %T'", Out: "2008-02-01 01:01:00\n"},
		{Cmd: "date -u -r 1204286430 -j 0203 '+%F %T'", Out: "2008-02-29 02:03:00\n"},
		{Cmd: "date -u -r 1204286430 -j 04 '+%F %T'", Out: "2008-02-29 12:04:00\n"},
		{Cmd: "date -u -r 1204286430 -j .05 '+%F %T'", Out: "2008-02-29 12:00:05\n"},
	})
	if out, _ := k.Run("", "date", "-ur", "500000000"); out != "Tue Nov  5 00:53:20 UTC 1985\n" {
		t.Errorf("the usual format: %q", out)
	}
}

// TestMessages holds messages against date(1).
func TestMessages(t *testing.T) {
	k := utiltest.New(t)
	for _, c := range []struct{ time, what, caret string }{
		{"12x4", "Expected digit", "  ^"},
		{"1.2.3", "Unexpected dot", "   ^"},
		{"1200.123", "Unexpected digit after seconds field", "       ^"},
		{"1200.1", "Expected digit in seconds field", "      ^"},
		{"1200.62", "Seconds out of range", "      ^"},
		{"1", "Not enough digits", " ^"},
		{"20080229120000", "Too many digits", "            ^"},
		{"180801010000", "Year before 1900", " ^"},
		{"13010000", "Month out of range", " ^"},
		{"00010000", "Month out of range", " ^"},
		{"04310000", "Day out of range (max 30)", "   ^"},
		{"01320000", "Day out of range (max 31)", "   ^"},
		{"01012400", "Hour out of range", "     ^"},
		{"01010060", "Minute out of range", "       ^"},
	} {
		out := "date: " + c.what + " in canonical time\ndate: " + c.time + "\ndate: " + c.caret + "\n" + usage
		k.Check([]utiltest.Step{{Cmd: "date " + c.time, Out: out, Status: 1}})
	}
	k.Check([]utiltest.Step{
		{Cmd: "date -d nonsense", Out: "date: nonsense: Unrecognized date format\n", Status: 1},
		{Cmd: "date -r ''", Out: "date: <empty>: Invalid number\n", Status: 1},
		{Cmd: "date -r 1x", Out: "date: 1x: Invalid number\n", Status: 1},
		{Cmd: "date -r 99999999999999999999", Out: "date: 99999999999999999999: Result too large or too small\n", Status: 1},
		{Cmd: "date -x", Out: "date: unknown option -- x\n" + usage, Status: 1},
	})
}

// TestSet sets the kernel's clock, at once or slowly, as the super-user and nobody else.
func TestSet(t *testing.T) {
	k := utiltest.New(t)
	before := time.Now()
	k.Check([]utiltest.Step{
		{Cmd: "date -u 200001020304.05 +%s", Out: "946782245\n"},
		{Cmd: "date -n 200001020304.05 +%s", Out: "946782245\n"},
	})
	sys := k.Process().Sys()
	var tv abi.Timeval
	if err := sys.Gettimeofday(&tv); err != nil || tv.Sec < 946782245 || tv.Sec > 946782245+3600 {
		t.Errorf("the kernel's time is %d, %v", tv.Sec, err)
	}
	if now := time.Now(); now.Before(before) || now.Sub(before) > time.Hour {
		t.Error("the host's clock has been set")
	}
	out, status := k.Run("", "date", "-a", "200001020404")
	if status != 0 || !strings.Contains(out, "2000") {
		t.Errorf("date -a: %s[%d]", out, status)
	}
	var left abi.Timeval
	if err := sys.Adjtime(nil, &left); err != nil || left.Sec < 3000 || left.Sec > 3600 {
		t.Errorf("%d s are left to adjust, %v", left.Sec, err)
	}
	var buf strings.Builder
	if status := k.RunAs(t.Context(), 7, strings.NewReader(""), &buf, &buf, "date", "200001020304"); status != 1 ||
		buf.String() != "date: settimeofday: Operation not permitted\n" {
		t.Errorf("another user: %s[%d]", &buf, status)
	}
}
