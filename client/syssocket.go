package client

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
)

// maxSockaddr is room for any socket address.
const maxSockaddr = abi.SizeofSockaddrStorage

// Socket makes a socket, typ with abi.SOCK_CLOEXEC and the like: socket(2).
func (s *Sys) Socket(domain, typ, protocol int) (int, error) {
	return s.number(abi.SYS___socket30, domain, typ, protocol)
}

// Socketpair makes two sockets that are connected: socketpair(2).
func (s *Sys) Socketpair(domain, typ, protocol int) (a, b int, err error) {
	var fds [8]byte
	r := s.request(abi.SYS_socketpair)
	r.int(domain)
	r.int(typ)
	r.int(protocol)
	r.dst(fds[:])
	if err := r.do(); err != nil {
		return -1, -1, err
	}
	return getInt32(fds[:]), getInt32(fds[4:]), nil
}

// Bind gives a socket its address, a struct sockaddr of its family: bind(2).
func (s *Sys) Bind(fd int, addr []byte) error { return s.toAddr(abi.SYS_bind, fd, addr) }

// Connect connects a socket: connect(2).
func (s *Sys) Connect(fd int, addr []byte) error { return s.toAddr(abi.SYS_connect, fd, addr) }

func (s *Sys) toAddr(num, fd int, addr []byte) error {
	r := s.request(num)
	r.int(fd)
	r.in(addr)
	return r.do()
}

// Listen lets others connect: listen(2).
func (s *Sys) Listen(fd, backlog int) error { return s.ints(abi.SYS_listen, fd, backlog) }

// Shutdown ends one direction or both, by abi.SHUT_*: shutdown(2).
func (s *Sys) Shutdown(fd, how int) error { return s.ints(abi.SYS_shutdown, fd, how) }

// Accept returns a connection and the address of the other end: accept(2), or with flags
// abi.SOCK_CLOEXEC, SOCK_NONBLOCK and SOCK_NOSIGPIPE paccept(2).
func (s *Sys) Accept(fd, flags int) (int, []byte, error) {
	num := abi.SYS_accept
	if flags != 0 {
		num = abi.SYS_paccept
	}
	r := s.request(num)
	r.int(fd)
	a := r.addr()
	if flags != 0 {
		r.dst(nil)
		r.int(flags)
	}
	n, err := r.num()
	if err != nil {
		return -1, nil, err
	}
	return n, a.bytes(), nil
}

// Getsockname returns a socket's address: getsockname(2).
func (s *Sys) Getsockname(fd int) ([]byte, error) { return s.ofAddr(abi.SYS_getsockname, fd) }

// Getpeername returns the address of the other end: getpeername(2).
func (s *Sys) Getpeername(fd int) ([]byte, error) { return s.ofAddr(abi.SYS_getpeername, fd) }

func (s *Sys) ofAddr(num, fd int) ([]byte, error) {
	r := s.request(num)
	r.int(fd)
	a := r.addr()
	if err := r.do(); err != nil {
		return nil, err
	}
	return a.bytes(), nil
}

// sockaddrOut is where the kernel writes an address and its length.
type sockaddrOut struct {
	b   [maxSockaddr]byte
	len [4]byte
}

// addr adds the address of a struct sockaddr and of its socklen_t.
func (r *request) addr() *sockaddrOut {
	a := new(sockaddrOut)
	binary.LittleEndian.PutUint32(a.len[:], maxSockaddr)
	r.dst(a.b[:])
	r.inout(a.len[:])
	return a
}

// bytes returns the address.
func (a *sockaddrOut) bytes() []byte {
	return a.b[:min(binary.LittleEndian.Uint32(a.len[:]), maxSockaddr)]
}

// Setsockopt sets an option: setsockopt(2).
func (s *Sys) Setsockopt(fd, level, name int, val []byte) error {
	r := s.request(abi.SYS_setsockopt)
	r.int(fd)
	r.int(level)
	r.int(name)
	r.in(val)
	return r.do()
}

// SetsockoptInt sets an option that is an int.
func (s *Sys) SetsockoptInt(fd, level, name, val int) error {
	return s.Setsockopt(fd, level, name, binary.LittleEndian.AppendUint32(nil, uint32(val)))
}

// Getsockopt sets val to an option and returns its length: getsockopt(2).
func (s *Sys) Getsockopt(fd, level, name int, val []byte) (int, error) {
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(val)))
	r := s.request(abi.SYS_getsockopt)
	r.int(fd)
	r.int(level)
	r.int(name)
	r.dst(val)
	r.inout(size)
	if err := r.do(); err != nil {
		return 0, err
	}
	return min(getInt32(size), len(val)), nil
}

// GetsockoptInt returns an option that is an int.
func (s *Sys) GetsockoptInt(fd, level, name int) (int, error) {
	var b [4]byte
	if _, err := s.Getsockopt(fd, level, name, b[:]); err != nil {
		return 0, err
	}
	return getInt32(b[:]), nil
}

