package fts

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// openLevels is how many directories of a cursor's way are open at once. A process has 64 descriptors, and a utility
// may have two cursors and files besides.
const openLevels = 16

// dirFlags are those of every directory that is opened for reading.
const dirFlags = abi.O_RDONLY | abi.O_DIRECTORY | abi.O_NONBLOCK | abi.O_CLOEXEC

// Cursor stands in a directory of the kernel, at first the working directory, and goes down
// and up from there without changing the process's own. It finds its way back up a tree of any
// depth, even where the path from the top has become too long to be said.
//
// It belongs to one goroutine. The zero value is of no use: see NewCursor.
type Cursor struct {
	sys    *client.Sys
	levels []level
	closed int   // levels before this one are closed, but for the pinned
	open   int   // levels with a descriptor
	left   []int // the descriptors of directories that were left, to be closed with the next call

	entries [2][]byte          // what directories are read into
	ahead   map[*Entry]*opened // directories that were read before their turn
	entered *opened            // the one of them where the cursor is, until Children
	buffers []byte             // what they are read into
}

// level is a directory on the way.
type level struct {
	fd       int    // -1: closed, to be found again by ".."
	followed bool   // it was entered by a symbolic link, so that its ".." leads elsewhere
	dev, ino uint64 // set when it is closed
}

// NewCursor returns a cursor in the working directory.
func NewCursor(sys *client.Sys) *Cursor { return &Cursor{sys: sys} }

// FD returns a descriptor for the *at calls. It is good until the next Enter or Leave.
func (c *Cursor) FD() int {
	if len(c.levels) == 0 {
		return abi.AT_FDCWD
	}
	return c.levels[len(c.levels)-1].fd
}

// Enter goes down into a directory by a path from where the cursor is. Unless follow, the path
// may not end in a symbolic link. Errors are open(2)'s; the cursor has not moved then.
func (c *Cursor) Enter(path string, follow bool) error {
	fd, err := c.openat(path, openFlags(follow))
	if err == abi.EMFILE && len(c.ahead) > 0 {
		c.forget()
		fd, err = c.openat(path, openFlags(follow))
	}
	if err != nil {
		return err
	}
	return c.descend(fd, follow)
}

// openFlags are the flags of openat(2).
func openFlags(follow bool) int {
	if follow {
		return dirFlags
	}
	return dirFlags | abi.O_NOFOLLOW
}

// descend makes a directory that is open the one where the cursor is.
func (c *Cursor) descend(fd int, followed bool) error {
	if err := c.shut(); err != nil {
		c.sys.Close(fd)
		return err
	}
	c.levels = append(c.levels, level{fd: fd, followed: followed})
	c.open++
	return nil
}

// openat opens a directory, and closes the one that was left before.
func (c *Cursor) openat(path string, flags int) (int, error) {
	last := len(c.left) - 1
	if last < 0 {
		return c.sys.Openat(c.FD(), path, flags, 0)
	}
	old := c.left[last]
	c.left = c.left[:last]
	return c.sys.OpenatClosing(old, c.FD(), path, flags)
}

// leave has a descriptor closed soon. If directories are read ahead it is closed when the next are.
func (c *Cursor) leave(fd int) {
	if most := len(c.buffers)/aheadSize + 1; len(c.left) >= most {
		c.closeLeft()
	}
	c.left = append(c.left, fd)
}

// closeLeft closes what was left.
func (c *Cursor) closeLeft() {
	for _, fd := range c.left {
		c.sys.Close(fd)
	}
	c.left = c.left[:0]
}

// shut closes the topmost level that is open if there are too many.
func (c *Cursor) shut() error {
	for ; c.open >= openLevels && c.closed < len(c.levels)-1; c.closed++ {
		l, below := &c.levels[c.closed], &c.levels[c.closed+1]
		if l.fd < 0 || below.followed {
			continue
		}
		var st abi.Stat
		if err := c.sys.Fstat(l.fd, &st); err != nil {
			return err
		}
		c.sys.Close(l.fd)
		l.fd, l.dev, l.ino = -1, st.Dev, st.Ino
		c.open--
	}
	return nil
}

// Leave goes back up to where the last Enter came from. Errors: ENOENT if the directory was
// moved to another place meanwhile, and open(2)'s. The way is lost then, and the cursor is of no
// use but for Close.
func (c *Cursor) Leave() error {
	top := len(c.levels) - 1
	if top > 0 && c.levels[top-1].fd < 0 {
		if err := c.reopen(&c.levels[top-1], c.levels[top].fd); err != nil {
			return err
		}
		c.closed = min(c.closed, top-1)
	}
	c.leave(c.levels[top].fd)
	c.levels = c.levels[:top]
	c.open--
	return nil
}

// reopen opens a closed level from the one below it.
func (c *Cursor) reopen(l *level, below int) error {
	fd, err := c.sys.Openat(below, "..", dirFlags, 0)
	if err != nil {
		return err
	}
	var st abi.Stat
	if err = c.sys.Fstat(fd, &st); err == nil && (st.Dev != l.dev || st.Ino != l.ino) {
		err = abi.ENOENT
	}
	if err != nil {
		c.sys.Close(fd)
		return err
	}
	l.fd = fd
	c.open++
	return nil
}

// Close closes what is open, wherever the cursor is.
func (c *Cursor) Close() {
	for _, l := range c.levels {
		if l.fd >= 0 {
			c.sys.Close(l.fd)
		}
	}
	c.closeLeft()
	c.forget()
	c.levels, c.open, c.closed = nil, 0, 0
}
