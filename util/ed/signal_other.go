//go:build !unix

package ed

import "os"

// editorSignals are the signals that the editor wants to know of.
func editorSignals() []os.Signal { return []os.Signal{os.Interrupt} }

// isHangUp tells whether a signal ends the session.
func isHangUp(os.Signal) bool { return false }
