package inet

import (
	"net/netip"
	"sync"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// groupList is the multicast groups that an interface is in, of both families: struct in_multi and in6_multi. Groups are reported by IGMP
// (igmp.go) and MLD (mld.go).
type groupList struct {
	ifc *iface

	mu     sync.RWMutex
	groups map[netip.Addr]*group
	closed bool
	v1     time.Time // until when routers of IGMPv1 are taken to be there
}

// group is a group that the interface is in; under the list's mu.
type group struct {
	addr  netip.Addr
	count int  // joins
	left  int  // unsolicited reports to be sent
	last  bool // we were the last to report it
	timer *time.Timer
	due   time.Time // when the timer runs out
}

func (l *groupList) init(ifc *iface) { l.ifc, l.groups = ifc, map[netip.Addr]*group{} }

// member says whether the interface is in a group. All interfaces are in the groups of all hosts.
func (l *groupList) member(a netip.Addr) bool {
	if a == allSystems || a == allNodes {
		return true
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.groups[a] != nil
}

// join has the interface receive a group; joins are counted.
func (l *groupList) join(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if g := l.groups[a]; g != nil {
		g.count++
		return
	}
	g := &group{addr: a, count: 1}
	l.groups[a] = g
	if l.ifc.ifp.HdrLen == ifnet.EtherHdrLen {
		l.ifc.ifp.JoinGroup(groupMAC(a, false))
	}
	l.announce(g)
}

// leave undoes one join, and says whether there was one.
func (l *groupList) leave(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[a]
	if g == nil {
		return false
	}
	if g.count--; g.count > 0 {
		return true
	}
	g.stop()
	delete(l.groups, a)
	if l.ifc.ifp.HdrLen == ifnet.EtherHdrLen {
		l.ifc.ifp.LeaveGroup(groupMAC(a, false))
	}
	if g.last && l.reported(a) {
		l.sendLeave(a)
	}
	return true
}

func (g *group) stop() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
}

// close ends all reports; the groups go with the interface.
func (l *groupList) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, g := range l.groups {
		g.stop()
	}
}

// reported says whether routers are told of a group: not of those of all hosts, and not of those that mean something on this host alone.
func (l *groupList) reported(a netip.Addr) bool {
	flags := l.ifc.ifp.Flags()
	if a == allSystems || a == allNodes || flags&abi.IFF_LOOPBACK != 0 || flags&abi.IFF_MULTICAST == 0 {
		return false
	}
	return a.Is4() || a.As16()[1]&15 > 1 && l.ifc.in.v6
}

// announceAll reports all groups: the interface has come up.
func (l *groupList) announceAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.groups {
		l.announce(g)
	}
}
