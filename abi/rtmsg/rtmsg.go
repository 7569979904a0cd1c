// Package rtmsg is the frame of routing messages, route(4): the common header, and the socket addresses that follow the fixed
// part, each on an 8-byte boundary. Routing sockets and the sysctls under net.route carry them. The fixed parts are package abi's
// structures (RtMsghdr, IfMsghdr, IfaMsghdr, IfAnnouncemsghdr).
package rtmsg

import (
	"encoding/binary"
	"errors"
	"iter"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Addrs are the socket addresses of a message by abi.RTAX_*; nil where there is none.
type Addrs [abi.RTAX_MAX][]byte

// headerSize is what all messages have in common: length, version, type.
const headerSize = 4

// ErrMessage says that a message is shorter than it says, or than its kind.
var ErrMessage = errors.New("malformed routing message")

// RoundUp is how much room a socket address of n bytes takes; one of none takes 8 bytes.
func RoundUp(n int) int {
	if n == 0 {
		return 8
	}
	return (n + 7) &^ 7
}

// Append appends the addresses that there are, padded, and returns their mask RTA_*.
func (a *Addrs) Append(b []byte) ([]byte, int32) {
	var mask int32
	for i, sa := range a {
		if sa == nil {
			continue
		}
		mask |= 1 << i
		b = append(b, sa...)
		b = append(b, make([]byte, RoundUp(len(sa))-len(sa))...)
	}
	return b, mask
}

// Parse reads the addresses of a mask from what follows a message's fixed part. They refer to b. An address of length 0 is one of 8
// bytes of zero, as a netmask of no bits is. Errors: ErrMessage.
func Parse(mask int32, b []byte) (a Addrs, err error) {
	for i := range a {
		if mask&(1<<i) == 0 {
			continue
		}
		if len(b) == 0 {
			return a, ErrMessage
		}
		n := int(b[0])
		if n > len(b) {
			return a, ErrMessage
		}
		a[i] = b[:n:n]
		b = b[min(RoundUp(n), len(b)):]
	}
	return a, nil
}

// Type is the RTM_* of a message.
func Type(m []byte) int { return int(m[3]) }

// All goes through the messages of a buffer, as sysctl(3) or several reads of a routing socket gave them. Those of another version are
// passed over. It ends with an error when the rest is not a message.
func All(b []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for len(b) > 0 {
			if len(b) < headerSize {
				yield(nil, ErrMessage)
				return
			}
			n := int(binary.LittleEndian.Uint16(b))
			if n < headerSize || n > len(b) {
				yield(nil, ErrMessage)
				return
			}
			m := b[:n:n]
			b = b[n:]
			if m[2] == abi.RTM_VERSION && !yield(m, nil) {
				return
			}
		}
	}
}
