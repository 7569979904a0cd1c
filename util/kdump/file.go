package kdump

import (
	"context"
	"io"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// readSize is how much of a trace is read at a time.
const readSize = 64 << 10

// file reads a trace in the kernel. With a kqueue it waits for more at the end.
type file struct {
	ctx  context.Context
	sys  *client.Sys
	fd   int
	kq   int // -1 without -l
	buf  [readSize]byte
	rest []byte // what has been read and not been taken
}

// follow has Read wait at the end of the file. Errors: those of kqueue(2).
func (f *file) follow() error {
	kq, err := f.sys.Kqueue(0)
	if err != nil {
		return err
	}
	f.kq = kq
	_, err = f.sys.Kevent(kq, []abi.Kevent{{Ident: uint64(f.fd), Filter: abi.EVFILT_READ, Flags: abi.EV_ADD}}, nil, nil)
	return err
}

func (f *file) Read(p []byte) (int, error) {
	for len(f.rest) == 0 {
		n, err := f.sys.Read(f.fd, f.buf[:])
		if err != nil {
			return 0, err
		}
		f.rest = f.buf[:n]
		if n > 0 {
			break
		}
		if f.kq < 0 {
			return 0, io.EOF
		}
		if err := f.wait(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// wait waits until there is more to read.
func (f *file) wait() error {
	for {
		_, err := f.sys.Kevent(f.kq, nil, make([]abi.Kevent, 1), nil)
		if f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		if err != abi.EINTR {
			return err
		}
	}
}
