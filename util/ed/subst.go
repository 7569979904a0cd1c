package ed

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/util/ed/regex"
)

// substitution is what the command s does; s without an expression does it again.
type substitution struct {
	re       *regex.Regexp // nil if there was none
	template string        // with its backslashes
	known    bool          // there is a template
	all      bool          // the suffix g
	nth      int           // only this match; the first if it is 0
	print    style
}

// substitute is the command s.
func (e *editor) substitute(c *command) error {
	take := e.newSubstitution
	switch letter := e.peek(); {
	case letter == '\n', letter == 'g', letter == 'p', letter == 'r', isDigit(letter):
		take = e.repeatedSubstitution
	}
	s, err := take()
	if err != nil {
		return err
	}
	if err := e.suffix(c); err != nil {
		return err
	}
	s.print |= c.print
	e.subst, c.print = s, 0
	e.change()
	any, last := false, e.current
	for n, todo := c.first, c.second-c.first+1; todo > 0; n, todo = n+1, todo-1 {
		if err := e.in.check(); err != nil {
			return err
		}
		added, err := e.substituteIn(n)
		if err != nil {
			return err
		}
		if added > 0 {
			n += added - 1
			any, last = true, n
			e.modified = true
			e.current = n
		}
	}
	e.current = last
	if !any && !e.global {
		return errNoMatch
	}
	if s.print == 0 {
		return nil
	}
	return e.show(e.current, e.current, s.print)
}

// newSubstitution takes an expression, a replacement and what to do with them.
func (e *editor) newSubstitution() (substitution, error) {
	s := substitution{template: e.subst.template, known: e.subst.known}
	if e.pos+1 < len(e.text) && e.text[e.pos+1] == '\n' {
		return s, errDelimiter
	}
	var err error
	delimiter := e.peek()
	if s.re, err = e.pattern(); err != nil {
		return s, err
	}
	if e.peek() == '\n' {
		s.template, s.known, s.print = "", true, printed
		return s, nil
	}
	e.pos++
	if err := e.template(&s, delimiter); err != nil {
		return s, err
	}
	if e.peek() == '\n' {
		s.print = printed
		return s, nil
	}
	e.eat(delimiter)
	if c := e.peek(); isDigit(c) && c != '0' {
		s.nth, err = e.number()
	} else {
		s.all = e.eat('g')
	}
	return s, err
}

// repeatedSubstitution takes what is different from the last one: a count, and g, p and r in any order.
func (e *editor) repeatedSubstitution() (substitution, error) {
	s := e.subst
	if s.re == nil {
		return s, errNoSubst
	}
	for {
		switch c := e.peek(); {
		case c == '\n':
			return s, nil
		case isDigit(c):
			n, err := e.number()
			if err != nil {
				return s, err
			}
			s.nth, s.all = n, false
			continue
		case c == 'g':
			s.nth, s.all = 0, !s.all
		case c == 'p':
			s.print = (s.print ^ printed) & printed
		case c == 'r':
			if e.lastSearch == nil {
				return s, errNoPattern
			}
			s.re = e.lastSearch
		default:
			return s, errSuffix
		}
		e.pos++
	}
}

// template takes the replacement and leaves the delimiter behind it, or the newline that ends the command. A newline
// within it has a backslash, or is followed by more in a command list.
func (e *editor) template(s *substitution, delimiter byte) error {
	if e.peek() == '%' && e.pos+1 < len(e.text) && e.text[e.pos+1] == delimiter {
		e.pos++
		if !s.known {
			return errNoSubst
		}
		return nil
	}
	var b strings.Builder
	for e.peek() != delimiter {
		c := e.next()
		if c == '\n' && e.pos == len(e.text) {
			e.pos--
			break
		}
		b.WriteByte(c)
		if c != '\\' {
			continue
		}
		c = e.next()
		b.WriteByte(c)
		if c == '\n' && e.pos == len(e.text) {
			if err := e.more(); err != nil {
				return err
			}
		}
		if b.Len() > maxLine {
			return errSpace
		}
	}
	s.template, s.known = b.String(), true
	return nil
}

// substituteIn substitutes in line n and returns the number of lines that are in its place; 0 if nothing matches.
func (e *editor) substituteIn(n int) (int, error) {
	text, changed, err := e.subst.in(e.buf.at(n).text)
	if err != nil || !changed {
		return 0, err
	}
	var with []*line
	for part := range strings.SplitSeq(text, "\n") {
		with = append(with, &line{text: part})
	}
	return len(with), e.buf.replace(n-1, 1, with)
}

// in returns what a line becomes, and whether anything in it matches.
func (s *substitution) in(line string) (text string, changed bool, err error) {
	in := regex.NewText(line)
	var out []byte
	done := 0 // how much of the line is in out
	for from, count := 0, 1; from == 0 || from < len(line); count++ {
		m, err := s.re.Find(in, from)
		if err != nil {
			return "", false, err
		}
		if m == nil {
			break
		}
		if s.nth == 0 || s.nth == count {
			out = s.apply(append(out, line[done:m[0]]...), line, m)
			done, changed = m[1], true
			if len(out) > maxLine {
				return "", false, errSpace
			}
		}
		if changed && !s.all {
			break
		}
		if s.all && m[1] == from && from < len(line) {
			return "", false, errEmptyMatch
		}
		if from = m[1]; m[0] == m[1] {
			from++ // the next match is behind it
		}
	}
	return string(append(out, line[done:]...)), changed, nil
}

// apply appends the replacement of a match.
func (s *substitution) apply(out []byte, line string, m []int) []byte {
	for i := 0; i < len(s.template); i++ {
		c, group := s.template[i], -1
		switch {
		case c == '&':
			group = 0
		case c == '\\' && i+1 < len(s.template):
			i++
			c = s.template[i]
			if n := int(c) - '0'; n >= 1 && n <= min(9, s.re.Groups()) {
				group = n
			}
		}
		switch {
		case group < 0:
			out = append(out, c)
		case m[2*group] >= 0:
			out = append(out, line[m[2*group]:m[2*group+1]]...)
		}
	}
	return out
}
