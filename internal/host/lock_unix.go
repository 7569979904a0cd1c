//go:build unix && !solaris && !aix

package host

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockFile takes flock(2)'s lock: the writers' or the readers'. A file system without such locks goes without.
func lockFile(f *os.File, exclusive bool) error {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	switch err := flock(f, how|unix.LOCK_NB); err {
	case unix.EWOULDBLOCK:
		return &fs.PathError{Op: "open", Path: f.Name(), Err: ErrInUse}
	case unix.ENOLCK, unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL:
		return nil
	default:
		return err
	}
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// waitLock waits for the writers' lock.
func waitLock(f *os.File) error { return flock(f, unix.LOCK_EX) }

// ownFile says whether this user owns a file.
func ownFile(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
