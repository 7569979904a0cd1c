//go:build unix

package rtadvd

import (
	"os"
	"syscall"
	"time"
)

// daemonSignals are the signals that the daemon wants to know of.
func daemonSignals() []os.Signal {
	return []os.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGUSR1}
}

// signal does what a signal asks for; it says whether the daemon goes on.
func (d *daemon) signal(sig os.Signal) bool {
	switch sig {
	case syscall.SIGHUP:
		d.reload(time.Now())
	case syscall.SIGUSR1:
		d.dump(time.Now())
	default:
		return false
	}
	return true
}
