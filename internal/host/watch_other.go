//go:build !linux

package host

import (
	"errors"
	"os"
	"time"
)

const (
	shortNap = time.Millisecond      // right after something happened
	watchNap = 20 * time.Millisecond // at most
)

// watchFile naps in place of waiting.
type watchFile struct {
	closed chan struct{}
	nap    time.Duration
}

func (w *watchFile) open(path string) error {
	w.closed, w.nap = make(chan struct{}), shortNap
	_, err := os.Stat(path)
	return err
}

func (w *watchFile) wait(found bool) error {
	w.nap = min(2*w.nap, watchNap)
	if found {
		w.nap = shortNap
	}
	timer := time.NewTimer(w.nap)
	defer timer.Stop()
	select {
	case <-w.closed:
		return os.ErrClosed
	case <-timer.C:
		return nil
	}
}

func (w *watchFile) close() error {
	close(w.closed)
	return nil
}

func lockByte(*os.File, int64) error { return errors.ErrUnsupported }

func byteLocked(*os.File, int64) (bool, error) { return false, errors.ErrUnsupported }
