package kern

import (
	"io"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
)

// console is what descriptors 0, 1 and 2 of a new process refer to: writing goes to Config.Console, reading
// takes from Config.ConsoleInput. To fstat(2) it is a character device of its own; of the terminal's ioctls it knows only
// TIOCGETA, as the original, so that isatty(3) says yes and nothing else works.
type console struct {
	k   *Kernel
	out io.Writer
	sel Selinfo

	outMu sync.Mutex

	mu      sync.Mutex
	in      io.Reader
	buf     []byte // read and not yet taken
	err     error  // that reading ended with; io.EOF without an input
	reading bool   // a goroutine reads from in
}

// consoleChunk is how much is read from the input at once.
const consoleChunk = 4096

func (c *console) init(k *Kernel) {
	c.k, c.out, c.in = k, k.cfg.Console, k.cfg.ConsoleInput
	if c.in == nil {
		c.err = io.EOF
	}
}

// openConsole gives a new process its descriptors 0, 1 and 2.
func (d *Filedesc) openConsole(k *Kernel) {
	f := NewFile(abi.DTYPE_MISC, &k.console, abi.FREAD|abi.FWRITE)
	f.refs.Store(3)
	d.mu.Lock()
	defer d.mu.Unlock()
	for fd := range 3 {
		d.set(fd, f, false)
	}
	d.free = 3
}

// Close leaves the console as it is.
func (c *console) Close(*Thread, *File) error { return nil }

// Write writes to Config.Console. Errors: EIO.
func (c *console) Write(t *Thread, f *File, p []byte, off int64) (int, error) {
	if c.out == nil {
		return len(p), nil
	}
	c.outMu.Lock()
	defer c.outMu.Unlock()
	n, err := c.out.Write(p)
	if err != nil {
		return n, abi.EIO
	}
	return n, nil
}

// Read waits for input. Errors: EAGAIN, EINTR, EIO.
func (c *console) Read(t *Thread, f *File, p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	timeout := Forever
	if f.Nonblock() {
		timeout = 0
	}
	if err := t.WaitFor(&c.sel, timeout, c.readable); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(p, c.buf)
	c.buf = c.buf[n:]
	if n == 0 && c.err != nil && c.err != io.EOF {
		return 0, abi.EIO
	}
	return n, nil
}

// readable says whether a read would not wait; if it would, it sees to it that input is being read.
func (c *console) readable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.buf) > 0 || c.err != nil {
		return true
	}
	if !c.reading {
		c.reading = true
		go c.fill()
	}
	return false
}

// fill reads one piece of input. It runs on a goroutine of its own, as an io.Reader cannot be interrupted.
func (c *console) fill() {
	b := make([]byte, consoleChunk)
	n, err := c.in.Read(b)
	c.mu.Lock()
	c.buf, c.err, c.reading = b[:n], err, false
	c.mu.Unlock()
	c.sel.Notify(0)
}

// Poll says whether input is there; output always is possible.
func (c *console) Poll(f *File, events int) int {
	ready := events & (abi.POLLOUT | abi.POLLWRNORM)
	if in := events & (abi.POLLIN | abi.POLLRDNORM); in != 0 && c.readable() {
		ready |= in
	}
	return ready
}

// Selinfo is where input is announced.
func (c *console) Selinfo() *Selinfo { return &c.sel }

// Stat describes a character device of mode 0600, as old as the kernel.
func (c *console) Stat(t *Thread, f *File, st *abi.Stat) error {
	boot := Timespec(c.k.BootTime())
	*st = abi.Stat{Mode: abi.S_IFCHR | 0600, Atim: boot, Mtim: boot, Ctim: boot, Birthtim: boot}
	return nil
}

// Ioctl answers TIOCGETA with a terminal whose modes are all off. Errors: ENOTTY.
func (c *console) Ioctl(t *Thread, f *File, cmd uint32, data []byte) error {
	if cmd == abi.TIOCGETA {
		clear(data)
		return nil
	}
	return abi.ENOTTY
}
