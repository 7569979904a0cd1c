package sh

import (
	"errors"
	"strings"
	"unicode/utf8"
)

var errTooLong = errors.New("word too long")

// field is a word of a command while it grows: its text, and the same as a pattern in which a backslash stands
// before what was quoted.
type field struct {
	text    strings.Builder
	pattern strings.Builder
	magic   bool // the pattern has a "*", "?" or "[" that was not quoted
	there   bool // something was quoted: it is a field even if it is empty
}

func (f *field) empty() bool { return f.text.Len() == 0 && !f.there }

// splitter gathers the fields that words expand to: XCU 2.6.5.
type splitter struct {
	ifs    string // the characters that split; empty for none
	raw    bool   // a backslash in a result quotes, as it does in a pattern
	fields []*field
	last   *field

	// afterBlank says that IFS white space ended the last field: another delimiter that follows
	// belongs to the same gap.
	afterBlank bool
	size       int
	err        error
}

func newSplitter(ifs string) *splitter { return &splitter{ifs: ifs, last: new(field)} }

// add appends text that does not split.
func (s *splitter) add(text string, quoted bool) {
	if quoted {
		s.last.there, s.afterBlank = true, false
	}
	if s.size += len(text); s.size > maxWord {
		s.err = errTooLong
		return
	}
	if text == "" {
		return
	}
	s.afterBlank = false
	s.last.text.WriteString(text)
	if !quoted && strings.ContainsAny(text, "*?[") {
		s.last.magic = true
	}
	if !quoted || !strings.ContainsAny(text, patternChars) {
		s.last.pattern.WriteString(text)
		return
	}
	for i := range len(text) {
		if strings.IndexByte(patternChars, text[i]) >= 0 {
			s.last.pattern.WriteByte('\\')
		}
		s.last.pattern.WriteByte(text[i])
	}
}

// patternChars are the characters that mean something in a pattern.
const patternChars = `*?[]\!-^`

// addResult appends the result of an expansion that was not quoted: it splits.
func (s *splitter) addResult(text string) {
	if s.ifs == "" {
		s.addUnquoted(text)
		return
	}
	for len(text) > 0 && s.err == nil {
		i := strings.IndexAny(text, s.ifs)
		if i < 0 {
			i = len(text)
		}
		s.addUnquoted(text[:i])
		if i == len(text) {
			return
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		s.delimit(r)
		text = text[i+size:]
	}
}

// addUnquoted appends text of an expansion: a backslash in it is itself and quotes nothing, but in a pattern.
func (s *splitter) addUnquoted(text string) {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 || s.raw {
			s.add(text, false)
			return
		}
		s.add(text[:i], false)
		there := s.last.there
		s.add(`\`, true)
		s.last.there = there
		text = text[i+1:]
	}
}

// delimit ends a field at a character of IFS.
func (s *splitter) delimit(r rune) {
	if r == ' ' || r == '\t' || r == '\n' {
		if !s.last.empty() {
			s.cut()
			s.afterBlank = true
		}
		return
	}
	if s.afterBlank {
		s.afterBlank = false
		return
	}
	s.cut()
}

// cut ends a field.
func (s *splitter) cut() {
	s.fields = append(s.fields, s.last)
	s.last = new(field)
	s.afterBlank = false
}

// finish returns the fields; the last one counts if there is anything in it.
func (s *splitter) finish() ([]*field, error) {
	if !s.last.empty() {
		s.cut()
	}
	return s.fields, s.err
}
