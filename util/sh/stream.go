package sh

import (
	"context"
	"io"
	"strings"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// openFile is what a descriptor of a shell refers to: a file of the kernel, a pipe between
// two commands, a stream of the host. Errors are an abi.Errno or io.EOF where there is one.
type openFile interface {
	// read is read(2) with io.EOF for the end. It returns when ctx is done.
	read(ctx context.Context, p []byte) (int, error)

	// write writes all of p. It returns when ctx is done.
	write(ctx context.Context, p []byte) (int, error)

	// close gives the open file up, for one process.
	close()

	// fork returns the open file as a forked process has it.
	fork(child *client.Process) openFile
}

// port is an open file as a utility gets it for a standard stream.
type port struct {
	ctx  context.Context
	file openFile
}

var _ util.Terminal = port{}

// Read reads from the open file.
func (p port) Read(b []byte) (int, error) { return p.file.read(p.ctx, b) }

// Write writes to the open file.
func (p port) Write(b []byte) (int, error) { return p.file.write(p.ctx, b) }

// IsTerminal tells whether the open file is a terminal of the host.
func (p port) IsTerminal() bool {
	t, ok := p.file.(util.Terminal)
	return ok && t.IsTerminal()
}

// Size returns the terminal's size. Errors: ENOTTY.
func (p port) Size() (columns, rows int, err error) {
	if t, ok := p.file.(util.Terminal); ok {
		return t.Size()
	}
	return 0, 0, abi.ENOTTY
}

// kernelFile is an open file of the kernel by a descriptor of a process there.
type kernelFile struct {
	proc *client.Process
	fd   int
}

func (f *kernelFile) read(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.proc.Sys().Read(f.fd, p)
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

func (f *kernelFile) write(ctx context.Context, p []byte) (int, error) {
	total := 0
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := f.proc.Sys().Write(f.fd, p[total:])
		total += n
		if err != nil || total >= len(p) {
			return total, err
		}
		if n == 0 {
			return total, io.ErrShortWrite
		}
	}
}

func (f *kernelFile) close() {
	f.proc.Sys().Close(f.fd) //nolint:errcheck // as for any shell: the command's own writes told
}

// fork returns the same descriptor of the child, which shares the offset.
func (f *kernelFile) fork(child *client.Process) openFile { return &kernelFile{child, f.fd} }

// textFile is a here-document. All that refer to it share the offset.
type textFile struct {
	mu   sync.Mutex
	text *strings.Reader
}

func newTextFile(text string) *textFile { return &textFile{text: strings.NewReader(text)} }

func (f *textFile) read(_ context.Context, p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.Read(p)
}

func (f *textFile) write(context.Context, []byte) (int, error) { return 0, abi.EBADF }
func (f *textFile) close()                                     {}
func (f *textFile) fork(*client.Process) openFile              { return f }

// captured is the output of a command substitution.
type captured struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (f *captured) read(context.Context, []byte) (int, error) { return 0, abi.EBADF }

// write keeps p. Errors: ENOMEM past what a word may hold.
func (f *captured) write(_ context.Context, p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.buf.Len()+len(p) > maxWord {
		return 0, abi.ENOMEM
	}
	return f.buf.Write(p)
}

func (f *captured) close()                        {}
func (f *captured) fork(*client.Process) openFile { return f }

func (f *captured) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.buf.String()
}
