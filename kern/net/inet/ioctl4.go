package inet

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// ioctls4 are those of IPv4, as inet(4) and ifconfig(8) of NetBSD use them.
var ioctls4 = map[uint32]ioctlRow{
	abi.SIOCGIFADDR:     {f: getAddr4(func(ia *ifaddr) []byte { return sockaddrIn(ia.addr) })},
	abi.SIOCGIFNETMASK:  {f: getAddr4(func(ia *ifaddr) []byte { return paddedMask(ia.bits) })},
	abi.SIOCGIFBRDADDR:  {f: withFlag(abi.IFF_BROADCAST, getAddr4(func(ia *ifaddr) []byte { return sockaddrIn(ia.dst) }))},
	abi.SIOCGIFDSTADDR:  {f: withFlag(abi.IFF_POINTOPOINT, getAddr4(func(ia *ifaddr) []byte { return sockaddrIn(ia.dst) }))},
	abi.SIOCGIFAFLAG_IN: {f: getFlags4},
	abi.SIOCGIFALIAS:    {f: getAlias4},
	abi.SIOCSIFADDR:     {f: setAddr4, set: true},
	abi.SIOCSIFNETMASK:  {f: setMask4, set: true},
	abi.SIOCSIFBRDADDR:  {f: withFlag(abi.IFF_BROADCAST, setDst4), set: true},
	abi.SIOCSIFDSTADDR:  {f: withFlag(abi.IFF_POINTOPOINT, setDst4), set: true},
	abi.SIOCAIFADDR:     {f: addAlias4, set: true},
	abi.SIOCDIFADDR:     {f: deleteAddr4, set: true},
	abi.SIOCGLIFADDR:    {f: laddr(familyInet, false, getLaddr)},
	abi.SIOCALIFADDR:    {f: laddr(familyInet, true, addLaddr4), set: true},
	abi.SIOCDLIFADDR:    {f: laddr(familyInet, true, deleteLaddr), set: true},
}

// withFlag serves an ioctl on interfaces that have a flag alone. Errors: EINVAL for others.
func withFlag(flag uint32, f ioctlFunc) ioctlFunc {
	return func(in *Inet, t *kern.Thread, ifc *iface, data []byte) error {
		if ifc.ifp.Flags()&flag == 0 {
			return abi.EINVAL
		}
		return f(in, t, ifc, data)
	}
}

// paddedMask is a netmask as NetBSD keeps it, its length that of the bytes that are not 0, in the room of a struct sockaddr_in.
func paddedMask(bits int) []byte {
	m := trimmedMask(bits)
	return append(m, make([]byte, abi.SizeofSockaddrIn-len(m))...)
}

// ifreqAddr is the IPv4 address in a struct ifreq; ok is false when it has none.
func ifreqAddr(data []byte) (a netip.Addr, ok bool) {
	var r abi.Ifreq
	if r.Decode(data) != nil || r.Ifru[1] != familyInet {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte(r.Ifru[4:8])), true
}

// find4 is the address of an interface that a request names, or its first.
//
// Errors: EADDRNOTAVAIL when there is none.
func (ifc *iface) find4(a netip.Addr, given bool) (*ifaddr, error) {
	list := ifc.in.addrsOf(ifc.ifp, familyInet)
	for _, ia := range list {
		if given && ia.addr == a {
			return ia, nil
		}
	}
	if len(list) == 0 || given && a != unspecified4 {
		return nil, abi.EADDRNOTAVAIL
	}
	return list[0], nil
}

// primary4 is the first address of an interface, or that which a request names when the interface has it.
func (ifc *iface) primary4(data []byte) (*ifaddr, error) {
	if a, ok := ifreqAddr(data); ok {
		if ia, err := ifc.find4(a, true); err == nil {
			return ia, nil
		}
	}
	return ifc.find4(netip.Addr{}, false)
}

// getAddr4 serves SIOCGIFADDR and the like.
func getAddr4(part func(ia *ifaddr) []byte) ioctlFunc {
	return func(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
		ia, err := ifc.primary4(data)
		if err != nil {
			return err
		}
		if len(data) < abi.IFNAMSIZ+abi.SizeofSockaddrIn {
			return abi.EINVAL
		}
		copy(data[abi.IFNAMSIZ:], part(ia))
		return nil
	}
}

// getFlags4 is SIOCGIFAFLAG_IN: IN_IFF_TENTATIVE, DUPLICATED, DETACHED.
func getFlags4(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	a, ok := ifreqAddr(data)
	if !ok {
		return abi.EADDRNOTAVAIL
	}
	ia, err := ifc.find4(a, true)
	if err != nil {
		return err
	}
	var r abi.Ifreq
	if err := r.Decode(data); err != nil {
		return abi.EINVAL
	}
	r.SetAddrflags(int32(ia.flags4()))
	return r.Encode(data)
}

