package tty

import (
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Driver is what is behind a terminal's line. Its methods are called with the TTY locked; they must not wait.
type Driver interface {
	// Start says that there may be output to take.
	Start()
	// Stop says that output has been stopped (flushed is 0), or that queues have been emptied: flushed has abi.FREAD
	// and abi.FWRITE for the terminal's input and output.
	Stop(flushed int)
	// Room says that there may be room for input again.
	Room()
}

// Sizes of the queues in bytes: of a new terminal, and the bounds of TIOCSQSIZE.
const (
	defaultQueue = 1024
	minQueue     = 1 << 10
	maxQueue     = 1 << 16
	// slack is what echoes and messages may take beyond the size of the output queue.
	slack = 256
)

// char is a character of input in a queue: a byte, and whether VLNEXT has quoted it.
type char uint16

const quoted char = 0x100

// TTY is a terminal. Its methods that are for a Driver say that they are called with it locked; all others lock it.
type TTY struct {
	k   *kern.Kernel
	drv Driver
	sel kern.Selinfo // announces changes to those on the terminal's side
	st  *Stats

	mu    sync.Mutex
	modes abi.Termios
	size  abi.Winsize
	qsize int

	canon  []char // whole lines; in remote mode a record of the driver's
	raw    []char // the line that is being typed, or all input without ICANON
	out    []byte // for the driver
	column int    // of the cursor, by what was sent

	lineChars  int  // how much of raw has been echoed without anything between
	lineColumn int  // where its echo begins
	literal    bool // VLNEXT was typed
	erasing    bool // within the \.../ of ECHOPRT
	measuring  bool // echoes move the column alone
	reinput    bool // input taken before is looked at again

	stopped   bool // output is, by VSTOP or TIOCSTOP
	blocked   bool // VSTOP was sent for IXOFF
	exclusive bool // TIOCEXCL
	remote    bool // canon has a record, not lines
	record    bool // there is one, perhaps empty

	attached bool   // somebody is behind the driver
	carrier  bool   // the line is up
	opens    int    // of this side
	gen      uint64 // counts the times that all opens have ended

	session *kern.Session // that the terminal controls
	pgid    int           // the foreground process group; 0 for none

	posts   []post // signals to be raised when the lock is given up
	changed bool   // sel is to be notified then
}

// New makes a terminal that nobody has open.
func New(k *kern.Kernel, drv Driver, st *Stats) *TTY {
	tp := &TTY{k: k, drv: drv, st: st, qsize: int(st.qsize.Load())}
	tp.reset()
	return tp
}

// reset sets the modes of a terminal that is opened first.
func (tp *TTY) reset() {
	tp.modes = abi.Termios{
		Iflag: abi.TTYDEF_IFLAG, Oflag: abi.TTYDEF_OFLAG, Cflag: abi.TTYDEF_CFLAG, Lflag: abi.TTYDEF_LFLAG,
		Ispeed: abi.TTYDEF_SPEED, Ospeed: abi.TTYDEF_SPEED, Cc: defaultChars(),
	}
}

// defaultChars are the special characters of a new terminal, termios(4).
func defaultChars() (cc [abi.NCCS]byte) {
	for i := range cc {
		cc[i] = abi.POSIX_VDISABLE
	}
	for i, c := range map[int]byte{
		abi.VEOF: abi.CEOF, abi.VEOL: abi.CEOL, abi.VEOL2: abi.CEOL, abi.VERASE: abi.CERASE, abi.VWERASE: abi.CWERASE,
		abi.VKILL: abi.CKILL, abi.VREPRINT: abi.CREPRINT, abi.VINTR: abi.CINTR, abi.VQUIT: abi.CQUIT, abi.VSUSP: abi.CSUSP,
		abi.VDSUSP: abi.CDSUSP, abi.VSTART: abi.CSTART, abi.VSTOP: abi.CSTOP, abi.VLNEXT: abi.CLNEXT, abi.VDISCARD: abi.CDISCARD,
		abi.VMIN: abi.CMIN, abi.VTIME: abi.CTIME, abi.VSTATUS: abi.CSTATUS,
	} {
		cc[i] = c
	}
	return cc
}

// Lock locks the terminal, for its driver.
func (tp *TTY) Lock() { tp.mu.Lock() }

// Unlock unlocks the terminal, and raises what was posted and tells what has changed meanwhile.
func (tp *TTY) Unlock() {
	posts, changed := tp.posts, tp.changed
	tp.posts, tp.changed = nil, false
	tp.mu.Unlock()
	if changed {
		tp.sel.Notify(0)
	}
	for _, p := range posts {
		p.raise(tp.k)
	}
}

// wake has Unlock tell those who wait at the terminal's side.
func (tp *TTY) wake() { tp.changed = true }

// connected says whether the line is up or does not matter; called locked.
func (tp *TTY) connected() bool { return tp.carrier || tp.modes.Cflag&abi.CLOCAL != 0 }

func (tp *TTY) lflag(bit uint32) bool { return tp.modes.Lflag&bit != 0 }
func (tp *TTY) iflag(bit uint32) bool { return tp.modes.Iflag&bit != 0 }
func (tp *TTY) oflag(bit uint32) bool { return tp.modes.Oflag&bit != 0 }

// is says whether a character is the special one of a place of c_cc. A quoted one never is.
func (tp *TTY) is(c char, which int) bool {
	return c == char(tp.modes.Cc[which]) && c != abi.POSIX_VDISABLE
}

// flush empties queues: abi.FREAD for input, abi.FWRITE for output. Called locked.
func (tp *TTY) flush(which int) {
	if which&abi.FREAD != 0 {
		tp.canon, tp.raw, tp.record = nil, nil, false
		tp.lineChars, tp.lineColumn = 0, 0
		tp.literal, tp.erasing = false, false
		tp.drv.Room()
	}
	if which&abi.FWRITE != 0 {
		tp.stopped = false
		tp.out = nil
		tp.drv.Stop(which)
	}
	tp.wake()
}

// The marks of the output queue: writers wait above the high one until it has fallen to the low one.
func (tp *TTY) high() int { return tp.qsize }
func (tp *TTY) low() int  { return tp.qsize / 4 }

// setQueueSize is TIOCSQSIZE; sizes are cut to powers of two.
//
// Errors: EINVAL, EBUSY while there is output.
func (tp *TTY) setQueueSize(n int) error {
	n, err := queueSize(n)
	switch {
	case err != nil:
		return err
	case n == tp.qsize:
		return nil
	case len(tp.out) > 0:
		return abi.EBUSY
	}
	tp.qsize = n
	return nil
}

// queueSize is the size that a queue of n bytes has, a power of two. Errors: EINVAL.
func queueSize(n int) (int, error) {
	if n < minQueue || n >= 2*maxQueue {
		return 0, abi.EINVAL
	}
	size := minQueue
	for size*2 <= n {
		size *= 2
	}
	return size, nil
}

// Modes are the terminal's. For a Driver, with the terminal locked.
func (tp *TTY) Modes() abi.Termios { return tp.modes }

// External says whether the driver does the editing, EXTPROC. For a Driver, with the terminal locked.
func (tp *TTY) External() bool { return tp.lflag(abi.EXTPROC) }

// SetExternal is TIOCEXT. For a Driver, with the terminal locked.
func (tp *TTY) SetExternal(on bool) {
	tp.modes.Lflag &^= abi.EXTPROC
	if on {
		tp.modes.Lflag |= abi.EXTPROC
	}
}

// Remote says whether input comes in records. For a Driver, with the terminal locked.
func (tp *TTY) Remote() bool { return tp.remote }

// Queued is how much output there is, stopped or not. For a Driver, with the terminal locked.
func (tp *TTY) Queued() int { return len(tp.out) }

// InputRoom is how much input there is room for. For a Driver, with the terminal locked.
func (tp *TTY) InputRoom() int { return max(0, tp.qsize-tp.queued()) }
