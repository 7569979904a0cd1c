package host

// Watch tells when a file is written to through a descriptor, by this program or another. Linux has inotify(7) for it, and who
// waits is woken by the runtime's poller. Elsewhere Wait naps, for up to 20 ms while nothing happens: who waits
// looks by himself.
type Watch struct {
	watchFile
}

// WatchFile begins to watch the file at path: writes from now on are told of.
func WatchFile(path string) (*Watch, error) {
	w := new(Watch)
	if err := w.open(path); err != nil {
		return nil, err
	}
	return w, nil
}

// Wait waits until the file was written to since the last Wait, or may have been. found says whether the last Wait was
// followed by something new.
//
// Errors: os.ErrClosed after Close.
func (w *Watch) Wait(found bool) error { return w.wait(found) }

// Close ends the watch, and with os.ErrClosed those who wait.
func (w *Watch) Close() error { return w.close() }
