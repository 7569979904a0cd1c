package ping6

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

const (
	// icmpHeader is the length of an ICMPv6 header, and of an echo's.
	icmpHeader = 8
	// stampSize is the length of a timestamp: seconds and microseconds of 32 bits.
	stampSize = 8
)

// packet makes the messages that are sent; the kernel puts the IPv6 header before them, and the checksum in.
type packet struct {
	buf   []byte
	query query
	nonce [8]byte // of a query, but for the first two bytes: they are its number
	ident uint16  // of an echo
	timed bool    // it has a timestamp
}

func (k *packet) init(o *options, ident uint16, nonce [8]byte) {
	k.query, k.ident, k.nonce = o.query, ident, nonce
	if o.query != queryNone {
		k.buf = o.query.message(o.target, o.naFlags)
		return
	}
	k.buf = make([]byte, icmpHeader+o.size)
	k.buf[0] = abi.ICMP6_ECHO_REQUEST
	binary.BigEndian.PutUint16(k.buf[4:], ident)
	k.timed = o.size >= stampSize
	data := k.buf[icmpHeader:]
	for i := stampSize; i < len(data); i++ {
		data[i] = byte(i)
		if o.pattern != nil {
			data[i] = o.pattern[(i-stampSize)%len(o.pattern)]
		}
	}
}

// build makes the message of a number, with the time that has passed. It is valid until the next.
func (k *packet) build(seq uint16, passed time.Duration) []byte {
	if k.query != queryNone {
		copy(k.buf[8:16], k.nonce[:])
		binary.BigEndian.PutUint16(k.buf[8:], seq)
		return k.buf
	}
	binary.BigEndian.PutUint16(k.buf[6:], seq)
	if k.timed {
		binary.BigEndian.PutUint32(k.buf[icmpHeader:], uint32(passed/time.Second))
		binary.BigEndian.PutUint32(k.buf[icmpHeader+4:], uint32(passed%time.Second/time.Microsecond))
	}
	return k.buf
}

// echoed says whether an echo's answer is one to ours.
func (k *packet) echoed(b []byte) bool {
	return k.query == queryNone && binary.BigEndian.Uint16(b[4:]) == k.ident
}

// replied says whether a query's answer is one to ours.
func (k *packet) replied(b []byte) bool {
	return k.query != queryNone && len(b) >= nodeHeader && [6]byte(b[10:16]) == [6]byte(k.nonce[2:])
}

// trip is how long an answer took, by the timestamp in it.
func (k *packet) trip(b []byte, passed time.Duration) (time.Duration, bool) {
	if !k.timed || len(b) < icmpHeader+stampSize {
		return 0, false
	}
	sent := time.Duration(binary.BigEndian.Uint32(b[icmpHeader:]))*time.Second +
		time.Duration(binary.BigEndian.Uint32(b[icmpHeader+4:]))*time.Microsecond
	return max(passed-sent, 0), true
}

// fault says what is wrong with an answer's data.
func (k *packet) fault(b []byte) string {
	for i := icmpHeader + stampSize; i < min(len(b), len(k.buf)); i++ {
		if b[i] != k.buf[i] {
			return fmt.Sprintf("\nwrong data byte #%d should be 0x%x but was 0x%x", i-icmpHeader, k.buf[i], b[i])
		}
	}
	return ""
}
