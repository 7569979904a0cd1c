//go:build unix

package cat

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rumpctrl/rumpctrl/abi"
)

// lockOutput waits for a lock on the host's file that the standard output is, and keeps it.
func lockOutput(w io.Writer) error {
	for {
		u, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	f, ok := w.(*os.File)
	if !ok {
		return abi.EBADF
	}
	return unix.FcntlFlock(f.Fd(), unix.F_SETLKW, &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart})
}
