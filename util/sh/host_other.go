//go:build !unix

package sh

import (
	"os"

	"github.com/rumpctrl/rumpctrl/abi"
)

// hostSignal returns the exit status of a command that a signal of the host ended.
func hostSignal(*os.ProcessState) int { return exitCannotRun }

// hostSignals are the host's signals that the shell takes, as the kernel numbers them.
var hostSignals = map[os.Signal]int{os.Interrupt: abi.SIGINT}
