// Package tail is tail(1): it prints how files of the kernel end, forward or backward, and what is appended to them.
//
// What to print is a location (option.go), start.go finds it, reverse.go prints lines from the last to the first, and follow.go
// waits for more.
//
// Start reading at run.
package tail

import (
	"context"
	"fmt"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is tail.
var Utility = util.Utility{
	Name:    "tail",
	Section: 1,
	Doc:     "display the last part of a file",
	Usage:   []string{"Usage: tail [-f | -F | -r] [-b # | -c # | -n #] [file ...]"},
	Options: []util.Option{
		{Letter: 'b', Arg: "number", Doc: "Begin at this block of 512 bytes: +1 is the first, 1 or -1 the last."},
		{Letter: 'c', Arg: "number", Doc: "Begin at this byte."},
		{Letter: 'F', Doc: "As -f, and go to the new file when another one gets the name, or to the beginning when the file is cut short."},
		{Letter: 'f', Doc: "Wait for more at the end. Ignored if the standard input cannot seek."},
		{Letter: 'n', Arg: "number", Doc: "Begin at this line: 10 by default. -5 is -n 5, and so are b, c, f and r behind a number."},
		{Letter: 'r', Doc: "Print lines in reverse order. A number is how much to print: everything by default."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "What to print instead of the standard input."}},
	Main:     run,
}

// printer prints the ends of files.
type printer struct {
	env *util.Env
	location
	reverse        bool
	follow, rename bool // -f or -F, -F
}

// file is what is printed. One that is regular and not empty has at and size.
type file struct {
	name string
	r    io.Reader
	at   io.ReaderAt
	size int64
	st   abi.Stat
}

func run(ctx context.Context, env *util.Env) int {
	p := &printer{env: env}
	files, ok, err := p.options()
	switch {
	case err != nil:
		return env.Errx("%s", err)
	case !ok:
		return env.UsageError()
	case p.follow && len(files) > 1:
		return env.Errx("-f and -F options only appropriate for a single file")
	case len(files) == 0:
		return p.input(ctx)
	}
	status, lead := util.ExitOK, ""
	for _, name := range files {
		in, err := env.Proc.Open(name)
		if err != nil {
			status = env.Err(err, "%s", name)
			continue
		}
		if len(files) > 1 {
			fmt.Fprintf(env.Stdout, "%s==> %s <==\n", lead, name)
			lead = "\n"
		}
		if err := p.open(ctx, in, name); err != nil {
			status = env.Err(err, "%s", name)
		}
	}
	return status
}

// input prints the end of the standard input.
func (p *printer) input(ctx context.Context) int {
	const name = "stdin"
	if s, ok := p.env.Stdin.(io.Seeker); !ok {
		p.follow = false
	} else if _, err := s.Seek(0, io.SeekCurrent); err != nil {
		p.follow = false
	}
	p.rename = false
	var err error
	if in, ok := p.env.Stdin.(*client.File); ok {
		err = p.open(ctx, in, name)
	} else {
		err = p.print(ctx, &file{name: name, r: p.env.Stdin})
	}
	if err != nil {
		return p.env.Err(err, name)
	}
	return util.ExitOK
}

// open prints the end of a file of the kernel and closes it.
func (p *printer) open(ctx context.Context, in *client.File, name string) error {
	f := &file{name: name, r: in}
	defer func() { f.close() }()
	if err := p.env.Proc.Sys().Fstat(in.Fd(), &f.st); err != nil {
		return err
	}
	if f.st.Mode&abi.S_IFMT == abi.S_IFREG && f.st.Size > 0 {
		f.at, f.size = in, f.st.Size
	}
	return p.print(ctx, f)
}

func (f *file) close() {
	if c, ok := f.r.(io.Closer); ok {
		c.Close() //nolint:errcheck // it was read
	}
}

// print prints the end of a file, and what is appended to it. Errors are those of reading; the standard output keeps its own.
func (p *printer) print(ctx context.Context, f *file) error {
	if p.reverse {
		return p.backward(f)
	}
	var q *queue
	if p.follow {
		q = p.watch(f)
		defer func() { q.close() }()
	}
	start := starts[p.location.kind()]
	if f.at == nil {
		start = streams[p.location.kind()]
	}
	if err := start(p, f); err != nil && err != io.EOF {
		return err
	}
	for {
		more, err := p.copy(f.r)
		if err != nil || !more || !p.follow {
			return err
		}
		if p.env.Flush() != nil {
			return nil
		}
		if q, err = p.wait(ctx, q, f); err != nil {
			return err
		}
	}
}

// bufferSize is how much is read at a time.
const bufferSize = 64 << 10

// copy copies what is left of r to the standard output. There may be more later, unless the output has failed.
func (p *printer) copy(r io.Reader) (more bool, err error) {
	buf := make([]byte, bufferSize)
	for {
		n, err := r.Read(buf)
		if !p.write(buf[:n]) {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// write writes to the standard output and tells whether that went well.
func (p *printer) write(b []byte) bool {
	_, err := p.env.Stdout.Write(b)
	return err == nil
}
