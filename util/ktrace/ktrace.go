// Package ktrace is ktrace(1): it has the kernel write what processes do to a file, which kdump(1) prints.
//
// A command is run by the process that ktrace is: it calls ktrace(2) for itself and goes on as the command. A
// utility of the set runs right here; anything else is a program of the host, which is given the connection to the kernel.
//
// Start reading at run; command.go has how a command is run, stream.go the trace on the standard output.
package ktrace

import (
	"context"
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/util"
)

// DefaultFile is where a trace goes when nothing else is said.
const DefaultFile = "ktrace.out"

// Utility is ktrace.
var Utility = util.Utility{
	Name:    "ktrace",
	Section: 1,
	Doc:     "enable kernel process tracing",
	Usage: []string{
		"usage:\tktrace [-aCcdins] [-f trfile] [-g pgrp] [-p pid] [-t [AaceilmnSsuvw+-]]",
		"\tktrace [-adis] [-f trfile] [-t [AaceilmnSsuvw+-]] command",
	},
	Options: []util.Option{
		{Letter: 'C', Doc: "Stop tracing all processes of yours; all there are if you are the superuser."},
		{Letter: 'a', Doc: "Append to the trace file; it is truncated otherwise."},
		{Letter: 'c', Doc: "Stop tracing the processes given, or all to the trace file."},
		{Letter: 'd', Doc: "Do it for the children, and theirs, that the processes have now."},
		{Letter: 'f', Arg: "trfile", Doc: "The trace file, in the kernel; - is the standard output. The default is ktrace.out."},
		{Letter: 'g', Arg: "pgrp", Doc: "Trace the processes of a process group."},
		{Letter: 'i', Doc: "Trace the children that the processes will have, too."},
		{Letter: 'n', Doc: "With -f -, stop tracing rather than have processes wait for the output."},
		{Letter: 'p', Arg: "pid", Doc: "Trace a process."},
		{Letter: 's', Doc: "Write to the trace file synchronously."},
		{Letter: 't', Arg: "trstr", Doc: "What to trace: c calls, e emulations, i input and output, n paths, S sysctls, s signals, " +
			"u utrace(2); a, f, v and w are programs' arguments, files, environment and context switches, of which a rump kernel " +
			"knows nothing; A is all, + the default (ceinsu), - takes away what follows."},
	},
	Operands: []util.Operand{{Name: "command", Doc: "A utility, or a program of the host that knows rump kernels, and its arguments."}},
	Missing: []string{
		"ktruss, and with it `-e`, `-l`, `-m`, `-o`, `-R`, `-T` and `-v`: kdump has what these do, but for the version of a file, which is always the newest.",
		"Records of the trace points a, f, v and w: programs are not executed by a rump kernel.",
	},
	Main: run,
}

// request is what is asked for.
type request struct {
	ops    uint32
	points uint32
	pid    int // negative for a process group
	file   string

	appending, nonblocking, synchronous bool
}

// what of several exclusive things is asked for.
type target int

const (
	runCommand target = iota
	traceProcess
	clearSome
	clearAll
)

// tracer is a run of ktrace.
type tracer struct {
	env *util.Env
	sys *client.Sys
	request
}

func run(ctx context.Context, env *util.Env) int {
	tr := &tracer{env: env, sys: env.Proc.Sys(), request: request{file: DefaultFile}}
	what, args, ok := tr.options()
	if !ok || (what == runCommand) != (len(args) > 0) {
		return env.UsageError()
	}
	switch what {
	case clearSome, clearAll:
		return tr.clear()
	case traceProcess:
		return tr.process(ctx)
	}
	return tr.command(ctx, args)
}

// options reads the options. It returns false if they make no sense, which has been said then.
func (tr *tracer) options() (what target, args []string, ok bool) {
	var given, inherit bool
	g := tr.env.Getopt()
	for g.Next() {
		switch g.Letter {
		case 'C':
			what = clearAll
		case 'a':
			tr.appending = true
		case 'c':
			what = max(what, clearSome)
		case 'd':
			tr.ops |= abi.KTRFLAG_DESCEND
		case 'f':
			tr.file = g.Arg
		case 'g', 'p':
			if !tr.parsePID(g.Letter, g.Arg) {
				return what, nil, false
			}
			what = max(what, traceProcess)
		case 'i':
			inherit = true
		case 'n':
			tr.nonblocking = true
		case 's':
			tr.synchronous = true
		case 't':
			if tr.points, ok = ParsePoints(tr.points, g.Arg); !ok {
				tr.env.Warnx("unknown facility in %s", g.Arg)
				return what, nil, false
			}
			given = true
		default:
			return what, nil, false
		}
	}
	tr.finish(what, given, inherit)
	return what, g.Args(), true
}

// parsePID reads the argument of -g or -p.
func (tr *tracer) parsePID(letter byte, arg string) bool {
	if tr.pid != 0 {
		tr.env.Warnx("only one -g or -p flag is permitted.")
		return false
	}
	n, err := strconv.ParseInt(arg, 10, 32)
	if err != nil || n <= 0 {
		tr.env.Warnx("illegal process id.")
		return false
	}
	if tr.pid = int(n); letter == 'g' {
		tr.pid = -tr.pid
	}
	return true
}

// finish completes the request when all options are known.
func (tr *tracer) finish(what target, given, inherit bool) {
	switch {
	case what == clearAll:
		tr.ops, tr.points, tr.pid = abi.KTROP_CLEAR|abi.KTRFLAG_DESCEND, AllPoints, 1
	case what == clearSome && tr.pid != 0:
		tr.ops |= abi.KTROP_CLEAR
	case what == clearSome:
		tr.ops |= abi.KTROP_CLEARFILE
	}
	switch {
	case given:
	case what >= clearSome:
		tr.points = AllPoints
	default:
		tr.points = DefaultPoints
	}
	if inherit {
		tr.points |= abi.KTRFAC_INHERIT
	}
	tr.ops |= abi.KTRFACv2
}

// clear ends tracing.
func (tr *tracer) clear() int {
	if err := tr.sys.Ktrace(tr.file, int(tr.ops), int(tr.points), tr.pid); err != nil {
		return tr.env.Err(err, "%s", tr.file)
	}
	return util.ExitOK
}

// process traces a process, or a group, that is there.
func (tr *tracer) process(ctx context.Context) int {
	if tr.file == "-" {
		return tr.streamProcess(ctx)
	}
	return tr.begin(tr.pid)
}

// begin makes the trace file and starts tracing to it.
func (tr *tracer) begin(pid int) int {
	flags := abi.O_WRONLY | abi.O_CREAT | abi.O_APPEND
	if !tr.appending {
		flags |= abi.O_TRUNC
	}
	if tr.synchronous {
		flags |= abi.O_SYNC
	}
	fd, err := tr.sys.Open(tr.file, flags, 0666)
	if err != nil {
		return tr.env.Err(err, "%s", tr.file)
	}
	if tr.synchronous { // it is the open file that is
		err = tr.sys.Fktrace(fd, int(tr.ops), int(tr.points), pid)
	}
	tr.sys.Close(fd) //nolint:errcheck // nothing has been written by it
	if !tr.synchronous {
		err = tr.sys.Ktrace(tr.file, int(tr.ops), int(tr.points), pid)
	}
	if err != nil {
		return tr.env.Err(err, "%s", tr.file)
	}
	return util.ExitOK
}
