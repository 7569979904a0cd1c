// Package dd is dd(1): it copies a file block by block, and converts it on the way.
//
// The operands are in operands.go, the conversions in conv.go and charset.go, the copy itself
// in copy.go and what is said at the end in summary.go. if= and of= are files of the kernel;
// without them the standard streams are read and written.
//
// Start reading at run.
package dd

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is dd.
var Utility = util.Utility{
	Name:    "dd",
	Section: 1,
	Doc:     "convert and copy a file",
	Usage:   []string{"[operand ...]"},
	Operands: []util.Operand{
		{Name: "bs=n", Doc: "Read and write blocks of n bytes."},
		{Name: "cbs=n", Doc: "Records have n bytes: for conv=block and conv=unblock."},
		{Name: "conv=value,...", Doc: "Convert: ascii, block, ebcdic, ibm, lcase, noerror, notrunc, oldascii, oldebcdic, " +
			"oldibm, osync, sparse, swab, sync, ucase, unblock."},
		{Name: "count=n", Doc: "Copy only n input blocks."},
		{Name: "files=n", Doc: "Copy n input files of a tape; other devices have one."},
		{Name: "ibs=n", Doc: "Read blocks of n bytes instead of 512."},
		{Name: "if=file", Doc: "Read a file of the kernel instead of the standard input."},
		{Name: "iflag=flag,...", Doc: "Open the input with flags of open(2): direct, nonblock, ..."},
		{Name: "iseek=n", Doc: "The same as skip=n."},
		{Name: "msgfmt=format", Doc: "What to say at the end: quiet, posix, human or a format with specifiers."},
		{Name: "obs=n", Doc: "Write blocks of n bytes instead of 512."},
		{Name: "of=file", Doc: "Write a file of the kernel instead of the standard output."},
		{Name: "oflag=flag,...", Doc: "Open the output with flags of open(2): creat, excl, sync, ..."},
		{Name: "oseek=n", Doc: "The same as seek=n."},
		{Name: "progress=n", Doc: "Print a dot for every n blocks written."},
		{Name: "seek=n", Doc: "Leave n blocks at the beginning of the output as they are."},
		{Name: "skip=n", Doc: "Leave n blocks at the beginning of the input out."},
	},
	SumsUp: true,
	Main:   run,
}

// statusInterrupted is the exit status of a program that SIGINT ends.
const statusInterrupted = 128 + abi.SIGINT

func run(ctx context.Context, env *util.Env) int {
	g := env.Getopt()
	if g.Next() {
		return env.Errx("usage: dd [operand ...]")
	}
	o, err := parseOperands(g.Args())
	for _, w := range o.warnings {
		env.Warnx("%s", w)
	}
	if err != nil {
		return env.Errx("%s", err)
	}
	c := &copying{o: o, env: env, inName: "stdin", outName: "stdout"}
	c.in, c.out = hostInput{env.Stdin}, hostOutput{env}
	c.conv = o.newConverter(&c.st)
	defer func() { c.in.close() }()
	if err := c.open(); err != nil {
		return env.Errx("%s", err)
	}
	return c.copyTimed(ctx)
}

// copyTimed copies and prints the summary, whatever the end of the copy.
func (c *copying) copyTimed(ctx context.Context) int {
	start := time.Now()
	c.summary = func(st *counts) {
		text := st.summary(c.o.msgfmt, elapsed(time.Since(start)))
		if c.o.progress > 0 && (c.o.msgfmt == "" || c.o.msgfmt == "posix") {
			text = "\n" + text
		}
		io.WriteString(c.env.Stderr, text)
	}
	done := make(chan error, 1)
	go func() { done <- c.run(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	status := util.ExitOK
	switch {
	case ctx.Err() != nil:
		status = statusInterrupted
	case err != nil:
		status = c.env.Errx("%s", err)
	}
	st := c.snapshot()
	c.summary(&st)
	return status
}

// open opens if= and of= and goes to where the copy begins.
func (c *copying) open() error {
	if o := c.o; o.in != "" {
		f, err := openFile(c.env.Proc.Sys(), o.in, o.iflag)
		if err != nil {
			return &failure{o.in, err}
		}
		c.in, c.inName = f, o.in
	}
	if o := c.o; o.out != "" {
		f, err := openOutput(c.env.Proc.Sys(), o)
		if err != nil {
			return &failure{o.out, err}
		}
		c.out, c.outName = f, o.out
	}
	return c.position()
}

// openOutput opens of= for reading and writing or, if that is denied, for writing.
func openOutput(sys *client.Sys, o *operands) (*kernelFile, error) {
	flags := o.oflag
	if o.given&opOflag == 0 {
		flags = abi.O_CREAT
	}
	if o.given&opSeek == 0 && o.conv&convNotrunc == 0 {
		flags |= abi.O_TRUNC
	}
	f, err := openFile(sys, o.out, abi.O_RDWR|flags)
	if err != nil {
		f, err = openFile(sys, o.out, abi.O_WRONLY|flags)
	}
	return f, err
}

// position goes to where the input and the output begin.
func (c *copying) position() error {
	if c.o.skip > 0 {
		if err := c.skipInput(); err != nil {
			return err
		}
	}
	if c.o.seek == 0 {
		return nil
	}
	off, err := offset(c.o.seek, c.o.obs)
	if err == nil {
		err = c.out.seek(off, abi.SEEK_SET)
	}
	if err != nil {
		return &failure{c.outName, err}
	}
	if c.o.out != "" && c.o.conv&convNotrunc == 0 {
		_ = c.out.truncate(off) // devices have no end to set
	}
	return nil
}

// offset is where block n begins.
func offset(n int64, size int) (int64, error) {
	if n > math.MaxInt64/int64(size) {
		return 0, abi.EINVAL
	}
	return n * int64(size), nil
}

var errSkipped = errors.New("skip reached end of input")

// skipInput leaves blocks of the input out: by its offset or, if it has none, by reading them.
func (c *copying) skipInput() error {
	off, err := offset(c.o.skip, c.o.ibs)
	if err == nil {
		err = c.in.seek(off, abi.SEEK_CUR)
	}
	if err != abi.ESPIPE {
		if err != nil {
			err = &failure{c.inName, err}
		}
		return err
	}
	buf := make([]byte, min(off, transfer))
	for off > 0 {
		n, err := c.in.read(buf[:min(off, transfer)])
		if err != nil {
			return &failure{c.inName, err}
		}
		if n == 0 {
			return errSkipped
		}
		off -= int64(n)
	}
	return nil
}
