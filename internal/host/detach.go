package host

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

// detachVar tells the second program of a Detach which descriptor leads back to the first.
const detachVar = "RUMP__DETACHED"

// reportFD is that descriptor: the first one after the standard ones.
const reportFD = 3

// readyByte is what goes through the pipe once the service runs.
const readyByte = 'R'

// ErrNoDetach says that this system has no way to leave a program in the background.
var ErrNoDetach = errors.New("cannot detach from the terminal on this system")

// Detach starts this program once more with the same arguments, in a session of its own, and waits until it
// is ready or has ended; the standard descriptors are shared until then. The result is the exit status for this
// program: 0 when the second one is ready. (Go cannot fork, so that the second program begins at main, where
// [Detached] tells it what it is.)
//
// Errors: ErrNoDetach; what starting a program says.
func Detach() (status int, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	p, err := startAgain(w)
	w.Close()
	if err != nil {
		return 0, err
	}
	var b [1]byte
	if n, _ := r.Read(b[:]); n == 1 && b[0] == readyByte {
		return 0, p.Release()
	}
	state, err := p.Wait()
	if err != nil {
		return 0, err
	}
	if state.ExitCode() <= 0 {
		return 0, fmt.Errorf("ended before it was ready: %v", state)
	}
	return state.ExitCode(), nil
}

// Report is how the second program of a Detach tells the first that it is ready. Where it is not, it says why
// on standard error and exits: its status becomes the first one's.
type Report struct {
	pipe *os.File
}

// Detached tells whether this program is the second one of a Detach. It looks once: programs that this one starts do
// not take themselves for it.
func Detached() (*Report, bool) {
	v, ok := os.LookupEnv(detachVar)
	if !ok {
		return nil, false
	}
	os.Unsetenv(detachVar)
	if v != strconv.Itoa(reportFD) || !takePipe(reportFD) {
		return nil, false
	}
	return &Report{pipe: os.NewFile(reportFD, "report")}, true
}

// Ready leaves the standard descriptors to the first program (except standard error, with keepStderr) and
// tells it that all is well.
func (r *Report) Ready(keepStderr bool) error {
	fds := []int{0, 1}
	if !keepStderr {
		fds = append(fds, 2)
	}
	if err := toDevNull(fds...); err != nil {
		return err
	}
	_, err := r.pipe.Write([]byte{readyByte})
	return errors.Join(err, r.pipe.Close())
}
