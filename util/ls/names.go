package ls

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rumpctrl/rumpctrl/util"
)

// naming is how characters of a name that are not graphic are printed.
type naming int

const (
	raw      naming = iota // as they are: -w
	question               // as a question mark: -q
	octal                  // as a backslash and three octal digits: -B
	escape                 // as in C, or in octal: -b
)

// printed returns what is printed for a name and how many columns that takes. In a UTF-8 locale
// a character is a column, otherwise a byte is.
func (n naming) printed(name string, utf8Locale bool) (string, int) {
	switch n {
	case octal, escape:
		s := util.Vis(name, n == escape)
		return s, len(s)
	case question:
		return questioned(name, utf8Locale)
	}
	if utf8Locale {
		return name, utf8.RuneCountInString(name)
	}
	return name, len(name)
}

// questioned puts a question mark in place of what cannot be printed.
func questioned(name string, utf8Locale bool) (string, int) {
	var b strings.Builder
	columns := 0
	for i := 0; i < len(name); columns++ {
		r, size := rune(name[i]), 1
		if utf8Locale {
			r, size = utf8.DecodeRuneInString(name[i:])
		}
		switch {
		case r == utf8.RuneError && size == 1, !utf8Locale && r >= 0x7f, !unicode.IsPrint(r):
			b.WriteByte('?')
		default:
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String(), columns
}
