package sh

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// expansion expands one word, into the fields of a splitter: XCU 2.6.
type expansion struct {
	*shell
	out    *splitter
	assign bool // the word is the value of an assignment: a tilde may follow a colon
	split  bool // results that are not quoted split into fields
	nested bool // in the word of ${name-word}, which is such a result
}

// fields expands the words of a command to its arguments, file names among them.
func (s *shell) fields(words []*syntax.Word) ([]string, error) {
	var args []string
	for _, w := range words {
		e := expansion{shell: s, out: newSplitter(s.ifs()), split: true}
		if err := e.parts(w.Parts, false, true); err != nil {
			return nil, err
		}
		list, err := e.out.finish()
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			if names := s.glob(f); names != nil {
				args = append(args, names...)
			} else {
				args = append(args, f.text.String())
			}
		}
	}
	return args, nil
}

// one expands a word to one field.
func (s *shell) one(w *syntax.Word, assign, quoted bool) (*field, error) {
	e := expansion{shell: s, out: newSplitter(""), assign: assign}
	if w != nil {
		if err := e.parts(w.Parts, quoted, true); err != nil {
			return nil, err
		}
	}
	return e.out.last, e.out.err
}

// literal expands a word to text.
func (s *shell) literal(w *syntax.Word) (string, error) {
	f, err := s.one(w, false, false)
	if err != nil {
		return "", err
	}
	return f.text.String(), nil
}

// pattern expands a word to a pattern: what is quoted in it matches itself.
func (s *shell) pattern(w *syntax.Word) (string, error) {
	e := expansion{shell: s, out: newSplitter("")}
	e.out.raw = true
	if w != nil {
		if err := e.parts(w.Parts, false, true); err != nil {
			return "", err
		}
	}
	return e.out.last.pattern.String(), e.out.err
}

// declaration expands a word "name=value" of a builtin that declares.
func (s *shell) declaration(w *syntax.Word) (string, error) {
	first := w.Parts[0].(*syntax.Lit)
	name, text, _ := strings.Cut(first.Value, "=")
	value := &syntax.Word{Parts: w.Parts[1:]}
	if text != "" {
		lit := &syntax.Lit{ValuePos: first.ValuePos, ValueEnd: first.ValueEnd, Value: text}
		value.Parts = append([]syntax.WordPart{lit}, value.Parts...)
	}
	expanded, err := s.assignmentValue(value)
	return name + "=" + expanded, err
}

// assignmentValue expands the value of an assignment.
func (s *shell) assignmentValue(w *syntax.Word) (string, error) {
	f, err := s.one(w, true, false)
	if err != nil {
		return "", err
	}
	return f.text.String(), nil
}

// redirectWord expands what follows a redirection operator.
func (s *shell) redirectWord(w *syntax.Word) (string, error) { return s.literal(w) }

// document expands the text of a here-document.
func (s *shell) document(w *syntax.Word) (string, error) {
	e := expansion{shell: s, out: newSplitter("")}
	for _, part := range w.Parts {
		var err error
		if lit, ok := part.(*syntax.Lit); ok {
			e.out.add(unescape(lit.Value, "$`\\"), true)
		} else {
			err = e.part(part, true)
		}
		if err != nil {
			return "", err
		}
	}
	return e.out.last.text.String(), e.out.err
}

// parts expands parts of a word, in double quotes or not. A tilde may stand at the start of a word.
func (e *expansion) parts(parts []syntax.WordPart, quoted, start bool) error {
	for i, part := range parts {
		lit, ok := part.(*syntax.Lit)
		switch {
		case ok && quoted:
			e.out.add(unescape(lit.Value, "$`\"\\"), true)
		case ok:
			e.lit(lit.Value, start && i == 0, i == len(parts)-1)
		default:
			if err := e.part(part, quoted); err != nil {
				return err
			}
		}
	}
	return e.out.err
}

