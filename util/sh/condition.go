package sh

import "github.com/rumpctrl/rumpctrl/util/test"

// testCommand is the builtins test and [.
func testCommand(s *shell, args []string) int {
	terminal := func(fd int) bool { return s.output(fd).IsTerminal() }
	value, err := test.Eval(s.proc.Sys(), terminal, args[0], args[1:])
	if err != nil {
		s.warn("%s: %v", args[0], err)
		return exitError
	}
	return boolStatus(value)
}
