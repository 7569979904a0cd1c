//go:build unix && !solaris && !aix

package host

import (
	"os"

	"golang.org/x/sys/unix"
)

// openNonblock keeps an open of a fifo from waiting.
const openNonblock = unix.O_NONBLOCK

func mapShared(f *os.File, size int) ([]byte, error) {
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return mem, os.NewSyscallError("mmap", err)
}

func unmapShared(mem []byte) error { return os.NewSyscallError("munmap", unix.Munmap(mem)) }
