//go:build unix && !solaris && !aix

package host

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// startAgain starts this program in a new session, with w as descriptor reportFD.
func startAgain(w *os.File) (*os.Process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.StartProcess(path, os.Args, &os.ProcAttr{
		Env:   append(os.Environ(), detachVar+"="+strconv.Itoa(reportFD)),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, w},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// toDevNull makes descriptors refer to /dev/null.
func toDevNull(fds ...int) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for _, fd := range fds {
		if err := unix.Dup2(int(null.Fd()), fd); err != nil {
			return err
		}
	}
	return nil
}

// takePipe says whether fd is a pipe, and keeps it from the programs that this one starts.
func takePipe(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	unix.CloseOnExec(fd)
	return true
}
