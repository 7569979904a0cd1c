// Package echo is what ping(8) and ping6(8) have in common: receiving beside sending, when to send, which answers have been seen, and
// the statistics. It knows nothing of packets' contents. Start reading at [Exchange].
package echo

import (
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/client"
)

// Packet is a packet that was received, and when.
type Packet struct {
	Data []byte
	From []byte // a struct sockaddr
	// Control are the control messages, where the socket was asked for such.
	Control []byte
	At      time.Time
	Err     error // the receiver's end, or a fault that the socket told
}

// Receive receives packets of at most size bytes on a goroutine of its own, until the socket is shut down or broken: then it
// closes the channel. A caller that stops earlier closes done.
func Receive(sys *client.Sys, fd, size, control int, done <-chan struct{}) <-chan Packet {
	c := make(chan Packet, 64)
	go func() {
		defer close(c)
		for {
			m := client.Message{Addr: make([]byte, 128), Bufs: [][]byte{make([]byte, size)}, Control: make([]byte, control)}
			n, err := sys.Recvmsg(fd, &m, 0)
			p := Packet{At: time.Now(), Err: err}
			if err == nil {
				p.Data, p.From, p.Control = m.Bufs[0][:n], m.Addr, m.Control
			}
			if err == nil && n == 0 && len(m.Addr) == 0 {
				return // shut down
			}
			select {
			case c <- p:
			case <-done:
				return
			}
			if err != nil && !slices.Contains(passing, err) {
				return
			}
		}
	}()
	return c
}

// passing are the errors that messages from the network leave on a socket: it goes on after them.
var passing = []error{
	abi.EHOSTUNREACH, abi.ENETUNREACH, abi.EHOSTDOWN, abi.ENETDOWN, abi.ECONNREFUSED, abi.EMSGSIZE, abi.ENOBUFS, abi.EINTR,
}

// Seen remembers which of the sequence numbers have been answered. They are 16 bits wide and used again.
type Seen [1 << 16 / 64]uint64

// Clear forgets a number, before it is sent.
func (s *Seen) Clear(seq uint16) { s[seq/64] &^= 1 << (seq % 64) }

// Mark marks a number and says whether it was marked.
func (s *Seen) Mark(seq uint16) bool {
	was := s[seq/64]&(1<<(seq%64)) != 0
	s[seq/64] |= 1 << (seq % 64)
	return was
}

// Times sums up round trip times.
type Times struct {
	n               int
	least, most     time.Duration
	sum, sumSquares float64 // in milliseconds
}

// Add takes one.
func (t *Times) Add(d time.Duration) {
	if t.n == 0 || d < t.least {
		t.least = d
	}
	t.most = max(t.most, d)
	ms := Milliseconds(d)
	t.n++
	t.sum += ms
	t.sumSquares += ms * ms
}

// Most is the longest.
func (t *Times) Most() time.Duration { return t.most }

// Summary is the least, the average, the most and the standard deviation, in milliseconds.
func (t *Times) Summary() (least, average, most, deviation float64) {
	if t.n == 0 {
		return 0, 0, 0, 0
	}
	average = t.sum / float64(t.n)
	if t.n > 1 {
		deviation = math.Sqrt(max(0, (t.sumSquares-float64(t.n)*average*average)/float64(t.n-1)))
	}
	return Milliseconds(t.least), average, Milliseconds(t.most), deviation
}

// Milliseconds is a time as ping(8) prints it.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Pace says when the next packet is due: one each interval after the first, at the same moments; those for which it is too late by more
// than a tenth of a second are left out.
type Pace struct {
	Interval time.Duration
	next     time.Time
}

// Due says whether to send now.
func (p *Pace) Due(now time.Time) bool { return p.next.IsZero() || !now.Before(p.next) }

// Next is when the next packet is due.
func (p *Pace) Next() time.Time { return p.next }

// Sent goes on to the next packet.
func (p *Pace) Sent(now time.Time) {
	if p.next.IsZero() {
		p.next = now
	}
	if p.next.Sub(now) > p.Interval {
		return
	}
	for {
		p.next = p.next.Add(p.Interval)
		if p.next.Sub(now) >= -100*time.Millisecond {
			return
		}
	}
}

// Checksum is the internet checksum of RFC 1071.
func Checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) > 0 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// ParsePattern reads up to 16 bytes in hexadecimal, the last of which may be one digit alone: -p's argument.
func ParsePattern(s string) (pattern []byte, ok bool) {
	if len(s)%2 == 1 {
		s = s[:len(s)-1] + "0" + s[len(s)-1:]
	}
	b, err := hex.DecodeString(s)
	return b[:min(len(b), 16)], err == nil && len(b) > 0
}
