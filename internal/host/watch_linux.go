package host

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// watchFile is an inotify(7) descriptor that the runtime's poller waits for.
type watchFile struct {
	f   *os.File
	buf [4096]byte // events, of which one is as good as many
}

func (w *watchFile) open(path string) error {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("inotify_init1", err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		unix.Close(fd)
		return os.NewSyscallError("inotify_add_watch", err)
	}
	w.f = os.NewFile(uintptr(fd), "inotify")
	return nil
}

func (w *watchFile) wait(bool) error {
	_, err := w.f.Read(w.buf[:])
	return err
}

func (w *watchFile) close() error { return w.f.Close() }

// lockByte uses locks of open file descriptions, fcntl(2): unlike those of processes they hold between two openers in one program.
func lockByte(f *os.File, off int64) error {
	l := unix.Flock_t{Type: unix.F_WRLCK, Start: off, Len: 1}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &l)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return ErrInUse
	case errors.Is(err, unix.EINVAL):
		return errors.ErrUnsupported
	}
	return os.NewSyscallError("fcntl", err)
}

func byteLocked(f *os.File, off int64) (bool, error) {
	l := unix.Flock_t{Type: unix.F_WRLCK, Start: off, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l); err != nil {
		return false, os.NewSyscallError("fcntl", err)
	}
	return l.Type != unix.F_UNLCK, nil
}
