package client

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/abi/rtmsg"
	"github.com/rumpctrl/rumpctrl/abi/sockaddr"
)

// onSocket calls f with a datagram socket of the family, for ioctls. Errors are f's, or the socket's, in an *os.SyscallError.
func (p *Process) onSocket(family int, what string, f func(fd int) error) error {
	fd, err := p.sys.Socket(family, abi.SOCK_DGRAM, 0)
	if err != nil {
		return syscallError("socket", err)
	}
	defer p.sys.Close(fd) //nolint:errcheck // nothing was written
	return syscallError(what, f(fd))
}

// ifName is an interface's name at the beginning of a request of size bytes. Errors: ENXIO for one that cannot be a name.
func ifName(name string, size int) ([]byte, error) {
	if name == "" || len(name) >= abi.IFNAMSIZ {
		return nil, abi.ENXIO
	}
	b := make([]byte, size)
	copy(b, name)
	return b, nil
}

// ifRequest makes a request about an interface whose data after the name is given.
func (p *Process) ifRequest(family int, req uint32, what, name string, size int, data ...[]byte) error {
	return p.onSocket(family, what, func(fd int) error {
		b, err := ifName(name, size)
		if err != nil {
			return err
		}
		at := abi.IFNAMSIZ
		for _, d := range data {
			copy(b[at:], d)
			at += len(d)
		}
		return p.sys.Ioctl(fd, req, b)
	})
}

// CreateInterface makes an interface of a kind that can be made: "shmif0", "bridge1". Errors: EEXIST, EINVAL, EPERM in an *os.SyscallError.
func (p *Process) CreateInterface(name string) error {
	return p.ifRequest(abi.AF_INET, abi.SIOCIFCREATE, "SIOCIFCREATE", name, abi.SizeofIfreq)
}

// DestroyInterface removes one that was made. Errors: ENXIO, EINVAL, EPERM.
func (p *Process) DestroyInterface(name string) error {
	return p.ifRequest(abi.AF_INET, abi.SIOCIFDESTROY, "SIOCIFDESTROY", name, abi.SizeofIfreq)
}

// SetLinkstr sets what an interface is on: of a shmif the path of its bus or, in a kernel with buses in memory, "mem:" and a bus's name.
// Errors: EBUSY while it is up, ENOTTY for interfaces without such, what the host says of a file.
func (p *Process) SetLinkstr(name, linkstr string) error {
	return p.onSocket(abi.AF_INET, "SIOCSLINKSTR", func(fd int) error {
		if _, err := ifName(name, abi.IFNAMSIZ); err != nil {
			return err
		}
		return p.sys.IoctlFunc(fd, abi.SIOCSLINKSTR, func(l Lender) []byte {
			d := abi.Ifdrv{Len: uint64(len(linkstr) + 1), Data: l.InString(linkstr)}
			copy(d.Name[:], name)
			return d.Append(nil)
		})
	})
}

// SetInterfaceUp sets an interface up or down. (Giving it an address sets it up as well.) Errors: ENXIO, EPERM, the driver's.
func (p *Process) SetInterfaceUp(name string, up bool) error {
	return p.onSocket(abi.AF_INET, "SIOCSIFFLAGS", func(fd int) error {
		b, err := ifName(name, abi.SizeofIfreq)
		if err != nil {
			return err
		}
		if err := p.sys.Ioctl(fd, abi.SIOCGIFFLAGS, b); err != nil {
			return err
		}
		b[abi.IFNAMSIZ] &^= abi.IFF_UP
		if up {
			b[abi.IFNAMSIZ] |= abi.IFF_UP
		}
		return p.sys.Ioctl(fd, abi.SIOCSIFFLAGS, b)
	})
}

