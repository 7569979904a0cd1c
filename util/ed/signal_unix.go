//go:build unix

package ed

import (
	"os"
	"syscall"
)

// editorSignals are the signals that the editor wants to know of.
func editorSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGHUP} }

// isHangUp tells whether a signal ends the session.
func isHangUp(sig os.Signal) bool { return sig == syscall.SIGHUP }
