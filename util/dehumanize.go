package util

import (
	"math"
	"strconv"
	"strings"
)

// Dehumanize reads a number with a unit or none, as "20M": dehumanize_number(3). The units are b, k, m, g, t, p and
// e, of either case, and count by 1024. It reports false if s is none or is beyond an int64.
func Dehumanize(s string) (int64, bool) {
	digits, shift := strings.TrimLeft(s, " \t\n\v\f\r"), 0
	if digits == "" {
		return 0, false
	}
	if unit := strings.IndexByte("bkmgtpe", digits[len(digits)-1]|0x20); unit >= 0 {
		digits, shift = digits[:len(digits)-1], 10*unit
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > math.MaxInt64>>shift || n < math.MinInt64>>shift {
		return 0, false
	}
	return n << shift, true
}
