package local_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// benchPingPong sends size bytes there and receives them, on one thread.
func benchPingPong(b *testing.B, typ, size int) {
	c := start(b)
	from, to := c.pair(typ)
	out, in := make([]byte, size), make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for range b.N {
		c.Must(abi.SYS_sendto, from, out, size, 0, nil, 0)
		c.Must(abi.SYS_recvfrom, to, in, size, 0, nil, nil)
	}
}

func BenchmarkStream1(b *testing.B)    { benchPingPong(b, abi.SOCK_STREAM, 1) }
func BenchmarkStream2K(b *testing.B)   { benchPingPong(b, abi.SOCK_STREAM, 2<<10) }
func BenchmarkDatagram1(b *testing.B)  { benchPingPong(b, abi.SOCK_DGRAM, 1) }
func BenchmarkDatagram2K(b *testing.B) { benchPingPong(b, abi.SOCK_DGRAM, 2<<10) }

// BenchmarkStream64K is the throughput between two threads, the receiver waiting with its buffer for all of it. pipe is its yardstick.
func BenchmarkStream64K(b *testing.B) {
	c := start(b)
	from, to := c.pair(abi.SOCK_STREAM)
	benchThroughput(b, func(p []byte) { c.Must(abi.SYS_sendto, from, p, len(p), 0, nil, 0) },
		func(p []byte) { c.Must(abi.SYS_recvfrom, to, p, len(p), abi.MSG_WAITALL, nil, nil) })
}

func BenchmarkPipe64K(b *testing.B) {
	c := start(b)
	r, w := c.Pipe()
	benchThroughput(b, func(p []byte) { c.Must(abi.SYS_write, w, p, len(p)) },
		func(p []byte) {
			for n := 0; n < len(p); {
				n += int(c.Must(abi.SYS_read, r, p[n:], len(p)-n))
			}
		})
}

func benchThroughput(b *testing.B, send, recv func(p []byte)) {
	const size = 64 << 10
	b.SetBytes(size)
	b.ReportAllocs()
	done := make(chan bool)
	go func() {
		p := make([]byte, size)
		for range b.N {
			recv(p)
		}
		close(done)
	}()
	p := make([]byte, size)
	for range b.N {
		send(p)
	}
	<-done
}
