package regex

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestFind holds basic expressions against re_format(7) and the rules of POSIX, chapter 9.3.
func TestFind(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          []int
	}{
		{"b", "abc", []int{1, 2}},
		{"x", "abc", nil},
		{"", "abc", []int{0, 0}},
		{"a.c", "xabc", []int{1, 4}},
		{"ab*", "abbbc", []int{0, 4}},
		{"b*", "abbb", []int{0, 0}}, // ed(1): the null match is the leftmost
		{"*a", "b*a", []int{1, 3}},
		{"^*a", "*a", []int{0, 2}},
		{`\(*a\)`, "*a", []int{0, 2, 0, 2}},
		{"^b", "ab", nil},
		{"a^b", "a^b", []int{0, 3}},
		{"a$b", "a$b", []int{0, 3}},
		{"b$", "abab", []int{3, 4}},
		{"^$", "", []int{0, 0}},
		{`\(^a\)`, "ba", nil},
		{`\(b$\)c`, "bc", nil},
		{`a\{2\}`, "aaa", []int{0, 2}},
		{`a\{2,\}`, "baaa", []int{1, 4}},
		{`a\{0,2\}b`, "aaab", []int{1, 4}},
		{"a{2}", "a{2}", []int{0, 4}},
		{"(a|b)+?", "(a|b)+?", []int{0, 7}},
		{`\(a*\)\(b\)\{0,1\}`, "aab", []int{0, 3, 0, 2, 2, 3}},
		{`\(a\)*b`, "b", []int{0, 1, -1, -1}},
		{"[abc]*", "abcd", []int{0, 3}},
		{"[^abc]", "abcd", []int{3, 4}},
		{"[]a]*", "a]b", []int{0, 2}},
		{"[^]a]", "a]b", []int{2, 3}},
		{"[a-c-]*", "a-cd", []int{0, 3}},
		{`[\n]*`, `\nx`, []int{0, 2}},
		{"[[:digit:][:upper:]]*", "1Aa", []int{0, 2}},
		{"[[:punct:]]", "aZ5 !", []int{4, 5}},
		{"[[.-.]-/]*", "-./0", []int{0, 3}},
		{"[[=a=]b]*", "abc", []int{0, 2}},
		{`\.\*\[\]\\\/`, `.*[]\/`, []int{0, 6}},
		{".", "\xff", []int{0, 1}},
		{"\xc3.", "a\xc3\xa9", []int{1, 3}}, // a character is a byte
		{"[\x80-\xff]*$", "a\xc3\xa9", []int{1, 3}},
		{"a.b", "a\x00b", []int{0, 3}},
		{`\(.*\)\1`, "abab", []int{0, 4, 0, 2}},
		{`\(.\)\1`, "abccd", []int{2, 4, 2, 3}},
		{`^\(.*\),\1$`, "ab,ab", []int{0, 5, 0, 2}},
		{`^\(.*\),\1$`, "ab,abc", nil},
		{`\(a*\)b\1`, "aabaa", []int{0, 5, 0, 2}},
		{`\(\(a\)\2\)*b`, "aaaab", []int{0, 5, 2, 4, 2, 3}},
		{`\<b`, "ab b", []int{3, 4}},
		{`b\>`, "ba ab", []int{4, 5}},
		{"[[:<:]]_*[[:>:]]", "a ___", []int{2, 5}},
	} {
		re, err := Compile(c.pattern, false)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		if got, err := re.Find(NewText(c.text), 0); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%q in %q: %v %v, want %v", c.pattern, c.text, got, err, c.want)
		}
	}
}

// TestFold holds expressions without regard to case against REG_ICASE of regcomp(3).
func TestFold(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          []int
	}{
		{"aB", "xAb", []int{1, 3}},
		{"[a-c]*", "aBCd", []int{0, 3}},
		{"[^a]", "AaB", []int{2, 3}},
		{"[[:upper:]]*", "aBc1", []int{0, 3}},
		{"[Z-a]", "_", []int{0, 1}},
		{`\(a.\)\1`, "xabAB", []int{1, 5, 1, 3}},
		{"\xe9", "\xc9", nil}, // the locale is "C"
	} {
		re, err := CompileFold(c.pattern, false)
		if err != nil {
			t.Fatalf("%s: %v", c.pattern, err)
		}
		if got, err := re.Find(NewText(c.text), 0); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s in %s: %v, %v, want %v", c.pattern, c.text, got, err, c.want)
		}
	}
}

// TestExtended holds extended expressions against re_format(7).
func TestExtended(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          []int
	}{
		{"a|ab|abc", "xabcd", []int{1, 4}},
		{"(ab)+c?", "ababc", []int{0, 5, 2, 4}},
		{"a{2,3}", "aaaa", []int{0, 3}},
		{"a{x", "a{x", []int{0, 3}},
		{"()b", "ab", []int{1, 2, 1, 1}},
		{"(^a|b$)", "cab", []int{2, 3, 2, 3}},
		{`\(a\)\|`, "(a)|", []int{0, 4}},
		{`\1`, "1", []int{0, 1}},
		{`\<(a|ab)\>`, "abc ab", []int{4, 6, 4, 6}},
	} {
		re, err := Compile(c.pattern, true)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		if got, err := re.Find(NewText(c.text), 0); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%q in %q: %v %v, want %v", c.pattern, c.text, got, err, c.want)
		}
	}
}

