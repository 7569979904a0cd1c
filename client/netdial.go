package client

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// Dialer makes connections from a process on the kernel, as net.Dialer does from this machine. Names of hosts and services
// are looked up by this machine's resolver, as the original utilities do; zones of link-local addresses are the kernel's interfaces.
type Dialer struct {
	Process *Process
	// Timeout bounds a dial; 0 is none.
	Timeout time.Duration
	// LocalAddr is the address to connect from, of the network's type; nil for any.
	LocalAddr net.Addr
	// Control is called with each new socket before it is bound and connected; nil for none.
	Control func(sys *Sys, fd int) error
}

// DialContext connects: a Dialer's without options. It is what http.Transport.DialContext wants.
func (p *Process) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := Dialer{Process: p}
	return d.DialContext(ctx, network, address)
}

// DialContext connects to an address of a network of package net ("tcp", "udp4", "ip6:ipv6-icmp", "unix"...). ctx bounds the
// connecting only. Of several addresses the first that answers is taken. The result is a Conn.
//
// Errors: a *net.OpError around net.UnknownNetworkError, a *net.DNSError, an abi.Errno, ctx's.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	k, err := parseNetwork(network)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if d.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	targets, err := d.Process.resolve(ctx, &k, address, false)
	if err != nil {
		return nil, opError("dial", &k, nil, nil, err)
	}
	for i := range targets {
		var c net.Conn
		if c, err = d.dial(ctx, &k, &targets[i]); err == nil {
			return c, nil
		}
		err = opError("dial", &k, d.LocalAddr, targets[i].addr, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

func (d *Dialer) dial(ctx context.Context, k *sockKind, to *target) (net.Conn, error) {
	sysfd, err := d.Process.socket(k, to.family)
	if err != nil {
		return nil, err
	}
	if err := d.prepare(k, sysfd); err != nil {
		d.Process.sys.Close(sysfd) //nolint:errcheck // the first error counts
		return nil, err
	}
	fd, err := newNetFD(d.Process, sysfd, k.stream())
	if err != nil {
		return nil, err
	}
	e := &endpoint{fd: fd, kind: *k, remote: to.addr}
	if err := e.connect(ctx, to.sa); err != nil {
		fd.close() //nolint:errcheck // the first error counts
		return nil, err
	}
	e.setLocal()
	return Conn{e}, e.nodelay()
}

// prepare does what comes before connecting.
func (d *Dialer) prepare(k *sockKind, sysfd int) error {
	if d.Control != nil {
		if err := d.Control(&d.Process.sys, sysfd); err != nil {
			return err
		}
	}
	if d.LocalAddr == nil {
		return nil
	}
	from, err := d.Process.bindAddr(k, d.LocalAddr)
	if err != nil {
		return err
	}
	return d.Process.sys.Bind(sysfd, from)
}

// bindAddr is sockaddrOf for what may also be a TCP address.
func (p *Process) bindAddr(k *sockKind, a net.Addr) ([]byte, error) {
	if t, ok := a.(*net.TCPAddr); ok {
		a = &net.UDPAddr{IP: t.IP, Port: t.Port, Zone: t.Zone}
	}
	return p.sockaddrOf(k, a)
}

// connect connects until ctx is done.
func (e *endpoint) connect(ctx context.Context, to []byte) error {
	if deadline, ok := ctx.Deadline(); ok {
		e.fd.wr.setDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { e.fd.wr.setDeadline(time.Unix(0, 1)) })
	err := e.fd.connect(to)
	if !stop() && err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		e.fd.wr.setDeadline(time.Time{})
	}
	return err
}

// socket makes a non-blocking socket.
func (p *Process) socket(k *sockKind, family int) (int, error) {
	return p.sys.Socket(family, k.typ|abi.SOCK_CLOEXEC|abi.SOCK_NONBLOCK|abi.SOCK_NOSIGPIPE, k.proto)
}

// maxBacklog is what a listener asks for; the kernel takes as much of it as kern.somaxconn allows.
const maxBacklog = 128

// Listen listens on an address of "tcp", "tcp4", "tcp6", "unix" or "unixpacket"; port 0 is any, an empty host all addresses.
// The result is a Listener. Errors: as Dialer.DialContext.
func (p *Process) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	e, err := p.bind(ctx, network, address, true)
	if err != nil {
		return nil, err
	}
	return Listener{e}, nil
}

// ListenPacket makes a socket for datagrams to and from anywhere: "udp", "udp4", "udp6", "unixgram", or raw packets of a protocol:
// "ip4:icmp". The result is a PacketConn. Errors: as Dialer.DialContext.
func (p *Process) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	e, err := p.bind(ctx, network, address, false)
	if err != nil {
		return nil, err
	}
	return PacketConn{e}, nil
}

// bind makes a socket with an address, one that listens or one for packets.
func (p *Process) bind(ctx context.Context, network, address string, listen bool) (*endpoint, error) {
	k, err := parseNetwork(network)
	if err == nil && k.connects() != listen {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	targets, err := p.resolve(ctx, &k, address, true)
	if err != nil {
		return nil, opError("listen", &k, nil, nil, err)
	}
	e, err := p.bindTo(&k, &targets[0])
	return e, opError("listen", &k, nil, targets[0].addr, err)
}

func (p *Process) bindTo(k *sockKind, at *target) (*endpoint, error) {
	sysfd, err := p.socket(k, at.family)
	if err != nil {
		return nil, err
	}
	if k.base == "tcp" {
		err = p.sys.SetsockoptInt(sysfd, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = p.sys.Bind(sysfd, at.sa)
	}
	if err == nil && k.connects() { // before the netpoller has it: the C kernel watches for connections only what listens by then
		err = p.sys.Listen(sysfd, maxBacklog)
	}
	if err != nil {
		p.sys.Close(sysfd) //nolint:errcheck // the first error counts
		return nil, err
	}
	return newEndpoint(p, k, sysfd, nil)
}