// getAlias4 is SIOCGIFALIAS: netmask and broadcast address or peer of an address.
func getAlias4(_ *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.InAliasreq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	ia, err := ifc.find4(netip.AddrFrom4(r.Addr.Addr.As4()), r.Addr.Family == familyInet)
	if err != nil {
		return err
	}
	r.Mask.Decode(paddedMask(ia.bits))
	r.Dstaddr = abi.SockaddrIn{}
	if ia.dst.IsValid() && ifc.ifp.Flags()&(abi.IFF_POINTOPOINT|abi.IFF_BROADCAST) != 0 {
		r.Dstaddr.Decode(sockaddrIn(ia.dst))
	}
	return r.Encode(data)
}

// classBits is the length of the netmask that addresses had by their class.
func classBits(a netip.Addr) int {
	switch b := a.As4()[0]; {
	case b < 128:
		return 8
	case b < 192:
		return 16
	}
	return 24
}

// newAddr4 is an address that is yet to be added, with the broadcast address that follows from it.
func (ifc *iface) newAddr4(a netip.Addr, bits int) *ifaddr {
	ia := &ifaddr{ifc: ifc, addr: a, bits: bits}
	switch flags := ifc.ifp.Flags(); {
	case flags&abi.IFF_LOOPBACK != 0:
		ia.dst = a
	case flags&abi.IFF_BROADCAST != 0 && bits < 31:
		ia.dst = lastAddr(ia.prefix())
	}
	return ia
}

// valid4 says whether an interface may have an address.
func valid4(a netip.Addr) bool { return !a.IsMulticast() && a != broadcast4 }

// setAddr4 is SIOCSIFADDR: the address becomes the interface's first, in place of that, with the netmask of its class.
func setAddr4(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	a, ok := ifreqAddr(data)
	if !ok || !valid4(a) {
		return abi.EINVAL
	}
	if old, err := ifc.find4(netip.Addr{}, false); err == nil {
		in.removeAddr(old)
	}
	return in.addAddr(ifc.newAddr4(a, classBits(a)))
}

// change4 replaces an address by one that is made of it. Config held.
func (in *Inet) change4(ia *ifaddr, change func(n *ifaddr)) error {
	n := &ifaddr{ifc: ia.ifc, addr: ia.addr, bits: ia.bits, dst: ia.dst}
	change(n)
	in.removeAddr(ia)
	return in.addAddr(n)
}

// setMask4 is SIOCSIFNETMASK.
func setMask4(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	ia, err := ifc.find4(netip.Addr{}, false)
	if err != nil {
		return err
	}
	var r abi.Ifreq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	bits, ok := maskBits(r.Ifru[4:8])
	if !ok {
		return abi.EINVAL
	}
	return in.change4(ia, func(n *ifaddr) {
		n.bits = bits
		if ifc.ifp.Flags()&abi.IFF_BROADCAST != 0 {
			n.dst = ifc.newAddr4(n.addr, bits).dst
		}
	})
}

// setDst4 is SIOCSIFBRDADDR and SIOCSIFDSTADDR.
func setDst4(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	ia, err := ifc.find4(netip.Addr{}, false)
	if err != nil {
		return err
	}
	a, ok := ifreqAddr(data)
	if !ok {
		return abi.EINVAL
	}
	return in.change4(ia, func(n *ifaddr) { n.dst = a })
}

// addAlias4 is SIOCAIFADDR: adds an address with netmask and broadcast address or peer, or changes one that is there.
func addAlias4(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	var r abi.InAliasreq
	if r.Decode(data) != nil {
		return abi.EINVAL
	}
	old, err := ifc.find4(netip.AddrFrom4(r.Addr.Addr.As4()), r.Addr.Family == familyInet)
	a := netip.AddrFrom4(r.Addr.Addr.As4())
	if r.Addr.Family != familyInet {
		if err != nil {
			return err
		}
		a = old.addr
	}
	if !valid4(a) {
		return abi.EINVAL
	}
	n := ifc.newAddr4(a, classBits(a))
	if old != nil && old.addr == a {
		n = &ifaddr{ifc: ifc, addr: a, bits: old.bits, dst: old.dst}
	}
	if r.Mask.Len != 0 {
		m := r.Mask.Addr.As4()
		bits, ok := maskBits(m[:])
		if !ok {
			return abi.EINVAL
		}
		n = ifc.newAddr4(a, bits)
	}
	if r.Dstaddr.Family == familyInet && ifc.ifp.Flags()&(abi.IFF_POINTOPOINT|abi.IFF_BROADCAST) != 0 {
		n.dst = netip.AddrFrom4(r.Dstaddr.Addr.As4())
	}
	if old != nil && old.addr == a {
		if old.bits == n.bits && old.dst == n.dst {
			return nil
		}
		in.removeAddr(old)
	}
	return in.addAddr(n)
}

// deleteAddr4 is SIOCDIFADDR.
func deleteAddr4(in *Inet, _ *kern.Thread, ifc *iface, data []byte) error {
	a, ok := ifreqAddr(data)
	ia, err := ifc.find4(a, ok)
	if err != nil {
		return err
	}
	in.removeAddr(ia)
	return nil
}
