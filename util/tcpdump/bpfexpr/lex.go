package bpfexpr

import (
	"fmt"
	"strings"
)

// Error is what is wrong with an expression, and where.
type Error struct {
	Expr   string
	Offset int // in bytes
	What   string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s at character %d of '%s'", e.What, e.Offset+1, e.Expr)
}

// token is a word or an operator of an expression.
type token struct {
	text string
	at   int
	// word says that it is a name, number or address; escaped that a backslash stood in front of it: it is no keyword then.
	word, escaped bool
}

// operators are those of more than one character, before those that begin them.
var operators = []string{"<=", ">=", "!=", "==", "<<", ">>", "&&", "||"}

const single = "()[]+-*/%&|^<>=!:"

// lex takes an expression apart. The last token is empty.
func lex(expr string) ([]token, error) {
	var tokens []token
	access := false // between brackets, where a colon stands before a size
	for i := 0; i < len(expr); {
		c := expr[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			i++
			continue
		}
		t, size := next(expr[i:], access)
		if size == 0 {
			return nil, &Error{expr, i, fmt.Sprintf("illegal character %q", c)}
		}
		access = t.text == "[" || access && t.text != "]"
		t.at = i
		tokens = append(tokens, t)
		i += size
	}
	return append(tokens, token{at: len(expr)}), nil
}

// next takes the token that s begins with, which may be within an access to the packet; its size is 0 if there is none.
func next(s string, access bool) (token, int) {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return token{text: op}, len(op)
		}
	}
	start := 0
	if s[0] == '\\' {
		start = 1
	}
	if n := wordLen(s[start:], access); n > 0 {
		return token{text: s[start : start+n], word: true, escaped: start > 0}, start + n
	}
	if start == 0 && strings.IndexByte(single, s[0]) >= 0 {
		return token{text: s[:1]}, 1
	}
	return token{}, 0
}

// wordLen is the length of the word that s begins with. A colon belongs to it where an address of IPv6 or Ethernet goes on, and a minus
// where a name does: after a letter, and before a letter or digit.
func wordLen(s string, access bool) int {
	n := 0
	for n < len(s) {
		c := s[n]
		switch {
		case alphanumeric(c) || c == '_' || c == '.':
		case c == ':' && !access && colonOfAddress(s, n):
		case c == '-' && n > 0 && n+1 < len(s) && hasLetter(s[:n]) && alphanumeric(s[n+1]):
		default:
			return n
		}
		n++
	}
	return n
}

// colonOfAddress says whether the colon at an offset is one of an address: hexadecimal digits are around it, or another colon.
func colonOfAddress(s string, at int) bool {
	for i := range at {
		if !isHex(s[i]) && s[i] != ':' && s[i] != '.' {
			return false
		}
	}
	if at == 0 {
		return strings.HasPrefix(s, "::")
	}
	group := at - 1 - strings.LastIndexByte(s[:at], ':')
	return group <= 4 && (at+1 == len(s) || s[at+1] == ':' || isHex(s[at+1]) || s[at-1] == ':')
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func alphanumeric(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' }

func hasLetter(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; 'a' <= c && c <= 'z' {
			return true
		}
	}
	return false
}
