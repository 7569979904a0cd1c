package sh

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
)

// interact runs a session: commands from a terminal, or with -i from anything. It ends with exit, at the end of
// input or with the kernel.
func (s *shell) interact(kernel string) {
	s.setPrompt(kernel)
	in, done := s.sessionInput()
	defer done()
	for {
		err := s.execute(in, "")
		aborted := s.flow.kind == flowAbort
		switch {
		case s.session.ctx.Err() != nil || s.flow.kind == flowExit:
			return
		case causeSignal(s.ctx) != 0 && causeSignal(s.ctx) != abi.SIGINT:
			return
		case err == errInterrupted:
			s.status = exitSignal + abi.SIGINT
		case err != nil, !aborted && !s.opts.on('I'):
			return
		case !aborted:
			s.warn("Use \"exit\" to leave the shell.")
		}
		s.flow = flow{}
	}
}

// setPrompt sets the prompt that a session begins with: the kernel's name, the working directory, "#" for root.
func (s *shell) setPrompt(kernel string) {
	if _, set := s.vars.get("PS1"); set {
		return
	}
	mark := "$"
	if uid, err := s.proc.Sys().Geteuid(); err == nil && uid == 0 {
		mark = "#"
	}
	clean := func(r rune) rune {
		if r < ' ' || strings.ContainsRune("$`\\\x7f", r) {
			return '_'
		}
		return r
	}
	s.vars.set("PS1", strings.Map(clean, kernel)+":$PWD"+mark+" ") //nolint:errcheck // it is no variable yet
}

// expandPrompt returns a prompt with its parameters expanded.
func (s *shell) expandPrompt(name string) string {
	value, _ := s.vars.get(name)
	if !strings.ContainsAny(value, "$`\\") {
		return value
	}
	word, err := newParser().Document(strings.NewReader(value))
	if err != nil {
		return value
	}
	status := s.status
	text, err := s.document(word)
	s.status = status
	if err != nil {
		return value
	}
	return text
}

// renew prepares the shell for a line: nothing that ended the last one ends this one.
func (s *shell) renew() {
	s.sig.mu.Lock()
	defer s.sig.mu.Unlock()
	if causeSignal(s.ctx) == abi.SIGINT || s.ctx.Err() == nil {
		s.sig.stop(nil)
		s.ctx, s.sig.stop = context.WithCancelCause(s.session.ctx)
	}
}

// sessionInput returns what a session reads its lines with, and what to call at its end.
func (s *shell) sessionInput() (input, func()) {
	in, ok := s.fds.file(0).(*hostInput)
	out, ok2 := s.fds.file(2).(*hostOutput)
	if ok && ok2 {
		if e := newEditor(s, in, out); e != nil {
			return e, e.history.close
		}
	}
	return plainInput{s}, func() {}
}

// plainInput is lines that are not edited, with a prompt on standard error.
type plainInput struct{ shell *shell }

func (in plainInput) line(more bool) (string, error) {
	s := in.shell
	fmt.Fprint(s.output(2), s.prompt(more))
	line, err := streamInput{s}.line(more)
	if err != nil && err != io.EOF && causeSignal(s.ctx) == abi.SIGINT {
		return "", errInterrupted
	}
	return line, err
}

// prompt prepares for a line and returns its prompt. more says that it continues a command.
func (s *shell) prompt(more bool) string {
	if more {
		return s.expandPrompt("PS2")
	}
	s.renew()
	s.reportJobs()
	return s.expandPrompt("PS1")
}
