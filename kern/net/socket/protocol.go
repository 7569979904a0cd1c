package socket

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// Domain is a protocol family, as struct domain: PF_LOCAL, PF_INET, PF_ROUTE.
type Domain interface {
	// Open makes the protocol of a new socket; so.Type and so.Proto say which (Proto 0 is the type's usual one).
	//
	// Errors: EPROTONOSUPPORT, EPROTOTYPE, EACCES (a raw socket of a user), ENOBUFS.
	Open(t *kern.Thread, so *Socket) (Protocol, error)
}

// Protocol is one socket's end of a protocol. No method waits: what cannot be done now is EWOULDBLOCK, and the socket is
// notified when it may. What it can do further it says by the small interfaces below; what it does not implement
// fails with the errno that the interface names. Methods may be called from several threads at once.
type Protocol interface {
	// Send sends m.Data, or as much of it as there is room for on a stream, and says how much. flags are MSG_OOB, MSG_EOR,
	// MSG_DONTROUTE, MSG_MORE... What m refers to is valid only until it returns.
	//
	// Errors: EWOULDBLOCK, EMSGSIZE, ENOTCONN, EDESTADDRREQ, EISCONN, EPIPE, EHOSTUNREACH, ...
	Send(t *kern.Thread, m *Message, flags int) (int, error)
	// Recv fills m.Data, and m.Name and m.Control where there are such, says how many bytes it filled in and sets m.Flags
	// to those of the message: MSG_EOR, MSG_TRUNC, MSG_BCAST, MSG_MCAST. On a datagram that is longer than m.Data the rest is
	// lost, MSG_TRUNC is set, and the count is that of the bytes that were filled in; m.Full is the datagram's length.
	// 0 without an error on a stream is its end. flags are MSG_PEEK and MSG_OOB.
	//
	// Errors: EWOULDBLOCK, ENOTCONN, the asynchronous error of the socket.
	Recv(t *kern.Thread, m *Message, flags int) (int, error)
	// Poll says which of POLLIN, POLLRDNORM, POLLPRI, POLLOUT, POLLWRNORM hold now; POLLHUP and POLLERR always. An asynchronous
	// error makes everything ready.
	Poll(events int) int
	// Sockname is the socket's own address as a struct sockaddr, the family's empty one when it has none.
	Sockname() ([]byte, error)
	// Close ends the socket: the last descriptor is gone. It may linger in the background.
	Close(t *kern.Thread) error
}

// Binder is implemented by protocols with addresses; EOPNOTSUPP otherwise.
type Binder interface {
	// Bind errors: EINVAL (bound already), EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EACCES.
	Bind(t *kern.Thread, addr []byte) error
}

// Connecter is implemented by protocols that connect; EOPNOTSUPP otherwise.
type Connecter interface {
	// Connect starts to connect, or is done at once. While it is under way it returns EINPROGRESS, EALREADY when called
	// again; the socket is notified for writing at the end, and TakeError says how that was. A datagram socket
	// with an address of AF_UNSPEC or none is disconnected.
	//
	// Errors: EINPROGRESS, EALREADY, EISCONN, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, ...
	Connect(t *kern.Thread, addr []byte) error
	// Peername is the address of the other end. Errors: ENOTCONN.
	Peername() ([]byte, error)
}

// Listener is implemented by protocols that take connections; EOPNOTSUPP otherwise.
type Listener interface {
	// Listen lets backlog connections wait; called again it changes the backlog. Errors: EINVAL (connected), EDESTADDRREQ.
	Listen(t *kern.Thread, backlog int) error
	// Accept takes the first connection that waits. so is the new socket, which the protocol is to be that of; addr its peer's address.
	//
	// Errors: EWOULDBLOCK, EINVAL (not listening), ECONNABORTED.
	Accept(t *kern.Thread, so *Socket) (p Protocol, addr []byte, err error)
}

// Pairer is implemented by protocols of socketpair(2); EOPNOTSUPP otherwise.
type Pairer interface {
	// Pair connects two new sockets of the same protocol with each other.
	Pair(t *kern.Thread, other Protocol) error
}

// Shutdowner is implemented by protocols of which a direction can be shut; EOPNOTSUPP otherwise.
type Shutdowner interface {
	// Shutdown ends abi.SHUT_RD, SHUT_WR or SHUT_RDWR. Errors: ENOTCONN.
	Shutdown(t *kern.Thread, how int) error
}

