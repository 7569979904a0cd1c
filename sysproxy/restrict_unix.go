//go:build unix

package sysproxy

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// restrictSocket sets the permissions that a socket will have when it is bound.
// Where the system does not do so (Linux does), they are set right after.
func restrictSocket(fd uintptr, mode fs.FileMode) {
	// An error is no loss: chmod(2) follows, and is checked.
	_ = unix.Fchmod(int(fd), uint32(mode.Perm()))
}
