//go:build unix

package sh

import (
	"os"
	"syscall"

	"github.com/rumpctrl/rumpctrl/abi"
)

// hostSignal returns the exit status of a command that a signal of the host ended.
func hostSignal(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return exitSignal + int(ws.Signal())
	}
	return exitCannotRun
}

// hostSignals are the host's signals that the shell takes, as the kernel numbers them.
var hostSignals = map[os.Signal]int{
	os.Interrupt:    abi.SIGINT,
	syscall.SIGTERM: abi.SIGTERM,
	syscall.SIGHUP:  abi.SIGHUP,
}
