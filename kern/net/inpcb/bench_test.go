package inpcb_test

import (
	"fmt"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
)

// BenchmarkTCP sends over a connection through lo0, by system calls of so many bytes.
func BenchmarkTCP(b *testing.B) {
	for _, size := range []int{1 << 12, 1 << 16, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			h := newHost(b)
			server := h.listen(at("127.0.0.1:8000"), 1)
			client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
			h.connect(client, at("127.0.0.1:8000"))
			conn, _ := h.accept(server)
			b.SetBytes(int64(size))
			done := make(chan int)
			go func() {
				total, buf := 0, make([]byte, 1<<18)
				for {
					n, errno := h.Call(abi.SYS_recvfrom, conn, buf, len(buf), 0, nil, nil)
					if total += int(n); n == 0 || errno != 0 {
						done <- total
						return
					}
				}
			}()
			data := make([]byte, size)
			for b.Loop() {
				h.Must(abi.SYS_sendto, client, data, size, 0, nil, 0)
			}
			h.Must(abi.SYS_shutdown, client, abi.SHUT_WR)
			if total := <-done; total != b.N*size {
				b.Errorf("%d bytes arrived of %d", total, b.N*size)
			}
		})
	}
}

// BenchmarkTCPConnect makes, accepts and closes connections through lo0, one after the other.
func BenchmarkTCPConnect(b *testing.B) {
	h := newHost(b)
	server := h.listen(at("127.0.0.1:8000"), 10)
	for b.Loop() {
		client := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
		if errno := h.connect(client, at("127.0.0.1:8000")); errno != 0 {
			b.Fatal(errno)
		}
		conn, _ := h.accept(server)
		h.Close(client)
		h.Close(conn)
	}
}

// BenchmarkUDP sends a datagram through lo0 and an answer back.
func BenchmarkUDP(b *testing.B) {
	h := newHost(b)
	server := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	h.bind(server, at("127.0.0.1:7000"))
	client := h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	h.connect(client, at("127.0.0.1:7000"))
	h.connect(server, port("127.0.0.1", h.local(client).Port()))
	buf := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		h.Must(abi.SYS_sendto, client, buf, 64, 0, nil, 0)
		h.Must(abi.SYS_recvfrom, server, buf, 64, 0, nil, nil)
		h.Must(abi.SYS_sendto, server, buf, 64, 0, nil, 0)
		h.Must(abi.SYS_recvfrom, client, buf, 64, 0, nil, nil)
	}
}
