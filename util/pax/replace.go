package pax

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// replacement is a -s: "/old/new/[gps]".
type replacement struct {
	re       *regexp.Regexp
	to       []piece
	global   bool // g
	print    bool // p
	notLinks bool // s: not the text of symbolic links
}

// piece is a part of what is put in place of a match: a text, or a group of the match.
type piece struct {
	text  string
	group int // -1 for a text
}

// parseReplacement parses a -s.
func parseReplacement(s string) (*replacement, error) {
	if s == "" {
		return nil, util.Messagef("Empty replacement string")
	}
	parts := cutAt(s[1:], s[0])
	if len(parts) < 3 {
		return nil, util.Messagef("Invalid replacement string %s", s)
	}
	expr, err := basicRegexp(parts[0])
	if err != nil {
		return nil, util.Messagef("%s while compiling regular expression %s", err, parts[0])
	}
	r := &replacement{}
	if r.re, err = regexp.Compile(expr); err != nil {
		return nil, util.Messagef("%s while compiling regular expression %s", err, parts[0])
	}
	r.re.Longest()
	if r.to, err = parsePieces(parts[1], r.re.NumSubexp()); err != nil {
		return nil, err
	}
	for _, flag := range strings.Join(parts[2:], s[:1]) {
		switch flag {
		case 'g', 'G':
			r.global = true
		case 'p', 'P':
			r.print = true
		case 's', 'S':
			r.notLinks = true
		default:
			return nil, util.Messagef("Invalid replacement string option %s", s)
		}
	}
	return r, nil
}

// cutAt divides s at a byte that no backslash precedes, twice at most.
func cutAt(s string, at byte) []string {
	var parts []string
	for from, i := 0, 0; ; i++ {
		switch {
		case i >= len(s) || len(parts) == 2:
			return append(parts, s[from:])
		case s[i] == '\\' && i+1 < len(s):
			i++
		case s[i] == at:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
}

// parsePieces parses what is put in place of a match: "&" is all of it, "\1" a group.
func parsePieces(s string, groups int) ([]piece, error) {
	var list []piece
	text := ""
	add := func(group int) {
		if text != "" {
			list = append(list, piece{text, -1})
		}
		text = ""
		list = append(list, piece{"", group})
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '&':
			add(0)
		case s[i] == '\\' && i+1 < len(s) && s[i+1] >= '1' && s[i+1] <= '9':
			i++
			if int(s[i]-'0') > groups {
				return nil, util.Messagef("Replacement refers to group %c, which the expression does not have", s[i])
			}
			add(int(s[i] - '0'))
		case s[i] == '\\' && i+1 < len(s):
			i++
			text += s[i : i+1]
		default:
			text += s[i : i+1]
		}
	}
	if text != "" {
		list = append(list, piece{text, -1})
	}
	return list, nil
}

// substitute applies the first -s that matches to a name, and returns what that prints. The text of a symbolic link may be
// exempt.
func (j *job) substitute(name string, symlink bool) (to, shown string) {
	for _, r := range j.replace {
		if symlink && r.notLinks {
			continue
		}
		to, ok := r.apply(name)
		if !ok {
			continue
		}
		if r.print {
			shown = fmt.Sprintf("%s >> %s\n", name, to)
			if to == "" {
				shown = fmt.Sprintf("%s >> <empty string>\n", name)
			}
		}
		return to, shown
	}
	return name, ""
}

// apply replaces the match in a name, or with g one after the other, and tells whether there was any.
func (r *replacement) apply(name string) (string, bool) {
	var b strings.Builder
	rest, found := name, false
	for {
		at := r.re.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		found = true
		b.WriteString(rest[:at[0]])
		for _, p := range r.to {
			switch {
			case p.group < 0:
				b.WriteString(p.text)
			case at[2*p.group] >= 0:
				b.WriteString(rest[at[2*p.group]:at[2*p.group+1]])
			}
		}
		rest = rest[at[1]:]
		if !r.global || rest == "" || at[1] == 0 {
			break
		}
	}
	b.WriteString(rest)
	return b.String(), found
}

// basicRegexp translates a basic regular expression of re_format(7) into one of package regexp, which has nothing to express
// a reference back to a group with: that is an error.
func basicRegexp(s string) (string, error) {
	var b strings.Builder
	b.WriteString("(?s)")
	start := true // of the expression or a group: "*" is a star there, "^" an anchor
	for i := 0; i < len(s); i++ {
		c := s[i]
		was := start
		start = false
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			text, err := escape(s, &i)
			if err != nil {
				return "", err
			}
			start = text == "("
			b.WriteString(text)
		case c == '[':
			end := bracketEnd(s[i:])
			if end < 0 {
				return "", util.Messagef("brackets ([ ]) not balanced")
			}
			inside := s[i+1 : i+end]
			if strings.Contains(inside, "[.") || strings.Contains(inside, "[=") {
				return "", util.Messagef("collating elements are not supported")
			}
			b.WriteString(bracket(inside))
			i += end
		case c == '^' && was:
			b.WriteByte('^')
			start = true
		case c == '*' && !was, c == '.', c == '$' && (i+1 == len(s) || strings.HasPrefix(s[i+1:], `\)`)):
			b.WriteByte(c)
		default:
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		}
	}
	return b.String(), nil
}

// escape translates what follows a backslash at s[*i].
func escape(s string, i *int) (string, error) {
	c := s[*i]
	switch {
	case c == '(' || c == ')':
		return string(c), nil
	case c == '{':
		end := strings.Index(s[*i:], `\}`)
		if end < 0 {
			return "", util.Messagef("braces not balanced")
		}
		text := s[*i : *i+end]
		*i += end + 1
		return text + "}", nil
	case c >= '1' && c <= '9':
		return "", util.Messagef("references back to a group are not supported")
	}
	return regexp.QuoteMeta(string(c)), nil
}

// bracketEnd returns where a bracket expression ends that s begins with, or -1.
func bracketEnd(s string) int {
	i := 1
	if i < len(s) && s[i] == '^' {
		i++
	}
	if i < len(s) && s[i] == ']' {
		i++
	}
	for ; i < len(s); i++ {
		switch {
		case s[i] == ']':
			return i
		case s[i] == '[' && i+1 < len(s) && strings.IndexByte(":.=", s[i+1]) >= 0:
			end := strings.Index(s[i+2:], s[i+1:i+2]+"]")
			if end < 0 {
				return -1
			}
			i += end + 3
		}
	}
	return -1
}

// bracket translates the inside of a bracket expression, in which a backslash is itself.
func bracket(s string) string {
	var b strings.Builder
	b.WriteByte('[')
	if strings.HasPrefix(s, "^") {
		b.WriteByte('^')
		s = s[1:]
	}
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "[:"):
			end := strings.Index(s[i:], ":]") + 2
			b.WriteString(s[i : i+end])
			i += end - 1
		case s[i] == '\\' || s[i] == '[' || s[i] == ']' || s[i] == '^' || s[i] == '&' || s[i] == '~':
			b.WriteString(`\` + s[i:i+1])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String() + "]"
}
