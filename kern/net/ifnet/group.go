package ifnet

import "maps"

// JoinGroup counts who wants the frames to a multicast address of Ethernet; a driver with a filter is told of the first. Config held.
func (ifp *Interface) JoinGroup(mac [6]byte) {
	if ifp.changeGroup(mac, 1) == 1 {
		if j, ok := ifp.Driver.(Joiner); ok {
			j.Join(ifp, mac)
		}
	}
}

// LeaveGroup undoes a JoinGroup. It says whether the group had been joined. Config held.
func (ifp *Interface) LeaveGroup(mac [6]byte) bool {
	if ifp.groupCount(mac) == 0 {
		return false
	}
	if ifp.changeGroup(mac, -1) == 0 {
		if j, ok := ifp.Driver.(Joiner); ok {
			j.Leave(ifp, mac)
		}
	}
	return true
}

// Groups are the multicast addresses that are joined.
func (ifp *Interface) Groups() [][6]byte {
	var list [][6]byte
	if m := ifp.groups.Load(); m != nil {
		for mac := range *m {
			list = append(list, mac)
		}
	}
	return list
}

func (ifp *Interface) groupCount(mac [6]byte) int {
	if m := ifp.groups.Load(); m != nil {
		return (*m)[mac]
	}
	return 0
}

// changeGroup adds by to how often a group is joined, and returns the new number.
func (ifp *Interface) changeGroup(mac [6]byte, by int) int {
	next := map[[6]byte]int{}
	if m := ifp.groups.Load(); m != nil {
		next = maps.Clone(*m)
	}
	next[mac] += by
	count := next[mac]
	if count == 0 {
		delete(next, mac)
	}
	ifp.groups.Store(&next)
	return count
}
