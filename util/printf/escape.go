package printf

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// dialect is what escapes there are.
type dialect struct {
	zero    bool // an octal number begins with 0, which is not counted
	hex     bool // \x41
	vis     bool // \^c, \M-c and \M^c
	unknown bool // the backslash of an unknown one stays
}

var (
	formatEscapes   = dialect{hex: true}
	argumentEscapes = dialect{zero: true, hex: true, vis: true}
	echoEscapes     = dialect{zero: true, unknown: true}
)

// Escapes expands the escapes of echo -e; stop says that \c has ended the text.
func Escapes(text string) (expanded string, stop bool) {
	expanded, stop, _ = echoEscapes.all(text)
	return expanded, stop
}

// all expands the escapes of a text up to \c, which ends it. unknown are those that it does not know.
func (d dialect) all(text string) (expanded string, stop bool, unknown []string) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			b.WriteString(text)
			return b.String(), false, unknown
		}
		b.WriteString(text[:i])
		text = text[i:]
		if strings.HasPrefix(text, `\c`) {
			return b.String(), true, unknown
		}
		n, s, ok := d.expand(text)
		if !ok {
			unknown = append(unknown, text[:n])
		}
		b.WriteString(s)
		text = text[n:]
	}
}

// escapes has the escapes of one character.
var escapes = map[byte]string{
	'\\': `\`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
	'e': "\x1b", '\'': "'", '"': `"`,
}

// expand expands the escape that text begins with, and returns its length. It is not ok if it is unknown: what is behind the
// backslash stands for itself.
func (d dialect) expand(text string) (n int, expanded string, ok bool) {
	if len(text) < 2 {
		return 1, `\`, d.unknown
	}
	c := text[1]
	if s, ok := escapes[c]; ok {
		return 2, s, true
	}
	if d.vis && (c == '^' || c == 'M') {
		if n, b, ok := expandVis(text); ok {
			return n, string([]byte{b}), true
		}
	}
	switch {
	case d.zero && c == '0':
		n, s := code(text, 2, 3, 8)
		return n, s, true
	case c >= '0' && c <= '7':
		n, s := code(text, 1, 3, 8)
		return n, s, true
	case d.hex && c == 'x':
		n, s := code(text, 2, 2, 16)
		return n, s, true
	case d.unknown:
		return 2, text[:2], true
	}
	return 2, text[1:2], false
}

// code reads at most so many digits of a text from an offset on, and returns where they end and the byte that they stand for.
func code(text string, from, most, base int) (end int, s string) {
	set := hexDigits
	if base == 8 {
		set = hexDigits[:8]
	}
	end = from
	for end < len(text) && end < from+most && strings.IndexByte(set, text[end]) >= 0 {
		end++
	}
	v, _ := strconv.ParseUint("0"+text[from:end], base, 16)
	return end, string([]byte{byte(v)})
}

// expandVis expands \^c, \M-c and \M^c.
func expandVis(text string) (n int, b byte, ok bool) {
	rest, meta := text[1:], byte(0)
	if rest[0] == 'M' {
		rest, meta = rest[1:], 0x80
	}
	switch {
	case len(rest) < 2:
		return 0, 0, false
	case rest[0] == '-' && meta != 0:
		b = rest[1]
	case rest[0] == '^' && rest[1] == '?':
		b = 0x7f
	case rest[0] == '^':
		b = rest[1] & 0x1f
	default:
		return 0, 0, false
	}
	return len(text) - len(rest) + 2, b | meta, true
}

// visible are the escapes by what they stand for.
var visible = func() map[byte]byte {
	m := make(map[byte]byte)
	for c, s := range escapes {
		m[s[0]] = c
	}
	return m
}()

// Visible puts escapes in the place of what is not printable, and of backslashes and quotation marks: %B.
func Visible(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if e, ok := visible[c]; ok {
			b.WriteByte('\\')
			b.WriteByte(e)
			continue
		}
		b.WriteString(util.VisByte(c))
	}
	return b.String()
}
