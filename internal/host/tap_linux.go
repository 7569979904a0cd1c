package host

import (
	"os"

	"golang.org/x/sys/unix"
)

// OpenTap opens the program's end of the host's tap interface of a name, which the host makes if there is none and the user may:
// reads are frames that the host sends on it, writes those that it receives. It can be waited for with deadlines.
//
// Errors: EPERM, EBUSY for one that another program has; errors.ErrUnsupported where there are no such interfaces.
func OpenTap(name string) (*os.File, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return nil, os.NewSyscallError("TUNSETIFF", err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("TUNSETIFF", err)
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}
