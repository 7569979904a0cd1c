package sysproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// The benchmarks run between two processes: the test binary starts itself as
// the server. BenchmarkRawEcho is the yardstick: what the same bytes cost
// through net.Conn alone.

func BenchmarkRawEcho(b *testing.B) {
	path := strings.TrimPrefix(unixURL(b), "unix://")
	startChild(b, "echo "+path)
	for _, size := range []int{24, 4 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c, err := net.Dial("unix", path)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			buf := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				c.Write(buf)
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRawEchoConnections is the yardstick of BenchmarkConnections.
func BenchmarkRawEchoConnections(b *testing.B) {
	path := strings.TrimPrefix(unixURL(b), "unix://")
	startChild(b, "echo "+path)
	for _, n := range []int{16, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			conns := make([]net.Conn, n)
			for i := range conns {
				c, err := net.Dial("unix", path)
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				conns[i] = c
			}
			spread(b, n, func(i, calls int) error {
				buf := make([]byte, 24)
				for range calls {
					conns[i].Write(buf)
					if _, err := io.ReadFull(conns[i], buf); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// spread runs b.N calls by n goroutines.
func spread(b *testing.B, n int, run func(i, calls int) error) {
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range n {
		calls := b.N / n
		if i < b.N%n {
			calls++
		}
		wg.Go(func() {
			if err := run(i, calls); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func benchDial(b *testing.B, url string, opts ...Option) *Conn {
	b.Helper()
	c, err := Dial(context.Background(), url, "bench", opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// benchCalls are the calls that are measured: name, bytes that they move, and
// how to fill one in.
var benchCalls = []struct {
	name  string
	num   int
	bytes int
	fill  func(c *Call, buf []byte)
}{
	{"getpid", sysGetpid, 0, func(*Call, []byte) {}},
	{"stat", sysStat, 0, func(c *Call, buf []byte) { c.Args(c.InString("/etc/passwd"), c.Out(buf[:152])) }},
	{"read4K", sysRead, 4 << 10, func(c *Call, buf []byte) { c.Args(c.Out(buf[:4<<10]), 4<<10) }},
	{"write4K", sysWrite, 4 << 10, func(c *Call, buf []byte) { c.Args(c.In(buf[:4<<10]), 4<<10) }},
	{"read64K", sysRead, 64 << 10, func(c *Call, buf []byte) { c.Args(c.Out(buf), 64<<10) }},
	{"write64K", sysWrite, 64 << 10, func(c *Call, buf []byte) { c.Args(c.In(buf), 64<<10) }},
}

func benchCall(b *testing.B, tr Transport) {
	for _, bc := range benchCalls {
		b.Run(bc.name, func(b *testing.B) {
			buf := make([]byte, 64<<10)
			fill := tr.NewCall(sysWrite) // so that reads have something
			fill.Args(fill.In(buf), uint64(len(buf)))
			done(b, tr, fill)
			if bc.bytes > 0 {
				b.SetBytes(int64(bc.bytes))
			}
			b.ReportAllocs()
			c := tr.NewCall(0)
			for b.Loop() {
				c.Reset(bc.num)
				bc.fill(c, buf)
				if err := tr.Do(c); err != nil || c.Err != 0 {
					b.Fatal(err, c.Err)
				}
			}
		})
	}
}

func BenchmarkCall(b *testing.B) {
	run := func(name, child string, url string, opts ...Option) {
		b.Run(name, func(b *testing.B) {
			startChild(b, child+" "+url)
			benchCall(b, benchDial(b, url, opts...))
		})
	}
	run("unix", "toy", unixURL(b))
	run("unix-0.4", "toy0.4", unixURL(b))
	run("unix-nospin", "toy", unixURL(b), WithSpin(0))
	b.Run("local", func(b *testing.B) {
		tr, err := Local(newToyKernel(), "bench", Banner{})
		if err != nil {
			b.Fatal(err)
		}
		defer tr.Close()
		benchCall(b, tr)
	})
}

// BenchmarkConnections measures getpid by several connections at once; the
// time is per call over all of them.
func BenchmarkConnections(b *testing.B) {
	url := unixURL(b)
	startChild(b, "toy "+url)
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			conns := make([]*Conn, n)
			for i := range conns {
				conns[i] = benchDial(b, url)
			}
			spread(b, n, func(i, calls int) error {
				c := conns[i].NewCall(0)
				for range calls {
					c.Reset(sysGetpid)
					if err := conns[i].Do(c); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// BenchmarkThreads measures getpid by several threads on one connection.
func BenchmarkThreads(b *testing.B) {
	url := unixURL(b)
	startChild(b, "toy "+url)
	conn := benchDial(b, url)
	for _, n := range []int{4, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetParallelism(n)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				c := conn.NewCall(0)
				for pb.Next() {
					c.Reset(sysGetpid)
					if err := conn.Do(c); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkDial measures connecting, the handshake and closing.
func BenchmarkDial(b *testing.B) {
	url := unixURL(b)
	startChild(b, "toy "+url)
	for b.Loop() {
		c, err := Dial(context.Background(), url, "bench")
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
