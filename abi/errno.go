package abi

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
)

// Errno is an error number of NetBSD. The zero value means no error; it is
// not returned as an error.
type Errno uint32

// Error returns the text of strerror(3) in the C locale.
func (e Errno) Error() string {
	if e == 0 {
		return "Undefined error: 0"
	}
	if int64(e) < int64(len(errnoText)) {
		return errnoText[e]
	}
	return "Unknown error: " + strconv.FormatUint(uint64(e), 10)
}

// Name returns the C name, as "ENOENT", or the number in decimal if it has
// none. Of two names for a number it is the one that errno(2) lists.
func (e Errno) Name() string {
	if e != 0 && int64(e) < int64(len(errnoName)) {
		return errnoName[e]
	}
	if n := -int64(int32(e)); 0 < n && n < int64(len(pseudoErrno)) && pseudoErrno[n] != "" {
		return pseudoErrno[n]
	}
	return strconv.FormatUint(uint64(e), 10)
}

// Is tells whether e is one of the errors that target stands for, as
// syscall.Errno does: the errors of io/fs, and errors.ErrUnsupported.
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == ENOENT
	case fs.ErrExist:
		return e == EEXIST || e == ENOTEMPTY
	case fs.ErrPermission:
		return e == EACCES || e == EPERM
	case errors.ErrUnsupported:
		return e == ENOSYS || e == EOPNOTSUPP || e == ENOTSUP
	}
	return false
}

// Timeout tells whether the call was given up because time ran out.
func (e Errno) Timeout() bool {
	return e == EAGAIN || e == ETIMEDOUT
}

// Temporary tells whether the same call may succeed if it is made again.
func (e Errno) Temporary() bool {
	return e == EINTR || e == EMFILE || e == ENFILE || e == ECONNRESET || e == ECONNABORTED || e.Timeout()
}

// ToErrno returns the number for an error: 0 for nil, the Errno that err is or
// wraps, the nearest one for errors of io/fs and context, and EIO for the
// rest.
func ToErrno(err error) Errno {
	if err == nil {
		return 0
	}
	if e, ok := err.(Errno); ok {
		return e
	}
	if e, ok := errors.AsType[Errno](err); ok {
		return e
	}
	for _, m := range [...]struct {
		err error
		no  Errno
	}{
		{fs.ErrNotExist, ENOENT},
		{fs.ErrExist, EEXIST},
		{fs.ErrPermission, EACCES},
		{fs.ErrInvalid, EINVAL},
		{fs.ErrClosed, EBADF},
		{errors.ErrUnsupported, EOPNOTSUPP},
		{context.Canceled, EINTR},
		{context.DeadlineExceeded, ETIMEDOUT},
	} {
		if errors.Is(err, m.err) {
			return m.no
		}
	}
	return EIO
}
