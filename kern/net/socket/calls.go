package socket

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Syscalls are the rows of the calls on sockets, for component rumpnet.
func Syscalls() []kern.Syscall {
	return []kern.Syscall{
		{Num: abi.SYS___socket30, Handler: sysSocket},
		{Num: abi.SYS_socketpair, Handler: sysSocketpair},
		{Num: abi.SYS_bind, Handler: sysBind},
		{Num: abi.SYS_connect, Handler: sysConnect},
		{Num: abi.SYS_listen, Handler: sysListen},
		{Num: abi.SYS_accept, Handler: sysAccept},
		{Num: abi.SYS_paccept, Handler: sysPaccept},
		{Num: abi.SYS_getsockname, Handler: sysGetsockname},
		{Num: abi.SYS_getpeername, Handler: sysGetpeername},
		{Num: abi.SYS_shutdown, Handler: sysShutdown},
		{Num: abi.SYS_getsockopt, Handler: sysGetsockopt},
		{Num: abi.SYS_setsockopt, Handler: sysSetsockopt},
		{Num: abi.SYS_sendto, Handler: sysSendto},
		{Num: abi.SYS_sendmsg, Handler: sysSendmsg},
		{Num: abi.SYS_sendmmsg, Handler: sysSendmmsg},
		{Num: abi.SYS_recvfrom, Handler: sysRecvfrom},
		{Num: abi.SYS_recvmsg, Handler: sysRecvmsg},
		{Num: abi.SYS_recvmmsg, Handler: sysRecvmmsg},
	}
}

// getSocket is the socket of a descriptor; the caller releases f. Errors: EBADF, ENOTSOCK.
func getSocket(t *kern.Thread, fd int) (f *kern.File, so *Socket, err error) {
	if f, err = t.Desc.Get(fd); err != nil {
		return nil, nil, err
	}
	so, ok := f.Ops.(*Socket)
	if !ok {
		f.Release(t)
		return nil, nil, abi.ENOTSOCK
	}
	return f, so, nil
}

// withSocket calls do for the socket of a descriptor. Errors: EBADF, ENOTSOCK, do's.
func withSocket(t *kern.Thread, fd int, do func(f *kern.File, so *Socket) error) error {
	f, so, err := getSocket(t, fd)
	if err != nil {
		return err
	}
	defer f.Release(t)
	return do(f, so)
}

// The SOCK_* flags of a socket's type as flags of its file.
var typeFlags = []struct{ sock, file uint32 }{
	{abi.SOCK_NONBLOCK, abi.O_NONBLOCK},
	{abi.SOCK_NOSIGPIPE, abi.O_NOSIGPIPE},
}

// fileFlags are a new socket's file's flags.
func fileFlags(sockFlags uint32) uint32 {
	flags := uint32(abi.FREAD | abi.FWRITE)
	for _, f := range typeFlags {
		if sockFlags&f.sock != 0 {
			flags |= f.file
		}
	}
	return flags
}

// install gives a socket a descriptor; when there is none left, it is closed. Errors: EMFILE.
func (so *Socket) install(t *kern.Thread, flags uint32, cloexec bool) (int, error) {
	f := kern.NewFile(abi.DTYPE_SOCKET, so, flags)
	fd, err := t.Desc.Alloc(f, 0, cloexec)
	if err != nil {
		f.Release(t)
	}
	return fd, err
}

func sysSocket(t *kern.Thread, a *kern.Args) (int64, error) {
	flags := a.Uint(1) & abi.SOCK_FLAGS_MASK
	so, err := Of(t.K).open(t, a.Int(0), int(a.Uint(1)&^abi.SOCK_FLAGS_MASK), a.Int(2))
	if err != nil {
		return 0, err
	}
	fd, err := so.install(t, fileFlags(flags), flags&abi.SOCK_CLOEXEC != 0)
	return int64(fd), err
}

// sysSocketpair makes two sockets that are connected with each other.
//
// Errors: EOPNOTSUPP for a protocol without pairs, EMFILE, EFAULT, and those of socket(2).
func sysSocketpair(t *kern.Thread, a *kern.Args) (int64, error) {
	l, flags, typ := Of(t.K), a.Uint(1)&abi.SOCK_FLAGS_MASK, int(a.Uint(1)&^abi.SOCK_FLAGS_MASK)
	var fds [2]int
	var sos [2]*Socket
	for i := range sos {
		so, err := l.open(t, a.Int(0), typ, a.Int(2))
		if err == nil {
			fds[i], err = so.install(t, fileFlags(flags), flags&abi.SOCK_CLOEXEC != 0)
		}
		if err != nil {
			closeAll(t, fds[:i])
			return 0, err
		}
		sos[i] = so
	}
	err := error(abi.EOPNOTSUPP)
	if p, ok := sos[0].protocol.(Pairer); ok {
		err = p.Pair(t, sos[1].protocol)
	}
	if err == nil {
		b := le.AppendUint32(nil, uint32(fds[0]))
		err = t.Mem.CopyOut(a[3], le.AppendUint32(b, uint32(fds[1])))
	}
	if err != nil {
		closeAll(t, fds[:])
	}
	return 0, err
}

func closeAll(t *kern.Thread, fds []int) {
	for _, fd := range fds {
		t.Desc.Close(t, fd)
	}
}

func sysBind(t *kern.Thread, a *kern.Args) (int64, error) {
	sa, err := copyInSockaddr(t, a[1], a.Uint(2))
	if err != nil {
		return 0, err
	}
	return 0, withSocket(t, a.Int(0), func(_ *kern.File, so *Socket) error {
		b, ok := so.protocol.(Binder)
		if !ok {
			return abi.EOPNOTSUPP
		}
		return b.Bind(t, sa)
	})
}

