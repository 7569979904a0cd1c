package hexdump

import (
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// Limits of a format.
const (
	maxRepeat = 1 << 20 // iterations of a unit
	maxBlock  = 1 << 20 // bytes that a string takes
	maxField  = 1 << 10 // width or precision
)

// format is a format string.
type format struct {
	units []*unit
	size  int // how many bytes of the input it takes
}

// unit is a part of a format string: an iteration count, a byte count and a format in quotes.
type unit struct {
	repeat int
	given  bool // the iteration count was
	bytes  int  // the byte count; 0 is none
	parts  []part
	size   int // how many bytes an iteration takes
	rest   int // how many of them, at the end, no part prints
}

// bad is the error of a format.
func bad(text string) error { return util.Messagef("\"%s\": bad format", text) }

func isSpace(c byte) bool { return strings.IndexByte(" \t\n\v\f\r", c) >= 0 }

// scanner takes a format string apart.
type scanner struct{ rest string }

func (s *scanner) blanks() {
	for s.rest != "" && isSpace(s.rest[0]) {
		s.rest = s.rest[1:]
	}
}

// see tells whether a character comes next.
func (s *scanner) see(c byte) bool { return s.rest != "" && s.rest[0] == c }

// number takes digits, if there are any. A number that is too large is maxRepeat and one.
func (s *scanner) number() (n int, ok bool) {
	end := 0
	for end < len(s.rest) && s.rest[end] >= '0' && s.rest[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(s.rest[:end])
	if err != nil || n > maxRepeat {
		n = maxRepeat + 1
	}
	s.rest = s.rest[end:]
	return n, true
}

// parse parses a format string.
func parse(text string) (*format, error) {
	f := &format{}
	s := &scanner{text}
	for s.blanks(); s.rest != ""; s.blanks() {
		u, quoted, ok := s.unit()
		if !ok {
			return nil, bad(text)
		}
		if err := u.parse(quoted); err != nil {
			return nil, err
		}
		f.units = append(f.units, u)
		if f.size += u.size * u.repeat; f.size > maxBlock {
			return nil, bad(text)
		}
	}
	return f, nil
}

// unit takes a unit, whose format it returns apart.
func (s *scanner) unit() (u *unit, quoted string, ok bool) {
	u = &unit{repeat: 1}
	slash := false
	if n, ok := s.number(); ok {
		slash = s.see('/')
		if !slash && (s.rest == "" || !isSpace(s.rest[0])) || n > maxRepeat {
			return nil, "", false
		}
		u.repeat, u.given = n, true
	}
	s.blanks()
	if s.see('/') {
		s.rest = s.rest[1:]
		s.blanks()
	}
	if n, ok := s.number(); ok {
		if n > maxRepeat {
			return nil, "", false
		}
		u.bytes = n
		s.blanks()
	}
	if !s.see('"') {
		return nil, "", false
	}
	quoted, s.rest, ok = strings.Cut(s.rest[1:], `"`)
	return u, unescape(quoted), ok
}

// escapes are the characters behind a backslash that stand for another.
var escapes = map[byte]byte{'0': 0, 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// unescape puts characters in the place of escapes. Any other character behind a backslash is itself.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			c = s[i]
			if e, ok := escapes[c]; ok {
				c = e
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// extend repeats the last unit of a string until the block is used up, if it takes something and was given no count.
func (f *format) extend(block int) {
	if len(f.units) == 0 {
		return
	}
	last := f.units[len(f.units)-1]
	if last.size > 0 && !last.given && f.size < block {
		last.repeat += (block - f.size) / last.size
	}
}
