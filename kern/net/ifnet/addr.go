package ifnet

import (
	"bytes"
	"slices"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// maxLinkAddr bounds link-level addresses in bytes: the longest are those of IEEE 1394.
const maxLinkAddr = 16

// sdlHead is the length of a struct sockaddr_dl up to its data: name and link-level address.
const sdlHead = 8

// SockaddrDl is a struct sockaddr_dl, as long as it needs to be (sdl_len says so).
func SockaddrDl(index uint16, typ uint8, name string, lladdr []byte) []byte {
	l := sockaddr.Link{Index: index, Type: typ, Name: name, Addr: lladdr}
	return l.AppendShort(nil)
}

// LinkSockaddr takes a struct sockaddr_dl apart. Errors: EINVAL for what is none.
func LinkSockaddr(sa []byte) (index uint16, name string, lladdr []byte, err error) {
	l, ok := sockaddr.ParseLink(sa)
	if !ok || len(l.Addr) > maxLinkAddr {
		return 0, "", nil, abi.EINVAL
	}
	return l.Index, l.Name, l.Addr, nil
}

// newLinkAddr is an Addr of a link-level address of the interface: its netmask covers the name.
func (ifp *Interface) newLinkAddr(lladdr []byte) *Addr {
	mask := make([]byte, sdlHead, sdlHead+len(ifp.Name))
	for range ifp.Name {
		mask = append(mask, 0xff)
	}
	mask[0] = byte(len(mask))
	return &Addr{If: ifp, Family: abi.AF_LINK, Addr: SockaddrDl(ifp.Index, ifp.Type, ifp.Name, lladdr), Mask: mask}
}

// LinkLevel is the Addr of the link-level address that is in use.
func (ifp *Interface) LinkLevel() *Addr { return ifp.active.Load() }

// LinkAddr is the link-level address in use, empty without one. It is shared: not to be changed.
func (ifp *Interface) LinkAddr() []byte {
	sa := ifp.LinkLevel().Addr
	return sa[sdlHead+int(sa[5]):]
}

// SetLinkAddr changes the link-level address in use. Config held. Errors: EINVAL for one that is too long.
func (ifp *Interface) SetLinkAddr(lladdr []byte) error {
	if len(lladdr) > maxLinkAddr {
		return abi.EINVAL
	}
	if bytes.Equal(lladdr, ifp.LinkAddr()) {
		return nil
	}
	old, a := ifp.LinkLevel(), ifp.newLinkAddr(lladdr)
	addrs := slices.Clone(ifp.Addrs())
	addrs[slices.Index(addrs, old)] = a
	if ifp.hwaddr == old {
		ifp.hwaddr = a
	}
	ifp.addrs.Store(&addrs)
	ifp.activate(a)
	return nil
}

// activate has the interface use one of its link-level addresses, and tells the observers. Config held.
func (ifp *Interface) activate(a *Addr) {
	ifp.active.Store(a)
	ifp.touch()
	ifp.Net.Notify(Event{Kind: LinkAddrChanged, If: ifp, Addr: a})
}

// Addrs lists the interface's addresses, that of the link first. The slice is shared: not to be changed.
func (ifp *Interface) Addrs() []*Addr {
	if p := ifp.addrs.Load(); p != nil {
		return *p
	}
	return nil
}

// AddAddr appends an address, sets its If, and tells the observers. Config held.
func (ifp *Interface) AddAddr(a *Addr) {
	a.If = ifp
	addrs := append(slices.Clone(ifp.Addrs()), a)
	ifp.addrs.Store(&addrs)
	ifp.Net.Notify(Event{Kind: AddrAdded, If: ifp, Addr: a})
}

// RemoveAddr takes an address away and tells the observers. One that is not there, and the link's in use, stay. Config held.
func (ifp *Interface) RemoveAddr(a *Addr) {
	i := slices.Index(ifp.Addrs(), a)
	if i < 0 || a == ifp.LinkLevel() || a == ifp.hwaddr {
		return
	}
	addrs := slices.Delete(slices.Clone(ifp.Addrs()), i, i+1)
	ifp.addrs.Store(&addrs)
	ifp.Net.Notify(Event{Kind: AddrDeleted, If: ifp, Addr: a})
}
