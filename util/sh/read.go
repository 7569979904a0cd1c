package sh

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// readCommand is the builtin read.
func readCommand(s *shell, args []string) int {
	raw, prompt := false, ""
	g := util.NewGetopt("sh: read", s.output(2), []util.Option{{Letter: 'r'}, {Letter: 'p', Arg: "prompt"}}, args[1:])
	for g.Next() {
		switch g.Letter {
		case 'r':
			raw = true
		case 'p':
			prompt = g.Arg
		default:
			return exitError
		}
	}
	names := g.Args()
	for _, name := range names {
		if !syntax.ValidName(name) {
			s.warn("read: %s: bad variable name", name)
			return exitError
		}
	}
	if len(names) == 0 {
		return s.usage("read [-p prompt] [-r] variable ...")
	}
	ctx, done := s.foreground()
	defer done()
	if in := (port{ctx, s.fds.file(0)}); prompt != "" && in.IsTerminal() {
		fmt.Fprint(s.output(2), prompt)
	}
	line, quoted, err := s.readLine(ctx, raw)
	if err != nil && err != io.EOF {
		if ctx.Err() == nil {
			s.warn("read: %s", util.ErrorText(err))
		}
		return 1
	}
	for i, value := range splitLine(line, quoted, s.ifs(), len(names)) {
		if err := s.setVar(names[i], value); err != nil {
			s.warn("read: %v", err)
			return exitError
		}
	}
	if err == io.EOF {
		return 1
	}
	return 0
}

// readLine reads a line from standard input without its newline, not a byte more. Unless raw, a backslash quotes the
// character after it, and joins lines. quoted tells which bytes were quoted. The error is io.EOF for a line that has no newline.
func (s *shell) readLine(ctx context.Context, raw bool) (line []byte, quoted []bool, err error) {
	next := byteReader(ctx, s.fds.file(0))
	escaped := false
	err = s.blocking(func() error {
		for {
			c, err := next()
			switch {
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case len(line) >= maxWord:
				return errTooLong
			case escaped && c == '\n', c == 0:
			case !raw && !escaped && c == '\\':
				escaped = true
				continue
			case c == '\n':
				return nil
			default:
				line, quoted = append(line, c), append(quoted, escaped)
			}
			escaped = false
		}
	})
	return line, quoted, err
}

// byteReader returns a function that reads byte by byte. Of a file of the kernel that has an offset it reads a
// line at once, and goes back to the line's end.
func byteReader(ctx context.Context, file openFile) func() (byte, error) {
	k, ok := file.(*kernelFile)
	if !ok || !k.seekable() {
		return func() (byte, error) { return oneByte(ctx, file) }
	}
	var rest []byte
	return func() (byte, error) {
		if len(rest) == 0 {
			var err error
			if rest, err = k.readToNewline(); err != nil {
				return 0, err
			}
		}
		c := rest[0]
		rest = rest[1:]
		return c, nil
	}
}

func oneByte(ctx context.Context, file openFile) (byte, error) {
	var b [1]byte
	for {
		n, err := file.read(ctx, b[:])
		if n > 0 || err != nil {
			return b[0], err
		}
	}
}

func (f *kernelFile) seekable() bool {
	var st abi.Stat
	return f.proc.Sys().Fstat(f.fd, &st) == nil && st.Mode&abi.S_IFMT == abi.S_IFREG
}

// readToNewline reads some bytes, at most to the end of a line.
func (f *kernelFile) readToNewline() ([]byte, error) {
	b := make([]byte, 512)
	n, err := f.proc.Sys().Read(f.fd, b)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.EOF
	}
	b = b[:n]
	if i := slices.Index(b, '\n'); i >= 0 && i+1 < n {
		if _, err := f.proc.Sys().Lseek(f.fd, int64(i+1-n), io.SeekCurrent); err != nil {
			return nil, err
		}
		b = b[:i+1]
	}
	return b, nil
}

// splitLine splits a line into n values as read does: the last one takes what is left, without IFS white
// space around it. Bytes that are quoted do not split.
func splitLine(line []byte, quoted []bool, ifs string, n int) []string {
	l := lineSplitter{line: line, quoted: quoted, ifs: ifs}
	values := make([]string, n)
	l.blanks()
	for i := range n - 1 {
		values[i] = l.field()
	}
	values[n-1] = l.remainder()
	return values
}

// lineSplitter takes fields off a line.
type lineSplitter struct {
	line   []byte
	quoted []bool
	ifs    string
	at     int
}

