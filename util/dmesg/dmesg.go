// Package dmesg is dmesg(8): it prints the kernel's message buffer.
//
// Start reading at run.
package dmesg

import (
	"context"

	"github.com/rumpctrl/rumpctrl/util"
)

// Utility is dmesg. Its options of NetBSD read crash dumps, which a rump kernel does not leave.
var Utility = util.Utility{
	Name:    "dmesg",
	Section: 8,
	Doc:     "display the system message buffer",
	Usage:   []string{""},
	Main:    run,
}

func run(_ context.Context, env *util.Env) int {
	g := env.Getopt()
	for g.Next() {
		return env.UsageError()
	}
	if len(g.Args()) > 0 {
		return env.UsageError()
	}
	buf, err := env.Proc.Sysctl().Bytes("kern.msgbuf")
	if err != nil {
		return env.Err(err, "kern.msgbuf")
	}
	env.Stdout.Write(text(buf))
	return util.ExitOK
}

// text returns what there is to print of the buffer: without NULs, which are room that was not used, and the priorities "<...>" of
// syslog(3) at the beginning of lines. It ends in a newline.
func text(buf []byte) []byte {
	var out []byte
	begins, priority := false, false
	for _, c := range buf {
		switch {
		case c == 0:
			continue
		case priority:
			priority = c != '>'
			continue
		case begins && c == '<':
			priority = true
			continue
		}
		begins = c == '\n'
		switch {
		case c == '\n' || c == '\t':
			out = append(out, c)
		case c == '\\':
			out = append(out, c, c)
		default:
			out = append(out, util.VisByte(c)...)
		}
	}
	if !begins {
		out = append(out, '\n')
	}
	return out
}
