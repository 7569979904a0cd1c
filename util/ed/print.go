package ed

import (
	"fmt"
	"strconv"
	"strings"
)

// style is how a line is printed.
type style uint8

const (
	printed  style = 1 << iota
	numbered       // with its number
	listed         // with its characters made visible
)

// showLines is the commands l, n and p.
func (e *editor) showLines(c *command) error {
	how := c.print | map[byte]style{'l': listed, 'n': numbered, 'p': printed}[c.letter]
	c.print = 0
	return e.show(c.first, c.second, how)
}

// showLine is the command that is a newline.
func (e *editor) showLine(c *command) error { return e.show(c.second, c.second, printed) }

// scroll is the command z: the addressed line and as many more as a window goes on by.
func (e *editor) scroll(c *command) error {
	e.windowSize()
	if isDigit(e.peek()) && e.peek() != '0' {
		n, err := e.number()
		if err != nil {
			return err
		}
		e.scrolled = n
	}
	if err := e.suffix(c); err != nil {
		return err
	}
	how := c.print
	c.print = 0
	lines := e.window
	if e.scrolled > 0 {
		lines = e.scrolled
	}
	return e.show(c.second, min(e.buf.last(), c.second+lines), how)
}

// printNumber is the command =.
func (e *editor) printNumber(c *command) error {
	n := e.buf.last()
	if c.count > 0 {
		n = c.second
	}
	fmt.Fprintln(e.env.Stdout, n)
	return nil
}

// show prints lines. The last is the current line then.
func (e *editor) show(first, last int, how style) error {
	if first == 0 {
		return errAddress
	}
	if how&listed != 0 {
		e.windowSize()
	}
	for n := first; n <= last; n++ {
		if err := e.in.check(); err != nil {
			return err
		}
		e.current = n
		if err := e.showOne(n, how); err != nil {
			return err
		}
	}
	return nil
}

func (e *editor) showOne(n int, how style) error {
	text, column := e.buf.at(n).text, 0
	out := make([]byte, 0, len(text)+16)
	if how&numbered != 0 {
		out = append(strconv.AppendInt(out, int64(n), 10), '\t')
		column = 8
	}
	if how&listed == 0 {
		return e.print(append(append(out, text...), '\n'))
	}
	for i := range len(text) {
		if column++; column > e.columns {
			if err := e.print(append(out, "\\\n"...)); err != nil {
				return err
			}
			if err := e.pause(); err != nil {
				return err
			}
			out, column = out[:0], 1
		}
		size := len(out)
		out = visible(out, text[i])
		column += len(out) - size - 1
	}
	return e.print(append(out, "$\n"...))
}

func (e *editor) print(text []byte) error {
	if _, err := e.env.Stdout.Write(text); err != nil {
		return errOutput
	}
	return nil
}

// pause waits until somebody has read a window full of parts of long lines.
func (e *editor) pause() error {
	if e.wrapped++; !e.terminal || e.scripted || e.global || e.wrapped <= e.window {
		return nil
	}
	e.wrapped = 0
	if err := e.print([]byte("--More--")); err != nil {
		return err
	}
	_, err := e.readLine()
	return err
}

// visible appends a character as the command l prints it.
func visible(out []byte, c byte) []byte {
	const special, letters = "\a\b\f\n\r\t\v\\", `abfnrtv\`
	if i := strings.IndexByte(special, c); i >= 0 {
		return append(out, '\\', letters[i])
	}
	if c >= ' ' && c < 0x7f {
		return append(out, c)
	}
	return append(out, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
}
