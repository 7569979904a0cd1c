package sh

// checkKernel ends the shell if there is no kernel any more, and says so once.
func (s *shell) checkKernel() {
	if s.ctx.Err() != nil {
		return // then it may be the process alone that is gone
	}
	if _, err := s.proc.Sys().Getpid(); err == nil {
		return
	}
	s.gone.Do(func() { s.warn("kernel has halted") })
	s.flow.exit()
}
