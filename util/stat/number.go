package stat

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// pad pads to the width: zeros go behind the sign or "0x" that the text begins with.
func (c *conversion) pad(prefix, text string, zeros bool) string {
	missing := c.width - len(prefix) - len(text)
	switch {
	case missing <= 0:
		return prefix + text
	case c.left:
		return prefix + text + strings.Repeat(" ", missing)
	case zeros:
		return prefix + strings.Repeat("0", missing) + text
	}
	return strings.Repeat(" ", missing) + prefix + text
}

// string is a text after its lead, which # leaves as it is.
func (c *conversion) string(text, lead string) string {
	if c.alternate {
		text = util.Vis(text, true)
	}
	text = lead + text
	if c.precision >= 0 && c.precision < len(text) {
		text = text[:c.precision]
	}
	return c.pad("", text, c.zero)
}

// integer is a number in one of the forms D, O, U and X, as printf(3) has it.
func (c *conversion) integer(n int64) string {
	base := map[byte]int{'D': 10, 'U': 10, 'O': 8, 'X': 16}[c.form]
	digits, sign := strconv.FormatUint(uint64(n), base), ""
	if c.form == 'D' {
		sign = c.sign(n)
		if n < 0 {
			digits = strconv.FormatUint(-uint64(n), base)
		}
	}
	if c.precision == 0 && n == 0 {
		digits = ""
	}
	if missing := c.precision - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	switch {
	case c.alternate && c.form == 'O' && !strings.HasPrefix(digits, "0"):
		digits = "0" + digits
	case c.alternate && c.form == 'X' && n != 0:
		sign = "0x"
	}
	return c.pad(sign, digits, c.zero && c.precision < 0)
}

// sign is what stands before a signed number.
func (c *conversion) sign(n int64) string {
	switch {
	case n < 0:
		return "-"
	case c.plus:
		return "+"
	case c.space:
		return " "
	}
	return ""
}

// maxFraction is how many digits a fraction of a second has; more are zeros.
const maxFraction = 9

// float is a time in seconds. The width counts the fraction too.
func (c *conversion) float(seconds int64, nanoseconds int64) string {
	whole := conversion{form: 'D', space: c.space, plus: c.plus, zero: c.zero, left: c.left, width: c.width, precision: -1}
	if c.precision == 0 {
		return whole.integer(seconds)
	}
	n := c.precision
	if n < 0 {
		n = maxFraction
	}
	whole.width -= n + 1
	const second = 1_000_000_000
	fraction := strconv.FormatInt(second+(nanoseconds%second+second)%second, 10)[1:]
	if n < maxFraction {
		fraction = fraction[:n]
	}
	return whole.integer(seconds) + "." + fraction + strings.Repeat("0", max(n-maxFraction, 0))
}
