// Package cmp is cmp(1): it compares two files of the kernel.
//
// Start reading at run.
package cmp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is cmp.
var Utility = util.Utility{
	Name:    "cmp",
	Section: 1,
	Doc:     "compare two files",
	Usage:   []string{"[-l | -s] file1 file2 [skip1 [skip2]]"},
	Options: []util.Option{
		{Letter: 'l', Doc: "Print the number of each byte that differs, and what it is in both files, in octal."},
		{Letter: 's', Doc: "Print nothing of differences."},
	},
	Operands: []util.Operand{
		{Name: "file1 file2", Doc: "The files; - is the standard input."},
		{Name: "skip1 skip2", Doc: "How many bytes of each are left out: decimal, octal with 0 or hexadecimal with 0x before it."},
	},
	Main: run,
}

// Exit statuses besides 0.
const (
	exitDiffer = 1
	exitError  = 2
)

// side is one of the files.
type side struct {
	name string
	skip int64
	in   *bufio.Reader
}

// comparison compares two files.
type comparison struct {
	env          *util.Env
	list, silent bool
	sides        [2]side
	byte, line   int64 // where it is, from 1
}

func run(_ context.Context, env *util.Env) int {
	c := &comparison{env: env, byte: 1, line: 1}
	g := env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'l':
			c.list = true
		case 's':
			c.silent = true
		default:
			return c.usage()
		}
	}
	if c.list && c.silent {
		env.Warnx("only one of -l and -s may be specified")
		return exitError
	}
	args := g.Args()
	if len(args) < 2 || len(args) > 4 {
		return c.usage()
	}
	for i, arg := range args[2:] {
		n, ok := offset(arg)
		if !ok {
			return c.usage()
		}
		c.sides[i].skip = n
	}
	return c.open(args[0], args[1])
}

func (c *comparison) usage() int {
	c.env.UsageError()
	return exitError
}

// offset reads a number of bytes.
func offset(s string) (n int64, ok bool) {
	base, digits := 10, s
	if hex, is := strings.CutPrefix(strings.ToLower(s), "0x"); is {
		base, digits = 16, hex
	} else if strings.HasPrefix(s, "0") {
		base = 8
	}
	u, err := strconv.ParseUint(digits, base, 63)
	return int64(u), err == nil
}

// open opens the files and compares them.
func (c *comparison) open(names ...string) int {
	if names[0] == "-" && names[1] == "-" {
		c.env.Warnx("standard input may only be specified once")
		return exitError
	}
	for i, name := range names {
		if name == "-" {
			c.sides[i].name, c.sides[i].in = "stdin", bufio.NewReader(c.env.Stdin)
			continue
		}
		f, err := c.env.Proc.Open(name)
		if err != nil {
			if !c.silent {
				c.env.Warn(err, "%s", name)
			}
			return exitError
		}
		defer f.Close()
		c.sides[i].name, c.sides[i].in = name, bufio.NewReaderSize(f, bufferSize)
	}
	return c.compare()
}

// bufferSize is how much is read at a time.
const bufferSize = 64 << 10

// compare skips what is to be left out and compares the rest.
func (c *comparison) compare() int {
	for i := range c.sides {
		s := &c.sides[i]
		switch _, err := io.CopyN(io.Discard, s.in, s.skip); {
		case err == io.EOF:
			return c.ended(s)
		case err != nil:
			return c.fail(s, err)
		}
	}
	status := util.ExitOK
	for ; ; c.byte++ {
		a, errA := c.sides[0].in.ReadByte()
		b, errB := c.sides[1].in.ReadByte()
		if errA != nil || errB != nil {
			return c.end(errA, errB, status)
		}
		if a != b && !c.list {
			if !c.silent {
				fmt.Fprintf(c.env.Stdout, "%s %s differ: char %d, line %d\n", c.sides[0].name, c.sides[1].name, c.byte, c.line)
			}
			return exitDiffer
		}
		if a != b {
			fmt.Fprintf(c.env.Stdout, "%6d %3o %3o\n", c.byte, a, b)
			status = exitDiffer
		}
		if a == '\n' {
			c.line++
		}
	}
}

// end is the end of one file or both: the status so far if both have ended.
func (c *comparison) end(errA, errB error, status int) int {
	for i, err := range []error{errA, errB} {
		if err != nil && !errors.Is(err, io.EOF) {
			return c.fail(&c.sides[i], err)
		}
	}
	switch {
	case errB == nil:
		return c.ended(&c.sides[0])
	case errA == nil:
		return c.ended(&c.sides[1])
	}
	return status
}

// ended says that a file is shorter than the other.
func (c *comparison) ended(s *side) int {
	switch {
	case c.silent:
	case c.list:
		c.env.Warnx("EOF on %s: char %d, line %d", s.name, c.byte, c.line)
	default:
		c.env.Warnx("EOF on %s", s.name)
	}
	return exitDiffer
}

// fail says that a file cannot be read.
func (c *comparison) fail(s *side, err error) int {
	if c.list {
		c.env.Warn(err, "%s: char %d, line %d", s.name, c.byte, c.line)
	} else {
		c.env.Warn(err, "%s", s.name)
	}
	return exitError
}
