package vfstest

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// A table is a text of cases:
//
//	oracle: unlink(2), POSIX unlink
//
//	== unlink of a directory
//	mkdir d 755
//	unlink d -> EPERM
//	as 1001 unlink d -> EPERM
//
// A line of a case is a command with its arguments, and after "->" what it must give: the name of an error, or a result.
// Without that, or with "ok", it must succeed. "as UID[:GID[,GROUP...]]" before the command runs it as a process of that
// user, "NAME :=" keeps the result in a variable, which "$NAME" stands for; "$CASE" is the case's directory. Words may be
// quoted as in Go; {N} is a name of N characters, {N*TEXT} a text N times over; {max}, {over} and {nmax} are the longest name,
// one longer, and its length.
//
// "== NAME [FEATURE ...]" begins a case that needs features; an "oracle:" within a case is its own. "for V a b c:d" makes a case
// of each value, with %V standing for it, and %V1 and %V2 for its parts between colons; values of %k are kinds of files, and need the features
// of those. Every case begins in a new directory of mode 0777, with a umask of 0.
type tableCase struct {
	name   string
	oracle string
	needs  []Feature
	steps  []step
}

// step is a line of a case.
type step struct {
	line  int
	text  string // the line
	as    string // user, "" for root
	save  string // variable for the result
	words []string
	want  string // "ok": no more than success
}

// readTables reads all tables of a file system of files.
func readTables(files fs.FS, pattern string) ([]tableCase, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	var all []tableCase
	for _, name := range names {
		f, err := files.Open(name)
		if err != nil {
			return nil, err
		}
		cases, err := parseTable(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, cases...)
	}
	return all, nil
}

// rawCase is a case before its loop is run.
type rawCase struct {
	heading, oracle string
	loop            []string // the words after "for"
	lines           []string
	numbers         []int
}

// parseTable reads one table. Errors: anything that is not as tableCase says, with its line.
func parseTable(r io.Reader) ([]tableCase, error) {
	var raw []rawCase
	oracle := ""
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		switch {
		case line == "" || line[0] == '#':
		case word == "oracle:" && len(raw) == 0:
			oracle = rest
		case word == "oracle:":
			raw[len(raw)-1].oracle = rest
		case word == "==":
			raw = append(raw, rawCase{heading: rest, oracle: oracle})
		case len(raw) == 0:
			return nil, fmt.Errorf("line %d: a step without a case", n)
		case word == "for":
			raw[len(raw)-1].loop = strings.Fields(rest)
		default:
			c := &raw[len(raw)-1]
			c.lines, c.numbers = append(c.lines, line), append(c.numbers, n)
		}
	}
	var cases []tableCase
	for i := range raw {
		list, err := raw[i].expand()
		if err != nil {
			return nil, err
		}
		cases = append(cases, list...)
	}
	return cases, lines.Err()
}

// expand makes a case of each value of the loop.
func (r *rawCase) expand() ([]tableCase, error) {
	if r.oracle == "" {
		return nil, fmt.Errorf("case %q has no oracle", r.heading)
	}
	if len(r.loop) == 0 {
		c, err := r.one("", "")
		return []tableCase{c}, err
	}
	var cases []tableCase
	for _, value := range r.loop[1:] {
		c, err := r.one(r.loop[0], value)
		if err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// one is the case with a value for the loop's variable.
func (r *rawCase) one(variable, value string) (tableCase, error) {
	c := tableCase{oracle: r.oracle}
	c.name, c.needs = parseHeading(r.heading)
	subst := strings.NewReplacer()
	if variable != "" {
		c.name += " (" + value + ")"
		pairs := []string{}
		for i, part := range strings.Split(value, ":") {
			pairs = append(pairs, fmt.Sprintf("%%%s%d", variable, i+1), part)
			if variable == "k" {
				c.needs = append(c.needs, kindNeeds(part)...)
			}
		}
		subst = strings.NewReplacer(append(pairs, "%"+variable, value)...)
	}
	for i, line := range r.lines {
		s, err := parseStep(subst.Replace(line))
		if err != nil {
			return c, fmt.Errorf("line %d: %w", r.numbers[i], err)
		}
		s.line = r.numbers[i]
		c.steps = append(c.steps, s)
	}
	return c, nil
}

// kindNeeds are the features that a kind of file needs.
func kindNeeds(kind string) []Feature {
	switch kind {
	case "fifo", "chr", "blk":
		return []Feature{Special}
	case "lnk":
		return []Feature{Symlinks}
	}
	return nil
}

func parseHeading(s string) (name string, needs []Feature) {
	name, list, ok := strings.Cut(s, "[")
	if ok {
		for _, f := range strings.Fields(strings.TrimSuffix(strings.TrimSpace(list), "]")) {
			needs = append(needs, Feature(f))
		}
	}
	return strings.TrimSpace(name), needs
}

func parseStep(line string) (step, error) {
	s := step{text: line, want: "ok"}
	words, err := splitWords(line)
	if err != nil {
		return s, err
	}
	if n := len(words); n >= 2 && words[n-2] == "->" {
		s.want = words[n-1]
		words = words[:n-2]
	}
	if len(words) > 2 && words[0] == "as" {
		s.as, words = words[1], words[2:]
	}
	if len(words) > 2 && words[1] == ":=" {
		s.save, words = words[0], words[2:]
	}
	if len(words) == 0 {
		return s, fmt.Errorf("no command")
	}
	s.words = words
	return s, nil
}

// splitWords splits a line at blanks, quoted words kept whole.
func splitWords(line string) ([]string, error) {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " \t") {
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, err
			}
			word, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			words, line = append(words, word), line[len(quoted):]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words, line = append(words, expandNames(word)), rest
	}
	return words, nil
}

// expandNames replaces each {N} by N characters and each {N*TEXT} by N times the text.
func expandNames(word string) string {
	before, rest, ok := strings.Cut(word, "{")
	if !ok {
		return word
	}
	inside, after, ok := strings.Cut(rest, "}")
	number, text, repeats := strings.Cut(inside, "*")
	if !repeats {
		text = "n"
	}
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 || n > maxRepeat {
		return word
	}
	return before + strings.Repeat(text, n) + expandNames(after)
}

// maxRepeat bounds N in {N}.
const maxRepeat = 1 << 16
