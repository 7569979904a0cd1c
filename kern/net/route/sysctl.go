package route

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// permanent marks nodes that only the kernel removes.
const permanent = abi.CTLFLAG_PERMANENT

// createSysctls makes net.route.
func (t *Table) createSysctls() error {
	table := &kern.SysctlValue{Type: abi.CTLTYPE_NODE, Size: abi.SizeofSysctlnode}
	stats := func(*kern.SysctlRequest) ([]byte, error) {
		s := t.Stats()
		return s.Append(nil), nil
	}
	return t.Net.K.Sysctl().Create(
		kern.SysctlNode{Path: "net.route", Num: abi.PF_ROUTE, Flags: permanent, Desc: "PF_ROUTE information"},
		kern.SysctlNode{Path: "net.route.rtable", Num: 0, Flags: permanent, Desc: "Routing table information",
			Value: table, Handler: t.sysctlTable},
		kern.SysctlNode{Path: "net.route.stats", Num: abi.CTL_CREATE, Flags: permanent, Desc: "Routing statistics",
			Value: kern.SysctlStruct(abi.SizeofRtstat, stats)},
	)
}

// sysctlTable is net.route.rtable.<family>.<what>.<argument>: NET_RT_DUMP, NET_RT_FLAGS (argument: the flags), NET_RT_IFLIST (argument: an
// interface's index, 0 for all).
//
// The answer is whole messages, as many as there is room for, ENOMEM when that is not all; without a buffer their length
// and a tenth more.
//
// Errors: EPERM for writing; EINVAL for other names, for NET_RT_OIFLIST and NET_RT_OOIFLIST, which programs of NetBSD 5 and 1.4 ask for.
func (t *Table) sysctlTable(r *kern.SysctlRequest) error {
	if r.HasNew() {
		return abi.EPERM
	}
	if len(r.Name) != 3 {
		return abi.EINVAL
	}
	fam, op, arg := int(uint8(r.Name[0])), r.Name[1], r.Name[2]
	var msgs [][]byte
	switch {
	case op == abi.NET_RT_FLAGS && (arg == 0 || arg&abi.RTF_LLDATA != 0):
		if fam == abi.AF_UNSPEC {
			return abi.EINVAL
		}
		msgs = t.dumpNeighbors(fam)
	case op == abi.NET_RT_DUMP || op == abi.NET_RT_FLAGS:
		msgs = t.dump(fam, op, uint32(arg))
	case op == abi.NET_RT_IFLIST:
		msgs = t.interfaceList(fam, int(arg))
	default:
		return abi.EINVAL
	}
	return r.ReplyRecords(msgs)
}

// dump is the routes as RTM_GET messages.
func (t *Table) dump(fam int, op int32, flags uint32) (msgs [][]byte) {
	for _, e := range t.Entries(fam) {
		if op == abi.NET_RT_FLAGS && e.Flags&flags == 0 {
			continue
		}
		a := routeAddrs(e)
		a.addInterface(e)
		h := e.header(&a)
		msgs = append(msgs, finish(abi.RTM_GET, &h, &a))
	}
	return msgs
}

// dumpNeighbors is a family's link-level addresses as RTM_GET messages.
func (t *Table) dumpNeighbors(fam int) (msgs [][]byte) {
	ll := t.lltable(fam)
	if ll == nil {
		return nil
	}
	t.Net.Config.Lock()
	defer t.Net.Config.Unlock()
	for _, n := range ll.Neighbors() {
		a := addrs{abi.RTAX_DST: n.dstSockaddr(), abi.RTAX_GATEWAY: n.linkSockaddr()}
		h := abi.RtMsghdr{Flags: int32(abi.RTF_HOST | n.Flags&(abi.RTF_STATIC|abi.RTF_ANNOUNCE)), Addrs: a.mask()}
		if n.Flags&abi.RTF_STATIC == 0 && !n.Expire.IsZero() {
			h.Rmx.Expire = n.Expire.Unix()
		}
		msgs = append(msgs, finish(abi.RTM_GET, &h, &a))
	}
	return msgs
}

// interfaceList is each interface as RTM_IFINFO, followed by its addresses of a family, or of all, as RTM_NEWADDR.
func (t *Table) interfaceList(fam, index int) (msgs [][]byte) {
	for _, ifp := range t.Net.Interfaces() {
		if index != 0 && index != int(ifp.Index) {
			continue
		}
		msgs = append(msgs, interfaceMessage(ifp, ifp.LinkLevel().Addr))
		for _, a := range ifp.Addrs() {
			if fam == abi.AF_UNSPEC || fam == a.Family {
				msgs = append(msgs, addrMessage(abi.RTM_NEWADDR, a, false))
			}
		}
	}
	return msgs
}
