package ls

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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
		s := vis(name, n == escape)
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

// cEscapes are the characters that have an escape of their own in vis(3) with VIS_CSTYLE.
var cEscapes = [256]string{
	'\n': `\n`, '\r': `\r`, '\b': `\b`, '\a': `\a`, '\v': `\v`, '\t': `\t`, '\f': `\f`, ' ': `\s`,
}

// vis encodes a name as vis(3) with VIS_OCTAL, VIS_WHITE and, for style, VIS_CSTYLE.
func vis(name string, style bool) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case style && cEscapes[c] != "":
			b.WriteString(cEscapes[c])
		case c == '\\':
			b.WriteString(`\\`)
		case c > ' ' && c < 0x7f:
			b.WriteByte(c)
		default:
			b.WriteByte('\\')
			b.WriteString(strconv.FormatUint(0o1000+uint64(c), 8)[1:])
		}
	}
	return b.String()
}

// isUTF8 tells whether the variables of the environment choose a UTF-8 locale.
func isUTF8(getenv func(string) string) bool {
	for _, v := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if l := strings.ToLower(getenv(v)); l != "" {
			return strings.Contains(l, "utf-8") || strings.Contains(l, "utf8")
		}
	}
	return false
}