// delimiter tells whether the character at i splits, whether it is IFS white space, and its length.
func (l *lineSplitter) delimiter(i int) (is, blank bool, size int) {
	r, size := utf8.DecodeRune(l.line[i:])
	if l.quoted[i] || !strings.ContainsRune(l.ifs, r) {
		return false, false, size
	}
	return true, r == ' ' || r == '\t' || r == '\n', size
}

// blanks skips IFS white space.
func (l *lineSplitter) blanks() {
	for l.at < len(l.line) {
		_, blank, size := l.delimiter(l.at)
		if !blank {
			return
		}
		l.at += size
	}
}

// field takes a field and the gap after it.
func (l *lineSplitter) field() string {
	start := l.at
	for l.at < len(l.line) {
		is, _, size := l.delimiter(l.at)
		if is {
			break
		}
		l.at += size
	}
	value := string(l.line[start:l.at])
	l.blanks()
	if l.at < len(l.line) {
		if is, _, size := l.delimiter(l.at); is {
			l.at += size
			l.blanks()
		}
	}
	return value
}

// remainder takes the rest without IFS white space at its end. If it is one field, the delimiter that ends it goes too.
func (l *lineSplitter) remainder() string {
	start := l.at
	value := l.field()
	if l.at == len(l.line) {
		return value
	}
	end := len(l.line)
	for end > start {
		_, size := utf8.DecodeLastRune(l.line[start:end])
		if _, blank, _ := l.delimiter(end - size); !blank {
			break
		}
		end -= size
	}
	return string(l.line[start:end])
}

// getoptsState is where getopts is between calls.
type getoptsState struct {
	index int // OPTIND when it was left
	char  int // of the word at index, 0 for a new word
}

// getoptsCommand is the builtin getopts.
func getoptsCommand(s *shell, args []string) int {
	if len(args) < 3 || !syntax.ValidName(args[2]) {
		return s.usage("getopts optstring variable [argument ...]")
	}
	words := s.params
	if len(args) > 3 {
		words = args[3:]
	}
	index, _ := s.vars.get("OPTIND")
	n, err := strconv.Atoi(index)
	if err != nil || n < 1 {
		n = 1
	}
	if n != s.getopts.index {
		s.getopts = getoptsState{index: n}
	}
	letter, argument, found := s.nextOption(args[1], words)
	err = s.setVar(args[2], letter)
	if err == nil {
		err = s.setVar("OPTIND", strconv.Itoa(s.getopts.index))
	}
	if err == nil && argument != nil {
		err = s.setVar("OPTARG", *argument)
	} else if err == nil {
		err = s.vars.unset("OPTARG")
	}
	if err != nil {
		s.warn("getopts: %v", err)
		return exitError
	}
	return boolStatus(found)
}

// nextOption goes to the next option. The letter is "?" for a bad option or the end, ":" for a missing argument if optstring
// begins with a colon; what is wrong has been said otherwise.
func (s *shell) nextOption(optstring string, words []string) (letter string, argument *string, found bool) {
	silent := strings.HasPrefix(optstring, ":")
	g := &s.getopts
	if g.char == 0 {
		if g.index > len(words) || len(words[g.index-1]) < 2 || words[g.index-1][0] != '-' {
			return "?", nil, false
		}
		if words[g.index-1] == "--" {
			g.index++
			return "?", nil, false
		}
		g.char = 1
	}
	if g.index > len(words) || g.char >= len(words[g.index-1]) { // the arguments have changed
		*g = getoptsState{index: g.index}
		return "?", nil, false
	}
	word := words[g.index-1]
	letter = word[g.char : g.char+1]
	g.char++
	rest := word[g.char:]
	if rest == "" {
		g.index, g.char = g.index+1, 0
	}
	at := strings.Index(strings.TrimPrefix(optstring, ":"), letter)
	if at < 0 || letter == ":" {
		return s.badOption("illegal option", "?", letter, silent)
	}
	if !strings.HasPrefix(strings.TrimPrefix(optstring, ":")[at+1:], ":") {
		return letter, nil, true
	}
	switch {
	case rest != "":
		g.index, g.char = g.index+1, 0
	case g.index > len(words):
		return s.badOption("no arg for option", ":", letter, silent)
	default:
		rest = words[g.index-1]
		g.index++
	}
	return letter, &rest, true
}

func (s *shell) badOption(what, mark, letter string, silent bool) (string, *string, bool) {
	if silent {
		return mark, &letter, true
	}
	s.warn("%s -%s", what, letter)
	return "?", nil, true
}
