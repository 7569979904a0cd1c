// Package cat is cat(1): it prints files of the kernel, one after the other.
//
// Start reading at run; cook.go has what -b, -e, -n, -s, -t and -v do.
package cat

import (
	"context"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is cat.
var Utility = util.Utility{
	Name:    "cat",
	Section: 1,
	Doc:     "concatenate and print files",
	Usage:   []string{"Usage: cat [-beflnstuv] [-B bsize] [-] [file ...]"},
	Options: []util.Option{
		{Letter: 'B', Arg: "bsize", Doc: "Read bsize bytes at a time."},
		{Letter: 'b', Doc: "Number lines that are not empty."},
		{Letter: 'e', Doc: "As -v, and print a dollar sign at the end of lines."},
		{Letter: 'f', Doc: "Print regular files only."},
		{Letter: 'l', Doc: "Lock the standard output."},
		{Letter: 'n', Doc: "Number lines."},
		{Letter: 's', Doc: "Print one empty line where there are several."},
		{Letter: 't', Doc: "As -v, and print tabs as ^I."},
		{Letter: 'u', Doc: "Do not buffer the output."},
		{Letter: 'v', Doc: "Print control characters as ^X and those above 127 as M-x."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to print; - is the standard input, which is the default."}},
	Main:     run,
}

// blockSize is how much is read at a time, maxBlockSize how much at most.
const (
	blockSize    = 64 << 10
	maxBlockSize = 16 << 20
)

// printer prints files.
type printer struct {
	env        *util.Env
	sys        *client.Sys
	style      cooking
	cooked     bool
	regular    bool // -f
	unbuffered bool // -u
	buf, out   []byte
}

// errOutput says that the standard output cannot be written.
type errOutput struct{ error }

func run(_ context.Context, env *util.Env) int {
	p := &printer{env: env, sys: env.Proc.Sys()}
	size, lock := blockSize, false
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'B':
			size = parseSize(g.Arg)
		case 'f':
			p.regular = true
		case 'l':
			lock = true
		case 'u':
			p.unbuffered = true
		default:
			if !p.style.set(g.Letter) {
				return env.UsageError()
			}
			p.cooked = true
		}
	}
	if lock {
		if err := lockOutput(env.Stdout); err != nil {
			return env.Err(err, "stdout")
		}
	}
	p.buf = make([]byte, size)
	files := g.Args()
	if len(files) == 0 {
		files = []string{"-"}
	}
	return p.print(files)
}

// set sets what an option that changes characters asks for, and tells whether it is one.
func (c *cooking) set(letter byte) bool {
	switch letter {
	case 'b':
		c.nonBlank, c.number = true, true
	case 'e':
		c.ends, c.visible = true, true
	case 'n':
		c.number = true
	case 's':
		c.squeeze = true
	case 't':
		c.tabs, c.visible = true, true
	case 'v':
		c.visible = true
	default:
		return false
	}
	return true
}

// parseSize reads the argument of -B as strtol(3) does. What is no size is the default.
func parseSize(s string) int {
	n, err := strconv.ParseInt(s, 0, 64)
	if errors.Is(err, strconv.ErrRange) {
		n = math.MaxInt64
	}
	if n <= 0 {
		return blockSize
	}
	return int(min(n, maxBlockSize))
}

// print prints the files and returns the status.
func (p *printer) print(files []string) int {
	status := util.ExitOK
	for _, file := range files {
		name, err := file, error(nil)
		if file == "-" {
			name = "stdin"
			err = p.copy(p.env.Stdin.Read)
		} else {
			err = p.file(file)
		}
		if out, is := err.(errOutput); is {
			return p.env.Err(out.error, "stdout")
		}
		if err != nil {
			p.complain(name, err)
			status = util.ExitFailure
		}
	}
	return status
}

// errIrregular says that a file is not regular: -f.
var errIrregular = errors.New("not a regular file")

func (p *printer) complain(name string, err error) {
	if err == errIrregular {
		p.env.Warnx("%s: %s", name, err)
		return
	}
	p.env.Warn(err, "%s", name)
}

// file prints a file of the kernel.
func (p *printer) file(path string) error {
	flags := abi.O_RDONLY
	if p.regular {
		flags |= abi.O_NONBLOCK // so as not to wait for the other end of a fifo
	}
	fd, err := p.sys.Open(path, flags, 0)
	if err != nil {
		return err
	}
	defer p.sys.Close(fd)
	if p.regular {
		var st abi.Stat
		if err := p.sys.Fstat(fd, &st); err != nil {
			return err
		}
		if st.Mode&abi.S_IFMT != abi.S_IFREG {
			return errIrregular
		}
	}
	return p.copy(func(b []byte) (int, error) {
		n, err := p.sys.Read(fd, b)
		if n == 0 && err == nil {
			err = io.EOF
		}
		return n, err
	})
}

// copy prints what read returns until its end.
func (p *printer) copy(read func([]byte) (int, error)) error {
	style := p.style
	for {
		n, err := read(p.buf)
		if n > 0 {
			if err := p.write(p.buf[:n], &style); err != nil {
				return errOutput{err}
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// write prints b. What is not cooked goes out at once, as write(2).
func (p *printer) write(b []byte, style *cooking) error {
	if p.cooked {
		p.out = style.cook(p.out[:0], b)
		b = p.out
	}
	if _, err := p.env.Stdout.Write(b); err != nil {
		return err
	}
	if p.cooked && !p.unbuffered {
		return nil
	}
	return p.env.Flush()
}
