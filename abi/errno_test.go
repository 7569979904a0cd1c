package abi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"testing"
)

// Oracle: strerror(3) and errno(2) of NetBSD 7.99.34.
func TestErrnoText(t *testing.T) {
	for _, tc := range []struct {
		e          Errno
		name, text string
	}{
		{0, "0", "Undefined error: 0"},
		{EPERM, "EPERM", "Operation not permitted"},
		{ENOENT, "ENOENT", "No such file or directory"},
		{EINTR, "EINTR", "Interrupted system call"},
		{ENXIO, "ENXIO", "Device not configured"},
		{EBADF, "EBADF", "Bad file descriptor"},
		{EFAULT, "EFAULT", "Bad address"},
		{ENOTBLK, "ENOTBLK", "Block device required"},
		{EBUSY, "EBUSY", "Device busy"},
		{ENODEV, "ENODEV", "Operation not supported by device"},
		{ENOTTY, "ENOTTY", "Inappropriate ioctl for device"},
		{ERANGE, "ERANGE", "Result too large or too small"},
		{EWOULDBLOCK, "EAGAIN", "Resource temporarily unavailable"},
		{ENOPROTOOPT, "ENOPROTOOPT", "Protocol option not available"},
		{EOPNOTSUPP, "EOPNOTSUPP", "Operation not supported"},
		{EADDRNOTAVAIL, "EADDRNOTAVAIL", "Can't assign requested address"},
		{ETIMEDOUT, "ETIMEDOUT", "Operation timed out"},
		{ELOOP, "ELOOP", "Too many levels of symbolic links"},
		{EDQUOT, "EDQUOT", "Disc quota exceeded"},
		{ENOSYS, "ENOSYS", "Function not implemented"},
		{EFTYPE, "EFTYPE", "Inappropriate file type or format"},
		{ENOTSUP, "ENOTSUP", "Not supported"},
		{ECANCELED, "ECANCELED", "Operation canceled"},
		{EPROTO, "EPROTO", "Protocol error"},
		{97, "97", "Unknown error: 97"},
		{999, "999", "Unknown error: 999"},
		{ERESTART, "ERESTART", "Unknown error: 4294967293"},
		{EPASSTHROUGH, "EPASSTHROUGH", "Unknown error: 4294967292"},
		{EMOVEFD, "EMOVEFD", "Unknown error: 4294967290"},
		{0xffffffff, "4294967295", "Unknown error: 4294967295"},
		{1 << 31, "2147483648", "Unknown error: 2147483648"},
	} {
		if tc.e.Name() != tc.name || tc.e.Error() != tc.text {
			t.Errorf("%d: %s %q, want %s %q", tc.e, tc.e.Name(), tc.e.Error(), tc.name, tc.text)
		}
	}
}

// Every number up to ELAST has a name and a text of its own.
func TestErrnoComplete(t *testing.T) {
	seen := map[string]Errno{}
	for e := Errno(1); e <= ELAST; e++ {
		for _, s := range []string{e.Name(), e.Error()} {
			if old, twice := seen[s]; s == "" || twice {
				t.Errorf("%d: %q, also %d", e, s, old)
			}
			seen[s] = e
		}
	}
	if len(errnoText) != ELAST+1 || len(errnoName) != ELAST+1 {
		t.Errorf("tables of %d and %d, want %d", len(errnoText), len(errnoName), ELAST+1)
	}
}

// Oracle: package io/fs, and syscall.Errno.Is.
func TestErrnoIs(t *testing.T) {
	targets := []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, errors.ErrUnsupported}
	is := map[Errno]error{
		ENOENT: fs.ErrNotExist, EEXIST: fs.ErrExist, ENOTEMPTY: fs.ErrExist,
		EACCES: fs.ErrPermission, EPERM: fs.ErrPermission,
		ENOSYS: errors.ErrUnsupported, EOPNOTSUPP: errors.ErrUnsupported, ENOTSUP: errors.ErrUnsupported,
	}
	for e := Errno(1); e <= ELAST; e++ {
		err := &fs.PathError{Op: "open", Path: "/x", Err: e}
		for _, target := range targets {
			if got, want := errors.Is(err, target), is[e] == target; got != want {
				t.Errorf("%s is %v: %t", e.Name(), target, got)
			}
		}
	}
	if !errors.Is(fmt.Errorf("x: %w", ENOTDIR), ENOTDIR) || errors.Is(ENOTDIR, EISDIR) {
		t.Error("an errno is itself and no other")
	}
}

