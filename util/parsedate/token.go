package parsedate

import "strings"

// kind is what a token is.
type kind uint8

const (
	end         kind = iota
	number           // 17
	signed           // -17, +2
	epoch            // @1163721600
	ordinal          // last, this, next, third
	monthName        // 1 for January
	dayName          // 0 for Sunday
	unitMonths       // year: so many months
	unitSeconds      // week: so many seconds
	meridian         // am, pm: hours to add
	clock            // noon: an hour
	zoneName         // est: minutes east of Greenwich
	zoneSummer       // edt: those of its winter
	dst              // dst
	ago              // ago
	colon
	slash
	comma
	dot
)

// token is a part of a text.
type token struct {
	kind  kind
	value int
}

// maxDigits is how long a number may be, with its sign: one of that size fits all sums that are made of it.
const maxDigits = 11

// scan splits a text into tokens. Comments in parentheses are passed over, and signs that no digit follows.
func scan(text string) ([]token, error) {
	var list []token
	for text = strings.ToLower(text); text != ""; {
		n := 1
		var t token
		switch c := text[0]; {
		case isSpace(c):
		case c == '(':
			if n = comment(text); n == 0 {
				return nil, errSyntax
			}
		case isDigit(c):
			t, n = scanNumber(number, text, 0)
		case c == '@':
			t, n = scanNumber(epoch, text, 1)
		case c == '-' || c == '+':
			if len(text) > 1 && isDigit(text[1]) {
				t, n = scanNumber(signed, text, 1)
			}
		case isLetter(c):
			t, n = scanWord(text, len(list) > 0 && list[len(list)-1].kind == signed)
			if t.kind == end && n == 0 {
				return nil, errSyntax
			}
		default:
			i := strings.IndexByte(":/,.", c)
			if i < 0 {
				return nil, errSyntax
			}
			t.kind = colon + kind(i)
		}
		if n > maxDigits && t.kind <= epoch && t.kind != end || t.kind == epoch && n < 2 {
			return nil, errRange
		}
		if t.kind != end {
			list = append(list, t)
		}
		text = text[n:]
	}
	return list, nil
}

func isSpace(c byte) bool  { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// comment returns how long a comment is, with those inside it; 0 if it does not end.
func comment(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// scanNumber reads digits after a prefix and returns how long both are. The value of too many digits means nothing.
func scanNumber(k kind, text string, prefix int) (token, int) {
	t, n := token{kind: k}, prefix
	for ; n < len(text) && isDigit(text[n]); n++ {
		if n < maxDigits {
			t.value = t.value*10 + int(text[n]-'0')
		}
	}
	if text[0] == '-' {
		t.value = -t.value
	}
	return t, n
}

// scanWord reads a word and returns how long it is; 0 if it is unknown. After a date, "t" stands between that and a time.
func scanWord(text string, afterDate bool) (token, int) {
	n := 0
	for n < len(text) && (isLetter(text[n]) || text[n] == '.') {
		n++
	}
	word := text[:n]
	if word == "t" && afterDate && n < len(text) && isDigit(text[n]) {
		return token{}, n
	}
	for _, w := range []string{word, strings.TrimSuffix(word, "s"), strings.ReplaceAll(word, ".", "")} {
		if t, ok := lookup(w); ok {
			return t, n
		}
	}
	return token{}, 0
}

// lookup returns the token that a word is. Months and days may be cut to three letters.
func lookup(word string) (token, bool) {
	for i := range words {
		w := &words[i]
		short := (w.kind == monthName || w.kind == dayName) && len(w.text) > 3 && word == w.text[:3]
		if word == w.text || short {
			return token{w.kind, w.value}, true
		}
	}
	return token{}, false
}
