// Package regex is the regular expressions of regcomp(3) and re_format(7) for utilities: POSIX basic ones, as ed(1) and
// sed(1) have them, and extended ones.
//
// A string is a sequence of bytes, as in the locale "C": a character is a byte, classes are those of ASCII. The match is
// the leftmost and, of several that begin there, the longest.
//
// An expression is parsed into a tree (parse.go, bracket.go). The tree is written in the syntax of Go's package regexp
// (translate.go), which finds in time linear in the text; where there are several longest matches the subexpressions are
// those that a greedy search meets first, which for an alternation may be others than POSIX's. What Go's regexp cannot
// express, a back-reference or the edge of a word, is found by a backtracking search over the tree (backtrack.go), whose
// effort is bounded: it fails with [ErrTooComplex] instead of going on for ever.
//
// It is not a replacement for package regexp in new formats: it is for what manual pages call a regular expression.
//
// Start reading at [Compile].
package regex

import (
	"regexp"
	"sync"
)

// Error is why an expression is none, in the words of regerror(3), or why a search was given up.
type Error string

func (e Error) Error() string { return string(e) }

// Errors of Compile.
const (
	ErrBackslash Error = `trailing backslash (\)`
	ErrSubexp    Error = "invalid backreference number"
	ErrBracket   Error = "brackets ([ ]) not balanced"
	ErrParen     Error = "parentheses not balanced"
	ErrBrace     Error = "braces not balanced"
	ErrCount     Error = "invalid repetition count(s)"
	ErrRange     Error = "invalid character range"
	ErrClass     Error = "invalid character class"
	ErrCollate   Error = "invalid collating element"
	ErrRepeat    Error = "repetition-operator operand invalid"
	ErrEmpty     Error = "empty (sub)expression"
	ErrSpace     Error = "out of memory" // too large, or too deep
)

// ErrTooComplex is why a search with back-references was given up: it would have taken too long.
const ErrTooComplex Error = "regular expression too complex"

// Limits of an expression.
const (
	maxPattern = 64 << 10 // bytes
	maxDepth   = 200      // of subexpressions
	maxCount   = 255      // RE_DUP_MAX
)

// Regexp is a compiled expression. It may be used by several goroutines.
type Regexp struct {
	tree   *node
	groups int  // subexpressions
	fold   bool // upper and lower case are the same

	begin *regexp.Regexp // for a search at the beginning of a text; nil if Go's regexp cannot express it
	later func() *regexp.Regexp
}

// Compile compiles a basic regular expression, or an extended one. Errors are an [Error].
func Compile(pattern string, extended bool) (*Regexp, error) {
	return compile(&parser{text: pattern, extended: extended})
}

// CompileFold is Compile of an expression for which upper and lower case are the same: REG_ICASE of regcomp(3).
func CompileFold(pattern string, extended bool) (*Regexp, error) {
	return compile(&parser{text: pattern, extended: extended, fold: true})
}

func compile(p *parser) (*Regexp, error) {
	tree, err := p.parse()
	if err != nil {
		return nil, err
	}
	re := &Regexp{tree: tree, groups: p.groups, fold: p.fold}
	if re.begin = translate(tree, true); re.begin != nil {
		re.later = sync.OnceValue(func() *regexp.Regexp { return translate(tree, false) })
	}
	return re, nil
}

// Groups returns the number of subexpressions.
func (re *Regexp) Groups() int { return re.groups }

// Text is a text that is searched in.
type Text struct {
	s     string
	ascii bool
}

// NewText returns a text to search in.
func NewText(s string) Text {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return Text{s, false}
		}
	}
	return Text{s, true}
}

// Matches tells whether an expression matches somewhere in a text. The error is [ErrTooComplex].
func (re *Regexp) Matches(s string) (bool, error) {
	found, err := re.Find(NewText(s), 0)
	return found != nil, err
}

// Find returns where the first match at or after the offset from begins and ends, followed by the same of each
// subexpression, which is -1 and -1 if that has matched nothing; nil if there is none. The beginning of the text is
// offset 0, whatever from is. The error is [ErrTooComplex].
func (re *Regexp) Find(t Text, from int) ([]int, error) {
	if re.begin == nil {
		return re.backtrack(t.s, from)
	}
	program := re.begin
	if from > 0 {
		program = re.later()
	}
	var found []int
	if t.ascii {
		found = program.FindStringSubmatchIndex(t.s[from:])
	} else {
		found = program.FindReaderSubmatchIndex(&byteRunes{t.s[from:]})
	}
	for i := range found {
		if found[i] >= 0 {
			found[i] += from
		}
	}
	return found, nil
}
