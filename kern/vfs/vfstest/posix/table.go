package posix

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"strings"
)

//go:embed tables/*.txt
var tableFiles embed.FS

// Limits of what a table may say, far above what any does.
const (
	maxDepth = 8
	maxRows  = 50000 // rows of a table and rounds of its loops, the loops written out
)

// testCase is a script of the original: rows in their order.
type testCase struct {
	name string // "rename/09.t"
	rows []row
}

// line is a line of a table before its loops are written out.
type line struct {
	num, depth int
	text       string
}

// readCases reads the tables. They are part of the program: an error is a fault in them.
func readCases() ([]testCase, error) {
	names, err := fs.Glob(tableFiles, "tables/*.txt")
	if err != nil {
		return nil, err
	}
	var all []testCase
	for _, name := range names {
		f, err := tableFiles.Open(name)
		if err != nil {
			return nil, err
		}
		cases, err := parseTable(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		all = append(all, cases...)
	}
	return all, nil
}

// parseTable reads the cases of a table.
func parseTable(r io.Reader) ([]testCase, error) {
	var cases []testCase
	var lines []line
	left := maxRows
	finish := func() error {
		if len(cases) == 0 {
			if len(lines) > 0 {
				return fmt.Errorf("line %d: a row before any case", lines[0].num)
			}
			return nil
		}
		c := &cases[len(cases)-1]
		w := writer{testCase: c, next: 1, left: &left}
		err := w.block(lines, 0, nil)
		lines = nil
		return err
	}
	sc := bufio.NewScanner(r)
	for num := 1; sc.Scan(); num++ {
		text := strings.TrimLeft(sc.Text(), " ")
		indent := len(sc.Text()) - len(text)
		switch {
		case text == "" || text[0] == '#':
		case strings.HasPrefix(text, "== "):
			if err := finish(); err != nil {
				return nil, err
			}
			cases = append(cases, testCase{name: text[3:]})
		case indent%2 != 0 || indent/2 > maxDepth:
			return nil, fmt.Errorf("line %d: indented by %d", num, indent)
		default:
			lines = append(lines, line{num, indent / 2, strings.TrimRight(text, " ")})
		}
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	return cases, finish()
}

// writer writes out the loops of a case and numbers its checks.
type writer struct {
	*testCase
	next int
	// left is how many more rows and rounds the table may have.
	left *int
}

// spend takes one of what the table may have. The error says that it had it all.
func (w *writer) spend() error {
	if *w.left--; *w.left < 0 {
		return fmt.Errorf("more than %d rows and rounds of loops", maxRows)
	}
	return nil
}

// block writes out lines of one depth and what is below them.
func (w *writer) block(lines []line, depth int, vars map[string]string) error {
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		if l.depth != depth {
			return fmt.Errorf("line %d: indented too far", l.num)
		}
		header, loop := strings.CutPrefix(l.text, "for ")
		if !loop {
			if err := w.row(l, vars); err != nil {
				return fmt.Errorf("line %d: %s: %w", l.num, l.text, err)
			}
			continue
		}
		end := i + 1
		for end < len(lines) && lines[end].depth > depth {
			end++
		}
		if err := w.loop(l, header, lines[i+1:end], vars); err != nil {
			return err
		}
		i = end - 1
	}
	return nil
}

// loop writes out "for NAME: VALUE VALUE..." or "for NAME NAME: VALUE VALUE, VALUE VALUE...".
func (w *writer) loop(l line, header string, body []line, vars map[string]string) error {
	header, err := expandVars(header, vars)
	if err != nil {
		return fmt.Errorf("line %d: %w", l.num, err)
	}
	left, right, ok := strings.Cut(header, ":")
	names := strings.Fields(left)
	if !ok || len(names) == 0 {
		return fmt.Errorf("line %d: a loop has variables, a colon and values", l.num)
	}
	values := strings.Split(right, ", ")
	if len(names) == 1 {
		values = strings.Fields(right)
	}
	for _, group := range values {
		if err := w.spend(); err != nil {
			return fmt.Errorf("line %d: %w", l.num, err)
		}
		fields := strings.Fields(group)
		if len(fields) != len(names) {
			return fmt.Errorf("line %d: %d variables, but values %q", l.num, len(names), group)
		}
		inner := withVars(vars)
		for k, name := range names {
			inner[name] = fields[k]
		}
		if err := w.block(body, l.depth+1, inner); err != nil {
			return err
		}
	}
	return nil
}

// withVars is a copy of variables, to add to.
func withVars(vars map[string]string) map[string]string {
	if vars == nil {
		return map[string]string{}
	}
	return maps.Clone(vars)
}

// expandVars puts in the values of loops' variables. Errors: a variable of no loop.
func expandVars(text string, vars map[string]string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "%")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		n := 0
		for n < len(rest) && (rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= '0' && rest[n] <= '9') {
			n++
		}
		v, ok := vars[rest[:n]]
		if !ok {
			return "", fmt.Errorf("no variable %%%s", rest[:n])
		}
		b.WriteString(v)
		text = rest[n:]
	}
}
