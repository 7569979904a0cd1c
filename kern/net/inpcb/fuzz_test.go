package inpcb_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// allSockets are one of each kind.
func (h host) allSockets() []int {
	var fds []int
	for _, family := range []int{abi.AF_INET, abi.AF_INET6} {
		for _, typ := range []int{abi.SOCK_STREAM, abi.SOCK_DGRAM, abi.SOCK_RAW} {
			fds = append(fds, h.socket(family, typ, 0))
		}
	}
	return append(fds, h.socket(abi.AF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6))
}

// FuzzOptions sets options of any level, name and value, and reads them: without a panic, and what was taken can be read and set again.
func FuzzOptions(f *testing.F) {
	f.Add(abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, []byte{239, 1, 2, 3, 127, 0, 0, 1})
	f.Add(abi.IPPROTO_IP, abi.IP_OPTIONS, []byte{7, 7, 4, 0, 0, 0, 0, 0})
	f.Add(abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, make([]byte, 20))
	f.Add(abi.IPPROTO_TCP, abi.TCP_CONGCTL, []byte("cubic"))
	f.Add(abi.IPPROTO_ICMPV6, abi.ICMP6_FILTER, make([]byte, 32))
	k := newHost(f).k
	f.Fuzz(func(t *testing.T, level, name int, val []byte) {
		if len(val) > 256 {
			return
		}
		h := host{kerntest.Proc(t, k), k, t}
		for _, fd := range h.allSockets() {
			errno := h.setopt(fd, level, name, val)
			now, rerrno := h.getopt(fd, level, name)
			if errno == 0 && rerrno == 0 && len(now) == len(val) && level != abi.SOL_SOCKET {
				if again := h.setopt(fd, level, name, now); again != 0 {
					t.Errorf("level %d, option %d, % x: read % x, which is %v", level, name, val, now, again)
				}
			}
			h.Close(fd)
		}
	})
}

// FuzzControl sends with any control messages and any address: without a panic.
func FuzzControl(f *testing.F) {
	f.Add(cmsg(abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, make([]byte, 20)), at("[::1]:7000"), []byte("data"))
	f.Add(cmsg(abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, cint(3)), at("[::ffff:127.0.0.1]:7000"), []byte{})
	f.Add([]byte{}, at("127.0.0.1:7000"), []byte{0x45, 0, 20, 0, 0, 0, 0, 0, 64, 89, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1})
	k := newHost(f).k
	f.Fuzz(func(t *testing.T, control, sa, data []byte) {
		if len(control) > 1024 || len(sa) > 200 || len(data) > 2000 {
			return
		}
		h := host{kerntest.Proc(t, k), k, t}
		iov := abi.Iovec{Base: h.Mem.Map(data), Len: uint64(len(data))}
		msg := abi.Msghdr{Iov: h.Mem.Map(iov.Append(nil)), Iovlen: 1}
		if len(sa) > 0 {
			msg.Name, msg.Namelen = h.Mem.Map(sa), uint32(len(sa))
		}
		if len(control) > 0 {
			msg.Control, msg.Controllen = h.Mem.Map(control), uint32(len(control))
		}
		for _, fd := range h.allSockets() {
			h.nonblock(fd)
			h.setopt(fd, abi.IPPROTO_IP, abi.IP_HDRINCL, cint(1))
			h.Call(abi.SYS_sendmsg, fd, msg.Append(nil), abi.MSG_NOSIGNAL)
			h.Call(abi.SYS_connect, fd, sa, len(sa))
			h.Close(fd)
		}
	})
}
