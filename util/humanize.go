package util

import (
	"fmt"
	"math/bits"
)

// Humanize says how Humanize prints a number.
type Humanize struct {
	Decimal bool // one decimal below 10: "1.5M"
	NoSpace bool // nothing between number and unit
	Bytes   bool // "B" for those that need no division
	SI      bool // divide by 1000, not by 1024
	Suffix  string
}

// maxScale is how often a number can be divided: to exa.
const maxScale = 6

// Format returns n with a unit (K, M, G, ...), in less than size bytes, as humanize_number(3) with
// HN_AUTOSCALE: size counts C's NUL. It reports false if that is not room enough.
func (h Humanize) Format(n int64, size int) (string, bool) {
	room := size - h.fixed(n < 0)
	if room < 1 {
		return "", false
	}
	limit := uint64(100)
	for ; room > 0 && limit < 1e18; room-- {
		limit *= 10
	}
	v := hundredths(n)
	scale := 0
	for ; !v.below(limit-50) && scale < maxScale; scale++ {
		v = v.div(h.divisor())
	}
	return h.print(n < 0, v.lo, scale, size)
}

// fixed returns how many characters besides the digits but the first there are.
func (h Humanize) fixed(negative bool) int {
	n := 2 + len(h.Suffix)
	if negative {
		n++
	}
	if !h.NoSpace {
		n++
	}
	return n
}

func (h Humanize) divisor() uint64 {
	if h.SI {
		return 1000
	}
	return 1024
}

// print prints v hundredths of the unit of a scale.
func (h Humanize) print(negative bool, v uint64, scale, size int) (string, bool) {
	sign, sep := "", " "
	if negative {
		sign = "-"
	}
	if h.NoSpace {
		sep = ""
	}
	if v < 995 && scale > 0 && h.Decimal {
		if size < h.fixed(negative)+3 {
			return "", false
		}
		tenths := (v + 5) / 10
		return fmt.Sprintf("%s%d.%d%s%s%s", sign, tenths/10, tenths%10, sep, h.unit(scale), h.Suffix), true
	}
	return fmt.Sprintf("%s%d%s%s%s", sign, (v+50)/100, sep, h.unit(scale), h.Suffix), true
}

// unit returns the letter of a scale.
func (h Humanize) unit(scale int) string {
	letters := "BKMGTPE"
	if h.SI {
		letters = "BkMGTPE"
	}
	if scale == 0 && !h.Bytes {
		return ""
	}
	return letters[scale : scale+1]
}

// wide is an unsigned number of 128 bits.
type wide struct{ hi, lo uint64 }

// hundredths returns |n| times 100.
func hundredths(n int64) (w wide) {
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	w.hi, w.lo = bits.Mul64(u, 100)
	return w
}

func (w wide) below(limit uint64) bool { return w.hi == 0 && w.lo < limit }

func (w wide) div(d uint64) wide {
	hi, rem := w.hi/d, w.hi%d
	lo, _ := bits.Div64(rem, w.lo, d)
	return wide{hi, lo}
}
