package sysproxy

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/rumpctrl/rumpctrl/abi"
)

// The environment by which a program that is executed finds the connection
// that it inherits, as librumpclient has it, and the banner besides.
const (
	envExecFD = "RUMPCLIENT__EXECFD" // descriptor,second descriptor or -1
	envParsed = "RUMP__PARSEDSERVER" // absolute URL
	envServer = "RUMP_SERVER"
	envBanner = "RUMPCLIENT__BANNER"
)

// ExecFile gives the connection to a program of the host that is about to be
// executed and to go on as the same process in the kernel. It returns a
// duplicate of the connection's descriptor, which the program must get under
// the number fd (3 for the first of exec.Cmd's ExtraFiles), and what must be
// in its environment. The Conn can only be closed afterwards, which does not
// end the process if the program has the connection. Errors: EBUSY if calls
// are in flight, EOPNOTSUPP if the connection cannot be inherited (tls).
func (c *Conn) ExecFile(fd int) (*os.File, []string, error) {
	l := c.link.Load()
	filer, ok := l.st.conn.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, nil, abi.EOPNOTSUPP
	}
	f, err := filer.File()
	if err != nil {
		return nil, nil, err
	}
	if err := l.retire(); err != nil {
		f.Close()
		return nil, nil, err
	}
	env := []string{
		fmt.Sprintf("%s=%d,-1", envExecFD, fd),
		envParsed + "=" + c.at.String(),
	}
	if l.banner.OS != "" {
		env = append(env, envBanner+"="+l.banner.String())
	}
	return f, env, nil
}

// errRetired says that the connection was given to another program.
var errRetired = fmt.Errorf("connection was passed on: %w", net.ErrClosed)

// retire ends the use of a connection that stays open for somebody else.
func (l *link) retire() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return l.cause
	}
	if len(l.flights) > 0 || !l.turn.take() {
		return abi.EBUSY
	}
	if len(l.st.buffered()) > 0 {
		l.turn.pass()
		return abi.EBUSY
	}
	l.err, l.cause = errRetired, errRetired
	l.st.rest()
	return nil
}

// Inherited tells whether the environment passes a connection on, as
// Conn.ExecFile and the C library's exec do.
func Inherited(getenv func(string) string) bool { return getenv(envExecFD) != "" }

// Inherit goes on as the process whose connection this program was given by the
// one that executed it, under a new name: HANDSHAKE/EXEC. The caller removes
// RUMPCLIENT__EXECFD from the environment. Errors: as Dial.
func Inherit(ctx context.Context, getenv func(string) string, name string, opts ...Option) (*Conn, error) {
	conn, err := inheritedConn(getenv(envExecFD))
	if err != nil {
		return nil, err
	}
	at, err := ParseURL(firstOf(getenv(envParsed), getenv(envServer)), false)
	if err != nil {
		conn.Close()
		return nil, err
	}
	c := newConn(at, name, newOptions(opts))
	var b Banner
	if line := getenv(envBanner); line != "" {
		b, _ = ParseBanner(line) // without it the server is taken for a plain 0.4
	}
	l := c.newLink(newStream(conn, c.buffers, linkReadSize, c.opt.spin, c.readers), b)
	if err := l.handshake(shake{kind: shakeExec, body: nameBody(name)}); err != nil {
		conn.Close()
		return nil, err
	}
	c.link.Store(l)
	return c, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// inheritedConn makes a connection of the descriptor that RUMPCLIENT__EXECFD
// names, and closes the second one.
func inheritedConn(spec string) (net.Conn, error) {
	first, second, _ := strings.Cut(spec, ",")
	fd, err := strconv.ParseUint(first, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("sysproxy: bad %s %q", envExecFD, spec)
	}
	if n, err := strconv.ParseInt(second, 10, 32); err == nil && n >= 0 && uint64(n) != fd {
		os.NewFile(uintptr(n), "second").Close()
	}
	f := os.NewFile(uintptr(fd), "kernel")
	if f == nil {
		return nil, fmt.Errorf("sysproxy: bad %s %q", envExecFD, spec)
	}
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("sysproxy: inherited descriptor %d: %w", fd, err)
	}
	if err := isStream(conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("sysproxy: inherited descriptor %d: %w", fd, err)
	}
	return conn, nil
}

func isStream(conn net.Conn) error {
	switch conn.(type) {
	case *net.UnixConn, *net.TCPConn:
		if _, ok := conn.LocalAddr().(*net.UDPAddr); !ok {
			return nil
		}
	}
	return syscall.EPROTOTYPE
}

// FromEnviron connects to the kernel that the environment names: the inherited
// connection, else RUMP__PARSEDSERVER, else RUMP_SERVER. Errors: ErrNoServer;
// as Dial.
func FromEnviron(ctx context.Context, getenv func(string) string, name string, opts ...Option) (*Conn, error) {
	if Inherited(getenv) {
		return Inherit(ctx, getenv, name, opts...)
	}
	url := firstOf(getenv(envParsed), getenv(envServer))
	if url == "" {
		return nil, ErrNoServer
	}
	return Dial(ctx, url, name, opts...)
}
