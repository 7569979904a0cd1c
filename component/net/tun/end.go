package tun

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/ifqueue"
)

// heads is what goes in front of each packet.
type heads int

const (
	plain      heads = iota
	withFamily       // TUNSIFHEAD: the address family, 4 bytes in network order
	withAddr         // TUNSLMODE: a struct sockaddr of the destination; those that are written begin with one too
)

const familyLen = 4

// end is the program's end of an interface.
type end struct {
	*ifqueue.Queue
	ifp    *ifnet.Interface
	tunnel *tunnel
}

var (
	_ kern.Reader  = (*end)(nil)
	_ kern.Writer  = (*end)(nil)
	_ kern.Ioctler = (*end)(nil)
)

// Close sets the interface down; another program may open the device then.
func (e *end) Close(*kern.Thread, *kern.File) error {
	e.ifp.Net.Config.Lock()
	defer e.ifp.Net.Config.Unlock()
	e.tunnel.mu.Lock()
	e.tunnel.heads = plain
	e.tunnel.mu.Unlock()
	var err error
	if e.ifp.Net.ByName(e.ifp.Name) == e.ifp {
		err = e.ifp.SetFlags(0, abi.IFF_UP|abi.IFF_RUNNING)
	}
	e.Purge()
	e.tunnel.open.Store(false)
	return err
}

// Read is the next packet that the interface sends; what has no room is lost. Errors: EHOSTDOWN for an interface that is down, EWOULDBLOCK, EINTR,
// ENXIO when it has been destroyed.
func (e *end) Read(t *kern.Thread, f *kern.File, p []byte, _ int64) (int, error) {
	if e.ifp.Flags()&abi.IFF_UP == 0 {
		return 0, abi.EHOSTDOWN
	}
	pkt, err := e.Get(t, f.Nonblock())
	if err != nil {
		return 0, err
	}
	defer pkt.Release()
	n := copy(p, front(e.tunnel.head(), pkt))
	m, _ := pkt.Buf.ReadAt(p[n:], 0)
	return n + m, nil
}

// front is what goes in front of a packet that the program reads.
func front(h heads, pkt *ifnet.Packet) []byte {
	switch h {
	case withFamily:
		return binary.BigEndian.AppendUint32(nil, uint32(pkt.Family))
	case withAddr:
		return destination(pkt)
	}
	return nil
}

// destination is a struct sockaddr of where a packet goes.
func destination(pkt *ifnet.Packet) []byte {
	var ip [40]byte
	pkt.Header(ip[:])
	if pkt.Family == abi.AF_INET6 {
		sa := make([]byte, abi.SizeofSockaddrIn6)
		sa[0], sa[1] = byte(len(sa)), abi.AF_INET6
		copy(sa[8:24], ip[24:40])
		return sa
	}
	sa := make([]byte, abi.SizeofSockaddrIn)
	sa[0], sa[1] = byte(len(sa)), abi.AF_INET
	copy(sa[4:8], ip[16:20])
	return sa
}

// Write has the interface receive a packet. Errors: EHOSTDOWN for an interface that is down, EIO for a packet that is larger than its MTU or
// shorter than what goes in front of it, EAFNOSUPPORT.
func (e *end) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	if e.ifp.Flags()&abi.IFF_UP == 0 {
		return 0, abi.EHOSTDOWN
	}
	body, family, ok := unwrap(e.tunnel.head(), p)
	var err error
	switch {
	case !ok, len(body) > int(e.ifp.MTU()):
		err = abi.EIO
	case family != abi.AF_INET && family != abi.AF_INET6:
		err = abi.EAFNOSUPPORT
	}
	if err != nil {
		e.ifp.Stats.Ierrors.Add(1)
		e.tunnel.dropped(e.ifp, "received", err)
		return 0, err
	}
	pkt := ifnet.NewPacket(body)
	pkt.Family = uint8(family)
	e.ifp.Input(pkt)
	return len(p), nil
}

// unwrap takes off what goes in front of a packet that the program writes, which says the address family; without, the packet's version does.
func unwrap(h heads, p []byte) (body []byte, family uint32, ok bool) {
	switch {
	case h == withFamily && len(p) > familyLen:
		return p[familyLen:], binary.BigEndian.Uint32(p), true
	case h == withAddr && len(p) > 2 && int(p[0]) >= 2 && int(p[0]) < len(p):
		return p[p[0]:], uint32(p[1]), true
	case h == plain && len(p) > 0 && p[0]>>4 == 6:
		return p, abi.AF_INET6, true
	case h == plain && len(p) > 0:
		return p, abi.AF_INET, true
	}
	return nil, 0, false
}

// Ioctl serves those of tun(4). Errors: EBUSY for TUNSIFMODE on an interface that is up, EINVAL for a mode that is none, ENOTTY.
func (e *end) Ioctl(_ *kern.Thread, _ *kern.File, cmd uint32, data []byte) error {
	switch cmd {
	case abi.TUNSIFMODE:
		return e.setMode(binary.LittleEndian.Uint32(data))
	case abi.FIONREAD:
		binary.LittleEndian.PutUint32(data, uint32(e.First()))
		return nil
	}
	e.tunnel.mu.Lock()
	defer e.tunnel.mu.Unlock()
	switch cmd {
	case abi.TUNSDEBUG:
		e.tunnel.debug = binary.LittleEndian.Uint32(data)
	case abi.TUNGDEBUG:
		binary.LittleEndian.PutUint32(data, e.tunnel.debug)
	case abi.TUNSLMODE:
		e.tunnel.setHeads(withAddr, data)
	case abi.TUNSIFHEAD:
		e.tunnel.setHeads(withFamily, data)
	case abi.TUNGIFHEAD:
		binary.LittleEndian.PutUint32(data, 0)
		if e.tunnel.heads == withFamily {
			binary.LittleEndian.PutUint32(data, 1)
		}
	default:
		return abi.ENOTTY
	}
	return nil
}

// setHeads turns one kind of header on, which turns the other off, or off. d.mu held.
func (d *tunnel) setHeads(h heads, data []byte) {
	switch {
	case binary.LittleEndian.Uint32(data) != 0:
		d.heads = h
	case d.heads == h:
		d.heads = plain
	}
}

// setMode is TUNSIFMODE: IFF_POINTOPOINT or IFF_BROADCAST, the second with IFF_MULTICAST or without.
func (e *end) setMode(mode uint32) error {
	const kinds = abi.IFF_POINTOPOINT | abi.IFF_BROADCAST | abi.IFF_MULTICAST
	e.ifp.Net.Config.Lock()
	defer e.ifp.Net.Config.Unlock()
	if e.ifp.Flags()&abi.IFF_UP != 0 {
		return abi.EBUSY
	}
	switch mode &^ abi.IFF_MULTICAST {
	case abi.IFF_POINTOPOINT, abi.IFF_BROADCAST:
		return e.ifp.SetFlags(mode, kinds&^mode)
	}
	return abi.EINVAL
}
