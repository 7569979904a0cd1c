package bench

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
	"github.com/rumpctrl/rumpctrl/client"
)

// netMessage is the length of what goes there and back: ping's 56 bytes and its header.
const netMessage = 64

// BenchmarkNetRoundTrip sends a message and waits for the answer. The yardsticks are a unix socket and the host's UDP, each between two
// processes. Ping is an echo request of a raw socket, which the other kernel answers by itself; udp goes between sockets of two kernels. By shmif the two
// kernels are in two processes, by membus in one. ping-wire is what the utility does: the raw socket belongs to a client of
// the far kernel and asks the near one.
func BenchmarkNetRoundTrip(b *testing.B) {
	b.Run("yardstick-unix", benchUnixEcho)
	b.Run("yardstick-host-udp", benchHostUDP)
	b.Run("shmif-ping", func(b *testing.B) {
		x, _, _ := links[1].apart(b)
		benchPing(b, x.p, far)
	})
	b.Run("shmif-ping-wire", func(b *testing.B) {
		_, socket, _ := links[1].apart(b)
		benchPing(b, dial(b, socket), near)
	})
	b.Run("shmif-udp", func(b *testing.B) {
		x, _, _ := links[1].apart(b)
		benchUDP(b, x.p, far.Addr().String())
	})
	b.Run("membus-ping", func(b *testing.B) {
		x, _ := links[1].pair(b)
		benchPing(b, x.p, far)
	})
	b.Run("membus-udp", func(b *testing.B) {
		x, _ := links[1].pair(b)
		benchUDP(b, x.p, far.Addr().String())
	})
	b.Run("lo0-udp", func(b *testing.B) {
		benchUDP(b, netNodeOf(b, nil).p, "127.0.0.1")
	})
}

func benchUnixEcho(b *testing.B) {
	c, err := net.Dial("unix", peer(b, "echo"))
	check(b, err)
	defer c.Close()
	benchExchange(b, c)
}

func benchHostUDP(b *testing.B) {
	addr, _ := startPeer(b, "host-udp", "")
	c, err := net.Dial("udp4", addr)
	check(b, err)
	defer c.Close()
	benchExchange(b, c)
}

// benchExchange writes messages and reads them back.
func benchExchange(b *testing.B, c net.Conn) {
	buf := make([]byte, netMessage)
	for b.Loop() {
		_, err := c.Write(buf)
		check(b, err)
		_, err = io.ReadFull(c, buf)
		check(b, err)
	}
}

// benchUDP exchanges datagrams by calls of the kernel that block.
func benchUDP(b *testing.B, p *client.Process, host string) {
	c, err := p.DialContext(context.Background(), "udp4", service(host, echoPort))
	check(b, err)
	defer c.Close()
	check(b, blocking(c.(client.Conn), func(s *client.Sys, fd int) {
		buf := make([]byte, netMessage)
		for b.Loop() {
			_, err := s.Write(fd, buf)
			check(b, err)
			_, err = s.Read(fd, buf)
			check(b, err)
		}
	}))
}

// benchPing sends echo requests (RFC 792) from a raw socket and waits for the answers.
func benchPing(b *testing.B, p *client.Process, to netip.Prefix) {
	s := p.Sys()
	fd, err := s.Socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP)
	check(b, err)
	defer s.Close(fd)
	for seq := uint16(0); b.Loop(); seq++ {
		ping(b, s, fd, to, seq)
	}
}

// ping sends one request and waits for its answer.
func ping(b *testing.B, s *client.Sys, fd int, to netip.Prefix, seq uint16) {
	_, err := s.Sendto(fd, echoRequest(seq), 0, sockaddr.Inet(to.Addr(), 0, 0))
	check(b, err)
	var buf [20 + netMessage]byte
	for {
		n, err := s.Read(fd, buf[:])
		check(b, err)
		if n == len(buf) && buf[20] == abi.ICMP_ECHOREPLY && binary.BigEndian.Uint16(buf[26:]) == seq {
			return
		}
	}
}

// echoRequest is an echo request with its checksum.
func echoRequest(seq uint16) []byte {
	m := make([]byte, netMessage)
	m[0] = abi.ICMP_ECHO
	binary.BigEndian.PutUint16(m[6:], seq)
	sum := uint32(m[0])<<8 + uint32(seq)
	binary.BigEndian.PutUint16(m[2:], ^uint16(sum>>16+sum))
	return m
}
