package sh

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// builtinTable returns the builtins by name.
func builtinTable() map[string]builtin {
	return map[string]builtin{
		// special builtins: XCU 2.14
		":":        {run: trueCommand, special: true},
		".":        {run: dotCommand, special: true},
		"break":    {run: breakCommand, special: true, strict: true},
		"continue": {run: breakCommand, special: true, strict: true},
		"eval":     {run: evalCommand, special: true},
		"exec":     {run: execCommand, special: true},
		"exit":     {run: exitCommand, special: true},
		"export":   {run: exportCommand, special: true, strict: true, declare: true},
		"readonly": {run: exportCommand, special: true, strict: true, declare: true},
		"return":   {run: returnCommand, special: true},
		"set":      {run: setCommand, special: true, strict: true},
		"shift":    {run: shiftCommand, special: true, strict: true},
		"times":    {run: timesCommand, special: true},
		"trap":     {run: trapCommand, special: true},
		"unset":    {run: unsetCommand, special: true, strict: true},

		"[":       {run: testCommand},
		"alias":   {run: aliasCommand},
		"bg":      {run: bgCommand},
		"cd":      {run: cdCommand},
		"chdir":   {run: cdCommand},
		"command": {run: commandCommand},
		"echo":    {run: echoCommand},
		"false":   {run: falseCommand},
		"fg":      {run: fgCommand},
		"getopts": {run: getoptsCommand},
		"hash":    {run: hashCommand},
		"host":    {run: hostCommand},
		"jobs":    {run: jobsCommand},
		"kill":    {run: killCommand},
		"local":   {run: localCommand, declare: true},
		"printf":  {run: printfCommand},
		"pwd":     {run: pwdCommand},
		"read":    {run: readCommand},
		"setvar":  {run: setvarCommand},
		"test":    {run: testCommand},
		"true":    {run: trueCommand},
		"type":    {run: typeCommand},
		"ulimit":  {run: ulimitCommand},
		"umask":   {run: umaskCommand},
		"unalias": {run: unaliasCommand},
		"wait":    {run: waitCommand},
		"which":   {run: typeCommand},
	}
}

func trueCommand(*shell, []string) int  { return 0 }
func falseCommand(*shell, []string) int { return 1 }

// breakCommand is the builtins break and continue. Outside loops they do nothing.
func breakCommand(s *shell, args []string) int {
	n := 1
	if len(args) > 1 {
		var ok bool
		if n, ok = s.count(args); !ok || n == 0 {
			s.warn("%s: bad number: %s", args[0], args[1])
			return exitError
		}
	}
	if s.loops == 0 {
		return 0
	}
	s.flow = flow{flowBreak, min(n, s.loops)}
	if args[0] == "continue" {
		s.flow.kind = flowContinue
	}
	return 0
}

// count returns the number that is the argument of a builtin.
func (s *shell) count(args []string) (int, bool) {
	n, err := strconv.Atoi(args[1])
	return n, err == nil && n >= 0
}

// statusArgument returns the exit status that exit or return is given, or the last one.
func (s *shell) statusArgument(args []string) (int, bool) {
	if len(args) < 2 {
		return s.status, true
	}
	n, ok := s.count(args)
	if !ok {
		s.warn("%s: illegal number: %s", args[0], args[1])
		return exitError, false
	}
	return n & 0xff, true
}

// exitCommand is the builtin exit.
func exitCommand(s *shell, args []string) int {
	status, ok := s.statusArgument(args)
	if ok {
		s.flow.exit()
	} else {
		s.flow.abort()
	}
	return status
}

// returnCommand is the builtin return. Outside functions and sourced files it ends the shell.
func returnCommand(s *shell, args []string) int {
	status, ok := s.statusArgument(args)
	switch {
	case !ok:
	case s.calls > 0:
		s.flow.kind = flowReturn
	default:
		s.flow.exit()
	}
	return status
}

// shiftCommand is the builtin shift.
func shiftCommand(s *shell, args []string) int {
	n := 1
	if len(args) > 1 {
		var ok bool
		if n, ok = s.count(args); !ok {
			s.warn("shift: illegal number: %s", args[1])
			return exitError
		}
	}
	if n > len(s.params) {
		s.warn("shift: can't shift that many")
		return exitError
	}
	s.params = s.params[n:]
	return 0
}

