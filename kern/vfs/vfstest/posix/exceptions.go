package posix

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

//go:embed exceptions.txt
var exceptionsFile string

// reason is why checks give something else than pjdfstest has it, or are left out.
type reason struct {
	title  string
	source string
}

// exception is a line of exceptions.txt: checks of which something else is expected, or nothing.
type exception struct {
	line   int
	reason *reason
	// cases is a pattern of path.Match.
	cases string
	// from and to are numbers of checks; 0 means all of a case, steps too.
	from, to int
	// vars are values of loops' variables that a row must have.
	vars map[string]string
	// given is what pjdfstest has; empty for anything.
	given string
	// word is something that a row says; empty for anything.
	word string
	// call is the word of a row's last call; empty for any.
	call string
	// fs is the one file system that it applies to; empty for all.
	fs string
	// want is what the checks give instead; nil leaves them out.
	want []string
	// used says that there was a row that it applies to.
	used bool
}

type exceptions struct {
	list []*exception
}

func readExceptions() (*exceptions, error) {
	x, err := parseExceptions(strings.NewReader(exceptionsFile))
	if err != nil {
		return nil, fmt.Errorf("exceptions.txt: %w", err)
	}
	return x, nil
}

// parseExceptions reads reasons, "== TITLE" and "source: WHERE", each before lines of the form
// "CASE [N|N-M] [fs=NAME] [word=WORD] [call=NAME] [want=WHAT] [VARIABLE=VALUE...] [-> WANT]".
func parseExceptions(r io.Reader) (*exceptions, error) {
	x := &exceptions{}
	var why *reason
	sc := bufio.NewScanner(r)
	for num := 1; sc.Scan(); num++ {
		text := strings.TrimSpace(sc.Text())
		switch {
		case text == "" || text[0] == '#':
		case strings.HasPrefix(text, "== "):
			why = &reason{title: text[3:]}
		case why == nil:
			return nil, fmt.Errorf("line %d: no reason", num)
		case strings.HasPrefix(text, "source: "):
			why.source = text[len("source: "):]
		default:
			e := &exception{line: num, reason: why, vars: map[string]string{}}
			if err := e.parse(text); err != nil {
				return nil, fmt.Errorf("line %d: %s: %w", num, text, err)
			}
			x.list = append(x.list, e)
		}
	}
	return x, sc.Err()
}

func (e *exception) parse(text string) error {
	if left, want, ok := strings.Cut(text, " -> "); ok {
		text, e.want = left, strings.Split(want, "|")
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return fmt.Errorf("no case")
	}
	e.cases = words[0]
	if _, err := path.Match(e.cases, ""); err != nil {
		return err
	}
	for _, w := range words[1:] {
		name, value, ok := strings.Cut(w, "=")
		switch {
		case ok && name == "fs":
			e.fs = value
		case ok && name == "word":
			e.word = value
		case ok && name == "call":
			e.call = value
		case ok && name == "want":
			e.given = value
		case ok:
			e.vars[name] = value
		default:
			if err := e.numbers(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// numbers reads N or N-M.
func (e *exception) numbers(w string) (err error) {
	from, to, ranged := strings.Cut(w, "-")
	if !ranged {
		to = from
	}
	if e.from, err = strconv.Atoi(from); err != nil {
		return err
	}
	if e.to, err = strconv.Atoi(to); err != nil {
		return err
	}
	if e.from < 1 || e.to < e.from {
		return fmt.Errorf("no numbers of checks")
	}
	return nil
}

// find is the exception that a row of a case is, if any: the first that says so.
func (x *exceptions) find(fs string, c *testCase, w *row) *exception {
	for _, e := range x.list {
		if e.applies(fs, c, w) {
			e.used = true
			return e
		}
	}
	return nil
}

func (e *exception) applies(fs string, c *testCase, w *row) bool {
	if ok, _ := path.Match(e.cases, c.name); !ok || e.fs != "" && e.fs != fs {
		return false
	}
	if e.from != 0 && (w.num < e.from || w.num > e.to) || w.num == 0 && e.want != nil {
		return false
	}
	if !strings.Contains(w.text, e.word) || e.call != "" && e.call != w.calls[len(w.calls)-1][0] {
		return false
	}
	if e.given != "" && e.given != strings.Join(w.want, "|") {
		return false
	}
	for name, value := range e.vars {
		if w.vars[name] != value {
			return false
		}
	}
	return true
}

// unused are the exceptions that nothing in a file system was.
func (x *exceptions) unused(fs string) []*exception {
	var list []*exception
	for _, e := range x.list {
		if !e.used && (e.fs == "" || e.fs == fs) {
			list = append(list, e)
		}
	}
	return list
}
