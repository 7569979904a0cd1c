package host

import (
	"errors"
	"syscall"

	"github.com/rumpctrl/rumpctrl/abi"
)

// errnos are the host's error numbers in NetBSD's. Numbers that the host shares between names stand once.
var errnos = [...]struct {
	host   syscall.Errno
	netbsd abi.Errno
}{
	{syscall.EPERM, abi.EPERM}, {syscall.ENOENT, abi.ENOENT}, {syscall.ESRCH, abi.ESRCH},
	{syscall.EINTR, abi.EINTR}, {syscall.EIO, abi.EIO}, {syscall.ENXIO, abi.ENXIO}, {syscall.E2BIG, abi.E2BIG},
	{syscall.ENOEXEC, abi.ENOEXEC}, {syscall.EBADF, abi.EBADF}, {syscall.ECHILD, abi.ECHILD},
	{syscall.EAGAIN, abi.EAGAIN}, {syscall.ENOMEM, abi.ENOMEM}, {syscall.EACCES, abi.EACCES},
	{syscall.EFAULT, abi.EFAULT}, {syscall.EBUSY, abi.EBUSY}, {syscall.EEXIST, abi.EEXIST},
	{syscall.EXDEV, abi.EXDEV}, {syscall.ENODEV, abi.ENODEV}, {syscall.ENOTDIR, abi.ENOTDIR},
	{syscall.EISDIR, abi.EISDIR}, {syscall.EINVAL, abi.EINVAL}, {syscall.ENFILE, abi.ENFILE},
	{syscall.EMFILE, abi.EMFILE}, {syscall.ENOTTY, abi.ENOTTY}, {syscall.EFBIG, abi.EFBIG},
	{syscall.ENOSPC, abi.ENOSPC}, {syscall.ESPIPE, abi.ESPIPE}, {syscall.EROFS, abi.EROFS},
	{syscall.EMLINK, abi.EMLINK}, {syscall.EPIPE, abi.EPIPE}, {syscall.EDOM, abi.EDOM},
	{syscall.ERANGE, abi.ERANGE}, {syscall.EDEADLK, abi.EDEADLK}, {syscall.ENAMETOOLONG, abi.ENAMETOOLONG},
	{syscall.ENOLCK, abi.ENOLCK}, {syscall.ENOSYS, abi.ENOSYS}, {syscall.ENOTEMPTY, abi.ENOTEMPTY},
	{syscall.ELOOP, abi.ELOOP}, {syscall.EOVERFLOW, abi.EOVERFLOW}, {syscall.EILSEQ, abi.EILSEQ},
	{syscall.EUSERS, abi.EUSERS}, {syscall.ENOTSOCK, abi.ENOTSOCK}, {syscall.EDESTADDRREQ, abi.EDESTADDRREQ},
	{syscall.EMSGSIZE, abi.EMSGSIZE}, {syscall.EPROTOTYPE, abi.EPROTOTYPE}, {syscall.ENOPROTOOPT, abi.ENOPROTOOPT},
	{syscall.EPROTONOSUPPORT, abi.EPROTONOSUPPORT}, {syscall.EOPNOTSUPP, abi.EOPNOTSUPP},
	{syscall.EPFNOSUPPORT, abi.EPFNOSUPPORT}, {syscall.EAFNOSUPPORT, abi.EAFNOSUPPORT},
	{syscall.EADDRINUSE, abi.EADDRINUSE}, {syscall.EADDRNOTAVAIL, abi.EADDRNOTAVAIL},
	{syscall.ENETDOWN, abi.ENETDOWN}, {syscall.ENETUNREACH, abi.ENETUNREACH}, {syscall.ENETRESET, abi.ENETRESET},
	{syscall.ECONNABORTED, abi.ECONNABORTED}, {syscall.ECONNRESET, abi.ECONNRESET},
	{syscall.ENOBUFS, abi.ENOBUFS}, {syscall.EISCONN, abi.EISCONN}, {syscall.ENOTCONN, abi.ENOTCONN},
	{syscall.ETIMEDOUT, abi.ETIMEDOUT}, {syscall.ECONNREFUSED, abi.ECONNREFUSED},
	{syscall.EHOSTDOWN, abi.EHOSTDOWN}, {syscall.EHOSTUNREACH, abi.EHOSTUNREACH},
	{syscall.EALREADY, abi.EALREADY}, {syscall.EINPROGRESS, abi.EINPROGRESS}, {syscall.ESTALE, abi.ESTALE},
	{syscall.EDQUOT, abi.EDQUOT},
}

// Errno is the NetBSD error number of an error of the host: that which err wraps, or EIO. An abi.Errno stays,
// nil is 0.
func Errno(err error) abi.Errno {
	var no abi.Errno
	var sys syscall.Errno
	if errors.As(err, &no) || !errors.As(err, &sys) {
		return abi.ToErrno(err)
	}
	for _, e := range errnos {
		if e.host == sys {
			return e.netbsd
		}
	}
	return abi.ToErrno(err)
}
