package sh

import "io"

// checkKernel ends the shell if there is no kernel any more, and the session says so once: wherever the standard error of a subshell that
// finds out first may lead.
func (s *shell) checkKernel() {
	if s.ctx.Err() != nil {
		return // then it may be the process alone that is gone
	}
	if _, err := s.proc.Sys().Getpid(); err == nil {
		return
	}
	s.gone.Do(func() { io.WriteString(s.stderr, "sh: kernel has halted\n") }) //nolint:errcheck // there is nobody else to tell
	s.flow.exit()
}
