package ed

import (
	"strconv"

	"github.com/rumpctrl/rumpctrl/util/ed/regex"
)

// span is the addresses before a command: count of them were given, two at most.
type span struct{ first, second, count int }

// peek returns what comes next in the command, 0 at the end of it all.
func (e *editor) peek() byte {
	if e.pos < len(e.text) {
		return e.text[e.pos]
	}
	return 0
}

// next takes what comes next.
func (e *editor) next() byte {
	c := e.peek()
	if e.pos < len(e.text) {
		e.pos++
	}
	return c
}

// eat takes c if it comes next.
func (e *editor) eat(c byte) bool {
	if e.peek() != c {
		return false
	}
	e.pos++
	return true
}

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' && c != '\n' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (e *editor) skipBlanks() {
	for isBlank(e.peek()) {
		e.pos++
	}
}

// maxNumber is more than there are lines.
const maxNumber = 1 << 30

// number takes a number, or maxNumber if that is less.
func (e *editor) number() (int, error) {
	begin := e.pos
	for isDigit(e.peek()) {
		e.pos++
	}
	n, err := strconv.ParseInt(e.text[begin:e.pos], 10, 64)
	if err != nil {
		return 0, errNumber
	}
	return int(min(n, maxNumber)), nil
}

// addresses takes the addresses before a command: "1,5", ",", "/re/;+2". A semicolon makes the address before it
// the current line.
func (e *editor) addresses() (span, error) {
	s := span{e.current, e.current, 0}
	for {
		found, err := e.address(&s)
		if err != nil {
			return s, err
		}
		if !found {
			s.first = s.second // the last separator has nothing behind it
			break
		}
		if c := e.peek(); c != ',' && c != ';' {
			break
		}
		if e.next() == ';' {
			e.current = s.second
		}
	}
	if s.count = min(s.count, 2); s.count == 1 {
		s.first = s.second
	}
	return s, nil
}

// address takes an address and adds it to s, if there is one.
func (e *editor) address(s *span) (found bool, err error) {
	e.skipBlanks()
	var at int
	begin := e.pos
	switch c := e.peek(); c {
	case ',', ';', '%':
		e.pos++
		s.count++
		s.second = 1
		if c == ';' {
			s.second = e.current
		}
		at = e.buf.last()
	default:
		at, err = e.base()
	}
	if err == nil {
		at, err = e.offsets(at)
	}
	switch {
	case err != nil:
		return false, err
	case e.pos == begin:
		return false, nil
	case at < 0 || at > e.buf.last():
		return false, errAddress
	}
	s.count++
	s.first, s.second = s.second, at
	return true, nil
}

// base takes what offsets may follow. It is the current line if there is nothing.
func (e *editor) base() (int, error) {
	switch c := e.peek(); {
	case c == '.':
		e.pos++
	case c == '$':
		e.pos++
		return e.buf.last(), nil
	case isDigit(c):
		return e.number()
	case c == '/' || c == '?':
		re, err := e.pattern()
		if err != nil {
			return 0, err
		}
		e.eat(c)
		return e.search(re, c == '/')
	case c == '\'':
		e.pos++
		return e.marked(e.next())
	}
	return e.current, nil
}

// offsets takes the offsets behind a base: "+2", "-", "--", " 3".
func (e *editor) offsets(at int) (int, error) {
	for {
		c := e.peek()
		switch {
		case c == '+' || c == '-' || c == '^' || isBlank(c):
		case isDigit(c), c == '.', c == '$', c == '/', c == '?', c == '\'':
			return 0, errAddress // a base behind a base
		default:
			return at, nil
		}
		e.pos++
		e.skipBlanks()
		n := 1
		if isDigit(e.peek()) {
			var err error
			if n, err = e.number(); err != nil {
				return 0, err
			}
		} else if isBlank(c) {
			n = 0
		}
		if c == '-' || c == '^' {
			n = -n
		}
		at += n
	}
}

// marked returns the line that has a mark.
func (e *editor) marked(mark byte) (int, error) {
	if mark < 'a' || mark > 'z' {
		return 0, errMark
	}
	if n := e.buf.find(e.buf.marks[mark-'a']); n > 0 {
		return n, nil
	}
	return 0, errAddress
}

// search returns the next line in which an expression matches, or the one before. It goes round the end of the text,
// up to the current line.
func (e *editor) search(re *regex.Regexp, forward bool) (int, error) {
	step := 1
	if !forward {
		step = e.buf.last() // one less, but for 0, which is no line
	}
	lines := e.buf.last() + 1
	for n := e.current; ; {
		n = (n + step) % lines
		if n > 0 {
			if err := e.in.check(); err != nil {
				return 0, err
			}
			found, err := re.Matches(e.buf.at(n).text)
			if found || err != nil {
				return n, err
			}
		}
		if n == e.current {
			return 0, errNoMatch
		}
	}
}

// pattern takes a regular expression between delimiters, and leaves the second. An empty one is that of the last search.
func (e *editor) pattern() (*regex.Regexp, error) {
	delimiter := e.peek()
	if delimiter == ' ' {
		return nil, errDelimiter
	}
	if delimiter != '\n' {
		e.pos++
	}
	if c := e.peek(); c == '\n' || c == delimiter {
		if e.lastSearch == nil {
			return nil, errNoPattern
		}
		return e.lastSearch, nil
	}
	begin := e.pos
	if err := e.skipPattern(delimiter); err != nil {
		return nil, err
	}
	re, err := regex.Compile(e.text[begin:e.pos], e.extended)
	if err != nil {
		return nil, err
	}
	e.lastSearch = re
	return re, nil
}

// skipPattern goes to the delimiter that ends a regular expression, or to the end of the line. A delimiter behind
// a backslash or between brackets ends nothing.
func (e *editor) skipPattern(delimiter byte) error {
	for c := e.peek(); c != delimiter && c != '\n'; c = e.peek() {
		e.pos++
		switch c {
		case '\\':
			if e.next() == '\n' {
				return errBackslash
			}
		case '[':
			if !e.skipBracket() {
				return errBrackets
			}
		}
	}
	return nil
}

// skipBracket goes behind a bracket expression. It returns false if that has no end.
func (e *editor) skipBracket() bool {
	e.eat('^')
	e.eat(']')
	for {
		switch c := e.next(); c {
		case '\n':
			return false
		case ']':
			return true
		case '[':
			kind := e.peek()
			if kind != '.' && kind != ':' && kind != '=' {
				continue
			}
			e.pos++
			for before := byte(0); ; {
				c := e.next()
				if c == '\n' {
					return false
				}
				if c == ']' && before == kind {
					break
				}
				before = c
			}
		}
	}
}
