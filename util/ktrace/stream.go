package ktrace

import (
	"context"
	"io"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// streamSize is how much of a trace is read at a time.
const streamSize = 64 << 10

// pipe makes the pipe that a trace comes through. What is executed does not inherit it.
func (tr *tracer) pipe() (rd, wr int, err error) {
	rd, wr, err = tr.sys.Pipe2(abi.O_CLOEXEC)
	if err != nil || !tr.nonblocking {
		return rd, wr, err
	}
	_, err = tr.sys.Fcntl(wr, abi.F_SETFL, abi.O_NONBLOCK)
	return rd, wr, err
}

// streamProcess prints the trace of a process that is there, until it ends.
func (tr *tracer) streamProcess(context.Context) int {
	rd, wr, err := tr.pipe()
	if err != nil {
		return tr.env.Err(err, "pipe(2)")
	}
	if err := tr.sys.Fktrace(wr, int(tr.ops), int(tr.points), tr.pid); err != nil {
		return tr.env.Err(err, "%s", tr.file)
	}
	tr.sys.Close(wr) //nolint:errcheck // the trace has it
	if err := copyTrace(tr.env.Stdout, tr.sys, rd); err != nil {
		return tr.env.Err(err, "%s", tr.file)
	}
	return util.ExitOK
}

// streamCommand prints the trace of a command among what the command prints. A child reads it, which is not traced.
func (tr *tracer) streamCommand(ctx context.Context, pid int, then runner) int {
	rd, wr, err := tr.pipe()
	if err != nil {
		return tr.env.Err(err, "pipe(2)")
	}
	reader, err := tr.env.Proc.Fork()
	if err != nil {
		return tr.env.Err(err, "fork")
	}
	defer reader.Close()
	reader.Sys().Close(wr) //nolint:errcheck // so that the trace's is the last one
	tr.sys.Close(rd)       //nolint:errcheck // the reader has it
	if err := tr.sys.Fktrace(wr, int(tr.ops), int(tr.points), pid); err != nil {
		return tr.env.Err(err, "%s", tr.file)
	}
	var mu sync.Mutex
	env := *tr.env
	env.Stdout, env.Stderr = &shared{&mu, tr.env.Stdout}, &shared{&mu, tr.env.Stderr}
	done := make(chan error, 1)
	go func() { done <- copyTrace(env.Stdout, reader.Sys(), rd) }()
	status := then(ctx, &env)
	tr.end(reader, pid)
	if err := <-done; err != nil && status == util.ExitOK {
		return tr.env.Err(err, "%s", tr.file)
	}
	return status
}

// end ends the trace of a command that has ended, whose process is not at its end. Should the process have become somebody
// else's, the reader goes instead.
func (tr *tracer) end(reader *client.Process, pid int) {
	err := reader.Sys().Ktrace(tr.file, abi.KTROP_CLEAR|abi.KTRFACv2, AllPoints, pid)
	if err != nil && err != abi.ESRCH {
		reader.Close()
	}
}

// copyTrace prints what comes through a pipe.
func copyTrace(w io.Writer, sys *client.Sys, fd int) error {
	b := make([]byte, streamSize)
	for {
		n, err := sys.Read(fd, b)
		if err != nil || n == 0 {
			return err
		}
		if _, err := w.Write(b[:n]); err != nil {
			return err
		}
	}
}

// shared is a standard stream that two write to.
type shared struct {
	mu *sync.Mutex // of both streams: one flushes the other
	w  io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// Unwrap returns what is below, which tells whether it is a terminal.
func (s *shared) Unwrap() io.Writer { return s.w }
