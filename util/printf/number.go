package printf

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// integer takes an argument that is a number.
func (f *formatter) integer() int64 {
	arg := f.next()
	if n, ok := characterCode(arg); ok {
		return n
	}
	return f.convertNumber(arg)
}

// unsigned takes an argument that is a number without a minus sign.
func (f *formatter) unsigned() uint64 {
	arg := f.next()
	if n, ok := characterCode(arg); ok {
		return uint64(n)
	}
	if strings.HasPrefix(strings.TrimLeft(arg, blanks), "-") {
		f.fail("%s: expected positive numeric value", arg)
		return 0
	}
	_, n, rest := split(arg)
	f.check(arg, rest, n == math.MaxUint64 && !maximum(arg))
	return n
}

// convertNumber is the number that an argument is: decimal, octal or hexadecimal, as a constant in C. An empty one is 0.
func (f *formatter) convertNumber(arg string) int64 {
	negative, n, rest := split(arg)
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	f.check(arg, rest, n > limit)
	n = min(n, limit)
	if negative {
		return -int64(n)
	}
	return int64(n)
}

const blanks = " \t\n\v\f\r"

// split is strtoul(3): it reads the number that s begins with, and returns what follows it. A number that is too large is the
// largest there is.
func split(s string) (negative bool, n uint64, rest string) {
	digits := strings.TrimLeft(s, blanks)
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		negative, digits = digits[0] == '-', digits[1:]
	}
	base, set := 10, "0123456789"
	switch {
	case len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' && isHex(digits[2]):
		base, set, digits = 16, hexDigits, digits[2:]
	case strings.HasPrefix(digits, "0"):
		base, set = 8, "01234567"
	}
	rest = strings.TrimLeft(digits, set)
	digits = digits[:len(digits)-len(rest)]
	if digits == "" {
		return false, 0, s
	}
	n, _ = strconv.ParseUint(digits, base, 64) // the largest if it is too large
	return negative, n, rest
}

const hexDigits = "0123456789abcdefABCDEF"

func isHex(c byte) bool { return strings.IndexByte(hexDigits, c) >= 0 }

// maximum tells whether a text is the largest number itself.
func maximum(arg string) bool {
	_, err := strconv.ParseUint(strings.TrimLeft(arg, blanks+"+"), 0, 64)
	return err == nil
}

// check complains of an argument of which something is left over, or that is out of range.
func (f *formatter) check(arg, rest string, outOfRange bool) {
	switch {
	case rest != "" && rest == arg:
		f.fail("%s: expected numeric value", arg)
	case rest != "":
		f.fail("%s: not completely converted", arg)
	case outOfRange:
		f.fail("%s: %s", arg, abi.ERANGE)
	}
}

// float takes an argument that is a number with a fraction.
func (f *formatter) float() float64 {
	arg := f.next()
	if n, ok := characterCode(arg); ok {
		return float64(n)
	}
	text := strings.TrimLeft(arg, blanks)
	for end := len(text); end > 0; end-- {
		v, err := strconv.ParseFloat(text[:end], 64)
		if err == nil || errors.Is(err, strconv.ErrRange) {
			f.check(arg, text[end:], err != nil)
			return v
		}
	}
	f.check(arg, arg, false)
	return 0
}

// characterCode returns the code of the character in an argument such as "'a".
func characterCode(arg string) (int64, bool) {
	if arg == "" || arg[0] != '\'' && arg[0] != '"' {
		return 0, false
	}
	if len(arg) == 1 {
		return 0, true
	}
	return int64(arg[1]), true
}
