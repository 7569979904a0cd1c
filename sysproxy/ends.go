package sysproxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// ends are the two ends of a kind of transport.
type ends struct {
	dial   func(ctx context.Context, l *Locator, o *endOptions) (net.Conn, error)
	listen func(l *Locator, o *endOptions) (Listener, error)
}

// endOptions are what connecting and listening can be told.
type endOptions struct {
	tls    *tls.Config
	getenv func(string) string
	mode   fs.FileMode // of a unix socket
}

func dialUnix(ctx context.Context, l *Locator, _ *endOptions) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", l.dialPath())
}

// network is the name of the network for package net.
func (l *Locator) network() string {
	switch {
	case l.Scheme == "tcp6":
		return "tcp6"
	case l.Host == "0.0.0.0":
		return "tcp4"
	}
	return "tcp"
}

// dialTCP connects; package net sets TCP_NODELAY.
func dialTCP(ctx context.Context, l *Locator, _ *endOptions) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, l.network(), l.Addr())
}

// Listener takes the connections of clients.
type Listener interface {
	// Accept waits for the next connection.
	Accept() (net.Conn, error)

	// Close stops listening. A unix socket is removed.
	Close() error

	// URL is where clients connect to, with the port if the system chose it.
	URL() string
}

// ListenError says that a server cannot listen. Its text is the line that the
// C server prints.
type ListenError struct {
	URL string
	Err error
}

func (e *ListenError) Error() string { return "rump_sp: failed to bind to URL " + e.URL }

// Unwrap returns what the host said.
func (e *ListenError) Unwrap() error { return e.Err }

// Errno returns NetBSD's number for what the host said.
func (e *ListenError) Errno() abi.Errno {
	for _, m := range [...]struct {
		host error
		ours abi.Errno
	}{
		{fs.ErrNotExist, abi.ENOENT},
		{fs.ErrPermission, abi.EACCES},
		{syscall.ENOTDIR, abi.ENOTDIR},
		{syscall.EADDRINUSE, abi.EADDRINUSE},
		{syscall.EADDRNOTAVAIL, abi.EADDRNOTAVAIL},
		{syscall.ENAMETOOLONG, abi.ENAMETOOLONG},
		{syscall.EROFS, abi.EROFS},
		{syscall.ELOOP, abi.ELOOP},
	} {
		if errors.Is(e.Err, m.host) {
			return m.ours
		}
	}
	return abi.EINVAL
}

// ListenOption changes how Listen listens.
type ListenOption func(*endOptions)

// SocketMode sets the permissions of a unix socket. Without it only its owner
// may connect: 0600.
func SocketMode(mode fs.FileMode) ListenOption {
	return func(o *endOptions) { o.mode = mode }
}

// ListenTLS sets the certificates of a tls listener, instead of those that the
// URL or the environment name.
func ListenTLS(c *tls.Config) ListenOption {
	return func(o *endOptions) { o.tls = c }
}

// Listen listens at a URL: unix://PATH, tcp://HOST:PORT, tcp6://HOST:PORT,
// tls://HOST:PORT. HOST may be "0" or "*" for any address. Errors: *URLError,
// *ListenError, *TLSError.
func Listen(url string, opts ...ListenOption) (Listener, error) {
	l, err := ParseURL(url, true)
	if err != nil {
		return nil, err
	}
	o := &endOptions{getenv: os.Getenv, mode: 0o600}
	for _, opt := range opts {
		opt(o)
	}
	sch, _ := schemeNamed(l.Scheme)
	return sch.listen(l, o)
}

type listener struct {
	net.Listener
	url string
}

func (l *listener) URL() string { return l.url }

func listenTCP(l *Locator, _ *endOptions) (Listener, error) {
	inner, err := net.Listen(l.network(), l.Addr())
	if err != nil {
		return nil, &ListenError{URL: l.URL, Err: err}
	}
	return &listener{inner, l.bound(inner)}, nil
}

// bound returns the URL with the port that the system chose.
func (l *Locator) bound(inner net.Listener) string {
	at := *l
	if a, ok := inner.Addr().(*net.TCPAddr); ok {
		at.Port = a.Port
	}
	return at.String()
}

// unixListener removes its socket when it is closed, if it is still its own.
type unixListener struct {
	net.Listener
	path string
	made fs.FileInfo
	url  string
}

func (u *unixListener) URL() string { return u.url }

func (u *unixListener) Close() error {
	if now, err := os.Lstat(u.path); err == nil && (u.made == nil || os.SameFile(now, u.made)) {
		os.Remove(u.path)
	}
	return u.Listener.Close()
}

func listenUnix(l *Locator, o *endOptions) (Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { restrictSocket(fd, o.mode) })
	}}
	inner, err := lc.Listen(context.Background(), "unix", l.dialPath())
	if err != nil {
		return nil, &ListenError{URL: l.URL, Err: err}
	}
	inner.(*net.UnixListener).SetUnlinkOnClose(false)
	u := &unixListener{Listener: inner, path: l.Path, url: l.String()}
	if err := os.Chmod(l.dialPath(), o.mode); err != nil {
		u.Close()
		return nil, &ListenError{URL: l.URL, Err: err}
	}
	u.made, _ = os.Lstat(u.path)
	return u, nil
}

// acceptPause is how long to wait after a failure to accept that may pass,
// such as too many open files. It doubles up to a second.
func acceptPause(last time.Duration) time.Duration {
	return min(max(2*last, 5*time.Millisecond), time.Second)
}

// passing tells whether accepting may work again later.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return strings.Contains(err.Error(), "too many open files")
}
