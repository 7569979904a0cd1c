package client

import (
	"net"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// endpoint is what connections, packet connections and listeners have in common.
type endpoint struct {
	fd     *netFD
	kind   sockKind
	local  net.Addr
	remote net.Addr // nil when not connected
}

// newEndpoint takes a socket over and asks its own address.
func newEndpoint(p *Process, k *sockKind, sysfd int, remote net.Addr) (*endpoint, error) {
	fd, err := newNetFD(p, sysfd, k.stream())
	if err != nil {
		return nil, err
	}
	e := &endpoint{fd: fd, kind: *k, remote: remote}
	e.setLocal()
	return e, nil
}

// setLocal asks the socket for its own address.
func (e *endpoint) setLocal() {
	sa, err := e.fd.p.sys.Getsockname(e.fd.sysfd)
	if err == nil {
		e.local = e.fd.p.addr(&e.kind, sa)
	}
	if e.local == nil {
		e.local = e.kind.none()
	}
}

// none is an address of the kind without anything in it.
func (k *sockKind) none() net.Addr {
	switch {
	case !k.inet():
		return &net.UnixAddr{Net: k.network}
	case k.base == "tcp":
		return &net.TCPAddr{}
	case k.base == "udp":
		return &net.UDPAddr{}
	}
	return &net.IPAddr{}
}

func (e *endpoint) opError(op string, err error) error {
	return opError(op, &e.kind, e.local, e.remote, err)
}

// Close closes the socket. Calls that wait at it return net.ErrClosed in a *net.OpError.
func (e *endpoint) Close() error { return e.opError("close", e.fd.close()) }

// LocalAddr is the socket's own address.
func (e *endpoint) LocalAddr() net.Addr { return e.local }

// SetDeadline sets when reading and writing end with os.ErrDeadlineExceeded; the zero time is never.
func (e *endpoint) SetDeadline(t time.Time) error {
	if err := e.SetReadDeadline(t); err != nil {
		return err
	}
	return e.SetWriteDeadline(t)
}

// SetReadDeadline is SetDeadline for reading and accepting, those under way included.
func (e *endpoint) SetReadDeadline(t time.Time) error { return e.setDeadline(&e.fd.rd, t) }

// SetWriteDeadline is SetDeadline for writing.
func (e *endpoint) SetWriteDeadline(t time.Time) error { return e.setDeadline(&e.fd.wr, t) }

func (e *endpoint) setDeadline(d *direction, t time.Time) error {
	if err := e.fd.use(); err != nil {
		return e.opError("set", err)
	}
	d.setDeadline(t)
	e.fd.unuse()
	return nil
}

// Control calls f with the descriptor, which stays open meanwhile: for options that have no method here.
func (e *endpoint) Control(f func(sys *Sys, fd int) error) error {
	if err := e.fd.use(); err != nil {
		return e.opError("control", err)
	}
	defer e.fd.unuse()
	return f(&e.fd.p.sys, e.fd.sysfd)
}

func (e *endpoint) setInt(level, name, value int) error {
	return e.opError("set", e.Control(func(sys *Sys, fd int) error { return sys.SetsockoptInt(fd, level, name, value) }))
}

// SetReadBuffer sets SO_RCVBUF, in bytes.
func (e *endpoint) SetReadBuffer(bytes int) error {
	return e.setInt(abi.SOL_SOCKET, abi.SO_RCVBUF, bytes)
}

// SetWriteBuffer sets SO_SNDBUF, in bytes.
func (e *endpoint) SetWriteBuffer(bytes int) error {
	return e.setInt(abi.SOL_SOCKET, abi.SO_SNDBUF, bytes)
}

// Conn is a connection of a process on the kernel: TCP, a unix-domain stream or sequenced packets, or a connected datagram or
// raw socket. Its methods may be called by many goroutines at once. Errors are *net.OpErrors around io.EOF's
// likes (io.EOF itself is bare), net.ErrClosed, os.ErrDeadlineExceeded or an abi.Errno.
type Conn struct{ *endpoint }

var _ net.Conn = Conn{}

// RemoteAddr is the other end's address.
func (c Conn) RemoteAddr() net.Addr { return c.remote }

// Read reads what there is, waiting until there is something.
func (c Conn) Read(b []byte) (int, error) {
	n, err := c.fd.read(b)
	if err != nil && !isEOF(err) {
		err = c.opError("read", err)
	}
	return n, err
}

// Write writes all of b, waiting for room.
func (c Conn) Write(b []byte) (int, error) {
	n, err := c.fd.write(b)
	return n, c.opError("write", err)
}

// CloseRead ends reading, CloseWrite writing: shutdown(2).
func (c Conn) CloseRead() error { return c.shutdown(abi.SHUT_RD) }

// CloseWrite ends writing: the other end reads io.EOF.
func (c Conn) CloseWrite() error { return c.shutdown(abi.SHUT_WR) }

func (c Conn) shutdown(how int) error {
	return c.opError("close", c.Control(func(sys *Sys, fd int) error { return sys.Shutdown(fd, how) }))
}

// SetNoDelay says whether small pieces are sent at once (TCP_NODELAY), as they are at first.
func (c Conn) SetNoDelay(on bool) error {
	return c.setInt(abi.IPPROTO_TCP, abi.TCP_NODELAY, boolInt(on))
}

// SetKeepAlive says whether idle connections are probed: SO_KEEPALIVE.
func (c Conn) SetKeepAlive(on bool) error {
	return c.setInt(abi.SOL_SOCKET, abi.SO_KEEPALIVE, boolInt(on))
}

// SetKeepAlivePeriod sets how long a connection is idle before it is probed, and how long between probes, in whole seconds.
func (c Conn) SetKeepAlivePeriod(d time.Duration) error {
	secs := int((d + time.Second - 1) / time.Second)
	if err := c.setInt(abi.IPPROTO_TCP, abi.TCP_KEEPIDLE, secs); err != nil {
		return err
	}
	return c.setInt(abi.IPPROTO_TCP, abi.TCP_KEEPINTVL, secs)
}

// SetLinger sets what Close does with data that has not been sent: SO_LINGER; negative has the kernel go on sending in the background, 0
// discards it and resets the connection.
func (c Conn) SetLinger(secs int) error {
	l := abi.Linger{Linger: int32(max(secs, 0))}
	if secs >= 0 {
		l.Onoff = 1
	}
	return c.opError("set", c.Control(func(sys *Sys, fd int) error {
		return sys.Setsockopt(fd, abi.SOL_SOCKET, abi.SO_LINGER, l.Append(nil))
	}))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// PacketConn is a datagram or raw socket of a process on the kernel that is not connected. Errors are as Conn's.
type PacketConn struct{ *endpoint }

var _ net.PacketConn = PacketConn{}

// ReadFrom receives one datagram; what does not fit into b is lost. Raw IPv4 packets come with their IP header.
func (c PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.fd.recvFrom(b)
	if err != nil {
		return 0, nil, c.opError("read", err)
	}
	return n, c.fd.p.addr(&c.kind, from), nil
}

// WriteTo sends one datagram to an address of the socket's network.
func (c PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	sa, err := c.fd.p.sockaddrOf(&c.kind, to)
	if err != nil {
		return 0, opError("write", &c.kind, c.local, to, err)
	}
	n, err := c.fd.sendTo(b, sa)
	return n, opError("write", &c.kind, c.local, to, err)
}

// Listener takes connections for a process on the kernel.
type Listener struct{ *endpoint }

var _ net.Listener = Listener{}

// Addr is the address that it listens on.
func (l Listener) Addr() net.Addr { return l.local }

// Accept waits for a connection, which is a Conn.
func (l Listener) Accept() (net.Conn, error) {
	sysfd, from, err := l.fd.accept()
	if err != nil {
		return nil, l.opError("accept", err)
	}
	p := l.fd.p
	remote := p.addr(&l.kind, from)
	if remote == nil {
		remote = l.kind.none()
	}
	e, err := newEndpoint(p, &l.kind, sysfd, remote)
	if err != nil {
		return nil, l.opError("accept", err)
	}
	return Conn{e}, e.nodelay()
}

// nodelay has TCP send at once, as package net does.
func (e *endpoint) nodelay() error {
	if e.kind.base != "tcp" {
		return nil
	}
	err := e.setInt(abi.IPPROTO_TCP, abi.TCP_NODELAY, 1)
	if err != nil {
		e.fd.close() //nolint:errcheck // the first error counts
	}
	return err
}
