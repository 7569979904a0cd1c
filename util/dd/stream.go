package dd

import (
	"errors"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// stream is what blocks are read from or written to.
type stream interface {
	// read is read(2): what there is, at most len(b) bytes; 0 is the end.
	read(b []byte) (int, error)
	// write is write(2): perhaps only the beginning of b.
	write(b []byte) (int, error)
	// seek moves the offset, whence is abi.SEEK_SET or SEEK_CUR. Errors: ESPIPE if there is none.
	seek(off int64, whence int) error
	// truncate ends the file at an offset.
	truncate(size int64) error
	// character tells whether it is a character device.
	character() bool
	close() error
}

// transfer is how much of a block one call carries; a larger one takes several.
const transfer = 1 << 20

// chunks calls f for pieces of b until one comes out short, as one call for all of b would.
func chunks(b []byte, f func([]byte) (int, error)) (int, error) {
	total := 0
	for {
		piece := b[total:min(total+transfer, len(b))]
		n, err := f(piece)
		total += n
		if total > 0 && err != nil {
			return total, nil // the next call finds the error again
		}
		if err != nil || n < len(piece) || total == len(b) {
			return total, err
		}
	}
}

// kernelFile is a file in the kernel.
type kernelFile struct {
	sys  *client.Sys
	fd   int
	char bool
}

func openFile(sys *client.Sys, path string, flags int) (*kernelFile, error) {
	fd, err := sys.Open(path, flags, 0o666)
	if err != nil {
		return nil, err
	}
	var st abi.Stat
	if err := sys.Fstat(fd, &st); err != nil {
		sys.Close(fd)
		return nil, err
	}
	return &kernelFile{sys: sys, fd: fd, char: st.Mode&abi.S_IFMT == abi.S_IFCHR}, nil
}

func (f *kernelFile) read(b []byte) (int, error) {
	return chunks(b, func(b []byte) (int, error) { return f.sys.Read(f.fd, b) })
}

func (f *kernelFile) write(b []byte) (int, error) {
	return chunks(b, func(b []byte) (int, error) { return f.sys.Write(f.fd, b) })
}

func (f *kernelFile) seek(off int64, whence int) error {
	_, err := f.sys.Lseek(f.fd, off, whence)
	return err
}

func (f *kernelFile) truncate(size int64) error { return f.sys.Ftruncate(f.fd, size) }
func (f *kernelFile) character() bool           { return f.char }
func (f *kernelFile) close() error              { return f.sys.Close(f.fd) }

// hostInput is standard input.
type hostInput struct{ r io.Reader }

func (s hostInput) read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if n > 0 || errors.Is(err, io.EOF) {
		return n, nil
	}
	return 0, err
}

func (s hostInput) seek(off int64, whence int) error { return seekHost(s.r, off, whence) }
func (hostInput) write([]byte) (int, error)          { return 0, abi.EBADF }
func (hostInput) truncate(int64) error               { return abi.EINVAL }
func (s hostInput) character() bool                  { return util.IsTerminal(s.r) }
func (hostInput) close() error                       { return nil }

// hostOutput is standard output.
type hostOutput struct{ env *util.Env }

func (hostOutput) read([]byte) (int, error)      { return 0, abi.EBADF }
func (s hostOutput) write(b []byte) (int, error) { return s.env.Stdout.Write(b) }

func (s hostOutput) seek(off int64, whence int) error {
	if err := s.env.Flush(); err != nil {
		return err
	}
	var w any = s.env.Stdout
	for {
		u, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			return seekHost(w, off, whence)
		}
		w = u.Unwrap()
	}
}

func (hostOutput) truncate(int64) error { return abi.EINVAL }
func (s hostOutput) character() bool    { return util.IsTerminal(s.env.Stdout) }
func (s hostOutput) close() error       { return s.env.Flush() }

// seekHost moves a host file's offset, if it has one. The values of whence are package io's.
func seekHost(f any, off int64, whence int) error {
	if s, ok := f.(io.Seeker); ok {
		if _, err := s.Seek(off, whence); err == nil {
			return nil
		}
	}
	return abi.ESPIPE
}
