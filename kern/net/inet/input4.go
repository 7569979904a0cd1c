package inet

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// datagram is one that came in, its header checked.
type datagram struct {
	ifc  *iface        // where it came in
	p    *ifnet.Packet // from the network header on; ours
	head [60]byte      // IPv4: the header; IPv6: its first 40 bytes
	hlen int           // length of the header; for IPv6 with the extension headers that were taken in
	src  netip.Addr
	dst  netip.Addr
	prot uint8
	ia   *ifaddr // the own address that it is for; nil for groups and broadcasts
	cast ifnet.PacketFlags
}

// h4 is the header of an IPv4 datagram.
func (d *datagram) h4() header.IPv4 { return header.IPv4(d.head[:d.hlen]) }

// input4 takes an IPv4 datagram from an interface.
func (in *Inet) input4(ifp *ifnet.Interface, p *ifnet.Packet) {
	ifc := in.iface(ifp)
	if ifc == nil || in.halted() {
		p.Release()
		return
	}
	p.Buf.TrimFront(int64(ifp.HdrLen))
	in.ipInput4(ifc, p)
}

// ipInput4 takes a datagram that begins with its header.
func (in *Inet) ipInput4(ifc *iface, p *ifnet.Packet) {
	d := &datagram{ifc: ifc, p: p, cast: p.Flags & (ifnet.Broadcast | ifnet.Multicast)}
	in.Stats.IP.Add(abi.IP_STAT_TOTAL, 1)
	if bad := in.check4(d); bad >= 0 {
		in.Stats.IP.Add(bad, 1)
		p.Release()
		return
	}
	if d.hlen > header.IPv4MinimumSize && !in.options4(d) {
		return
	}
	switch {
	case in.isLocal4(d):
		in.deliver4(d)
	case d.dst.IsMulticast():
		in.Stats.IP.Add(abi.IP_STAT_CANTFORWARD, 1)
		p.Release()
	case in.conf.forwarding.Load() == 0:
		in.Stats.IP.Add(abi.IP_STAT_CANTFORWARD, 1)
		p.Release()
	default:
		in.forward4(d)
	}
}

// check4 reads and checks the header. It returns the counter of what is wrong, -1 for nothing.
func (in *Inet) check4(d *datagram) int {
	if !d.p.Header(d.head[:header.IPv4MinimumSize]) {
		return abi.IP_STAT_TOOSMALL
	}
	if d.head[0]>>4 != 4 {
		return abi.IP_STAT_BADVERS
	}
	d.hlen = int(d.head[0]&15) * 4
	if d.hlen < header.IPv4MinimumSize {
		return abi.IP_STAT_BADHLEN
	}
	if !d.p.Header(d.head[:d.hlen]) {
		return abi.IP_STAT_TOOSMALL
	}
	h := d.h4()
	d.src, d.dst, d.prot = fromTCPIP(h.SourceAddress()), fromTCPIP(h.DestinationAddress()), d.head[9]
	outside := d.ifc.ifp.Flags()&abi.IFF_LOOPBACK == 0 && d.p.Flags&ifnet.Looped == 0
	if d.src.IsMulticast() || d.src == broadcast4 || outside && (d.src.IsLoopback() || d.dst.IsLoopback()) {
		return abi.IP_STAT_BADADDR
	}
	if d.p.Flags&ifnet.ChecksumGood == 0 && h.CalculateChecksum() != 0xffff {
		return abi.IP_STAT_BADSUM
	}
	total := int(h.TotalLength())
	switch {
	case total < d.hlen:
		return abi.IP_STAT_BADLEN
	case d.p.Len() < total:
		return abi.IP_STAT_TOOSHORT
	}
	d.p.Buf.Truncate(int64(total))
	return -1
}

