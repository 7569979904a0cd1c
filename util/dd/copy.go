package dd

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
)

// failure is an error with what it is an error of.
type failure struct {
	what string
	err  error
}

func (f *failure) Error() string { return f.what + ": " + util.ErrorText(f.err) }
func (f *failure) Unwrap() error { return f.err }

// copying is the copy of one stream to another.
type copying struct {
	o       *operands
	env     *util.Env
	in, out stream
	inName  string
	outName string
	block   []byte // the input block
	conv    converter
	summary func(st *counts) // prints st

	pending []byte // converted and not yet written
	hole    int64  // zeroes that the next write seeks over
	warned  bool   // of a short write

	mu sync.Mutex
	st counts
}

// note changes the statistics.
func (c *copying) note(change func(st *counts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.st)
}

// snapshot returns the statistics.
func (c *copying) snapshot() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.st
}

// run copies until the end of the input, count blocks, an error, or until ctx is done.
func (c *copying) run(ctx context.Context) error {
	c.block = make([]byte, c.o.ibs)
	for c.o.given&opCount == 0 || c.blocksRead() < uint64(c.o.count) {
		n, err := c.readBlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if n < 0 {
			continue
		}
		if err := c.process(c.block[:n]); err != nil {
			return err
		}
	}
	return c.finish()
}

func (c *copying) blocksRead() uint64 { return c.st.inFull + c.st.inPart }

// readBlock reads an input block and returns its length: 0 at the end, -1 if there was
// an error that conv=noerror ignores.
func (c *copying) readBlock() (int, error) {
	n, err := c.in.read(c.block)
	if err != nil {
		if err := c.badBlock(err); err != nil || c.o.conv&convSync == 0 {
			return -1, err
		}
		c.pad(0)
		c.note(func(st *counts) { st.inFull++ })
		return len(c.block), nil
	}
	switch {
	case n == len(c.block):
		c.note(func(st *counts) { st.inFull++ })
	case n > 0:
		c.note(func(st *counts) { st.inPart++ })
		if c.o.conv&convSync != 0 {
			c.pad(n)
			n = len(c.block)
		}
	}
	return n, nil
}

// badBlock handles a read error: with conv=noerror it reports, and goes on after the block. That
// holds for EIO, what a bad medium gives; any other would come again for ever.
func (c *copying) badBlock(err error) error {
	if c.o.conv&convNoerror == 0 || !errors.Is(err, abi.EIO) {
		return &failure{c.inName, err}
	}
	c.env.Warn(err, "%s", c.inName)
	st := c.snapshot()
	c.summary(&st)
	if err := c.in.seek(int64(len(c.block)), abi.SEEK_CUR); err != nil && err != abi.ESPIPE {
		return &failure{c.inName, err}
	}
	return nil
}

// pad fills the input block from n on: conv=sync.
func (c *copying) pad(n int) {
	fill := byte(0)
	if c.o.conv&(convBlock|convUnblock) != 0 {
		fill = ' '
	}
	for i := n; i < len(c.block); i++ {
		c.block[i] = fill
	}
}

// process converts a block and writes what output blocks that makes.
func (c *copying) process(block []byte) error {
	if c.o.whole() {
		c.pending = append(c.pending[:0], block...)
		return c.writeOut(true)
	}
	c.note(func(st *counts) {
		if c.o.conv&convSwab != 0 && swapBytes(block) {
			st.odd++
		}
		c.pending = c.conv.convert(c.pending, block)
	})
	return c.writeOut(false)
}

// finish writes what is left and closes the output.
func (c *copying) finish() error {
	c.note(func(*counts) { c.pending = c.conv.close(c.pending) })
	if c.st.short {
		c.env.Warnx("%s: short input record", c.inName)
	}
	if err := c.writeOut(false); err != nil {
		return err
	}
	if n := len(c.pending); c.o.conv&convOsync != 0 && n > 0 && n < c.o.obs {
		c.pending = append(c.pending, make([]byte, c.o.obs-n)...)
	}
	if len(c.pending) == 0 && c.hole > 0 { // the last block is written, so that the size is right
		c.hole -= int64(c.o.obs)
		c.pending = make([]byte, c.o.obs)
	}
	if err := c.writeOut(true); err != nil {
		return err
	}
	if err := c.out.close(); err != nil {
		return &failure{"close", err}
	}
	return nil
}

// writeOut writes the full output blocks of what is pending or, by force, all of it.
func (c *copying) writeOut(force bool) error {
	b := c.pending
	for len(b) >= c.o.obs || force && len(b) > 0 {
		n := min(len(b), c.o.obs)
		if !force && c.o.conv&convSparse != 0 && zero(b[:n]) {
			c.hole += int64(n)
		} else if err := c.writeBlock(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		if p := uint64(c.o.progress); p > 0 && (c.st.outFull+c.st.outPart)%p == 0 {
			io.WriteString(c.env.Stderr, ".")
		}
	}
	if len(b) < len(c.pending) {
		c.pending = c.pending[:copy(c.pending, b)]
	}
	return nil
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// writeBlock writes an output block, in several pieces if it must.
func (c *copying) writeBlock(b []byte) error {
	if err := c.writeHole(); err != nil {
		return err
	}
	for rest := b; len(rest) > 0; {
		n, err := c.out.write(rest)
		if err == abi.EINTR {
			continue
		}
		if err != nil {
			return &failure{c.outName, err}
		}
		if n == 0 {
			return util.Messagef("%s: end of device", c.outName)
		}
		c.note(func(st *counts) {
			st.bytes += uint64(n)
			if n == c.o.obs {
				st.outFull++
			} else {
				st.outPart++
			}
		})
		rest = rest[n:]
		if len(rest) > 0 && c.out.character() && !c.warned {
			c.warned = true
			c.env.Warnx("%s: short write on character device", c.outName)
		}
	}
	return nil
}

// writeHole seeks over the zeroes that conv=sparse left out.
func (c *copying) writeHole() error {
	if c.hole == 0 {
		return nil
	}
	if err := c.out.seek(c.hole, abi.SEEK_CUR); err != nil {
		return &failure{c.outName + ": seek error creating sparse file", err}
	}
	c.note(func(st *counts) {
		blocks := uint64(c.hole / int64(c.o.obs))
		st.bytes += uint64(c.hole)
		st.sparse += blocks
		st.outFull += blocks
	})
	c.hole = 0
	return nil
}
