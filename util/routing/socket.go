// Package routing is what route(8), netstat(1), arp(8) and ndp(8) share: talking to the kernel through a routing socket, reading its
// routing table, and how routes are named and printed.
package routing

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
	"github.com/rumpctrl/rumpctrl/client"
)

// Message is a routing message about a route: RTM_ADD, DELETE, CHANGE, GET, and what NET_RT_DUMP and NET_RT_FLAGS list.
type Message struct {
	Header abi.RtMsghdr
	Addrs  rtmsg.Addrs
}

// Parse reads a message. Errors: rtmsg.ErrMessage.
func Parse(b []byte) (*Message, error) {
	m := new(Message)
	if err := m.Header.Decode(b); err != nil {
		return nil, rtmsg.ErrMessage
	}
	var err error
	m.Addrs, err = rtmsg.Parse(m.Header.Addrs, b[abi.SizeofRtMsghdr:])
	return m, err
}

// Append appends the message; its length, version and mask of addresses follow from what is in it.
func (m *Message) Append(b []byte) []byte {
	tail, mask := m.Addrs.Append(nil)
	h := m.Header
	h.Version, h.Addrs, h.Msglen = abi.RTM_VERSION, mask, uint16(abi.SizeofRtMsghdr+len(tail))
	return append(h.Append(b), tail...)
}

// Socket is a routing socket.
type Socket struct {
	sys *client.Sys
	fd  int
	pid int
	seq int32
}

// Open opens a routing socket.
func Open(p *client.Process) (*Socket, error) {
	sys := p.Sys()
	pid, err := sys.Getpid()
	if err != nil {
		return nil, err
	}
	fd, err := sys.Socket(abi.PF_ROUTE, abi.SOCK_RAW, 0)
	if err != nil {
		return nil, err
	}
	return &Socket{sys: sys, fd: fd, pid: pid}, nil
}

// Close closes it.
func (s *Socket) Close() error { return s.sys.Close(s.fd) }

// Deaf has it receive nothing from now on: for who only sends.
func (s *Socket) Deaf() error { return s.sys.Shutdown(s.fd, abi.SHUT_RD) }

// Send sends a message with the next number. Errors: the call's, which is the kernel's verdict: ESRCH, EEXIST, EPERM, ...
func (s *Socket) Send(m *Message) error {
	s.seq++
	m.Header.Seq = s.seq
	_, err := s.sys.Write(s.fd, m.Append(nil))
	return err
}

// maxMessage is room for any message.
const maxMessage = 2048

// Receive waits for a message of any kind.
func (s *Socket) Receive() ([]byte, error) {
	b := make([]byte, maxMessage)
	n, err := s.sys.Read(s.fd, b)
	return b[:max(n, 0)], err
}

// Ask sends a message and waits for the kernel's answer to it. Errors: as Send; the answer's own; rtmsg.ErrMessage.
func (s *Socket) Ask(m *Message) (*Message, error) {
	if err := s.Send(m); err != nil {
		return nil, err
	}
	for {
		b, err := s.Receive()
		if err != nil {
			return nil, err
		}
		if len(b) < abi.SizeofRtMsghdr || b[2] != abi.RTM_VERSION {
			continue
		}
		r, err := Parse(b)
		if err != nil {
			return nil, err
		}
		if r.Header.Seq == s.seq && int(r.Header.Pid) == s.pid {
			if r.Header.Errno != 0 {
				return nil, abi.Errno(r.Header.Errno)
			}
			return r, nil
		}
	}
}

// Table reads routes of a family, AF_UNSPEC for all: sysctl net.route with NET_RT_DUMP, or NET_RT_FLAGS with flags that the
// routes must have.
func Table(p *client.Process, family, what, flags int) ([]*Message, error) {
	b, err := p.Sysctl().Get([]int32{abi.CTL_NET, abi.PF_ROUTE, 0, int32(family), int32(what), int32(flags)})
	if err != nil {
		return nil, err
	}
	var list []*Message
	for raw, err := range rtmsg.All(b) {
		if err != nil {
			return nil, err
		}
		m, err := Parse(raw)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// TrimMask is a netmask as the kernel wants it: without the zeroes at its end, and its length says so.
func TrimMask(sa []byte) []byte {
	b := bytes.TrimRight(sa[1:], "\x00")
	return append([]byte{byte(len(b) + 1)}, b...)[:len(b)+1]
}
