package regex

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// never is an expression of Go that nothing matches.
const never = `[^\x00-\x{10FFFF}]`

// translate returns a tree as Go's regexp has it, for texts in which a rune stands for a byte; nil if it has it
// not. The beginning of the text is where the search begins, or has gone by.
func translate(tree *node, atBegin bool) *regexp.Regexp {
	var b strings.Builder
	if !writeNode(&b, tree, atBegin) {
		return nil
	}
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil // too large for it
	}
	re.Longest()
	return re
}

// writeNode writes a node in Go's syntax and tells whether that can express it.
func writeNode(b *strings.Builder, n *node, atBegin bool) bool {
	switch n.op {
	case opSet:
		writeSet(b, n.set)
	case opCat:
		return writeAll(b, n.sub, "(?:", "", ")", atBegin)
	case opAlt:
		return writeAll(b, n.sub, "(?:", "|", ")", atBegin)
	case opGroup:
		return writeAll(b, n.sub, "(", "", ")", atBegin)
	case opRepeat:
		ok := writeAll(b, n.sub, "(?:", "", ")", atBegin)
		writeBound(b, n)
		return ok
	case opBegin:
		if atBegin {
			b.WriteString(`\A`)
		} else {
			b.WriteString(never)
		}
	case opEnd:
		b.WriteString(`\z`)
	default:
		return false
	}
	return true
}

func writeAll(b *strings.Builder, nodes []*node, begin, between, end string, atBegin bool) bool {
	b.WriteString(begin)
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(between)
		}
		if !writeNode(b, n, atBegin) {
			return false
		}
	}
	b.WriteString(end)
	return true
}

func writeBound(b *strings.Builder, n *node) {
	switch {
	case n.max < 0 && n.min == 0:
		b.WriteByte('*')
	case n.max < 0:
		fmt.Fprintf(b, "{%d,}", n.min)
	default:
		fmt.Fprintf(b, "{%d,%d}", n.min, n.max)
	}
}

// writeSet writes a set as a class of runes.
func writeSet(b *strings.Builder, s *set) {
	empty := true
	for low := 0; low < len(s); low++ {
		if !s[low] {
			continue
		}
		high := low
		for high+1 < len(s) && s[high+1] {
			high++
		}
		if empty {
			b.WriteByte('[')
			empty = false
		}
		fmt.Fprintf(b, `\x{%x}-\x{%x}`, low, high)
		low = high
	}
	if empty {
		b.WriteString(never)
		return
	}
	b.WriteByte(']')
}

// byteRunes reads a string with a rune for each byte.
type byteRunes struct{ rest string }

// ReadRune returns a byte as a rune of the size 1.
func (r *byteRunes) ReadRune() (rune, int, error) {
	if r.rest == "" {
		return 0, 0, io.EOF
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return rune(c), 1, nil
}
