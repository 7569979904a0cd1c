package sh

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// newParser returns a parser of the POSIX shell's language.
func newParser() *syntax.Parser { return syntax.NewParser(syntax.Variant(syntax.LangPOSIX)) }

// input is where a shell reads commands from.
type input interface {
	// line returns the next line with its newline, which a last line may lack. more says that it
	// continues a command. Errors: io.EOF, errInterrupted.
	line(more bool) (string, error)
}

// errInterrupted is the error of a line that the user has given up.
var errInterrupted = errors.New("interrupted")

// textInput is commands from a string or a file.
type textInput struct{ r *bufio.Reader }

func newTextInput(r io.Reader) textInput { return textInput{bufio.NewReader(r)} }

func (t textInput) line(bool) (string, error) {
	text, err := t.r.ReadString('\n')
	if text != "" {
		return text, nil
	}
	return "", err
}

// lineReader hands lines to a parser, no more than one at a time.
type lineReader struct {
	shell  *shell
	in     input
	parser *syntax.Parser
	rest   string
	lines  int
	left   bool  // no more is wanted
	err    error // that ended the input
}

func (l *lineReader) Read(b []byte) (int, error) {
	if l.left {
		return 0, io.EOF
	}
	if l.rest == "" {
		text, err := l.in.line(l.parser.Incomplete())
		if err != nil {
			l.err = err
			return 0, io.EOF
		}
		if l.lines++; l.lines == 1 && strings.IndexByte(text, 0) >= 0 {
			l.err = abi.ENOEXEC
			return 0, io.EOF
		}
		if l.shell.opts.on('v') {
			l.shell.output(2).Write([]byte(text)) //nolint:errcheck // nowhere to say it
		}
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		l.rest = text
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// execute carries out commands as they are read, line by line, to the end of the input or until
// the shell leaves it. It returns the error that ended the input, but for io.EOF and those that the commands
// have said.
func (s *shell) execute(in input, name string) error {
	reader := &lineReader{shell: s, in: in, parser: newParser()}
	// The parser does not bear a loop that is left: it is given an end of input instead.
	for stmts, err := range reader.parser.InteractiveSeq(reader) {
		switch {
		case reader.left || reader.err != nil && reader.err != io.EOF:
		case err != nil:
			s.syntaxError(name, err)
			reader.left = true
		case !reader.parser.Incomplete():
			s.stmts(stmts)
			reader.left = s.stopped()
		}
	}
	if reader.left || reader.err == io.EOF {
		return nil
	}
	return reader.err
}

// syntaxError says what is wrong with commands, and gives them up.
func (s *shell) syntaxError(name string, err error) {
	var pos syntax.Pos
	text := err.Error()
	var parse syntax.ParseError
	var lang syntax.LangError
	switch {
	case errors.As(err, &parse):
		pos, text = parse.Pos, parse.Text
	case errors.As(err, &lang):
		pos, text = lang.Pos, lang.Feature+" not supported"
	}
	where := ""
	switch {
	case name != "":
		where = fmt.Sprintf("%s: line %d: ", name, pos.Line())
	case !s.interactive:
		where = fmt.Sprintf("line %d: ", pos.Line())
	}
	s.abort("%ssyntax error: %s", where, text)
}

// evaluate carries out text as commands of the shell, for eval and traps.
func (s *shell) evaluate(text string) {
	if !s.nest() {
		return
	}
	defer func() { s.nesting-- }()
	if err := s.execute(newTextInput(strings.NewReader(text)), ""); err != nil {
		s.abort("%s", util.ErrorText(err))
	}
}

// evalCommand is the builtin eval.
func evalCommand(s *shell, args []string) int {
	s.status = 0
	s.evaluate(strings.Join(args[1:], " "))
	return s.status
}

// dotCommand is the builtin ".": the commands of a file of the kernel. A name without a slash is looked for in PATH and
// then here.
func dotCommand(s *shell, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		s.usage(". file [argument ...]")
		s.flow.abort()
		return exitError
	}
	text, err := s.readFile(s.findFile(args[1]))
	if err != nil {
		return s.abort("%s: %s", args[1], util.ErrorText(err))
	}
	if !s.nest() {
		return exitError
	}
	params := s.params
	if len(args) > 2 {
		s.params = args[2:]
	}
	s.status = 0
	s.calls++
	err = s.execute(newTextInput(strings.NewReader(text)), args[1])
	s.calls--
	s.flow.returned()
	s.nesting--
	if len(args) > 2 {
		s.params = params
	}
	if err != nil {
		return s.abort("%s: %s", args[1], util.ErrorText(err))
	}
	return s.status
}

// findFile returns the path of a file that "." names.
func (s *shell) findFile(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	dirs, _ := s.vars.get("PATH")
	for dir := range strings.SplitSeq(dirs, ":") {
		full := path.Join(dir, name)
		if fi, err := s.proc.Stat(full); err == nil && fi.Mode().IsRegular() {
			return full
		}
	}
	return name
}

// readFile returns what a file of the kernel holds. Errors: as open(2) and read(2); EISDIR.
func (s *shell) readFile(name string) (string, error) {
	var text []byte
	err := s.blocking(func() (err error) {
		text, err = s.proc.ReadFile(name)
		return err
	})
	return string(text), err
}

// script runs a command that is given by its path: a script in the kernel's file system. Its first line may name
// another interpreter, which is the utility of that name.
func (s *shell) script(args []string) int {
	name := args[0]
	if err := s.proc.Sys().Access(name, abi.X_OK); err != nil {
		s.warn("%s: %s", name, util.ErrorText(err))
		if err == abi.ENOENT {
			return exitNotFound
		}
		return exitCannotRun
	}
	text, err := s.readFile(name)
	if err == nil && strings.IndexByte(firstLine(text), 0) >= 0 {
		err = abi.ENOEXEC
	}
	if err != nil {
		s.warn("%s: %s", name, util.ErrorText(err))
		return exitCannotRun
	}
	interpreter, argument := shebang(text)
	if interpreter == "" || interpreter == "sh" && argument == "" {
		return s.subscript(text, args)
	}
	u := s.findUtility(interpreter)
	if u == nil {
		s.warn("%s: %s: not found", name, interpreter)
		return exitCannotRun
	}
	words := []string{interpreter}
	if argument != "" {
		words = append(words, argument)
	}
	return s.utility(u, append(words, args...), false)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// shebang returns the base name of the interpreter that a script begins with, and its argument.
func shebang(text string) (interpreter, argument string) {
	line, ok := strings.CutPrefix(firstLine(text), "#!")
	if !ok {
		return "", ""
	}
	line = strings.TrimSpace(line)
	file, argument, _ := strings.Cut(line, " ")
	return path.Base(file), strings.TrimSpace(argument)
}

// subscript runs a script in a subshell that knows of this shell what is exported.
func (s *shell) subscript(text string, args []string) int {
	ctx, done := s.foreground()
	defer done()
	child, err := s.fork(ctx)
	if err != nil {
		return s.cannotFork(err)
	}
	child.vars = s.vars.environment()
	clear(child.funcs)
	clear(child.aliases)
	child.name, child.params, child.opts = args[0], args[1:], options{}
	child.status, child.calls, child.loops, child.tested, child.frame = 0, 0, 0, 0, -1
	if err := child.execute(newTextInput(strings.NewReader(text)), args[0]); err != nil {
		child.abort("%s: %s", args[0], util.ErrorText(err))
	}
	return child.exit()
}
