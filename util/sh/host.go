package sh

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// hostInput is the standard input that the shell was given. Reading it is on demand: at most
// one Read is under way, and what it returns after the command that asked was interrupted is
// kept for the next one.
type hostInput struct {
	r io.Reader

	mu      sync.Mutex
	pending chan struct{} // closed when the Read under way returns; nil if there is none
	buf     []byte        // what it has returned and nobody has taken
	err     error
}

func newHostInput(r io.Reader) *hostInput { return &hostInput{r: r} }

func (h *hostInput) read(ctx context.Context, p []byte) (int, error) {
	for {
		n, wait, err := h.take(p)
		if wait == nil {
			return n, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// take takes what has been read, or starts a Read and returns the channel that is closed at its
// end.
func (h *hostInput) take(p []byte) (int, chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case len(p) == 0:
		return 0, nil, nil
	case len(h.buf) > 0:
		n := copy(p, h.buf)
		h.buf = h.buf[n:]
		return n, nil, nil
	case h.err != nil:
		err := h.err
		h.err = nil // a terminal goes on after its end of file
		return 0, nil, err
	case h.pending == nil:
		h.pending = make(chan struct{})
		go h.fill(h.pending, make([]byte, len(p)))
	}
	return 0, h.pending, nil
}

func (h *hostInput) fill(done chan struct{}, b []byte) {
	n, err := h.r.Read(b)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.buf, h.err, h.pending = b[:n], err, nil
	close(done)
}

// direct returns the host's file if nothing has been read ahead of a command.
func (h *hostInput) direct() (*os.File, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, ok := h.r.(*os.File)
	return f, ok && h.pending == nil && len(h.buf) == 0 && h.err == nil
}

func (h *hostInput) write(context.Context, []byte) (int, error) { return 0, abi.EBADF }
func (h *hostInput) close()                                     {}
func (h *hostInput) fork(*client.Process) openFile              { return h }

// IsTerminal tells whether it is a terminal.
func (h *hostInput) IsTerminal() bool { return util.IsTerminal(h.r) }

// Size returns the terminal's size.
func (h *hostInput) Size() (columns, rows int, err error) { return terminalSize(h.r) }

// hostOutput is a standard output that the shell was given.
type hostOutput struct {
	w io.Writer

	mu    sync.Mutex
	above io.Writer // the line editor while a line is edited, to write above the line
}

// divert has writes go to w, or as before if w is nil.
func (h *hostOutput) divert(w io.Writer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.above = w
}

func (h *hostOutput) write(_ context.Context, p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.above != nil {
		return h.above.Write(p)
	}
	return h.w.Write(p)
}

func (h *hostOutput) read(context.Context, []byte) (int, error) { return 0, abi.EBADF }
func (h *hostOutput) close()                                    {}
func (h *hostOutput) fork(*client.Process) openFile             { return h }

// IsTerminal tells whether it is a terminal.
func (h *hostOutput) IsTerminal() bool { return util.IsTerminal(h.w) }

// Size returns the terminal's size.
func (h *hostOutput) Size() (columns, rows int, err error) { return terminalSize(h.w) }

func terminalSize(stream any) (columns, rows int, err error) {
	columns, rows, ok := util.TerminalSize(stream)
	if !ok {
		return 0, 0, abi.ENOTTY
	}
	return columns, rows, nil
}

// hostGrace is how long a command of the host has to end after it was asked to, before it is killed.
const hostGrace = 2 * time.Second

// hostCommand is the builtin host: it runs a command of the host with the host's
// environment, to which the variables given with the command are added, and the shell's
// standard streams. Descriptors of the host are passed on as they are; to and from all others
// bytes are copied.
func hostCommand(s *shell, args []string) int {
	if len(args) < 2 {
		return s.usage("host command [argument ...]")
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		s.warn("host: %s: not found", args[1])
		return exitNotFound
	}
	c, err := s.spawn()
	if err != nil {
		return s.cannotFork(err)
	}
	defer c.end()
	cmd := exec.Command(path, args[2:]...)
	cmd.Args[0] = args[1]
	cmd.Env = os.Environ()
	for _, a := range s.given {
		cmd.Env = append(cmd.Env, a.name+"="+a.value)
	}
	cmd.WaitDelay = hostGrace
	cmd.Stdout, cmd.Stderr = c.hostWriter(1), c.hostWriter(2)
	copied, err := c.hostInput(cmd)
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.warn("host: %s: %v", args[1], err)
		return exitCannotRun
	}
	stop := context.AfterFunc(c.ctx, func() { endHost(c.ctx, cmd) })
	defer stop()
	err = cmd.Wait()
	c.cancel(nil)
	<-copied
	return hostStatus(cmd, err)
}

// endHost ends a command of the host whose shell or job ends. A terminal's interrupt has reached
// the command by itself: what it makes of that is its own affair.
func endHost(ctx context.Context, cmd *exec.Cmd) {
	sig := causeSignal(ctx)
	if sig == 0 || sig == abi.SIGINT && util.IsTerminal(cmd.Stdin) {
		return
	}
	if sig == abi.SIGKILL || cmd.Process.Signal(os.Interrupt) != nil {
		cmd.Process.Kill() //nolint:errcheck // it has ended then
	}
}

// hostStatus returns the exit status of a command of the host.
func hostStatus(cmd *exec.Cmd, err error) int {
	if cmd.ProcessState == nil {
		return exitCannotRun
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return hostSignal(exit.ProcessState)
	}
	return exitCannotRun
}

// hostInput gives a command of the host its standard input. Input that is not the host's own
// is copied until there is no more or the command has ended: then the channel is closed.
func (c *command) hostInput(cmd *exec.Cmd) (copied chan struct{}, err error) {
	copied = make(chan struct{})
	in := c.fds.file(0)
	if h, ok := in.(*hostInput); ok {
		if f, ok := h.direct(); ok {
			cmd.Stdin = f
			close(copied)
			return copied, nil
		}
	}
	w, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(copied)
		io.Copy(w, port{c.ctx, in}) //nolint:errcheck // the command stopped reading
		w.Close()
	}()
	return copied, nil
}

// hostWriter returns what a command of the host has for a descriptor: the host's own file, so that
// it may be its terminal, or a copy.
func (c *command) hostWriter(fd int) io.Writer {
	file := c.fds.file(fd)
	if h, ok := file.(*hostOutput); ok {
		if f, ok := h.w.(*os.File); ok {
			return f
		}
	}
	return port{c.ctx, file}
}

// takeSignals has the program's signals go to the shell if standard input is the program's, until the returned
// function is called.
func (s *shell) takeSignals(stdin io.Reader) func() {
	if stdin != os.Stdin {
		return func() {}
	}
	signals := make(chan os.Signal, 4)
	for sig := range hostSignals {
		signal.Notify(signals, sig)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sig := range signals {
			s.sig.deliver(hostSignals[sig])
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
