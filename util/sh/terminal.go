package sh

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	keyInterrupt = 3  // ^C
	keyTab       = 9  // complete
	keySearch    = 18 // ^R
)

// editor reads the lines of a session from a terminal of the host: it edits them, keeps the history and
// completes names. The terminal is in raw mode while a line is edited and at no other time.
type editor struct {
	shell   *shell
	in      *hostInput
	outs    []*hostOutput
	tty     *os.File
	screen  io.Writer
	history *history

	ctx      context.Context // of the line
	terminal *term.Terminal  // that edits it
	key      byte            // the last one
	listed   string          // the line that candidates were listed for
	search   search
}

// newEditor returns an editor, nil if the streams are no terminal that lines can be edited on.
func newEditor(s *shell, in *hostInput, err *hostOutput) *editor {
	tty, ok := in.r.(*os.File)
	kind, _ := s.vars.get("TERM")
	if !ok || !in.IsTerminal() || !err.IsTerminal() || kind == "dumb" {
		return nil
	}
	e := &editor{shell: s, in: in, outs: []*hostOutput{err}, tty: tty, screen: err.w}
	if out, ok := s.fds.file(1).(*hostOutput); ok && out.IsTerminal() {
		e.outs = append(e.outs, out)
	}
	e.history = openHistory()
	return e
}

// line reads a line.
func (e *editor) line(more bool) (string, error) {
	prompt := e.shell.prompt(more)
	e.ctx = e.shell.ctx
	state, err := term.MakeRaw(int(e.tty.Fd()))
	if err != nil {
		return "", err
	}
	defer term.Restore(int(e.tty.Fd()), state) //nolint:errcheck // the terminal has gone then
	e.terminal = term.NewTerminal(e, prompt)
	e.terminal.History = e.history
	e.terminal.AutoCompleteCallback = e.pressed
	if columns, rows, err := terminalSize(e.screen); err == nil {
		e.terminal.SetSize(columns, rows) //nolint:errcheck // nothing is on the screen yet
	}
	for _, out := range e.outs {
		out.divert(e.terminal)
		defer out.divert(nil)
	}
	e.key, e.listed, e.search = 0, "", search{}
	text, err := e.terminal.ReadLine()
	switch {
	case err == nil || errors.Is(err, term.ErrPasteIndicator):
		return text + "\n", nil
	case e.key == keyInterrupt:
		io.WriteString(e.screen, "^C\r\n") //nolint:errcheck // the terminal has gone then
		return "", errInterrupted
	case err == io.EOF:
		io.WriteString(e.screen, "\r\n") //nolint:errcheck // the terminal has gone then
		return "", io.EOF
	case causeSignal(e.ctx) == abi.SIGINT:
		return "", errInterrupted
	}
	return "", err
}

// Read gives the terminal a key: one byte, so that nothing is read ahead of the commands.
func (e *editor) Read(b []byte) (int, error) {
	n, err := e.in.read(e.ctx, b[:1])
	if n == 1 {
		e.key = b[0]
	}
	return n, err
}

// Write writes to the screen.
func (e *editor) Write(b []byte) (int, error) { return e.screen.Write(b) }

// pressed does what a key does that the terminal does not know: it returns a new line and where the cursor is in it.
func (e *editor) pressed(line string, pos int, key rune) (string, int, bool) {
	switch key {
	case keyTab:
		return e.complete(line, pos)
	case keySearch:
		found, ok := e.search.next(e.history, line)
		return found, len(found), ok
	}
	return "", 0, false
}

// search goes back through the history, by lines that contain what was typed.
type search struct {
	text  string // what was typed
	index int    // of the entry that was found last
	found string
}

func (f *search) next(h *history, line string) (string, bool) {
	if line != f.found || f.found == "" {
		*f = search{text: line, index: -1}
	}
	for i := f.index + 1; i < h.Len(); i++ {
		if entry := h.At(i); strings.Contains(entry, f.text) && entry != line {
			f.index, f.found = i, entry
			return entry, true
		}
	}
	return line, true
}

// complete completes the word before the cursor. A second time it lists the candidates.
func (e *editor) complete(line string, pos int) (string, int, bool) {
	c := e.shell.candidates(line[:pos])
	if len(c.names) == 0 {
		return line, pos, true
	}
	typed := line[c.start:pos]
	word := c.common()
	if len(c.names) == 1 && !strings.HasSuffix(word, "/") {
		word += " "
	}
	if word != typed && len(word) >= len(typed) {
		e.listed = ""
		return line[:c.start] + word + line[pos:], c.start + len(word), true
	}
	if e.listed == line {
		width, _, err := terminalSize(e.screen)
		if err != nil {
			width = 80
		}
		io.WriteString(e.terminal, columns(c.names, width)) //nolint:errcheck // the terminal has gone then
	}
	e.listed = line
	return line, pos, true
}
