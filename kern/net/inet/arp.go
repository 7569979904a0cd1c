package inet

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// arpTries is how often a neighbour is asked for, once a second at most, before it counts as down.
const arpTries = 5

// arpRequest notes that a neighbour is asked for, and says whether a second has passed since the last time. Called with the table's mu held.
//
// Errors: EHOSTDOWN when it has been asked often enough: for net.inet.arp.down seconds.
func (t *neighborTable) arpRequest(e *neighbor, now time.Time) (ask bool, err error) {
	down := t.ifc.in.conf.arpDownTime()
	if e.asked >= arpTries {
		if now.Sub(e.last) < down {
			return false, abi.EHOSTDOWN
		}
		e.asked = 0
	}
	if e.asked > 0 && now.Sub(e.last) < time.Second {
		return false, nil
	}
	e.asked++
	e.last, e.expire = now, now.Add(down)
	return true, nil
}

// arpAsk sends a request for the link-level address of a neighbour.
func (ifc *iface) arpAsk(a netip.Addr) {
	src := unspecified4
	for _, ia := range ifc.in.addrsOf(ifc.ifp, familyInet) {
		if ia.ready() && (src == unspecified4 || ia.prefix().Contains(a)) {
			src = ia.addr
		}
	}
	ifc.arpSend(header.ARPRequest, src, a, etherBroadcast, macAddr{})
}

// arpAnnounce tells all that an address is ours: a request for it from itself (RFC 5227, 2.3).
func (ifc *iface) arpAnnounce(a netip.Addr) {
	ifc.arpSend(header.ARPRequest, a, a, etherBroadcast, macAddr{})
}

// arpProbe asks whether somebody has an address, without claiming it (RFC 5227, 2.1).
func (ifc *iface) arpProbe(a netip.Addr) {
	ifc.arpSend(header.ARPRequest, unspecified4, a, etherBroadcast, macAddr{})
}

// arpSend sends an ARP packet of ours to dst.
func (ifc *iface) arpSend(op header.ARPOp, src, target netip.Addr, dst, targetMAC macAddr) {
	var me macAddr
	if copy(me[:], ifc.ifp.LinkAddr()) != len(me) {
		return
	}
	ifc.arpSendAs(op, me, src, target, dst, targetMAC)
}

// arpSendAs sends one that says me is the link-level address of src: our own, or that which we publish.
func (ifc *iface) arpSendAs(op header.ARPOp, me macAddr, src, target netip.Addr, dst, targetMAC macAddr) {
	b := header.ARP(make([]byte, header.ARPSize))
	b.SetIPv4OverEthernet()
	b.SetOp(op)
	s, d := src.As4(), target.As4()
	copy(b.HardwareAddressSender(), me[:])
	copy(b.ProtocolAddressSender(), s[:])
	copy(b.HardwareAddressTarget(), targetMAC[:])
	copy(b.ProtocolAddressTarget(), d[:])
	st := &ifc.in.Stats.ARP
	st.Add(abi.ARP_STAT_SNDTOTAL, 1)
	if op == header.ARPReply {
		st.Add(abi.ARP_STAT_SNDREPLY, 1)
	} else {
		st.Add(abi.ARP_STAT_SENDREQUEST, 1)
	}
	ifc.etherSend(ifnet.NewPacket(b), dst, etherTypeARP)
}

// arpPacket is an ARP packet that came in.
type arpPacket struct {
	op       header.ARPOp
	mac      macAddr // the sender's
	src, dst netip.Addr
	cast     bool // it was sent to all
}

// arpInput takes an ARP packet from an interface.
func (in *Inet) arpInput(ifp *ifnet.Interface, p *ifnet.Packet) {
	defer p.Release()
	ifc := in.iface(ifp)
	if ifc == nil || in.halted() || !ifc.resolves() {
		return
	}
	st := &in.Stats.ARP
	st.Add(abi.ARP_STAT_RCVTOTAL, 1)
	p.Buf.TrimFront(int64(ifp.HdrLen))
	b := header.ARP(make([]byte, header.ARPSize))
	if !p.Header(b) {
		st.Add(abi.ARP_STAT_RCVBADLEN, 1)
		return
	}
	if !b.IsValid() {
		st.Add(abi.ARP_STAT_RCVBADPROTO, 1)
		return
	}
	a := arpPacket{op: b.Op(), cast: p.Flags&(ifnet.Broadcast|ifnet.Multicast) != 0}
	a.src, _ = netip.AddrFromSlice(b.ProtocolAddressSender())
	a.dst, _ = netip.AddrFromSlice(b.ProtocolAddressTarget())
	copy(a.mac[:], b.HardwareAddressSender())
	ifc.arpHandle(a)
}