// AddAddress gives an interface an address beside those that it has: a host's address with its network's prefix length. An IPv6 address serves
// after duplicate address detection. Errors: ENXIO, EINVAL, EPERM.
func (p *Process) AddAddress(name string, a netip.Prefix) error {
	addr, mask := sockaddr.Inet(a.Addr(), 0, 0), sockaddr.Mask(family(a.Addr()), a.Bits())
	if a.Addr().Is4() {
		return p.ifRequest(abi.AF_INET, abi.SIOCAIFADDR, "SIOCAIFADDR", name, abi.SizeofInAliasreq,
			addr, make([]byte, abi.SizeofSockaddrIn), mask)
	}
	r := abi.In6Aliasreq{Lifetime: abi.In6Addrlifetime{Vltime: abi.ND6_INFINITE_LIFETIME, Pltime: abi.ND6_INFINITE_LIFETIME}}
	if err := r.Addr.Decode(addr); err != nil {
		return syscallError("SIOCAIFADDR_IN6", abi.EINVAL)
	}
	if err := r.Prefixmask.Decode(mask); err != nil {
		return syscallError("SIOCAIFADDR_IN6", abi.EINVAL)
	}
	return p.ifRequest(abi.AF_INET6, abi.SIOCAIFADDR_IN6, "SIOCAIFADDR_IN6", name, abi.SizeofIn6Aliasreq, r.Append(nil)[abi.IFNAMSIZ:])
}

// RemoveAddress takes an address away from an interface. Errors: ENXIO, EADDRNOTAVAIL, EPERM.
func (p *Process) RemoveAddress(name string, a netip.Addr) error {
	if a.Is4() {
		return p.ifRequest(abi.AF_INET, abi.SIOCDIFADDR, "SIOCDIFADDR", name, abi.SizeofIfreq, sockaddr.Inet(a, 0, 0))
	}
	scope := uint32(0)
	if sockaddr.Scoped(a) {
		ifp, err := p.InterfaceByName(name)
		if err != nil {
			return err
		}
		scope = uint32(ifp.Index)
	}
	return p.ifRequest(abi.AF_INET6, abi.SIOCDIFADDR_IN6, "SIOCDIFADDR_IN6", name, abi.SizeofIn6Ifreq, sockaddr.Inet(a, 0, scope))
}

func family(a netip.Addr) int {
	if a.Is4() {
		return abi.AF_INET
	}
	return abi.AF_INET6
}

// AddRoute has packets to a network sent by a gateway, whose zone names the interface if it is link-local. Errors: EEXIST, ENETUNREACH when the
// gateway is on no network of the kernel's, EPERM.
func (p *Process) AddRoute(dst netip.Prefix, gateway netip.Addr) error {
	return p.changeRoute(abi.RTM_ADD, dst, gateway)
}

// DeleteRoute deletes the route to a network. Errors: ESRCH, EPERM.
func (p *Process) DeleteRoute(dst netip.Prefix) error {
	return p.changeRoute(abi.RTM_DELETE, dst, netip.Addr{})
}

// changeRoute writes a message to a routing socket.
func (p *Process) changeRoute(typ uint8, dst netip.Prefix, gateway netip.Addr) error {
	if !dst.IsValid() {
		return syscallError("route", abi.EINVAL)
	}
	var addrs rtmsg.Addrs
	h := abi.RtMsghdr{Version: abi.RTM_VERSION, Type: typ, Seq: 1, Flags: abi.RTF_UP | abi.RTF_STATIC}
	addrs[abi.RTAX_DST] = sockaddr.Inet(dst.Masked().Addr(), 0, 0)
	if dst.IsSingleIP() {
		h.Flags |= abi.RTF_HOST
	} else {
		addrs[abi.RTAX_NETMASK] = sockaddr.Mask(family(dst.Addr()), dst.Bits())
	}
	if gateway.IsValid() {
		scope, err := p.zoneScope(gateway.Zone())
		if err != nil {
			return err
		}
		sa := sockaddr.Inet(gateway.WithZone(""), 0, 0)
		sockaddr.EmbedScope(sa, scope)
		addrs[abi.RTAX_GATEWAY] = sa
		h.Flags |= abi.RTF_GATEWAY
	}
	tail, mask := addrs.Append(nil)
	h.Addrs, h.Msglen = mask, uint16(abi.SizeofRtMsghdr+len(tail))
	fd, err := p.sys.Socket(abi.PF_ROUTE, abi.SOCK_RAW, 0)
	if err != nil {
		return syscallError("socket", err)
	}
	defer p.sys.Close(fd) //nolint:errcheck // what counts is the write's error
	_, err = p.sys.Write(fd, append(h.Append(nil), tail...))
	return syscallError("route", err)
}
