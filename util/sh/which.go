package sh

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/rumpctrl/rumpctrl/abi"
)

// describe tells what a command's name stands for, "" if for nothing.
func (s *shell) describe(name string) string {
	if text, ok := s.aliases[name]; ok {
		return "an alias for " + text
	}
	if isReserved(name) {
		return "a shell keyword"
	}
	if b, ok := s.builtins[name]; ok && b.special {
		return "a special shell builtin"
	}
	if _, ok := s.funcs[name]; ok {
		return "a shell function"
	}
	if _, ok := s.builtins[name]; ok {
		return "a shell builtin"
	}
	if strings.Contains(name, "/") {
		if s.proc.Sys().Access(name, abi.X_OK) == nil {
			return name
		}
		return ""
	}
	if s.findUtility(name) != nil {
		return "a utility"
	}
	return ""
}

// isReserved tells whether a word is reserved: XCU 2.4.
func isReserved(word string) bool {
	switch word {
	case "[[", "]]", "coproc", "function", "select", "time": // of other shells
		return false
	}
	return syntax.IsKeyword(word)
}

// typeCommand is the builtins type and which.
func typeCommand(s *shell, args []string) int {
	status := 0
	for _, name := range args[1:] {
		what := s.describe(name)
		if what == "" {
			s.warn("%s: not found", name)
			status = exitNotFound
			continue
		}
		status = max(status, s.print(fmt.Sprintf("%s is %s\n", name, what)))
	}
	return status
}

// commandCommand is the builtin command: it runs a command that is no function, or with -v or -V tells what a name
// stands for.
func commandCommand(s *shell, args []string) int {
	opts, operands, ok := s.getoptions(args, "pvV")
	switch {
	case !ok:
		return s.usage("command [-p] [-v | -V] command [argument ...]")
	case len(operands) == 0:
		return 0
	case opts.has('V'):
		return typeCommand(s, append([]string{"type"}, operands...))
	case opts.has('v'):
		return s.commandName(operands[0])
	}
	if b, ok := s.builtins[operands[0]]; ok {
		return b.run(s, operands)
	}
	return s.external(operands, false)
}

// commandName is command -v: it prints what runs for a name.
func (s *shell) commandName(name string) int {
	if text, ok := s.aliases[name]; ok {
		return s.print(fmt.Sprintf("alias %s=%s\n", name, quote(text)))
	}
	if s.describe(name) == "" {
		return exitNotFound
	}
	return s.print(name + "\n")
}

// execCommand is the builtin exec: the shell becomes the command. Without a command the redirections
// stay.
func execCommand(s *shell, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if len(args) == 1 {
		return 0
	}
	name := args[1]
	_, isBuiltin := s.builtins[name]
	if !isBuiltin && !strings.Contains(name, "/") && s.findUtility(name) == nil {
		s.warn("exec: %s: not found", name)
		s.flow.abort()
		return exitNotFound
	}
	status := s.external(args[1:], false)
	s.flow.exit()
	s.sig.set(sigExit, "", true)
	return status
}
