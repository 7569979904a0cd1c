package ifnet

import "maps"

// JoinGroup counts who wants the frames to a multicast address of Ethernet; a driver with a filter is told of the first. It may be called with
// any locks held but the driver's.
func (ifp *Interface) JoinGroup(mac [6]byte) {
	ifp.groupMu.Lock()
	defer ifp.groupMu.Unlock()
	if ifp.groups == nil {
		ifp.groups = map[[6]byte]int{}
	}
	ifp.groups[mac]++
	if j, ok := ifp.Driver.(Joiner); ok && ifp.groups[mac] == 1 {
		j.Join(ifp, mac)
	}
}

// LeaveGroup undoes a JoinGroup, and may be called as that. It says whether the group had been joined.
func (ifp *Interface) LeaveGroup(mac [6]byte) bool {
	ifp.groupMu.Lock()
	defer ifp.groupMu.Unlock()
	switch ifp.groups[mac] {
	case 0:
		return false
	case 1:
		delete(ifp.groups, mac)
		if j, ok := ifp.Driver.(Joiner); ok {
			j.Leave(ifp, mac)
		}
	default:
		ifp.groups[mac]--
	}
	return true
}

// Groups are the multicast addresses that are joined, and how often each was.
func (ifp *Interface) Groups() map[[6]byte]int {
	ifp.groupMu.Lock()
	defer ifp.groupMu.Unlock()
	return maps.Clone(ifp.groups)
}
