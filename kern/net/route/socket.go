package route

import (
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// rawSocket is a routing socket.
type rawSocket struct {
	t     *Table
	so    *socket.Socket
	queue *socket.Queue
}

// broadcast gives a message about a family, or AF_UNSPEC, to all routing sockets that hear of it, but for one.
func (t *Table) broadcast(msg []byte, fam int, but *rawSocket) {
	t.mu.Lock()
	sockets := t.sockets
	t.mu.Unlock()
	for _, s := range sockets {
		if s != but && (s.so.Proto == 0 || fam == 0 || s.so.Proto == fam) {
			s.queue.Append(routeSrc(), msg, nil, 0)
		}
	}
}

// routeSrc is the address that messages come from: one of the family alone.
func routeSrc() []byte { return []byte{2, 34} }
