// Package head is head(1): it prints how files of the kernel begin.
//
// Start reading at run.
package head

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is head.
var Utility = util.Utility{
	Name:    "head",
	Section: 1,
	Doc:     "display first lines of a file",
	Usage:   []string{"[-n count | -c byte_count] [-qv] [file ...]"},
	Options: []util.Option{
		{Letter: 'c', Arg: "byte_count", Doc: "Print so many bytes."},
		{Letter: 'n', Arg: "count", Doc: "Print so many lines: 10 by default. -5 is -n 5."},
		{Letter: 'q', Doc: "Print no names."},
		{Letter: 'v', Doc: "Print the name of each file before it, if there is only one too."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to print instead of the standard input."}},
	Main:     run,
}

const defaultLines = 10

// printer prints the beginning of files.
type printer struct {
	env          *util.Env
	lines, bytes int64 // bytes is 0 if lines count
}

func run(_ context.Context, env *util.Env) int {
	p := printer{env: env, lines: defaultLines}
	var quiet, verbose bool
	g := env.GetoptArgs(withoutNumbers(env.Args[1:]))
	for g.Next() {
		var err error
		switch g.Letter {
		case 'c':
			p.bytes, err = count(g.Arg)
		case 'n':
			p.lines, err = count(g.Arg)
		case 'q':
			quiet, verbose = true, false
		case 'v':
			quiet, verbose = false, true
		default:
			return env.UsageError()
		}
		unit := map[byte]string{'c': "byte", 'n': "line"}[g.Letter]
		if err == abi.ERANGE {
			return env.Err(err, "illegal %s count -- %s", unit, g.Arg)
		}
		if err != nil {
			return env.Errx("illegal %s count -- %s", unit, g.Arg)
		}
	}
	files := g.Args()
	if len(files) == 0 {
		if err := p.copy(env.Stdin); err != nil {
			return env.Err(err, "stdin")
		}
		return util.ExitOK
	}
	return p.files(files, verbose || len(files) > 1 && !quiet)
}

// withoutNumbers returns arguments with -n5 in place of -5.
func withoutNumbers(args []string) []string {
	list := append([]string(nil), args...)
	for i, arg := range list {
		if len(arg) < 2 || arg[0] != '-' || arg[1] < '0' || arg[1] > '9' {
			break
		}
		list[i] = "-n" + arg[1:]
	}
	return list
}

// count reads a count. Errors: ERANGE, or that it is none.
func count(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, abi.ERANGE
	case err == nil && n <= 0:
		err = strconv.ErrSyntax
	}
	return n, err
}

// files prints the beginning of the files and returns the exit status.
func (p *printer) files(files []string, names bool) int {
	status, lead := util.ExitOK, ""
	for _, file := range files {
		f, err := p.env.Proc.Open(file)
		if err != nil {
			status = p.env.Err(err, "%s", file)
			continue
		}
		if names {
			fmt.Fprintf(p.env.Stdout, "%s==> %s <==\n", lead, file)
			lead = "\n"
		}
		if err := p.copy(f); err != nil {
			status = p.env.Err(err, "%s", file)
		}
		f.Close()
	}
	return status
}

// bufferSize is how much is read at a time.
const bufferSize = 16 << 10

// copy prints the beginning of r. Errors are those of reading; the standard output keeps its own.
func (p *printer) copy(r io.Reader) error {
	copied := p.copyLines
	if p.bytes > 0 {
		copied = p.copyBytes
	}
	if err := copied(r); err != io.EOF {
		return err
	}
	return nil
}

func (p *printer) copyBytes(r io.Reader) error {
	buf := make([]byte, min(p.bytes, bufferSize))
	for left := p.bytes; left > 0; {
		n, err := r.Read(buf[:min(left, int64(len(buf)))])
		if _, failed := p.env.Stdout.Write(buf[:n]); failed != nil {
			return nil
		}
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

func (p *printer) copyLines(r io.Reader) error {
	in := bufio.NewReaderSize(r, bufferSize)
	for n := int64(0); n < p.lines; {
		b, err := in.ReadSlice('\n')
		if _, failed := p.env.Stdout.Write(b); failed != nil {
			return nil
		}
		switch err {
		case nil:
			n++
		case bufio.ErrBufferFull:
		default:
			return err
		}
	}
	return nil
}
