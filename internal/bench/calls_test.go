package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
	"github.com/rumpctrl/rumpctrl/sysproxy"
)

// BenchmarkEcho is the yardstick: a message there and back over a unix socket with nothing but net.Conn. 24 B is the
// size of a getpid.
func BenchmarkEcho(b *testing.B) {
	path := peer(b, "echo")
	for _, size := range []int{24, 4 << 10, 64 << 10} {
		b.Run(sizeName(size), func(b *testing.B) {
			c, err := net.Dial("unix", path)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			buf := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func sizeName(n int) string {
	if n < 1<<10 {
		return fmt.Sprintf("%dB", n)
	}
	return fmt.Sprintf("%dKiB", n>>10)
}

// BenchmarkRemote makes calls to a kernel in another process, over a unix socket.
func BenchmarkRemote(b *testing.B) {
	url := "unix://" + peer(b, "kernel")
	benchCalls(b, func(b *testing.B) *client.Process { return dial(b, url) })
}

// BenchmarkRemoteC makes the same calls as a 0.4 client does, without prefetch.
func BenchmarkRemoteC(b *testing.B) {
	url := "unix://" + peer(b, "kernel")
	benchCalls(b, func(b *testing.B) *client.Process { return dial(b, url, sysproxy.WithoutPrefetch()) })
}

// BenchmarkLocal makes the same calls to a kernel in this process.
func BenchmarkLocal(b *testing.B) {
	k := local(b)
	benchCalls(b, func(b *testing.B) *client.Process {
		p, err := k.Process("bench")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { p.Close() })
		return p
	})
}

func local(b *testing.B) *rump.Kernel {
	k, err := rump.New(rump.Config{Components: []string{"rumpvfs", "rumpfs_tmpfs"}})
	if err != nil {
		b.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(k.Halt)
	return k
}

func dial(b *testing.B, url string, opts ...sysproxy.Option) *client.Process {
	b.Helper()
	p, err := client.Dial(context.Background(), url, "bench", opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	return p
}

func check(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

// benchCalls measures the calls of the table in docs/speed.md, the files on a tmpfs.
func benchCalls(b *testing.B, process func(*testing.B) *client.Process) {
	p := process(b)
	s := p.Sys()
	check(b, s.Mkdir("/bench", 0o755))
	args := abi.TmpfsArgs{Version: abi.TMPFS_ARGS_VERSION, RootMode: 0o755}
	check(b, s.Mount("tmpfs", "/bench", 0, args.Append(nil)))
	defer s.Unmount("/bench", abi.MNT_FORCE)
	big := make([]byte, 64<<10)
	check(b, p.WriteFile("/bench/file", big, 0o644))

	b.Run("getpid", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := s.Getpid()
			check(b, err)
		}
	})
	b.Run("stat", func(b *testing.B) {
		b.ReportAllocs()
		var st abi.Stat
		for b.Loop() {
			check(b, s.Stat("/bench/file", &st))
		}
	})
	b.Run("open+close", func(b *testing.B) {
		for b.Loop() {
			fd, err := s.Open("/bench/file", abi.O_RDONLY, 0)
			check(b, err)
			check(b, s.Close(fd))
		}
	})
	for _, size := range []int{4 << 10, 64 << 10} {
		benchTransfer(b, s, big[:size])
	}
	b.Run("fork+close", func(b *testing.B) {
		for b.Loop() {
			c, err := p.Fork()
			check(b, err)
			check(b, c.Close())
		}
	})
}

func benchTransfer(b *testing.B, s *client.Sys, buf []byte) {
	fd, err := s.Open("/bench/file", abi.O_RDWR, 0)
	check(b, err)
	defer s.Close(fd)
	b.Run("read/"+sizeName(len(buf)), func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		for b.Loop() {
			n, err := s.Pread(fd, buf, 0)
			check(b, err)
			if n != len(buf) {
				b.Fatal("short read")
			}
		}
	})
	b.Run("write/"+sizeName(len(buf)), func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		for b.Loop() {
			_, err := s.Pwrite(fd, buf, 0)
			check(b, err)
		}
	})
}

// BenchmarkConnect is a connection with its handshake and its end.
func BenchmarkConnect(b *testing.B) {
	url := "unix://" + peer(b, "kernel")
	for b.Loop() {
		p, err := client.Dial(context.Background(), url, "bench")
		check(b, err)
		check(b, p.Close())
	}
}

// BenchmarkEchoConnections is the yardstick of BenchmarkConnections: 24 bytes there and back on many connections at once.
func BenchmarkEchoConnections(b *testing.B) {
	path := peer(b, "echo")
	for _, n := range connections {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			conns := make([]net.Conn, n)
			for i := range conns {
				c, err := net.Dial("unix", path)
				check(b, err)
				defer c.Close()
				conns[i] = c
			}
			atOnce(b, n, func(i int) error {
				var buf [24]byte
				if _, err := conns[i].Write(buf[:]); err != nil {
					return err
				}
				_, err := io.ReadFull(conns[i], buf[:])
				return err
			})
		})
	}
}

// connections are the numbers of connections that are measured.
var connections = []int{1, 16, 256}

// atOnce spreads b.N calls of f over n goroutines and reports how many there were a second.
func atOnce(b *testing.B, n int, f func(i int) error) {
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range n {
		calls := b.N / n
		if i < b.N%n {
			calls++
		}
		wg.Go(func() {
			for range calls {
				if err := f(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkConnections makes getpids on many connections at once, each from a goroutine of its own; the metric is
// calls a second in all.
func BenchmarkConnections(b *testing.B) {
	url := "unix://" + peer(b, "kernel")
	for _, n := range connections {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			procs := make([]*client.Process, n)
			for i := range procs {
				procs[i] = dial(b, url)
			}
			atOnce(b, n, func(i int) error {
				_, err := procs[i].Sys().Getpid()
				return err
			})
		})
	}
}
