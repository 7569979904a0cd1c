// Package kdump is kdump(1): it prints what ktrace(1) has recorded, of our kernels and of NetBSD's.
//
// Start reading at run; [Reader] reads a trace, print.go prints records, dump.go data.
package kdump

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/util"
	"github.com/rumpctrl/rumpctrl/util/ktrace"
)

// Utility is kdump.
var Utility = util.Utility{
	Name:    "kdump",
	Section: 1,
	Doc:     "display kernel trace data",
	Usage: []string{
		"Usage: kdump [-dElNnRT] [-e emulation] [-f file] [-m maxdata] [-p pid]",
		"             [-t trstr] [-x | -X size] [file]",
	},
	Options: []util.Option{
		{Letter: 'E', Doc: "Print the time since the first record."},
		{Letter: 'N', Doc: "Print numbers of system calls, not names."},
		{Letter: 'R', Doc: "Print the time since the record before."},
		{Letter: 'T', Doc: "Print the time of each record."},
		{Letter: 'X', Arg: "size", Doc: "Print data in hexadecimal, by words of 1, 2, 4, 8 or 16 bytes."},
		{Letter: 'd', Doc: "Print all numbers in decimal."},
		{Letter: 'e', Arg: "emulation", Doc: "The emulation of processes of which the trace does not tell; netbsd is known."},
		{Letter: 'f', Arg: "file", Doc: "The trace, in the kernel; - is the standard input, for a trace on the host. The default is ktrace.out."},
		{Letter: 'l', Doc: "Wait for more at the end of the trace."},
		{Letter: 'm', Arg: "maxdata", Doc: "Print at most so many bytes of data of a record."},
		{Letter: 'n', Doc: "Print arguments as they are; twice, numbers of calls that return."},
		{Letter: 'p', Arg: "pid", Doc: "Print records of that process only."},
		{Letter: 't', Arg: "trstr", Doc: "Print these kinds of records: letters as of ktrace(1)."},
		{Letter: 'x', Doc: "Print data in hexadecimal, by bytes."},
	},
	Operands: []util.Operand{{Name: "file", Doc: "The trace, as with -f."}},
	Missing: []string{
		"Emulations other than netbsd: `-e` refuses them, and records of programs under them have the numbers of calls by NetBSD's names.",
		"The names of the protections and flags of mmap(2) and the requests of ptrace(2), which are numbers: a rump kernel has neither call.",
		"ioctlname, which is another name of the program.",
	},
	Main: run,
}

// timing says which times are printed.
type timing int

const (
	noTime timing = iota
	absolute
	relative
	elapsed
)

// options are what is asked for.
type options struct {
	file     string
	time     timing
	decimal  bool
	numeric  bool
	plain    int // how often -n is given
	follow   bool
	maxData  int // -1 is no limit
	wordSize int // 0 prints text
	pid      int64
	points   uint32
}

func run(ctx context.Context, env *util.Env) int {
	o, status := parse(env)
	if status != util.ExitOK {
		return status
	}
	in, err := open(ctx, env, o)
	if err != nil {
		return env.Err(err, "%s", o.file)
	}
	p := newPrinter(env, o)
	trace := NewReader(in)
	var rec Record
	for {
		err := trace.Next(&rec)
		if err == io.EOF {
			return util.ExitOK
		}
		if err != nil {
			return fail(env, err, o.file)
		}
		if o.wants(&rec) {
			p.print(&rec)
			err = p.flush()
		}
		if o.follow && err == nil {
			err = env.Flush()
		}
		if err != nil {
			return env.Err(err, "stdout")
		}
	}
}

// fail says what is wrong with a trace.
func fail(env *util.Env, err error, file string) int {
	var errno abi.Errno
	if errors.As(err, &errno) {
		return env.Err(err, "%s", file)
	}
	return env.Err(err, "")
}

// wants tells whether a record is to be printed. Types that are not known always are, unless -t says which.
func (o *options) wants(r *Record) bool {
	if o.pid >= 0 && int64(r.PID) != o.pid {
		return false
	}
	return r.Type < 0 || r.Type > 31 || o.points&(1<<r.Type) != 0
}

// parse reads the options and the operand. The status is not ExitOK if they make no sense, which has been said then.
func parse(env *util.Env) (o *options, status int) {
	o = &options{maxData: -1, pid: -1}
	var points bool
	g := env.Getopt()
	for g.Next() {
		var err error
		switch g.Letter {
		case 'E':
			o.time = elapsed
		case 'N':
			o.numeric = true
		case 'R':
			o.time = relative
		case 'T':
			o.time = absolute
		case 'X':
			o.wordSize, err = wordSize(g.Arg)
		case 'd':
			o.decimal = true
		case 'e':
			err = emulation(g.Arg)
		case 'f':
			o.file = g.Arg
		case 'l':
			o.follow = true
		case 'm':
			var n int64
			n, err = number(g.Arg)
			o.maxData = int(n)
		case 'n':
			o.plain++
		case 'p':
			o.pid, err = number(g.Arg)
		case 't':
			if o.points, points = ktrace.ParsePoints(o.points, g.Arg); !points {
				err = util.Messagef("unknown trace point in %s", g.Arg)
			}
		case 'x':
			o.wordSize = 1
		default:
			return nil, env.UsageError()
		}
		if err != nil {
			return nil, env.Err(err, "")
		}
	}
	if !points {
		o.points = ^uint32(0)
	}
	return o.operand(env, g.Args())
}

// operand takes the file's name if -f has not named it.
func (o *options) operand(env *util.Env, args []string) (*options, int) {
	if o.file == "" && len(args) == 1 {
		o.file, args = args[0], nil
	}
	if len(args) > 0 {
		return nil, env.UsageError()
	}
	if o.file == "" {
		o.file = ktrace.DefaultFile
	}
	return o, util.ExitOK
}

// number reads a number, as strtoul(3) with any base.
func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 0, 32)
	if err != nil || n < 0 || strings.Contains(s, "_") {
		return 0, util.Messagef("invalid number %s", s)
	}
	return n, nil
}

func wordSize(s string) (int, error) {
	switch n, _ := strconv.ParseInt(s, 0, 32); n {
	case 1, 2, 4, 8, 16:
		return int(n), nil
	}
	return 0, util.Messagef("argument to -X must be 1, 2, 4, 8 or 16")
}

// emulation checks the name of an emulation: there is one table of calls here.
func emulation(name string) error {
	if name != "netbsd" && name != "netbsd-rump" {
		return util.Messagef("Emulation `%s' unknown", name)
	}
	return nil
}

// open opens the trace.
func open(ctx context.Context, env *util.Env, o *options) (io.Reader, error) {
	if o.file == "-" {
		return bufio.NewReader(env.Stdin), nil
	}
	sys := env.Proc.Sys()
	fd, err := sys.Open(o.file, abi.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	f := &file{ctx: ctx, sys: sys, fd: fd, kq: -1}
	if o.follow {
		err = f.follow()
	}
	return f, err
}
