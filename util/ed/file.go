package ed

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// file is what a command reads or writes: a file of the kernel, or a utility with its arguments.
type file struct {
	name    string // with backslashes before characters that are to be taken as they are
	command bool
}

// path returns the name without its backslashes.
func (f file) path() string {
	var b strings.Builder
	for i := 0; i < len(f.name); i++ {
		if f.name[i] == '\\' && i+1 < len(f.name) {
			i++
		}
		b.WriteByte(f.name[i])
	}
	return b.String()
}

// filename takes the name behind a command, and the command's end. It is empty if there is none.
func (e *editor) filename() (file, error) {
	if e.eat('\n') {
		if e.file == "" {
			return file{}, errNoFilename
		}
		return file{}, nil
	}
	if !isBlank(e.peek()) {
		return file{}, errNoSuffix
	}
	e.skipBlanks()
	if e.peek() == '\n' {
		return file{}, errFilename
	}
	if e.eat('!') {
		command, err := e.shellCommand()
		return file{command, true}, err
	}
	name, err := e.rest(false)
	if err == nil && len(name) >= abi.MAXPATHLEN {
		err = errLongFilename
	}
	return file{name: name}, err
}

// named returns f or, if that is empty, the file of the default name. If there is no default name, f gives it.
func (e *editor) named(f file) file {
	if f.name == "" && !f.command {
		return file{name: e.file}
	}
	if e.file == "" && !f.command {
		e.file = f.name
	}
	return f
}

// edit is the commands e and E.
func (e *editor) edit(c *command) error {
	if c.letter == 'e' && e.modified && !e.scripted {
		return errModified
	}
	f, err := e.filename()
	if err != nil {
		return err
	}
	if !f.command && f.name != "" {
		e.file = f.name
	}
	e.release()
	e.buf.clear()
	e.current = 0
	_, err = e.read(e.named(f), 0)
	e.modified = false
	e.buf.forget()
	return err
}

// setFile is the command f.
func (e *editor) setFile(*command) error {
	f, err := e.filename()
	if err != nil {
		return err
	}
	if f.command {
		return errRedirection
	}
	if f.name != "" {
		e.file = f.name
	}
	fmt.Fprintln(e.env.Stdout, file{name: e.file}.path())
	return nil
}

// readFile is the command r.
func (e *editor) readFile(c *command) error {
	if c.count == 0 {
		c.second = e.buf.last()
	}
	f, err := e.filename()
	if err != nil {
		return err
	}
	e.change()
	added, err := e.read(e.named(f), c.second)
	if added > 0 && added != e.buf.last() {
		e.modified = true
	}
	return err
}

// write is the commands w, wq and W.
func (e *editor) write(c *command) error {
	quits := e.peek()
	if quits == 'q' || quits == 'Q' {
		e.pos++
	} else {
		quits = 0
	}
	f, err := e.filename()
	if err != nil {
		return err
	}
	if c.count == 0 && e.buf.last() == 0 {
		c.first, c.second = 1, 0 // nothing is written
	} else if err := e.supply(c, whole); err != nil {
		return err
	}
	if err := e.save(e.named(f), c.first, c.second, c.letter == 'W'); err != nil {
		return err
	}
	if c.second-c.first+1 == e.buf.last() {
		e.modified = false
	}
	switch {
	case quits == 0:
		return nil
	case quits == 'q' && e.modified && !e.scripted:
		return errModified
	}
	return errQuit
}

// read puts the lines of a file after line n and returns how many they are. The last is the current line then.
func (e *editor) read(f file, n int) (int, error) {
	text, err := e.contents(f)
	if err != nil {
		return 0, err
	}
	binary := strings.IndexByte(text, 0) >= 0
	noFinal := text != "" && !strings.HasSuffix(text, "\n")
	with := splitLines(text)
	last := e.buf.last()
	if err := e.buf.replace(n, 0, with); err != nil {
		return 0, err
	}
	e.current = n + len(with)
	size := len(text)
	if noFinal && !(binary && n == last) {
		size++
	}
	e.ending(n == last, binary, noFinal, text == "")
	if !e.scripted {
		fmt.Fprintln(e.env.Stderr, size)
	}
	return len(with), nil
}

// ending notes how the text ends after something was read, at its end or not. Text has a newline at its end if that
// is missing, and what is binary does not.
func (e *editor) ending(atEnd, binary, noFinal, empty bool) {
	b := e.buf
	switch {
	case atEnd && !empty && b.binary && b.noFinal:
		fmt.Fprintln(e.env.Stderr, "newline inserted")
	case noFinal && (!atEnd || !binary && !b.binary):
		fmt.Fprintln(e.env.Stderr, "newline appended")
	}
	if atEnd && !empty {
		b.noFinal = noFinal
	}
	b.binary = b.binary || binary
}