// arpHandle acts on an ARP packet: RFC 826, RFC 5227.
func (ifc *iface) arpHandle(a arpPacket) {
	in, st := ifc.in, &ifc.in.Stats.ARP
	switch a.op {
	case header.ARPRequest:
		st.Add(abi.ARP_STAT_RCVREQUEST, 1)
	case header.ARPReply:
		st.Add(abi.ARP_STAT_RCVREPLY, 1)
	default:
		return
	}
	own := string(a.mac[:]) == string(ifc.ifp.LinkAddr())
	switch {
	case own:
		st.Add(abi.ARP_STAT_RCVLOCALSHA, 1)
		return
	case a.mac == etherBroadcast:
		st.Add(abi.ARP_STAT_RCVBCASTSHA, 1)
		in.logf("arp: link address is broadcast for IP address %s!\n", a.src)
		return
	case a.mac[0]&1 != 0:
		st.Add(abi.ARP_STAT_RCVMCAST, 1)
		return
	case a.dst == unspecified4 && a.op == header.ARPReply:
		st.Add(abi.ARP_STAT_RCVZEROTPA, 1)
		return
	}
	mine := in.localAddr(a.dst, 0)
	if mine != nil && mine.ifc != ifc {
		st.Add(abi.ARP_STAT_RCVOVERINT, 1)
		in.logIf(in.conf.arpLogWrongIface, "arp: %s asked on %s for %s, which is on %s\n", a.src, ifc.ifp.Name, a.dst, mine.ifc.ifp.Name)
		mine = nil
	}
	if ifc.arpConflict(a, mine) {
		return
	}
	if a.src == unspecified4 {
		st.Add(abi.ARP_STAT_RCVZEROSPA, 1)
	} else {
		ifc.arp.arpLearn(a, mine != nil)
	}
	if a.op == header.ARPRequest {
		ifc.arpAnswer(a, mine)
	}
}

// arpConflict says whether a packet shows that somebody else has an address of ours, after acting on it: an address that is
// tentative is given up, one that is in use is defended by an answer to whoever asked with it: not by more, lest two kernels that both keep an address answer each other
// for ever.
func (ifc *iface) arpConflict(a arpPacket, mine *ifaddr) bool {
	if sender := ifc.in.localAddr(a.src, 0); sender != nil && sender.ifc == ifc {
		ifc.in.Stats.ARP.Add(abi.ARP_STAT_RCVLOCALSPA, 1)
		if sender.flags.Load()&(abi.IN6_IFF_TENTATIVE|abi.IN6_IFF_DUPLICATED) != 0 {
			ifc.duplicated(sender, a.mac)
			return true
		}
		ifc.in.logf("arp: duplicate IP address %s sent from link address %s\n", a.src, net.HardwareAddr(a.mac[:]))
		if a.op == header.ARPRequest {
			ifc.arpSend(header.ARPReply, a.src, a.src, a.mac, a.mac)
		}
		return true
	}
	if mine != nil && a.src == unspecified4 && mine.flags.Load()&abi.IN6_IFF_TENTATIVE != 0 {
		ifc.duplicated(mine, a.mac)
		return true
	}
	return false
}

// arpLearn enters the sender of a packet: anew when it was for us, and otherwise when it was there.
func (t *neighborTable) arpLearn(a arpPacket, forUs bool) {
	in := t.ifc.in
	t.mu.Lock()
	e := t.entries[a.src]
	if e == nil {
		if !forUs || t.closed || !t.onLink(a.src) {
			t.mu.Unlock()
			if forUs {
				in.Stats.ARP.Add(abi.ARP_STAT_RCVNOINT, 1)
				in.logIf(in.conf.arpLogUnknown, "arp: %s: unknown network for %s\n", t.ifc.ifp.Name, a.src)
			}
			return
		}
		e = t.insert(a.src)
	}
	if e.state > abi.ND6_LLINFO_INCOMPLETE && e.mac != a.mac {
		if e.static {
			t.mu.Unlock()
			in.Stats.ARP.Add(abi.ARP_STAT_RCVOVERPERM, 1)
			in.logIf(in.conf.arpLogPermanent, "arp: %s tried to overwrite permanent arp info for %s\n", net.HardwareAddr(a.mac[:]), a.src)
			return
		}
		in.Stats.ARP.Add(abi.ARP_STAT_RCVOVER, 1)
		in.logIf(in.conf.arpLogMovements, "arp info overwritten for %s by %s\n", a.src, net.HardwareAddr(a.mac[:]))
	}
	held := t.learned(e, a.mac)
	if e.state = abi.ND6_LLINFO_REACHABLE; !e.static {
		e.expire = time.Now().Add(in.conf.arpKeepTime())
	}
	t.mu.Unlock()
	in.Stats.ARP.Add(abi.ARP_STAT_DFRSENT, uint64(len(held)))
	t.sendHeld(a.mac, held)
}

// onLink says whether an address is in a network of the interface.
func (t *neighborTable) onLink(a netip.Addr) bool {
	for _, ia := range t.ifc.in.addrsOf(t.ifc.ifp, familyInet) {
		if ia.prefix().Contains(a) {
			return true
		}
	}
	return false
}

// arpAnswer answers a request for an address of ours, or for one that we publish.
func (ifc *iface) arpAnswer(a arpPacket, mine *ifaddr) {
	if mine != nil {
		if mine.ready() {
			ifc.arpSend(header.ARPReply, a.dst, a.src, a.mac, a.mac)
		}
		return
	}
	ifc.arp.mu.RLock()
	e := ifc.arp.entries[a.dst]
	public := e != nil && e.public && e.state > abi.ND6_LLINFO_INCOMPLETE
	var mac macAddr
	if public {
		mac = e.mac
	}
	ifc.arp.mu.RUnlock()
	if public && a.src != a.dst {
		ifc.arpSendAs(header.ARPReply, mac, a.dst, a.src, a.mac, a.mac)
	}
}

// logIf writes a line into the message buffer when a variable says so.
func (in *Inet) logIf(v *atomic.Int32, format string, args ...any) {
	if v.Load() != 0 {
		in.logf(format, args...)
	}
}

// logf is kern.Kernel.Logf for what packets cause: only so many lines a second.
func (in *Inet) logf(format string, args ...any) {
	if in.logs.allow(maxLogs) {
		in.K.Logf(format, args...)
	}
}

// maxLogs bounds the lines of a second.
const maxLogs = 10
