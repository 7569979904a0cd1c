package bench

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/client"
)

// netPiece is how many bytes a write has.
const netPiece = 64 << 10

// BenchmarkNetStream sends 64 KiB a write over a connection, until the other end has counted all of it. The yardsticks are copying in memory, and
// a unix socket and the host's TCP between two processes. lo0 and membus stay in one process, by calls that block and by net.Conn; shmif goes to the
// kernel of another process; by wire a client of that kernel sends through its socket to the kernel's own lo0.
func BenchmarkNetStream(b *testing.B) {
	b.Run("yardstick-copy", benchCopy)
	b.Run("yardstick-unix", func(b *testing.B) {
		path := tempDir(b) + "/s"
		startPeer(b, "discard", path)
		benchHostStream(b, "unix", path)
	})
	b.Run("yardstick-host-tcp", func(b *testing.B) {
		found, _ := startPeer(b, "host-tcp", "")
		addr, _, _ := strings.Cut(found, " ")
		benchHostStream(b, "tcp", addr)
	})
	b.Run("lo0-calls", func(b *testing.B) { benchCalled(b, netNodeOf(b, nil).p, "127.0.0.1") })
	b.Run("lo0-conn", func(b *testing.B) { benchConn(b, netNodeOf(b, nil).p, "127.0.0.1") })
	b.Run("lo0-wire", func(b *testing.B) {
		_, socket, _ := links[1].apart(b)
		benchConn(b, dial(b, socket), "127.0.0.1")
	})
	for _, l := range links {
		b.Run("membus-"+l.name, func(b *testing.B) {
			x, _ := l.pair(b)
			benchCalled(b, x.p, far.Addr().String())
		})
	}
	for _, l := range links {
		b.Run("shmif-"+l.name, func(b *testing.B) {
			x, _, _ := l.apart(b)
			benchCalled(b, x.p, far.Addr().String())
		})
	}
}

// benchCopy copies what a write has from one piece of memory to another.
func benchCopy(b *testing.B) {
	from, to := make([]byte, netPiece), make([]byte, netPiece)
	b.SetBytes(netPiece)
	for b.Loop() {
		copy(to, from)
	}
	gbits(b, netPiece)
}

// gbits reports how many bits went a second.
func gbits(b *testing.B, bytes int) {
	b.ReportMetric(float64(b.N)*float64(bytes)*8/b.Elapsed().Seconds()/1e9, "Gbit/s")
}

func benchHostStream(b *testing.B, network, addr string) {
	c, err := net.Dial(network, addr)
	check(b, err)
	benchStream(b, c, c.Write)
}

// benchConn writes by a net.Conn of the kernel.
func benchConn(b *testing.B, p *client.Process, host string) {
	c := dialDiscard(b, p, host, discardConnPort)
	benchStream(b, c, c.Write)
}

// benchCalled writes by calls that block.
func benchCalled(b *testing.B, p *client.Process, host string) {
	c := dialDiscard(b, p, host, discardPort)
	check(b, blocking(c, func(s *client.Sys, fd int) {
		benchStream(b, c, func(p []byte) (int, error) { return s.Write(fd, p) })
	}))
}

func dialDiscard(b *testing.B, p *client.Process, host string, port int) client.Conn {
	b.Helper()
	c, err := p.DialContext(context.Background(), "tcp4", service(host, port))
	check(b, err)
	return c.(client.Conn)
}

// benchStream measures writes to a connection whose other end discards, the time until the last byte is there included.
func benchStream(b *testing.B, c net.Conn, write func([]byte) (int, error)) {
	defer c.Close()
	piece := make([]byte, netPiece)
	b.SetBytes(netPiece)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		n, err := write(piece)
		check(b, err)
		if n != netPiece {
			b.Fatal("short write")
		}
	}
	check(b, c.(interface{ CloseWrite() error }).CloseWrite())
	var total [8]byte
	_, err := io.ReadFull(c, total[:])
	check(b, err)
	b.StopTimer()
	if got := binary.BigEndian.Uint64(total[:]); got != uint64(b.N)*netPiece {
		b.Fatalf("%d bytes arrived of %d", got, b.N*netPiece)
	}
	gbits(b, netPiece)
}

// BenchmarkNetConnect makes connections, one after the other: connect, accept, close at both ends.
func BenchmarkNetConnect(b *testing.B) {
	b.Run("yardstick-host-tcp", func(b *testing.B) {
		found, _ := startPeer(b, "host-tcp", "")
		_, addr, _ := strings.Cut(found, " ")
		benchConnect(b, func() (net.Conn, error) { return net.Dial("tcp4", addr) })
	})
	dialer := func(p *client.Process, host string) func() (net.Conn, error) {
		return func() (net.Conn, error) {
			return p.DialContext(context.Background(), "tcp4", service(host, hangUpPort))
		}
	}
	b.Run("lo0", func(b *testing.B) { benchConnect(b, dialer(netNodeOf(b, nil).p, "127.0.0.1")) })
	b.Run("lo0-wire", func(b *testing.B) {
		_, socket, _ := links[1].apart(b)
		benchConnect(b, dialer(dial(b, socket), "127.0.0.1"))
	})
	b.Run("membus", func(b *testing.B) {
		x, _ := links[1].pair(b)
		benchConnect(b, dialer(x.p, far.Addr().String()))
	})
	b.Run("shmif", func(b *testing.B) {
		x, _, _ := links[1].apart(b)
		benchConnect(b, dialer(x.p, far.Addr().String()))
	})
}

func benchConnect(b *testing.B, dial func() (net.Conn, error)) {
	for b.Loop() {
		c, err := dial()
		check(b, err)
		check(b, c.Close())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "connections/s")
}
