package inpcb

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// packet is a datagram to be sent: its addresses, which are not mapped any more, and what its protocol says of it.
type packet struct {
	src, dst netip.Addr
	scope    uint16 // of a link-local dst
	proto    uint8
	ttl, tos uint8
	head     []byte // the protocol's header, in front of data
	data     []byte
	opts     pktopts // IPv6
	flags    int     // MSG_DONTROUTE
	anyCast  bool    // broadcasts need no SO_BROADCAST
	whole    bool    // data begins with the user's IP header
}

// write sends a datagram. Errors: EMSGSIZE, EACCES (a broadcast), EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, EADDRNOTAVAIL, ENOBUFS.
func (p *pcb) write(k *packet) error {
	if k.dst.Is4() {
		return p.write4(k)
	}
	return p.write6(k)
}

// rawOptions are how the socket's packets leave: multicast goes through the interface that was chosen for it.
func (p *pcb) rawOptions(k *packet) inet.RawOptions {
	o := inet.RawOptions{
		Direct:    k.flags&abi.MSG_DONTROUTE != 0 || p.so.Option(abi.SO_DONTROUTE),
		Broadcast: k.anyCast || p.so.Option(abi.SO_BROADCAST),
		Whole:     k.whole,
	}
	index := k.scope
	if k.dst.IsMulticast() {
		p.opt.mu.Lock()
		m := p.opt.multi(k.dst.Is6())
		if index == 0 {
			index = m.index
		}
		o.NoLoop = m.loop == 0
		p.opt.mu.Unlock()
	}
	if k.opts.index != 0 {
		index = k.opts.index
	}
	if index != 0 {
		o.If = p.ts.net.ByIndex(index)
	}
	return o
}

// multicastIf is the interface that multicast to dst goes through by the socket's choice; nil if it has made none.
func (p *pcb) multicastIf(dst netip.Addr) *ifnet.Interface {
	if !dst.IsMulticast() {
		return nil
	}
	p.opt.mu.Lock()
	index := p.opt.multi(dst.Is6()).index
	p.opt.mu.Unlock()
	return p.ts.net.ByIndex(index)
}

// ttlTo is the time to live of packets to a destination, when the socket's own is ttl; 0 is the kernel's default.
func (p *pcb) ttlTo(dst netip.Addr, ttl uint8) uint8 {
	if dst.IsMulticast() {
		p.opt.mu.Lock()
		defer p.opt.mu.Unlock()
		return p.opt.multi(dst.Is6()).ttl
	}
	if ttl == 0 {
		return p.ts.defaultTTL()
	}
	return ttl
}

// write4 puts an IPv4 header and the socket's IP_OPTIONS in front.
func (p *pcb) write4(k *packet) error {
	p.opt.mu.Lock()
	options := p.opt.options
	p.opt.mu.Unlock()
	hlen := header.IPv4MinimumSize + len(options)
	total := hlen + len(k.head) + len(k.data)
	if total > abi.IP_MAXPACKET {
		return abi.EMSGSIZE
	}
	b := make([]byte, total)
	h := header.IPv4(b)
	h.Encode(&header.IPv4Fields{
		TOS: k.tos, TotalLength: uint16(total), TTL: k.ttl, Protocol: k.proto,
		SrcAddr: tcpipAddr4(k.src), DstAddr: tcpipAddr4(k.dst),
	})
	h.SetHeaderLength(uint8(hlen))
	copy(b[header.IPv4MinimumSize:], options)
	copy(b[hlen:], k.head)
	copy(b[hlen+len(k.head):], k.data)
	return p.writeIP4(b, k)
}

// writeIP4 sends a datagram with its header, and remembers the MTU that it was too long for.
func (p *pcb) writeIP4(b []byte, k *packet) error {
	err := p.ts.in.WriteIP4(b, p.rawOptions(k))
	if err == abi.EMSGSIZE {
		if ifp := p.ts.routeIf(k.dst); ifp != nil {
			p.opt.mu.Lock()
			p.opt.errorMTU = int32(ifp.MTU())
			p.opt.mu.Unlock()
		}
	}
	return err
}

func tcpipAddr4(a netip.Addr) tcpip.Address { return tcpip.AddrFrom4(a.As4()) }

// hopLimit is the hop limit of an IPv6 packet.
func (p *pcb) hopLimit(k *packet) uint8 {
	if k.opts.hops >= 0 {
		return uint8(k.opts.hops)
	}
	p.opt.mu.Lock()
	hops, group := p.opt.hops, p.opt.multi6.ttl
	p.opt.mu.Unlock()
	switch {
	case k.dst.IsMulticast():
		return group
	case hops >= 0:
		return uint8(hops)
	}
	return p.ts.defaultHopLimit()
}

// write6 puts an IPv6 header in front.
func (p *pcb) write6(k *packet) error {
	size := len(k.head) + len(k.data)
	if size > abi.IPV6_MAXPACKET {
		return abi.EMSGSIZE
	}
	b := make([]byte, header.IPv6MinimumSize+size)
	header.IPv6(b).Encode(&header.IPv6Fields{
		TrafficClass: uint8(max(k.opts.tclass, 0)), PayloadLength: uint16(size),
		TransportProtocol: tcpip.TransportProtocolNumber(k.proto), HopLimit: p.hopLimit(k),
		SrcAddr: tcpip.AddrFrom16(k.src.As16()), DstAddr: tcpip.AddrFrom16(k.dst.As16()),
	})
	copy(b[header.IPv6MinimumSize:], k.head)
	copy(b[header.IPv6MinimumSize+len(k.head):], k.data)
	o := p.rawOptions(k)
	o.MinMTU = k.opts.minMTU > 0 || k.opts.minMTU < 0 && k.dst.IsMulticast()
	o.DontFragment = k.opts.dontFrag
	return p.ts.in.WriteIP6(b, o)
}

// transportSum is the checksum of a protocol's header, of an even length, and data, with the pseudo header. The field for it is 0.
func (k *packet) transportSum() uint16 {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(k.head)+len(k.data)))
	sum := checksum.Checksum(k.src.AsSlice(), 0)
	sum = checksum.Checksum(k.dst.AsSlice(), sum)
	sum = checksum.Checksum(n[:], sum)
	sum = checksum.Checksum([]byte{0, k.proto}, sum)
	sum = checksum.Checksum(k.head, sum)
	return ^checksum.Checksum(k.data, sum)
}
