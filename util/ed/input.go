package ed

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// maxLine is how long a line of the standard input may be.
const maxLine = 64 << 20

// input is the standard input. A line is read byte by byte: what follows it is for a utility that a command runs.
type input struct {
	ctx     context.Context
	r       io.Reader
	line    int            // lines that were read
	pending chan result    // of a read under way that was interrupted; nil if there is none
	signals chan os.Signal // nil if signals are not for the editor
	stop    func()         // stops that
}

// result is what a read has come to.
type result struct {
	line string // with its newline, unless the end came before it
	err  error
}

// newInput returns the standard input. If that is the program's, then so are the program's signals.
func newInput(ctx context.Context, r io.Reader) *input {
	in := &input{ctx: ctx, r: r, stop: func() {}}
	if r == os.Stdin {
		in.signals = make(chan os.Signal, 1)
		signal.Notify(in.signals, editorSignals()...)
		in.stop = func() { signal.Stop(in.signals) }
	}
	return in
}

// check returns errInterrupt or errHangUp if a signal has come or the session is to end.
func (in *input) check() error {
	select {
	case sig := <-in.signals:
		return in.signal(sig)
	case <-in.ctx.Done():
		return errHangUp
	default:
		return nil
	}
}

func (in *input) signal(sig os.Signal) error {
	if isHangUp(sig) {
		return errHangUp
	}
	return errInterrupt
}

// read reads a line with its newline. It has none if the end of the input comes before it, and is empty if nothing
// comes before that.
func (in *input) read() (string, error) {
	if in.pending == nil {
		in.pending = make(chan result, 1)
		go func(to chan<- result) { to <- readLine(in.r) }(in.pending)
	}
	select {
	case sig := <-in.signals:
		return "", in.signal(sig)
	case <-in.ctx.Done():
		return "", errHangUp
	case got := <-in.pending:
		in.pending = nil
		if strings.HasSuffix(got.line, "\n") {
			in.line++
		}
		return got.line, got.err
	}
}

func readLine(r io.Reader) result {
	var text []byte
	for {
		var c [1]byte
		n, err := r.Read(c[:])
		if n > 0 {
			text = append(text, c[0])
		}
		switch {
		case n > 0 && c[0] == '\n':
			return result{string(text), nil}
		case errors.Is(err, io.EOF):
			return result{string(text), nil}
		case err != nil:
			return result{"", err}
		case len(text) > maxLine:
			return result{"", errSpace}
		}
	}
}

// readLine reads a line of the standard input, when what was printed is out.
func (e *editor) readLine() (string, error) {
	if err := e.env.Flush(); err != nil {
		return "", errOutput
	}
	text, err := e.in.read()
	switch err {
	case nil, errHangUp, errInterrupt, errSpace:
	default:
		return "", e.trouble("stdin", err, errHangUp)
	}
	if strings.IndexByte(text, 0) >= 0 {
		e.buf.binary = true
	}
	return text, err
}

// readWhole is readLine that takes it for an error if there is no whole line.
func (e *editor) readWhole() (string, error) {
	text, err := e.readLine()
	if err == nil && !strings.HasSuffix(text, "\n") {
		err = errEOF
	}
	return text, err
}

// windowSize asks the terminal how large it is.
func (e *editor) windowSize() {
	columns, rows, ok := util.TerminalSize(e.env.Stdin)
	if !ok {
		return
	}
	if rows > 2 {
		e.window = rows - 2
	}
	if columns > 8 {
		e.columns = columns - 8
	}
}
