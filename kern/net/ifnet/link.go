package ifnet

import (
	"bytes"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

// linkDomain is AF_LINK: its sockets, of SOCK_DGRAM, are for the ioctls of link-level addresses alone.
type linkDomain struct{}

// Open errors: EPROTOTYPE, EPROTONOSUPPORT.
func (linkDomain) Open(_ *kern.Thread, so *socket.Socket) (socket.Protocol, error) {
	switch {
	case so.Proto != 0:
		return nil, abi.EPROTONOSUPPORT
	case so.Type != abi.SOCK_DGRAM:
		return nil, abi.EPROTOTYPE
	}
	return &linkSocket{so: so}, nil
}

// linkSocket is a socket that nothing can be sent to or received from.
type linkSocket struct{ so *socket.Socket }

var (
	_ socket.Protocol = (*linkSocket)(nil)
	_ socket.Ioctler  = (*linkSocket)(nil)
)

// Send is not supported.
func (*linkSocket) Send(*kern.Thread, *socket.Message, int) (int, error) { return 0, abi.EOPNOTSUPP }

// Recv never has anything.
func (*linkSocket) Recv(*kern.Thread, *socket.Message, int) (int, error) { return 0, abi.EWOULDBLOCK }

// Poll says that sending does not wait.
func (*linkSocket) Poll(events int) int { return events & (abi.POLLOUT | abi.POLLWRNORM) }

// Sockname is not supported.
func (*linkSocket) Sockname() ([]byte, error) { return nil, abi.EOPNOTSUPP }

// Close has nothing to end.
func (*linkSocket) Close(*kern.Thread) error { return nil }

// laddrreq is a struct if_laddrreq, where it lies in an ioctl's argument.
type laddrreq []byte

// Offsets in struct if_laddrreq.
const (
	iflrFlagsAt  = 16
	iflrPrefixAt = 20
	iflrAddrAt   = 24
)

func (r laddrreq) flags() uint32     { return le.Uint32(r[iflrFlagsAt:]) }
func (r laddrreq) setFlags(f uint32) { le.PutUint32(r[iflrFlagsAt:], f) }
func (r laddrreq) prefixlen() int    { return int(le.Uint32(r[iflrPrefixAt:])) }
func (r laddrreq) addr() []byte      { return r[iflrAddrAt : iflrAddrAt+abi.SizeofSockaddrStorage] }

// laddrIoctls are those of link-level addresses: a is the interface's address that a request names, nil when it has not got it.
var laddrIoctls = map[uint32]func(ifp *Interface, a *Addr, r laddrreq) error{
	abi.SIOCGLIFADDR: (*Interface).getLinkLevel,
	abi.SIOCALIFADDR: (*Interface).addLinkLevel,
	abi.SIOCDLIFADDR: (*Interface).deleteLinkLevel,
}

// Ioctl lists, adds and removes the link-level addresses of an interface, and changes which is in use: SIOCGLIFADDR, SIOCALIFADDR with
// IFLR_ACTIVE or without, SIOCDLIFADDR.
//
// Errors: EINVAL for an address of another family or length, or a group's; EADDRNOTAVAIL; EBUSY for deleting the one in use.
func (s *linkSocket) Ioctl(_ *kern.Thread, cmd uint32, data []byte) error {
	f := laddrIoctls[cmd]
	if f == nil {
		return abi.ENOTTY
	}
	n := Of(s.so.K)
	n.Config.Lock()
	defer n.Config.Unlock()
	ifp := n.ByName(ifrName(data))
	if ifp == nil {
		return abi.ENXIO
	}
	a, err := ifp.findLinkLevel(laddrreq(data))
	if err != nil {
		return err
	}
	return f(ifp, a, laddrreq(data))
}

// findLinkLevel is the interface's address that a request names; nil when it has not got it. Errors: EINVAL.
func (ifp *Interface) findLinkLevel(r laddrreq) (*Addr, error) {
	_, _, lladdr, err := LinkSockaddr(r.addr())
	switch {
	case err != nil:
		return nil, err
	case len(lladdr) != len(ifp.LinkAddr()):
		return nil, abi.EINVAL
	case r.flags()&abi.IFLR_PREFIX != 0 && r.prefixlen() != 8*len(lladdr):
		return nil, abi.EINVAL
	}
	for _, a := range ifp.Addrs() {
		if a.Family == abi.AF_LINK && bytes.HasSuffix(a.Addr, lladdr) {
			return a, nil
		}
	}
	return nil, nil
}

// getLinkLevel is SIOCGLIFADDR: without IFLR_PREFIX the first address, whichever is named. Errors: EADDRNOTAVAIL.
func (ifp *Interface) getLinkLevel(a *Addr, r laddrreq) error {
	if r.flags()&abi.IFLR_PREFIX == 0 {
		a = ifp.Addrs()[0]
	}
	if a == nil {
		return abi.EADDRNOTAVAIL
	}
	var flags uint32
	if a == ifp.LinkLevel() {
		flags |= abi.IFLR_ACTIVE
	}
	if a == ifp.hwaddr {
		flags |= abi.IFLR_FACTORY
	}
	r.setFlags(flags)
	clear(r.addr())
	copy(r.addr(), a.Addr)
	return nil
}

// addLinkLevel is SIOCALIFADDR. Errors: EINVAL for an Ethernet address that is a group's or all zeroes.
func (ifp *Interface) addLinkLevel(a *Addr, r laddrreq) error {
	_, _, lladdr, err := LinkSockaddr(r.addr())
	if err != nil {
		return err
	}
	if ifp.Type == abi.IFT_ETHER && (bytes.Equal(lladdr, make([]byte, len(lladdr))) || lladdr[0]&1 != 0) {
		return abi.EINVAL
	}
	if a == nil {
		a = ifp.newLinkAddr(lladdr)
		ifp.AddAddr(a)
	}
	if r.flags()&abi.IFLR_ACTIVE != 0 && a != ifp.LinkLevel() {
		ifp.activate(a)
	}
	return nil
}

// deleteLinkLevel is SIOCDLIFADDR. Errors: EADDRNOTAVAIL, EBUSY.
func (ifp *Interface) deleteLinkLevel(a *Addr, _ laddrreq) error {
	switch {
	case a == nil:
		return abi.EADDRNOTAVAIL
	case a == ifp.LinkLevel() || a == ifp.hwaddr:
		return abi.EBUSY
	}
	ifp.RemoveAddr(a)
	return nil
}
