package host

import (
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// TestErrno compares with errno(2) of NetBSD, where the numbers differ from those of most hosts.
func TestErrno(t *testing.T) {
	for _, c := range []struct {
		err  error
		want abi.Errno
	}{
		{nil, 0},
		{syscall.ENOENT, 2},
		{syscall.EAGAIN, 35},
		{syscall.EADDRINUSE, 48},
		{syscall.ECONNREFUSED, 61},
		{syscall.ELOOP, 62},
		{syscall.ENOTEMPTY, 66},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.ENAMETOOLONG}, 63},
		{fmt.Errorf("wrapped: %w", abi.EBUSY), abi.EBUSY},
		{fs.ErrNotExist, abi.ENOENT},
		{fmt.Errorf("something else"), abi.EIO},
	} {
		if got := Errno(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestErrnoTableOnce(t *testing.T) {
	seen := map[syscall.Errno]bool{}
	for _, e := range errnos {
		if seen[e.host] {
			t.Errorf("%d (%v) stands twice", e.host, e.host)
		}
		seen[e.host] = true
	}
}
