package util

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MaxField is how wide or precise a Directive may be.
const MaxField = 1 << 16

// Directive is a conversion of printf(3), as utilities have it whose operands are formats: what stands between the percent
// sign and the letter.
type Directive struct {
	Flags     string // of "-+ #0", in any order
	Width     int    // at most MaxField; 0 is none
	Precision int    // at most MaxField; less than 0 is none
}

// has tells whether there is a flag.
func (d Directive) has(flag byte) bool { return strings.IndexByte(d.Flags, flag) >= 0 }

// pad pads to the width. Zeros go behind the prefix: a sign, "0x".
func (d Directive) pad(prefix, text string, zeros bool) string {
	missing := min(d.Width, MaxField) - len(prefix) - len(text)
	switch {
	case missing <= 0:
		return prefix + text
	case d.has('-'):
		return prefix + text + strings.Repeat(" ", missing)
	case zeros:
		return prefix + strings.Repeat("0", missing) + text
	}
	return strings.Repeat(" ", missing) + prefix + text
}

// String formats a text, of which the precision is the most bytes: %s.
func (d Directive) String(s string) string {
	if d.Precision >= 0 && d.Precision < len(s) {
		s = s[:d.Precision]
	}
	return d.pad("", s, false)
}

// sign is what stands before a signed number.
func (d Directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.has('+'):
		return "+"
	case d.has(' '):
		return " "
	}
	return ""
}

// Int formats a signed number: %d.
func (d Directive) Int(n int64) string {
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	return d.digits(d.sign(n < 0), strconv.FormatUint(u, 10))
}

// Uint formats an unsigned number by a letter of "uoxX".
func (d Directive) Uint(n uint64, letter byte) string {
	base := map[byte]int{'u': 10, 'o': 8, 'x': 16, 'X': 16}[letter]
	text, prefix := strconv.FormatUint(n, base), ""
	switch {
	case !d.has('#'):
	case letter == 'o' && n != 0 && d.Precision <= len(text):
		text = "0" + text
	case letter == 'o' && d.Precision == 0:
		return d.digits("0", "")
	case base == 16 && n != 0:
		prefix = "0x"
	}
	text = d.digits(prefix, text)
	if letter == 'X' {
		text = strings.ToUpper(text)
	}
	return text
}

// digits formats the digits of a number, of which the precision is the least.
func (d Directive) digits(prefix, text string) string {
	if d.Precision == 0 && text == "0" {
		text = ""
	}
	if missing := min(d.Precision, MaxField) - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	return d.pad(prefix, text, d.has('0') && d.Precision < 0)
}

// defaultPrecision is that of numbers with a fraction.
const defaultPrecision = 6

// Float formats a number with a fraction by a letter of "eEfFgG".
func (d Directive) Float(f float64, letter byte) string {
	prefix := d.sign(math.Signbit(f) && !math.IsNaN(f))
	upper := strings.IndexByte("EFG", letter) >= 0
	f = math.Abs(f)
	var text string
	switch {
	case math.IsNaN(f):
		text = "nan"
	case math.IsInf(f, 0):
		text = "inf"
	default:
		text = d.fraction(f, letter|0x20)
	}
	if upper {
		text = strings.ToUpper(text)
	}
	return d.pad(prefix, text, d.has('0') && !math.IsNaN(f) && !math.IsInf(f, 0))
}

// fraction formats a number by e, f or g.
func (d Directive) fraction(f float64, letter byte) string {
	precision := min(d.Precision, MaxField)
	if precision < 0 {
		precision = defaultPrecision
	}
	verb := "%.*" + string(letter)
	if d.has('#') {
		verb = "%#.*" + string(letter)
	}
	return fmt.Sprintf(verb, precision, f)
}
