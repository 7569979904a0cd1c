//go:build !unix

package rtadvd

import "os"

// daemonSignals are the signals that the daemon wants to know of, but for the interrupt.
func daemonSignals() []os.Signal { return nil }

// signal says whether the daemon goes on.
func (d *daemon) signal(os.Signal) bool { return false }