// TestFrom checks that a search that begins later knows where the text begins.
func TestFrom(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		from          int
		want          []int
	}{
		{"a", "aba", 1, []int{2, 3}},
		{"^a", "aaa", 1, nil},
		{"b*", "ab", 2, []int{2, 2}},
		{`\<b`, "abb b", 1, []int{4, 5}},
		{`\(b\)\1`, "abbb", 2, []int{2, 4, 2, 3}},
		{"\xe9$", "\xe9\xe9", 1, []int{1, 2}},
	} {
		re, err := Compile(c.pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := re.Find(NewText(c.text), c.from); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%q in %q from %d: %v %v, want %v", c.pattern, c.text, c.from, got, err, c.want)
		}
	}
}

// TestErrors holds what is no expression against regcomp(3).
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		extended bool
		want     error
	}{
		{`a\`, false, ErrBackslash},
		{`\1`, false, ErrSubexp},
		{`\(a\1\)`, false, ErrSubexp},
		{"[a", false, ErrBracket},
		{"[]", false, ErrBracket},
		{"[a-", false, ErrBracket},
		{"[[.", false, ErrBracket},
		{`\(a`, false, ErrParen},
		{`a\)`, false, ErrParen},
		{`a\}`, false, ErrBrace},
		{`a\{1`, false, ErrBrace},
		{`a\{x\}`, false, ErrCount},
		{`a\{2,1\}`, false, ErrCount},
		{`a\{256\}`, false, ErrCount},
		{`a\{99999999999999999999\}`, false, ErrCount},
		{"[b-a]", false, ErrRange},
		{"[a-[:digit:]]", false, ErrRange},
		{"[[:nope:]]", false, ErrClass},
		{"[[.space.]]", false, ErrCollate},
		{"a**", false, ErrRepeat},
		{`\{1\}`, false, ErrRepeat},
		{strings.Repeat(`\(`, 300), false, ErrSpace},
		{strings.Repeat("a", maxPattern+1), false, ErrSpace},
		{"", true, ErrEmpty},
		{"a|", true, ErrEmpty},
		{"(|a)", true, ErrEmpty},
		{"(a", true, ErrParen},
		{"(", true, ErrParen},
		{"a)", true, ErrParen},
		{"*a", true, ErrRepeat},
		{"a+*", true, ErrRepeat},
		{"{1}", true, ErrRepeat},
		{"a{1", true, ErrBrace},
	} {
		if _, err := Compile(c.pattern, c.extended); err != c.want {
			t.Errorf("%.20q: %v, want %v", c.pattern, err, c.want)
		}
	}
}

// TestBounded checks that a search whose effort explodes is given up.
func TestBounded(t *testing.T) {
	for _, pattern := range []string{`\(\(a*\)*\)*b\1`, `\(a*\)\(a*\)\(a*\)\(a*\)\1x`, `\(\(a\)*\)*\1x`} {
		re, err := Compile(pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := re.Find(NewText(strings.Repeat("a", 100_000)), 0); !errors.Is(err, ErrTooComplex) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// TestLargeRepetition checks that what is too large for Go's regexp is found all the same.
func TestLargeRepetition(t *testing.T) {
	re, err := Compile(`\(\(a\{0,50\}\)\{50\}\)b`, false)
	if err != nil {
		t.Fatal(err)
	}
	if re.begin != nil {
		t.Error("Go's regexp takes it")
	}
	if got, err := re.Find(NewText(strings.Repeat("a", 60)+"b"), 0); err != nil || got == nil || got[1] != 61 {
		t.Errorf("%v %v", got, err)
	}
}

// FuzzFind checks that no expression or text makes a search panic, and that both ways of searching agree on where
// the match is.
func FuzzFind(f *testing.F) {
	for _, s := range []string{`\(a*\)b\1`, "[[:alpha:]]*$", `x\{2,3\}`, "^*.", "(a|b)+", `\<a\>`} {
		f.Add(s, "aab aab\xff", false)
		f.Add(s, "xxx\x00", true)
	}
	f.Fuzz(func(t *testing.T, pattern, text string, extended bool) {
		if len(pattern) > 64 || len(text) > 64 {
			return
		}
		re, err := Compile(pattern, extended)
		if err != nil {
			return
		}
		for from := range min(len(text)+1, 3) {
			got, err := re.Find(NewText(text), from)
			slow, slowErr := re.backtrack(text, from)
			if err != nil || slowErr != nil {
				continue
			}
			if (got == nil) != (slow == nil) || got != nil && !slices.Equal(got[:2], slow[:2]) {
				t.Errorf("%q in %q from %d: %v and %v", pattern, text, from, got, slow)
			}
		}
	})
}

// BenchmarkFind measures a search in a line of a common length.
func BenchmarkFind(b *testing.B) {
	re, err := Compile("needle[0-9]*$", false)
	if err != nil {
		b.Fatal(err)
	}
	text := NewText(strings.Repeat("hay ", 20) + "needle42")
	for b.Loop() {
		if found, _ := re.Find(text, 0); found == nil {
			b.Fatal("not found")
		}
	}
}
