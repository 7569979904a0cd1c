package sh

import (
	"github.com/rumpctrl/rumpctrl/util/echo"
	"github.com/rumpctrl/rumpctrl/util/printf"
)

// echoCommand is the builtin echo of NetBSD: with -n no newline, with -e escapes are expanded.
func echoCommand(s *shell, args []string) int {
	newline, escapes := true, false
	args = args[1:]
	for len(args) > 0 && (args[0] == "-n" || args[0] == "-e") {
		if args[0] == "-n" {
			newline = false
		} else {
			escapes = true
		}
		args = args[1:]
	}
	return s.print(echo.Text(args, newline, escapes))
}

// printfCommand is the builtin printf.
func printfCommand(s *shell, args []string) int {
	args = args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return s.usage("printf format [argument ...]")
	}
	out, errs := printf.Format(args[0], args[1:])
	status := s.print(out)
	for _, err := range errs {
		s.warn("printf: %v", err)
		status = 1
	}
	return status
}