// Optioner is implemented by protocols with options of their own; ENOPROTOOPT otherwise.
type Optioner interface {
	// Getopt is the value of an option of a level other than SOL_SOCKET. Errors: ENOPROTOOPT.
	Getopt(t *kern.Thread, level, name int) ([]byte, error)
	// Setopt sets one. Errors: ENOPROTOOPT, EINVAL, ...
	Setopt(t *kern.Thread, level, name int, val []byte) error
}

// OptionWatcher is implemented by protocols that act on options of SOL_SOCKET, which the Socket keeps.
type OptionWatcher interface {
	// SetSocketOption is told after the Socket took the option name (abi.SO_REUSEADDR, SO_RCVBUF, SO_KEEPALIVE, ...); its
	// error undoes it.
	SetSocketOption(name, value int) error
}

// Ioctler is implemented by protocols with ioctls of their own; what neither it nor a registered group (Layer.HandleIoctls)
// knows is ENOTTY.
type Ioctler interface {
	Ioctl(t *kern.Thread, cmd uint32, data []byte) error
}

// Counter is implemented by protocols that can say how many bytes wait (FIONREAD, EVFILT_READ's data) and how much may be
// sent (FIONSPACE, EVFILT_WRITE's); queued is what was sent and has not been taken (FIONWRITE).
type Counter interface {
	Counts() (readable, queued, space int)
}

// ErrorTaker is implemented by protocols that have asynchronous errors of their own beside Socket.SetError's.
type ErrorTaker interface {
	// TakeError is the pending error, nil for none, and clears it: SO_ERROR.
	TakeError() error
}

// AtMarker is implemented by protocols with urgent data: SIOCATMARK.
type AtMarker interface {
	AtMark() bool
}

// Message is what one call sends or receives, as struct msghdr.
type Message struct {
	// Name is the address to send to, nil for the connected one; Recv sets it to the sender's.
	Name []byte
	// Data are the bytes to send, or the room for those received.
	Data []byte
	// Control are the control messages. Recv appends those that the socket's options ask for.
	Control []Control
	// Flags are those of a received message.
	Flags int
	// Full is the length of a received datagram, when it is more than was filled in.
	Full int
}

// Control is one control message: struct cmsghdr and its data.
type Control struct {
	Level, Type int
	Data        []byte
	// Files are the open files of an SCM_RIGHTS, each with a reference: who takes the message out owns them.
	Files []*kern.File
}

// Family is the address family of a struct sockaddr, whatever its length says; AF_UNSPEC of one too short.
func Family(sa []byte) int {
	if len(sa) < 2 {
		return abi.AF_UNSPEC
	}
	return int(sa[1])
}

// Ender is implemented by protocols that know that a direction is over: nothing will be received any more but what is there, or nothing
// can be sent any more. kqueue says EV_EOF then, and low-water marks do not count.
type Ender interface {
	Ended() (recv, send bool)
}

// Backlogger is implemented by Listeners that can say how many connections wait to be accepted: EVFILT_READ's data.
type Backlogger interface {
	Backlog() int
}

// Lingerer is implemented by protocols whose Close goes on in the background: with SO_LINGER close(2) waits until Closed says true,
// of which the socket's writers are notified.
type Lingerer interface {
	Closed() bool
}

// RightsPasser is implemented by protocols that pass descriptors: messages to be sent have the files of an SCM_RIGHTS in
// Control.Files. Send owns them when it succeeds. Other protocols find the descriptors' numbers in Control.Data.
type RightsPasser interface {
	// PassRights is asked before a message with n files is sent. Errors: EAGAIN when there are too many on their way.
	PassRights(n int) error
}

// DescriptorCloser is implemented by protocols that act when any descriptor of the socket is closed, not only the last one; f still has
// that reference.
type DescriptorCloser interface {
	DescriptorClosed(t *kern.Thread, f *kern.File)
}

// Overflower is implemented by protocols that count what found no room in the socket's buffer: SO_OVERFLOWED; 0 otherwise.
type Overflower interface {
	Overflowed() int
}

// Stater is implemented by protocols that have something to say to fstat(2).
type Stater interface {
	Stat(st *abi.Stat)
}

// Rendezvous is implemented by protocols that can put what is sent into the buffer of a receiver that waits (Queue.Offer and
// Queue.Withdraw).
type Rendezvous interface {
	Offer(m *Message) (n int, taken bool, err error)
	Withdraw() int
}