// timesCommand is the builtin times.
func timesCommand(s *shell, _ []string) int {
	s.warn("times: a rump kernel does not count processor time")
	return 1
}

// exportCommand is the builtins export and readonly.
func exportCommand(s *shell, args []string) int {
	name := args[0]
	readonly := name == "readonly"
	opts, operands, ok := s.getoptions(args, "p")
	if !ok {
		return exitError
	}
	if opts.has('p') || len(operands) == 0 {
		return s.print(s.listMarked(name, readonly))
	}
	for _, arg := range operands {
		variable, value, assigned := strings.Cut(arg, "=")
		var err error
		if assigned && syntax.ValidName(variable) {
			err = s.setVar(variable, value)
		}
		if err == nil {
			err = s.vars.mark(variable, readonly)
		}
		if err != nil {
			s.warn("%s: %v", name, err)
			return exitError
		}
	}
	return 0
}

// listMarked returns the variables that are exported, or read only, as commands that make them so.
func (s *shell) listMarked(command string, readonly bool) string {
	marked := func(v variable) bool { return readonly && v.readonly || !readonly && v.exported }
	var b strings.Builder
	for _, name := range s.vars.names(marked) {
		b.WriteString(command + " " + name)
		if value, set := s.vars.get(name); set {
			b.WriteString("=" + quoteIfNeeded(value))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// unsetCommand is the builtin unset.
func unsetCommand(s *shell, args []string) int {
	opts, operands, ok := s.getoptions(args, "fv")
	if !ok {
		return exitError
	}
	for _, name := range operands {
		if opts.has('f') {
			delete(s.funcs, name)
			continue
		}
		if err := s.vars.unset(name); err != nil {
			s.warn("unset: %v", err)
			return exitError
		}
	}
	return 0
}

// localCommand is the builtin local.
func localCommand(s *shell, args []string) int {
	if s.frame < 0 {
		s.warn("local: not in a function")
		return exitError
	}
	for _, arg := range args[1:] {
		name, value, assigned := strings.Cut(arg, "=")
		if !syntax.ValidName(name) {
			s.warn("local: %s: bad variable name", name)
			return exitError
		}
		s.vars.localAt(name, s.frame)
		if !assigned {
			continue
		}
		if err := s.setVar(name, value); err != nil {
			s.warn("local: %v", err)
			return exitError
		}
	}
	return 0
}

// setvarCommand is the builtin setvar of NetBSD: an assignment whose name is computed.
func setvarCommand(s *shell, args []string) int {
	if len(args) != 3 {
		return s.usage("setvar variable value")
	}
	if !syntax.ValidName(args[1]) {
		s.warn("setvar: %s: bad variable name", args[1])
		return exitError
	}
	if err := s.setVar(args[1], args[2]); err != nil {
		s.warn("setvar: %v", err)
		return exitError
	}
	return 0
}

// hashCommand is the builtin hash: the shell has nothing to remember where commands are.
func hashCommand(s *shell, args []string) int {
	_, operands, ok := s.getoptions(args, "r")
	if !ok {
		return exitError
	}
	status := 0
	for _, name := range operands {
		if s.describe(name) == "" {
			s.warn("hash: %s: not found", name)
			status = 1
		}
	}
	return status
}

// aliasCommand is the builtin alias.
func aliasCommand(s *shell, args []string) int {
	if len(args) == 1 {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(s.aliases)) {
			fmt.Fprintf(&b, "%s=%s\n", name, quote(s.aliases[name]))
		}
		return s.print(b.String())
	}
	status := 0
	for _, arg := range args[1:] {
		name, text, assigned := strings.Cut(arg, "=")
		old, ok := s.aliases[name]
		switch {
		case assigned:
			s.aliases[name] = text
		case !ok:
			s.warn("alias: %s not found", name)
			status = 1
		default:
			status = max(status, s.print(fmt.Sprintf("%s=%s\n", name, quote(old))))
		}
	}
	return status
}

// unaliasCommand is the builtin unalias.
func unaliasCommand(s *shell, args []string) int {
	opts, operands, ok := s.getoptions(args, "a")
	if !ok {
		return exitError
	}
	if opts.has('a') {
		clear(s.aliases)
		return 0
	}
	status := 0
	for _, name := range operands {
		if _, ok := s.aliases[name]; !ok {
			s.warn("unalias: %s not found", name)
			status = 1
		}
		delete(s.aliases, name)
	}
	return status
}