// splitLines returns the lines of a text.
func splitLines(text string) []*line {
	if text == "" {
		return nil
	}
	lines := make([]*line, 0, strings.Count(text, "\n")+1)
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		lines = append(lines, &line{text: part})
	}
	return lines
}

// contents returns what is in a file, or what a utility prints.
func (e *editor) contents(f file) (string, error) {
	var b strings.Builder
	to := &limited{to: &b, left: e.buf.most.bytes}
	if f.command {
		if err := e.runUtility(f.name, nil, to); err != nil {
			return "", err
		}
		if to.left < 0 {
			return "", errSpace
		}
		return b.String(), nil
	}
	fd, err := e.sys.Open(f.path(), abi.O_RDONLY, 0)
	if err != nil {
		return "", e.trouble(f.name, err, errOpenInput)
	}
	defer e.sys.Close(fd)
	for chunk := make([]byte, transfer); ; {
		if err := e.in.check(); err != nil {
			return "", err
		}
		switch n, err := e.sys.Read(fd, chunk); {
		case err != nil:
			return "", e.trouble("", err, errReadInput)
		case n == 0:
			return b.String(), nil
		default:
			if _, err := to.Write(chunk[:n]); err != nil {
				return "", err
			}
		}
	}
}

// trouble prints what the kernel says and returns what the editor says.
func (e *editor) trouble(name string, err error, is error) error {
	if name != "" {
		name += ": "
	}
	fmt.Fprintf(e.env.Stderr, "%s%s\n", name, util.ErrorText(err))
	return is
}

// transfer is how much is read or written at a time.
const transfer = 64 << 10

// limited writes no more than there is room for.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		l.left = -1
		return 0, errSpace
	}
	return l.to.Write(p)
}

// save writes lines to a file or a utility and says how much that is.
func (e *editor) save(f file, first, last int, add bool) error {
	text := &lineReader{buf: e.buf, next: first, last: last}
	if f.command {
		if err := e.runUtility(f.name, text, e.env.Stdout); err != nil {
			return err
		}
	} else if err := e.saveFile(f, text, add); err != nil {
		return err
	}
	if !e.scripted {
		fmt.Fprintln(e.env.Stderr, text.size)
	}
	return nil
}

func (e *editor) saveFile(f file, text io.Reader, add bool) error {
	flags := abi.O_WRONLY | abi.O_CREAT | abi.O_TRUNC
	if add {
		flags = abi.O_WRONLY | abi.O_CREAT | abi.O_APPEND
	}
	fd, err := e.sys.Open(f.path(), flags, 0o666)
	if err != nil {
		return e.trouble(f.name, err, errOpenOutput)
	}
	if err := e.copyTo(fd, text); err != nil {
		e.sys.Close(fd)
		return e.trouble("", err, errWriteOutput)
	}
	if err := e.sys.Close(fd); err != nil {
		return e.trouble(f.name, err, errCloseOutput)
	}
	return nil
}

// copyTo writes a text to a descriptor.
func (e *editor) copyTo(fd int, text io.Reader) error {
	for chunk := make([]byte, transfer); ; {
		n, err := io.ReadFull(text, chunk)
		for rest := chunk[:n]; len(rest) > 0; {
			wrote, err := e.sys.Write(fd, rest)
			if err != nil {
				return err
			}
			if wrote == 0 {
				return abi.EIO
			}
			rest = rest[wrote:]
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
	}
}

// lineReader reads lines of the text as a file has them.
type lineReader struct {
	buf        *buffer
	next, last int
	rest       string
	newline    bool // after rest
	size       int  // bytes read
}

func (r *lineReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		switch {
		case r.rest != "":
			size := copy(p[n:], r.rest)
			r.rest = r.rest[size:]
			n += size
		case r.newline:
			p[n] = '\n'
			n++
			r.newline = false
		case r.next > r.last:
			r.size += n
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		default:
			r.rest = r.buf.at(r.next).text
			r.newline = r.next != r.buf.last() || !r.buf.binary || !r.buf.noFinal
			r.next++
		}
	}
	r.size += n
	return n, nil
}

// saveHangUp saves what was changed, as the terminal is gone: in ed.hup, or in ed.hup of the home directory.
func (e *editor) saveHangUp() {
	if !e.modified || e.buf.last() == 0 {
		return
	}
	names := []string{"ed.hup"}
	if home := e.env.Getenv("HOME"); home != "" {
		names = append(names, strings.TrimRight(home, "/")+"/ed.hup")
	}
	for _, name := range names {
		name = strings.ReplaceAll(name, `\`, `\\`)
		if e.save(file{name: name}, 1, e.buf.last(), false) == nil {
			return
		}
	}
}
