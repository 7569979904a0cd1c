package inet

import (
	"math/rand/v2"
	"net"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
)

// dad is duplicate address detection of one address under way: RFC 5227 for IPv4, RFC 4862, 5.4 for IPv6.
type dad struct {
	left     int // probes to be sent
	announce int // announcements to be sent after them
	timer    *time.Timer
}

// Times of RFC 5227, 1.1.
const (
	probeWait        = time.Second
	probeMin         = time.Second
	probeMax         = 2 * time.Second
	announceWait     = 2 * time.Second
	announceNum      = 2
	announceInterval = 2 * time.Second
)

// startDAD looks whether somebody else has an address, which is tentative until then. It says whether it does: not on interfaces without
// neighbours, and not when dad_count is 0. Config held.
func (ifc *iface) startDAD(ia *ifaddr) bool {
	n := ifc.in.dadCount(ia)
	if n == 0 || ia.flags.Load()&(abi.IN6_IFF_NODAD|abi.IN6_IFF_ANYCAST) != 0 || !ifc.resolves() || !ifc.ifp.Up() {
		return false
	}
	ia.setFlags(abi.IN6_IFF_TENTATIVE, abi.IN6_IFF_DUPLICATED)
	d := &dad{left: n, announce: announceNum}
	ia.mu.Lock()
	defer ia.mu.Unlock()
	if ia.dad != nil {
		ia.dad.timer.Stop()
	}
	ia.dad = d
	wait := rand.N(probeWait)
	if ia.addr.Is6() {
		d.announce, wait = 0, 0
	}
	d.timer = time.AfterFunc(wait, func() { ifc.dadStep(ia, d) })
	return true
}

// dadCount is how many probes an address is looked for with.
func (in *Inet) dadCount(ia *ifaddr) int {
	if ia.addr.Is4() {
		return int(in.conf.dadCount.Load())
	}
	return int(in.conf.dadCount6.Load())
}

// dadStep is the next probe or announcement, or the end.
func (ifc *iface) dadStep(ia *ifaddr, d *dad) {
	ia.mu.Lock()
	if ia.dad != d {
		ia.mu.Unlock()
		return
	}
	probe, done := d.left > 0, d.left == 0
	wait := time.Duration(0)
	switch {
	case probe:
		d.left--
		wait = ifc.dadWait(ia, d)
	case d.announce > 1:
		d.announce--
		wait = announceInterval
	default:
		ia.dad = nil
	}
	if wait > 0 {
		d.timer = time.AfterFunc(wait, func() { ifc.dadStep(ia, d) })
	}
	ia.mu.Unlock()
	switch {
	case probe:
		ifc.dadProbe(ia)
	case done:
		ifc.in.later.must(func() { ifc.dadDone(ia) })
	}
}

// dadWait is the time after a probe.
func (ifc *iface) dadWait(ia *ifaddr, d *dad) time.Duration {
	switch {
	case ia.addr.Is6():
		return ifc.nd6.retransTime()
	case d.left > 0:
		return probeMin + rand.N(probeMax-probeMin)
	}
	return announceWait
}

func (ifc *iface) dadProbe(ia *ifaddr) {
	if ia.addr.Is4() {
		ifc.arpProbe(ia.addr)
		return
	}
	ifc.probeNS(ia.addr)
}

// dadDone takes an address into use that nobody else has, and announces it. Config held.
func (ifc *iface) dadDone(ia *ifaddr) {
	if ia.flags.Load()&(abi.IN6_IFF_DUPLICATED|abi.IN6_IFF_DETACHED) != 0 {
		return
	}
	if ia.setFlags(0, abi.IN6_IFF_TENTATIVE) {
		ifc.notifyAddr(ia)
	}
	if ia.addr.Is4() {
		ifc.announce(ia)
	}
}

// stopDAD ends the detection.
func (ia *ifaddr) stopDAD() {
	ia.mu.Lock()
	defer ia.mu.Unlock()
	if ia.dad != nil {
		ia.dad.timer.Stop()
		ia.dad = nil
	}
}

// duplicated gives an address up that somebody else has. It is called from the input of packets.
func (ifc *iface) duplicated(ia *ifaddr, mac macAddr) {
	ia.stopDAD()
	if !ia.setFlags(abi.IN6_IFF_DUPLICATED, abi.IN6_IFF_TENTATIVE) {
		return
	}
	ifc.in.K.Logf("%s: DAD duplicate address %s from %s\n", ifc.ifp.Name, ia.addr, net.HardwareAddr(mac[:]))
	ifc.in.later.must(func() { ifc.notifyAddr(ia) })
}
