// Package cmsg is the frame of control messages, the msg_control of sendmsg(2) and recvmsg(2): struct cmsghdr, its data, and padding. What
// the data is hangs on level and type, as options of sockets do.
package cmsg

import (
	"errors"
	"iter"

	"github.com/rumpctrl/rumpctrl/abi"
)

// Message is a control message.
type Message struct {
	Level, Type int
	Data        []byte
}

// ErrMessage says that a message is longer than what there is, or shorter than its header.
var ErrMessage = errors.New("malformed control message")

const header = (abi.SizeofCmsghdr + abi.ALIGNBYTES) &^ abi.ALIGNBYTES

func align(n int) int { return (n + abi.ALIGNBYTES) &^ abi.ALIGNBYTES }

// Space is how many bytes of a control buffer a message of n bytes of data takes: CMSG_SPACE.
func Space(n int) int { return header + align(n) }

// Append appends the message, padded.
func (m *Message) Append(b []byte) []byte {
	end := len(b) + Space(len(m.Data))
	h := abi.Cmsghdr{Len: uint32(header + len(m.Data)), Level: int32(m.Level), Type: int32(m.Type)}
	b = h.Append(b)
	b = append(b, make([]byte, header-abi.SizeofCmsghdr)...)
	b = append(b, m.Data...)
	return append(b, make([]byte, end-len(b))...)
}

// All are the messages of a control buffer, whose data refer to it, up to the first that is malformed: that is ErrMessage. What is too
// short for another at the end is left out.
func All(b []byte) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for len(b) >= header {
			var h abi.Cmsghdr
			if err := h.Decode(b); err != nil || h.Len < header || uint64(h.Len) > uint64(len(b)) {
				yield(Message{}, ErrMessage)
				return
			}
			if !yield(Message{Level: int(h.Level), Type: int(h.Type), Data: b[header:h.Len:h.Len]}, nil) {
				return
			}
			b = b[min(align(int(h.Len)), len(b)):]
		}
	}
}

// Find is the data of the first message of a level and type that has at least size bytes of it.
func Find(b []byte, level, typ, size int) (data []byte, ok bool) {
	for m, err := range All(b) {
		if err == nil && m.Level == level && m.Type == typ && len(m.Data) >= size {
			return m.Data, true
		}
	}
	return nil, false
}