func TestErrnoNetError(t *testing.T) {
	var _ net.Error = ETIMEDOUT
	for e := Errno(1); e <= ELAST; e++ {
		if want := e == EAGAIN || e == ETIMEDOUT; e.Timeout() != want {
			t.Errorf("%s: Timeout %t", e.Name(), e.Timeout())
		}
		if e.Timeout() && !e.Temporary() {
			t.Errorf("%s: not Temporary", e.Name())
		}
	}
	if !EINTR.Temporary() || !EMFILE.Temporary() || ENOENT.Temporary() {
		t.Error("Temporary differs from that of package syscall")
	}
}

func TestToErrno(t *testing.T) {
	_, openErr := fs.ReadFile(emptyFS{}, "x")
	for _, tc := range []struct {
		err  error
		want Errno
	}{
		{nil, 0},
		{ENOSPC, ENOSPC},
		{fmt.Errorf("write: %w", ENOSPC), ENOSPC},
		{&fs.PathError{Op: "open", Path: "x", Err: EXDEV}, EXDEV},
		{errors.Join(errors.New("x"), EROFS), EROFS},
		{openErr, ENOENT},
		{fs.ErrExist, EEXIST},
		{fs.ErrPermission, EACCES},
		{fs.ErrInvalid, EINVAL},
		{fs.ErrClosed, EBADF},
		{errors.ErrUnsupported, EOPNOTSUPP},
		{context.Canceled, EINTR},
		{fmt.Errorf("wait: %w", context.DeadlineExceeded), ETIMEDOUT},
		{io.ErrUnexpectedEOF, EIO},
		{errors.New("anything"), EIO},
	} {
		if got := ToErrno(tc.err); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.err, got.Name(), tc.want.Name())
		}
	}
}

type emptyFS struct{}

func (emptyFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Oracle: signal(7), sys_signame and strsignal(3).
func TestSignals(t *testing.T) {
	for _, tc := range []struct {
		n          int
		name, text string
	}{
		{0, "0", "Signal 0"},
		{SIGHUP, "SIGHUP", "Hangup"},
		{SIGABRT, "SIGABRT", "Abort trap"},
		{SIGKILL, "SIGKILL", "Killed"},
		{SIGTERM, "SIGTERM", "Terminated"},
		{SIGTSTP, "SIGTSTP", "Suspended"},
		{SIGUSR2, "SIGUSR2", "User defined signal 2"},
		{SIGPWR, "SIGPWR", "Power fail/restart"},
		{SIGRTMIN, "SIGRT0", "Real time signal 0"},
		{SIGRTMAX, "SIGRT30", "Real time signal 30"},
		{64, "64", "Unknown signal: 64"},
		{-1, "-1", "Unknown signal: 4294967295"},
	} {
		if SignalName(tc.n) != tc.name || SignalText(tc.n) != tc.text {
			t.Errorf("%d: %s %q, want %s %q", tc.n, SignalName(tc.n), SignalText(tc.n), tc.name, tc.text)
		}
	}
	for n := 1; n <= SIGRTMAX; n++ {
		if SignalName(n)[:3] != "SIG" || SignalText(n) == "" {
			t.Errorf("%d: %s %q", n, SignalName(n), SignalText(n))
		}
	}
}

func TestCString(t *testing.T) {
	for _, tc := range []struct{ b, s string }{
		{"", ""}, {"\x00", ""}, {"ab", "ab"}, {"ab\x00cd", "ab"}, {"\x00ab", ""},
	} {
		if got := CString([]byte(tc.b)); got != tc.s {
			t.Errorf("%q: %q, want %q", tc.b, got, tc.s)
		}
	}
	for _, tc := range []struct {
		size    int
		s, want string
	}{
		{0, "x", ""}, {1, "x", "\x00"}, {2, "x", "x\x00"}, {4, "x", "x\x00\x00\x00"}, {4, "abcdef", "abc\x00"}, {2, "", "\x00\x00"},
	} {
		b := make([]byte, tc.size)
		for i := range b {
			b[i] = 0xff
		}
		PutCString(b, tc.s)
		if string(b) != tc.want {
			t.Errorf("%q in %d: %q, want %q", tc.s, tc.size, b, tc.want)
		}
	}
}
