package util

import (
	"bytes"
	"io"
	"sync"
)

// outputSize is how much of standard output is gathered before it is written.
const outputSize = 16 << 10

// output is standard output: gathered as stdio(3) does, by the line if it is a terminal.
type output struct {
	w     io.Writer
	lines bool

	mu  sync.Mutex
	buf []byte
	err error // the first error of w; nothing is written after it
}

// newOutput returns an output on w, which is w itself if it is one.
func newOutput(w io.Writer) *output {
	if o, ok := w.(*output); ok {
		return o
	}
	return &output{w: w, lines: IsTerminal(w)}
}

// Write gathers p, or writes it. An error is that of an earlier Write, perhaps.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p) >= outputSize {
		o.flush(len(o.buf))
		if o.err == nil {
			_, o.err = o.w.Write(p)
		}
	} else {
		o.buf = append(o.buf, p...)
		switch {
		case len(o.buf) >= outputSize:
			o.flush(len(o.buf))
		case o.lines:
			o.flush(bytes.LastIndexByte(o.buf, '\n') + 1)
		}
	}
	if o.err != nil {
		return 0, o.err
	}
	return len(p), nil
}

// Flush writes what is gathered and returns the first error there was.
func (o *output) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(len(o.buf))
	return o.err
}

// flush writes the first n gathered bytes.
func (o *output) flush(n int) {
	if n > 0 && o.err == nil {
		_, o.err = o.w.Write(o.buf[:n])
	}
	o.buf = o.buf[:copy(o.buf, o.buf[n:])]
}

// Unwrap returns what the output goes to.
func (o *output) Unwrap() io.Writer { return o.w }

// ordered is standard error: it lets standard output go first.
type ordered struct {
	w   io.Writer
	out *output
}

func newOrdered(w io.Writer, out *output) io.Writer {
	if e, ok := w.(*ordered); ok && e.out == out {
		return e
	}
	return &ordered{w, out}
}

// Write flushes standard output, whose errors are its own affair, and writes p.
func (e *ordered) Write(p []byte) (int, error) {
	e.out.Flush() //nolint:errcheck // Run reports it at the end
	return e.w.Write(p)
}

// Unwrap returns what the output goes to.
func (e *ordered) Unwrap() io.Writer { return e.w }