// isLocal4 says whether a datagram is for this kernel: for any of its addresses, on whatever interface it came in (net.inet.ip.checkinterface
// makes it that interface's), for a network's broadcast address there, or for a group that the interface is in.
func (in *Inet) isLocal4(d *datagram) bool {
	if ia := in.localAddr(d.dst, 0); ia != nil {
		loop := d.ifc.ifp.Flags()&abi.IFF_LOOPBACK != 0
		if (in.conf.checkinterface.Load() == 0 || loop || ia.ifc == d.ifc) && (loop || in.usable(ia)) {
			d.ia = ia
			return true
		}
	}
	if d.dst.IsMulticast() {
		d.cast |= ifnet.Multicast
		return d.ifc.groups.member(d.dst)
	}
	if d.dst == broadcast4 || d.dst == unspecified4 || in.isBroadcast(d.dst, d.ifc) {
		d.cast |= ifnet.Broadcast
		return true
	}
	return false
}

// usable says whether packets from outside may come in for an address: its interface is up, and nobody else has it.
func (in *Inet) usable(ia *ifaddr) bool {
	return ia.ifc.ifp.Flags()&abi.IFF_UP != 0 && ia.flags.Load()&(abi.IN6_IFF_DETACHED|abi.IN6_IFF_DUPLICATED) == 0
}

// deliver4 hands a datagram that is for this kernel to its protocol, whole.
func (in *Inet) deliver4(d *datagram) {
	h := d.h4()
	if h.More() || h.FragmentOffset() != 0 {
		in.Stats.IP.Add(abi.IP_STAT_FRAGMENTS, 1)
		if d = in.frags4.add(d); d == nil {
			return
		}
		in.Stats.IP.Add(abi.IP_STAT_REASSEMBLED, 1)
	}
	in.Stats.IP.Add(abi.IP_STAT_DELIVERED, 1)
	if ia := d.ia; ia != nil {
		ia.a.Ipackets.Add(1)
		ia.a.Ibytes.Add(uint64(d.p.Len()))
	}
	switch d.prot {
	case abi.IPPROTO_TCP, abi.IPPROTO_UDP:
		in.transport(d, d.ifc.ep4)
	case abi.IPPROTO_ICMP:
		in.icmpInput(d)
	case abi.IPPROTO_IGMP:
		d.ifc.groups.igmpInput(d)
		in.rawInput(d)
	default:
		if !in.rawInput(d) {
			in.Stats.IP.Add(abi.IP_STAT_NOPROTO, 1)
			in.icmpError(d, icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_PROTOCOL, 0})
		}
	}
	d.p.Release()
}

// options4 looks at the options of a datagram. It says whether to go on with it; otherwise it has taken it. The routes that a sender
// prescribes are refused: net.inet.ip.allowsrcrt and forwsrcrt are honoured by their being off.
func (in *Inet) options4(d *datagram) bool {
	opts := d.head[header.IPv4MinimumSize:d.hlen]
	for i := 0; i < len(opts) && opts[i] != abi.IPOPT_EOL; {
		if opts[i] == abi.IPOPT_NOP {
			i++
			continue
		}
		if i+1 >= len(opts) || int(opts[i+1]) < 2 || i+int(opts[i+1]) > len(opts) {
			in.Stats.IP.Add(abi.IP_STAT_BADOPTIONS, 1)
			in.icmpError(d, icmpReason{abi.ICMP_PARAMPROB, 0, uint32(header.IPv4MinimumSize+i+1) << 24})
			d.p.Release()
			return false
		}
		n := int(opts[i+1])
		if (opts[i] == abi.IPOPT_LSRR || opts[i] == abi.IPOPT_SSRR) && n >= 3 && int(opts[i+2]) <= n-3 {
			in.Stats.IP.Add(abi.IP_STAT_CANTFORWARD, 1)
			in.icmpError(d, icmpReason{abi.ICMP_UNREACH, abi.ICMP_UNREACH_SRCFAIL, 0})
			d.p.Release()
			return false
		}
		i += n
	}
	return true
}
