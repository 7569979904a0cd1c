package printf_test

import (
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/util/printf"
	"github.com/rumpctrl/rumpctrl/util/utiltest"
)

// TestFormat holds formats against printf(1) and printf(3).
func TestFormat(t *testing.T) {
	for _, c := range []struct {
		format string
		args   string // separated by commas
		want   string
		errs   string
	}{
		{"a", "", "a", ""},
		{"%s,", "a,b,c", "a,b,c,", ""},
		{"%s %s|", "a,b,c", "a b|c |", ""},
		{"100%%", "", "100%", ""},
		{"%5s|%-5s|%.2s", "ab,ab,abc", "   ab|ab   |ab", ""},
		{"%*s|%-*s|%.*s", "4,a,4,a,1,abc", "   a|a   |a", ""},
		{"%*s|", "-4,a", "a   |", ""},
		{"%d %i %5d %-5d| %05d %+d", "1,2,3,4,5,6", "1 2     3 4    | 00005 +6", ""},
		{"%d %d %d %d %d", "010,0x1f,-7,'a,\"b", "8 31 -7 97 98", ""},
		{"%u %o %x %X %#o %#x", "10,8,255,255,8,255", "10 10 ff FF 010 0xff", ""},
		{"%f %.2f %e %E %g %G", "1.5,2.345,1e10,1,0.00001,1e-5", "1.500000 2.35 1.000000e+10 1.000000E+00 1e-05 1E-05", ""},
		{"%c%c", "abc,", "a\x00", ""},
		{"%d|%s|%u|%f", "", "0||0|0.000000", ""},
		{`\a\b\f\n\r\t\v\\\'\"\e`, "", "\a\b\f\n\r\t\v\\'\"\x1b", ""},
		{`\101\60\x41\x4\0`, "", "A0A\x04\x00", ""},
		{`\1011`, "", "A1", ""},
		{"%b|", `a\n\0101\x41\^A\^?\M-a\M^A`, "a\nAA\x01\x7f\xe1\x81|", ""},
		{"%b|%s", `a\cb,x`, "a", ""},
		{"%5b|", `\t`, "    \t|", ""},
		{"%B", "a\n\x01\x7f\xe1\x81'\\", `a\n\^A\^?\M-a\M^A\'\\`, ""},
		{"%d", "x", "0", "x: expected numeric value"},
		{"%d", "3x", "3", "3x: not completely converted"},
		{"%d", "99999999999999999999", "9223372036854775807", "99999999999999999999: Result too large or too small"},
		{"%d", "-9223372036854775808", "-9223372036854775808", ""},
		{"%d", "-9223372036854775809", "-9223372036854775808", "-9223372036854775809: Result too large or too small"},
		{"%u", "18446744073709551615", "18446744073709551615", ""},
		{"%u", "18446744073709551616", "18446744073709551615", "18446744073709551616: Result too large or too small"},
		{"%u", "-1", "0", "-1: expected positive numeric value"},
		{"%f", "1.5x", "1.500000", "1.5x: not completely converted"},
		{"%f", "x", "0.000000", "x: expected numeric value"},
		{"a%", "", "a", "missing format character"},
		{"a%5", "", "a", "missing format character"},
		{"a%5q", "", "a", "%5q: invalid directive"},
		{"%*d", "99999999,1", "1", "99999999: invalid field width"},
		{"%99999999d", "1", "", "99999999: invalid field width"},
		{`\q`, "", "q", "unknown escape sequence `\\q'"},
		{"%b", `\q`, "q", "unknown escape sequence `\\q'"},
	} {
		var args []string
		if c.args != "" {
			args = strings.Split(c.args, ",")
		}
		got, errs := printf.Format(c.format, args)
		var texts []string
		for _, err := range errs {
			texts = append(texts, err.Error())
		}
		if all := strings.Join(texts, "; "); got != c.want || all != c.errs {
			t.Errorf("printf %q %q: %q [%s], want %q [%s]", c.format, args, got, all, c.want, c.errs)
		}
	}
}

// TestUtility holds messages and statuses against printf(1).
func TestUtility(t *testing.T) {
	k := utiltest.New(t)
	const usage = "Usage: printf format [arg ...]\n"
	k.Check([]utiltest.Step{
		{Cmd: `printf %s\n a b`, Out: "a\nb\n"},
		{Cmd: `printf -- -%s a`, Out: "-a"},
		{Cmd: `printf %d\n x`, Out: "0\nprintf: x: expected numeric value\n", Status: 1},
		{Cmd: "printf", Out: usage, Status: 1},
		{Cmd: "printf -x", Out: "printf: unknown option -- x\n" + usage, Status: 1},
	})
}

// FuzzFormat prints by any format: it ends, and does not panic.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"%5.2s%-*d", `%b\x41%B`, "%#08.3x%+e%g", `\M^?\^`} {
		f.Add(seed, "12", `a\cb`)
	}
	f.Fuzz(func(_ *testing.T, format, a, b string) {
		printf.Format(format, []string{a, b})
	})
}
