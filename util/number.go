package util

import (
	"math"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxFactors is how many numbers a product may have: strsuftoll(3) goes no deeper.
const maxFactors = 17

// units are the suffixes of a number: dd(1).
var units = [...]struct {
	suffix byte
	bytes  int64
}{
	{'b', 512}, {'k', 1 << 10}, {'m', 1 << 20}, {'g', 1 << 30}, {'t', 1 << 40}, {'w', 4},
}

// ParseNumber is strsuftoll(3): it reads a number or a product of numbers ("2x4k"), each with a suffix or none.
// desc is what a message calls it. Every factor's remaining product must be within least
// and most. The errors have the texts of strsuftoll(3).
func ParseNumber(desc, s string, least, most int64) (int64, error) {
	factors := strings.FieldsFunc(s, func(r rune) bool { return r == 'x' || r == '*' })
	if len(factors) > maxFactors {
		return 0, Messagef("%s: Recursion limit exceeded", desc)
	}
	if strings.Count(s, "x")+strings.Count(s, "*") != max(len(factors)-1, 0) {
		return 0, illegal(desc, s)
	}
	n := int64(1)
	for i := len(factors) - 1; i >= 0; i-- {
		f, err := parseFactor(desc, factors[i])
		if err != nil {
			return 0, err
		}
		n, err = multiply(desc, n, f)
		if err != nil {
			return 0, err
		}
		if n < least {
			return 0, Messagef("%s %d is less than %d.", desc, n, least)
		}
		if n > most {
			return 0, Messagef("%s %d is greater than %d.", desc, n, most)
		}
	}
	if len(factors) == 0 {
		return 0, illegal(desc, s)
	}
	return n, nil
}

func illegal(desc, s string) error {
	return Messagef("%s `%s': illegal number", desc, s)
}

func parseFactor(desc, s string) (int64, error) {
	num, unit := strings.TrimLeft(s, " \t\n\v\f\r"), int64(1)
	if num == "" {
		return 0, illegal(desc, s)
	}
	for _, u := range units {
		if num[len(num)-1] == u.suffix {
			num, unit = num[:len(num)-1], u.bytes
			break
		}
	}
	if strings.Contains(num, "_") {
		return 0, illegal(desc, s)
	}
	n, err := strconv.ParseInt(num, 10, 64)
	if ne, is := err.(*strconv.NumError); is && ne.Err == strconv.ErrRange {
		return 0, Messagef("%s: %s", desc, abi.ERANGE)
	}
	if err != nil {
		return 0, illegal(desc, s)
	}
	return multiply(desc, n, unit)
}

// multiply is a*b, or ERANGE.
func multiply(desc string, a, b int64) (int64, error) {
	if a == 0 || b == 0 {
		return 0, nil
	}
	p := a * b
	if p/b != a || a == math.MinInt64 || b == math.MinInt64 {
		return 0, Messagef("%s: %s", desc, abi.ERANGE)
	}
	return p, nil
}
