package util

import (
	"math"
	"testing"
)

// TestDirective holds conversions against printf(3) of C: the results are those that the standard gives or implies.
func TestDirective(t *testing.T) {
	d := func(flags string, width, precision int) Directive { return Directive{flags, width, precision} }
	for _, c := range []struct{ got, want string }{
		{d("", 0, -1).Int(-5), "-5"},
		{d("", 4, -1).Int(5), "   5"},
		{d("-", 4, -1).Int(5), "5   "},
		{d("0", 4, -1).Int(-5), "-005"},
		{d("-0", 4, -1).Int(-5), "-5  "},
		{d("+", 0, -1).Int(5), "+5"},
		{d(" ", 0, -1).Int(5), " 5"},
		{d("+ ", 0, -1).Int(5), "+5"},
		{d("0", 6, 3).Int(5), "   005"},
		{d("", 0, 0).Int(0), ""},
		{d("", 2, 0).Int(0), "  "},
		{d("", 0, -1).Int(math.MinInt64), "-9223372036854775808"},
		{d("+", 0, -1).Uint(5, 'u'), "5"},
		{d("", 0, -1).Uint(math.MaxUint64, 'u'), "18446744073709551615"},
		{d("#", 0, -1).Uint(8, 'o'), "010"},
		{d("#", 0, 4).Uint(8, 'o'), "0010"},
		{d("#", 0, 0).Uint(0, 'o'), "0"},
		{d("#", 0, -1).Uint(0, 'o'), "0"},
		{d("#", 0, -1).Uint(255, 'x'), "0xff"},
		{d("#0", 8, -1).Uint(255, 'X'), "0X0000FF"},
		{d("#", 0, -1).Uint(0, 'x'), "0"},
		{d("07", 7, 7).Uint(0x1234, 'x'), "0001234"},
		{d("", 5, 2).String("abc"), "   ab"},
		{d("-", 5, -1).String("abc"), "abc  "},
		{d("0", 5, -1).String("abc"), "  abc"},
		{d("", 0, -1).Float(1.5, 'f'), "1.500000"},
		{d("", 0, -1).Float(1.5, 'e'), "1.500000e+00"},
		{d("", 0, -1).Float(1e100, 'E'), "1.000000E+100"},
		{d("", 0, -1).Float(1.5, 'g'), "1.5"},
		{d("", 0, -1).Float(100000, 'g'), "100000"},
		{d("", 0, -1).Float(1000000, 'g'), "1e+06"},
		{d("", 0, -1).Float(0.0001, 'G'), "0.0001"},
		{d("", 0, -1).Float(0.00001, 'G'), "1E-05"},
		{d("#", 0, -1).Float(1, 'g'), "1.00000"},
		{d("#", 0, 0).Float(1, 'f'), "1."},
		{d("0", 8, 2).Float(-1.5, 'f'), "-0001.50"},
		{d("", 0, -1).Float(math.Copysign(0, -1), 'f'), "-0.000000"},
		{d("0", 5, -1).Float(math.Inf(-1), 'f'), " -inf"},
		{d("", 0, -1).Float(math.NaN(), 'G'), "NAN"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
