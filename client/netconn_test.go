package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
)

// netKernel boots a kernel with sockets of every family.
func netKernel(t testing.TB) *rump.Kernel {
	t.Helper()
	k, err := rump.New(rump.Config{Components: rump.With("rumpnet_local", "rumpnet_netinet6")})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Halt)
	return k
}

// eachNet runs a test with a process in this program, and with one behind a socket.
func eachNet(t *testing.T, test func(t *testing.T, p *client.Process)) {
	t.Run("local", func(t *testing.T) {
		p, err := netKernel(t).Process("test")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		test(t, p)
	})
	t.Run("remote", func(t *testing.T) {
		k := netKernel(t)
		url := "unix://" + t.TempDir() + "/s"
		if _, err := k.Listen(url); err != nil {
			t.Fatal(err)
		}
		p, err := client.Dial(context.Background(), url, "test")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		test(t, p)
	})
}

// streams are the networks of connections, and an address to listen on.
var streams = []struct{ network, address string }{
	{"unix", "/tmp/listener"},
	{"tcp4", "127.0.0.1:0"},
	{"tcp6", "[::1]:0"},
}

// Oracle: golang.org/x/net/nettest: what every net.Conn has to do.
func TestNettest(t *testing.T) {
	eachNet(t, func(t *testing.T, p *client.Process) {
		for _, s := range streams {
			t.Run(s.network, func(t *testing.T) {
				nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
					return connect(p, s.network, s.address)
				})
			})
		}
	})
}

// connect makes the two ends of a connection.
func connect(p *client.Process, network, address string) (c1, c2 net.Conn, stop func(), err error) {
	l, err := p.Listen(context.Background(), network, address)
	if err != nil {
		return nil, nil, nil, err
	}
	defer l.Close()
	if network == "unix" {
		defer p.Remove(address)
	}
	accepted := make(chan error, 1)
	go func() {
		var err error
		c2, err = l.Accept()
		accepted <- err
	}()
	if c1, err = p.DialContext(context.Background(), network, l.Addr().String()); err != nil {
		return nil, nil, nil, err
	}
	if err := <-accepted; err != nil {
		return nil, nil, nil, err
	}
	return c1, c2, func() { c1.Close(); c2.Close() }, nil
}

// Oracle: package net: the other end reads what was written before CloseWrite, then io.EOF, and can still answer.
func TestHalfClose(t *testing.T) {
	eachNet(t, func(t *testing.T, p *client.Process) {
		for _, s := range streams {
			a, b, stop, err := connect(p, s.network, s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			fmt.Fprint(a, "question")
			if err := a.(client.Conn).CloseWrite(); err != nil {
				t.Errorf("%s: %v", s.network, err)
			}
			if got, err := io.ReadAll(b); string(got) != "question" || err != nil {
				t.Errorf("%s: %q, %v", s.network, got, err)
			}
			fmt.Fprint(b, "answer")
			b.Close()
			if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
				t.Errorf("%s: %q, %v", s.network, got, err)
			}
		}
	})
}

// Oracle: package net: what fails is a *net.OpError around the reason.
func TestNetErrors(t *testing.T) {
	p, err := netKernel(t).Process("test")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx := context.Background()
	for _, c := range []struct {
		network, address string
		want             error
	}{
		{"tcp", "127.0.0.1:1", abi.ECONNREFUSED},
		{"tcp", "10.1.2.3:1", abi.EADDRNOTAVAIL},
		{"unix", "/nope", abi.ENOENT},
		{"tcp5", "127.0.0.1:1", net.UnknownNetworkError("tcp5")},
		{"tcp", "127.0.0.1", nil},
		{"unix4", "/x", net.UnknownNetworkError("unix4")},
	} {
		_, err := p.DialContext(ctx, c.network, c.address)
		var op *net.OpError
		if !errors.As(err, &op) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s %s: %v, want %v", c.network, c.address, err, c.want)
		}
	}
	l, err := p.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Listen(ctx, "tcp", l.Addr().String()); !errors.Is(err, abi.EADDRINUSE) {
		t.Errorf("a second listener: %v", err)
	}
	l.(client.Listener).SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("accept past its deadline: %v", err)
	}
	l.(client.Listener).SetReadDeadline(time.Time{})
	closed := make(chan error)
	go func() { _, err := l.Accept(); closed <- err }()
	l.Close()
	if err := <-closed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept on a closed listener: %v", err)
	}
}

// Oracle: package net: a cancelled context ends a dial that waits. Nobody answers on the network of the address.
func TestDialCancelled(t *testing.T) {
	p, err := netKernel(t).Process("test")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l, err := p.Listen(context.Background(), "unix", "/tmp/full")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.DialContext(ctx, "tcp", "127.0.0.1:1"); err == nil {
		t.Error("a dial without time succeeded")
	}
}

// Oracle: udp(4): datagrams keep their boundaries and tell their sender.
func TestPacketConn(t *testing.T) {
	eachNet(t, func(t *testing.T, p *client.Process) {
		for _, s := range []struct{ network, address string }{{"udp4", "127.0.0.1:0"}, {"udp6", "[::1]:0"}} {
			ctx := context.Background()
			server, err := p.ListenPacket(ctx, s.network, s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			c, err := p.DialContext(ctx, s.network, server.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprint(c, "one")
			fmt.Fprint(c, "two")
			buf := make([]byte, 100)
			for _, want := range []string{"one", "two"} {
				n, from, err := server.ReadFrom(buf)
				if err != nil || string(buf[:n]) != want || from.String() != c.LocalAddr().String() {
					t.Errorf("%s: %q from %v, %v", s.network, buf[:n], from, err)
				}
				if _, err := server.WriteTo(buf[:n], from); err != nil {
					t.Error(err)
				}
				if n, err := c.Read(buf); err != nil || string(buf[:n]) != want {
					t.Errorf("%s: the answer is %q, %v", s.network, buf[:n], err)
				}
			}
		}
	})
}

// Oracle: the transcript of ifconfig lo0.
func TestInterfaces(t *testing.T) {
	eachNet(t, func(t *testing.T, p *client.Process) {
		list, err := p.Interfaces()
		if err != nil || len(list) == 0 || list[0].Name != "lo0" || list[0].Index != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if lo := &list[0]; lo.Data.Mtu != 33624 || lo.Flags&abi.IFF_LOOPBACK == 0 || len(lo.Addrs) != 3 {
			t.Errorf("%+v", lo)
		}
		if _, err := p.InterfaceByName("nope0"); !errors.Is(err, abi.ENXIO) {
			t.Errorf("nope0: %v", err)
		}
	})
}