func sysConnect(t *kern.Thread, a *kern.Args) (int64, error) {
	sa, err := copyInSockaddr(t, a[1], a.Uint(2))
	if err != nil {
		return 0, err
	}
	return 0, withSocket(t, a.Int(0), func(f *kern.File, so *Socket) error {
		return so.connect(t, sa, f.Nonblock())
	})
}

// connect connects, and waits until that is done unless nonblock. When the wait is interrupted, connecting goes on.
//
// Errors: EOPNOTSUPP for a listening socket or a protocol that does not connect; EINPROGRESS, EALREADY, EISCONN, EINTR, and the protocol's.
func (so *Socket) connect(t *kern.Thread, sa []byte, nonblock bool) error {
	c, ok := so.protocol.(Connecter)
	if !ok || so.Option(abi.SO_ACCEPTCONN) {
		return abi.EOPNOTSUPP
	}
	err := c.Connect(t, sa)
	if err != abi.EINPROGRESS || nonblock {
		return err
	}
	const done = abi.POLLOUT | abi.POLLHUP | abi.POLLERR
	err = so.wait(t, &so.writeSel, false, kern.Forever, func() bool {
		return so.failed.Load() || so.protocol.Poll(abi.POLLOUT)&done != 0
	})
	if err != nil {
		return err
	}
	return so.takeError()
}

func sysListen(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, withSocket(t, a.Int(0), func(_ *kern.File, so *Socket) error {
		l, ok := so.protocol.(Listener)
		if !ok {
			return abi.EOPNOTSUPP
		}
		err := l.Listen(t, min(max(a.Int(1), 0), abi.SOMAXCONN))
		if err == nil {
			so.setOption(abi.SO_ACCEPTCONN, true)
		}
		return err
	})
}

func sysAccept(t *kern.Thread, a *kern.Args) (int64, error) {
	return accept(t, a, func(listener uint32) uint32 { return listener }, false)
}

// sysPaccept is accept(2) with flags for the new descriptor. The signal mask must be readable and is the client's affair: it is there that
// signals are delivered.
func sysPaccept(t *kern.Thread, a *kern.Args) (int64, error) {
	if a[3] != 0 {
		var mask [abi.SizeofSigset]byte
		if err := t.Mem.CopyIn(a[3], mask[:]); err != nil {
			return 0, err
		}
	}
	flags := a.Uint(4)
	return accept(t, a, func(listener uint32) uint32 { return listener&^abi.O_NONBLOCK | fileFlags(flags) }, flags&abi.SOCK_CLOEXEC != 0)
}

// accept takes a connection and gives it a descriptor, with flags that follow from the listening one's.
//
// Errors: EOPNOTSUPP, EINVAL for a socket that does not listen, EMFILE, EWOULDBLOCK, EINTR, ECONNABORTED, EFAULT.
func accept(t *kern.Thread, a *kern.Args, flags func(listener uint32) uint32, cloexec bool) (int64, error) {
	f, so, err := getSocket(t, a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.Release(t)
	n, addr, err := so.accept(t, f.Nonblock())
	if err != nil {
		return 0, err
	}
	fd, err := n.install(t, flags(f.Flags()), cloexec)
	if err != nil {
		return 0, err
	}
	if err := copyOutSockaddr(t, a[1], a[2], addr); err != nil {
		t.Desc.Close(t, fd)
		return 0, err
	}
	return int64(fd), nil
}

// accept waits for a connection and takes it. With no descriptor left it stays where it is.
func (so *Socket) accept(t *kern.Thread, nonblock bool) (n *Socket, addr []byte, err error) {
	l, ok := so.protocol.(Listener)
	if !ok {
		return nil, nil, abi.EOPNOTSUPP
	}
	if !so.Option(abi.SO_ACCEPTCONN) {
		return nil, nil, abi.EINVAL
	}
	if t.Desc.Full() {
		return nil, nil, abi.EMFILE
	}
	n = so.accepted(t)
	werr := so.wait(t, &so.readSel, nonblock, kern.Forever, func() bool {
		if err = so.takeError(); err != nil {
			return true
		}
		n.protocol, addr, err = l.Accept(t, n)
		return err != abi.EWOULDBLOCK
	})
	if err = either(werr, err); err != nil {
		return nil, nil, err
	}
	if err := n.reserve(t, n.Sndbuf.Load(), n.Rcvbuf.Load()); err != nil {
		n.protocol.Close(t)
		return nil, nil, err
	}
	return n, addr, nil
}

// either is the first error.
func either(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func sysGetsockname(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, withSocket(t, a.Int(0), func(_ *kern.File, so *Socket) error {
		sa, err := so.protocol.Sockname()
		if err != nil {
			return err
		}
		return copyOutSockaddr(t, a[1], a[2], sa)
	})
}

func sysGetpeername(t *kern.Thread, a *kern.Args) (int64, error) {
	return 0, withSocket(t, a.Int(0), func(_ *kern.File, so *Socket) error {
		c, ok := so.protocol.(Connecter)
		if !ok {
			return abi.ENOTCONN
		}
		sa, err := c.Peername()
		if err != nil {
			return err
		}
		return copyOutSockaddr(t, a[1], a[2], sa)
	})
}

func sysShutdown(t *kern.Thread, a *kern.Args) (int64, error) {
	how := a.Int(1)
	return 0, withSocket(t, a.Int(0), func(_ *kern.File, so *Socket) error {
		if how < abi.SHUT_RD || how > abi.SHUT_RDWR {
			return abi.EINVAL
		}
		s, ok := so.protocol.(Shutdowner)
		if !ok {
			return abi.EOPNOTSUPP
		}
		return s.Shutdown(t, how)
	})
}