// Sendto sends b, to an address if that is not nil: sendto(2).
func (s *Sys) Sendto(fd int, b []byte, flags int, to []byte) (int, error) {
	r := s.request(abi.SYS_sendto)
	r.int(fd)
	r.in(b)
	r.int(flags)
	r.src(to)
	r.word(uint64(len(to)))
	return r.size(len(b))
}

// Recvfrom receives into b and returns how much and from where: recvfrom(2).
func (s *Sys) Recvfrom(fd int, b []byte, flags int) (int, []byte, error) {
	r := s.request(abi.SYS_recvfrom)
	r.int(fd)
	r.out(b)
	r.int(flags)
	a := r.addr()
	n, err := r.size(len(b))
	if err != nil {
		return 0, nil, err
	}
	return n, a.bytes(), nil
}

// recv receives into b from whomever: recvfrom(2) without the address.
func (s *Sys) recv(fd int, b []byte) (int, error) {
	r := s.request(abi.SYS_recvfrom)
	r.int(fd)
	r.out(b)
	r.int(0)
	r.dst(nil)
	r.dst(nil)
	return r.size(len(b))
}

// Message is what Sendmsg sends and Recvmsg receives: struct msghdr with its memory.
type Message struct {
	Addr    []byte   // where to or from; to receive, a buffer
	Bufs    [][]byte // the data
	Control []byte   // struct cmsghdr and data, one after the other; to receive, a buffer
	Flags   int      // received: abi.MSG_TRUNC and the like
}

// Sendmsg sends a message: sendmsg(2).
func (s *Sys) Sendmsg(fd int, m *Message, flags int) (int, error) {
	r := s.request(abi.SYS_sendmsg)
	r.int(fd)
	hdr, total := r.msghdr(m, r.c.In)
	r.src(hdr.Append(nil))
	r.int(flags)
	return r.size(total)
}

// Recvmsg receives a message and returns how many bytes of Bufs it has: recvmsg(2). It cuts
// Addr and Control to what was received, and sets Flags.
func (s *Sys) Recvmsg(fd int, m *Message, flags int) (int, error) {
	r := s.request(abi.SYS_recvmsg)
	r.int(fd)
	hdr, total := r.msghdr(m, r.c.Out)
	raw := hdr.Append(nil)
	r.inout(raw)
	r.int(flags)
	n, err := r.size(total)
	if err != nil {
		return 0, err
	}
	if err := hdr.Decode(raw); err != nil {
		return 0, err
	}
	m.received(&hdr)
	return n, nil
}

// received takes over what the kernel said in the header.
func (m *Message) received(hdr *abi.Msghdr) {
	m.Addr = m.Addr[:min(int(hdr.Namelen), len(m.Addr))]
	m.Control = m.Control[:min(int(hdr.Controllen), len(m.Control))]
	m.Flags = int(hdr.Flags)
}

// msghdr lends the memory of a message and returns its header and how many bytes its data has.
func (r *request) msghdr(m *Message, lend func([]byte) uint64) (abi.Msghdr, int) {
	hdr := abi.Msghdr{
		Namelen:    uint32(len(m.Addr)),
		Iovlen:     int32(len(m.Bufs)),
		Controllen: uint32(len(m.Control)),
	}
	if len(m.Addr) > 0 {
		hdr.Name = lend(m.Addr)
	}
	if len(m.Control) > 0 {
		hdr.Control = lend(m.Control)
	}
	iov, total := r.iovecs(m.Bufs, lend)
	hdr.Iov = r.c.In(iov)
	return hdr, total
}

// Sendmmsg sends messages and returns how many it has sent: sendmmsg(2).
func (s *Sys) Sendmmsg(fd int, ms []Message, flags int) (int, error) {
	r := s.request(abi.SYS_sendmmsg)
	r.int(fd)
	raw := r.mmsghdrs(ms, r.c.In)
	r.inout(raw)
	r.int(len(ms))
	r.int(flags)
	return r.size(len(ms))
}

// Recvmmsg receives messages, waiting at most timeout if it is not nil, and returns how many bytes
// each has: recvmmsg(2).
func (s *Sys) Recvmmsg(fd int, ms []Message, flags int, timeout *abi.Timespec) ([]int, error) {
	r := s.request(abi.SYS_recvmmsg)
	r.int(fd)
	raw := r.mmsghdrs(ms, r.c.Out)
	r.inout(raw)
	r.int(len(ms))
	r.int(flags)
	r.timespec(timeout)
	n, err := r.size(len(ms))
	if err != nil {
		return nil, err
	}
	lens := make([]int, n)
	for i := range lens {
		var h abi.Mmsghdr
		if err := h.Decode(raw[i*abi.SizeofMmsghdr:]); err != nil {
			return nil, err
		}
		ms[i].received(&h.Hdr)
		lens[i] = int(h.Len)
	}
	return lens, nil
}

// mmsghdrs lends the memory of messages and returns their headers.
func (r *request) mmsghdrs(ms []Message, lend func([]byte) uint64) []byte {
	raw := make([]byte, 0, len(ms)*abi.SizeofMmsghdr)
	for i := range ms {
		var h abi.Mmsghdr
		h.Hdr, _ = r.msghdr(&ms[i], lend)
		raw = h.Append(raw)
	}
	return raw
}
