package inet

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

var etherBroadcast = macAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// send gives a datagram to an interface, for a next hop there, finding out its link-level address first. It owns p. from is where
// a forwarded packet came from. broadcast says that the next hop is all of the network.
//
// Errors: EHOSTDOWN, ENETDOWN, ENOBUFS.
func (ifc *iface) send(p *ifnet.Packet, hop netip.Addr, broadcast bool, from *ifnet.Interface) error {
	if ifc.ifp.HdrLen != ifnet.EtherHdrLen {
		p.Family = familyInet
		if hop.Is6() {
			p.Family = familyInet6
		}
		return ifc.ifp.Output(p)
	}
	if !ifc.ifp.Up() {
		p.Release()
		return abi.ENETDOWN
	}
	table, typ := &ifc.arp, etherTypeIPv4
	if hop.Is6() {
		table, typ = &ifc.nd, etherTypeIPv6
	}
	if broadcast || hop.IsMulticast() {
		return ifc.etherSend(p, groupMAC(hop, broadcast), typ)
	}
	mac, done, err := table.resolve(hop, p, from)
	switch {
	case err != nil:
		p.Release()
		return err
	case !done:
		return nil
	}
	return ifc.etherSend(p, mac, typ)
}

// groupMAC is the Ethernet address of a multicast group (RFC 1112, RFC 2464), or that of all.
func groupMAC(a netip.Addr, broadcast bool) macAddr {
	switch {
	case broadcast:
		return etherBroadcast
	case a.Is4():
		b := a.As4()
		return macAddr{0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]}
	}
	b := a.As16()
	return macAddr{0x33, 0x33, b[12], b[13], b[14], b[15]}
}

// etherSend puts an Ethernet header in front of a datagram and gives it to the interface.
func (ifc *iface) etherSend(p *ifnet.Packet, dst macAddr, typ uint16) error {
	var h [ifnet.EtherHdrLen]byte
	copy(h[:6], dst[:])
	copy(h[6:12], ifc.ifp.LinkAddr())
	binary.BigEndian.PutUint16(h[12:], typ)
	p.Flags &^= ifnet.Broadcast | ifnet.Multicast
	switch {
	case dst == etherBroadcast:
		p.Flags |= ifnet.Broadcast
	case dst[0]&1 != 0:
		p.Flags |= ifnet.Multicast
	}
	if err := p.Buf.Prepend(buffer.NewViewWithData(h[:])); err != nil {
		p.Release()
		return abi.ENOBUFS
	}
	return ifc.ifp.Output(p)
}

// loop has a copy of what the interface sends come back to us: a broadcast, or a multicast of a group that we are in.
func (ifc *iface) loop(p *ifnet.Packet, linkFlags ifnet.PacketFlags, input func(*iface, *ifnet.Packet)) {
	c := p.Clone()
	c.Segment = ifnet.Segment{}
	c.Flags = c.Flags&ifnet.ChecksumMissing | ifnet.ChecksumGood | ifnet.Looped | linkFlags
	if !ifc.in.loops.do(func() { input(ifc, c) }) {
		c.Release()
	}
}