// part expands a part of a word that is no mere text.
func (e *expansion) part(part syntax.WordPart, quoted bool) error {
	switch part := part.(type) {
	case *syntax.SglQuoted:
		if quoted { // within ${name-word} in double quotes they are nothing special
			e.out.add("'"+part.Value+"'", true)
		} else {
			e.out.add(part.Value, true)
		}
		return nil
	case *syntax.DblQuoted:
		return e.doubleQuoted(part)
	case *syntax.ParamExp:
		return e.param(part, quoted)
	case *syntax.CmdSubst:
		text, err := e.substitute(part)
		if err != nil {
			return err
		}
		e.result(text, quoted)
		return nil
	case *syntax.ArithmExp:
		n, err := e.arithmetic(part.X)
		if err != nil {
			return err
		}
		e.result(fmt.Sprint(n), quoted)
		return nil
	}
	return fmt.Errorf("syntax error: %T is not of the POSIX shell", part)
}

// doubleQuoted expands what is in double quotes, which are a field even if nothing is in them but for "$@" of
// nothing.
func (e *expansion) doubleQuoted(q *syntax.DblQuoted) error {
	nothing := len(q.Parts) > 0 && len(e.params) == 0
	for _, part := range q.Parts {
		p, ok := part.(*syntax.ParamExp)
		nothing = nothing && ok && p.Param.Value == "@" && p.Exp == nil && !p.Length
	}
	if nothing {
		return nil
	}
	e.out.add("", true)
	return e.parts(q.Parts, true, false)
}

// result adds what an expansion resulted in.
func (e *expansion) result(text string, quoted bool) {
	switch {
	case quoted:
		e.out.add(text, true)
	case e.split:
		e.out.addResult(text)
	default:
		e.out.addUnquoted(text)
	}
}

// lit adds text of a word outside quotes. A backslash quotes the character after it.
func (e *expansion) lit(text string, start, end bool) {
	if start {
		text = e.tilde(text, end)
	}
	for text != "" {
		i := strings.IndexAny(text, `\:`)
		switch {
		case i < 0 || i == len(text)-1 && text[i] == ':':
			e.plain(text)
			return
		case text[i] == ':':
			e.plain(text[:i+1])
			text = text[i+1:]
			if e.assign {
				text = e.tilde(text, end)
			}
		case i == len(text)-1:
			e.plain(text[:i])
			e.out.add(`\`, true)
			return
		default:
			e.plain(text[:i])
			_, size := utf8.DecodeRuneInString(text[i+1:])
			e.out.add(text[i+1:i+1+size], true)
			text = text[i+1+size:]
		}
	}
}

// plain adds text that is not quoted.
func (e *expansion) plain(text string) {
	if e.nested {
		e.result(text, false)
	} else {
		e.out.add(text, false)
	}
}

// tilde expands a tilde and a user's name at the start of text, and returns the rest. The name ends at a slash, in an
// assignment at a colon, or with the word.
func (e *expansion) tilde(text string, end bool) string {
	name, ok := strings.CutPrefix(text, "~")
	if !ok {
		return text
	}
	stops := "/"
	if e.assign {
		stops = "/:"
	}
	rest := ""
	if i := strings.IndexAny(name, stops); i >= 0 {
		name, rest = name[:i], name[i:]
	} else if !end {
		return text // a part that follows is in the name, and may be quoted
	}
	if strings.Contains(name, `\`) {
		return text
	}
	home, ok := e.vars.get("HOME")
	if name != "" {
		home, ok = e.homeOf(name)
	}
	if !ok {
		return text
	}
	e.out.add(home, true)
	return rest
}

// unescape removes the backslashes that stand before the given characters.
func unescape(text, special string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && strings.IndexByte(special, text[i+1]) >= 0 {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// substitute runs a command substitution and returns its output without the newlines at its end.
func (s *shell) substitute(c *syntax.CmdSubst) (string, error) {
	ctx, done := s.foreground()
	defer done()
	child, err := s.fork(ctx)
	if err != nil {
		s.cannotFork(err)
		return "", errTold
	}
	out := new(captured)
	child.fds.set(1, newDescription(out))
	child.last = len(c.Stmts) == 1 && endsShell(c.Stmts[0])
	s.substStatus = child.run(c.Stmts)
	text := strings.ReplaceAll(out.text(), "\x00", "")
	return strings.TrimRight(text, "\n"), nil
}

// passwdHome finds the home directory of a user in the text of a passwd(5).
func passwdHome(text, user string) (string, bool) {
	const homeField = 5
	for line := range strings.Lines(text) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(parts) > homeField && parts[0] == user {
			return parts[homeField], true
		}
	}
	return "", false
}
