package util

import (
	"strconv"
	"strings"
)

// cEscapes are the characters that have an escape of their own in vis(3) with VIS_CSTYLE.
var cEscapes = [256]string{
	'\n': `\n`, '\r': `\r`, '\b': `\b`, '\a': `\a`, '\v': `\v`, '\t': `\t`, '\f': `\f`, ' ': `\s`,
}

// Vis encodes a name as vis(3) with VIS_OCTAL, VIS_WHITE and, for style, VIS_CSTYLE.
func Vis(name string, style bool) string {
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

// VisByte encodes a byte that is not printable as vis(3) does without flags: \^C, \M^C, \M-C. A printable one is itself.
func VisByte(c byte) string {
	if c >= ' ' && c <= '~' {
		return string([]byte{c})
	}
	lead, low := `\`, c&0x7f
	if c != low {
		lead = `\M`
	}
	switch {
	case low == 0x7f:
		return lead + "^?"
	case low < ' ':
		return lead + string([]byte{'^', low | 0x40})
	}
	return lead + string([]byte{'-', low})
}
