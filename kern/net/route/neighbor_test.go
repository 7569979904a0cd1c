package route_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// neighbors is an LLTable of a family.
type neighbors struct{ list []route.Neighbor }

func (l *neighbors) find(ifp *ifnet.Interface, a netip.Addr) int {
	return slices.IndexFunc(l.list, func(n route.Neighbor) bool { return n.If == ifp && n.Addr == a })
}

func (l *neighbors) Neighbors() []route.Neighbor { return l.list }

func (l *neighbors) Neighbor(ifp *ifnet.Interface, a netip.Addr) (route.Neighbor, error) {
	if i := l.find(ifp, a); i >= 0 {
		return l.list[i], nil
	}
	return route.Neighbor{}, abi.ESRCH
}

func (l *neighbors) AddNeighbor(n route.Neighbor) error {
	if i := l.find(n.If, n.Addr); i >= 0 {
		l.list = slices.Delete(l.list, i, i+1)
	}
	l.list = append(l.list, n)
	return nil
}

func (l *neighbors) DeleteNeighbor(ifp *ifnet.Interface, a netip.Addr) error {
	i := l.find(ifp, a)
	if i < 0 {
		return abi.ESRCH
	}
	l.list = slices.Delete(l.list, i, i+1)
	return nil
}

// arpMessage is what arp(8) sends: `arp -s 10.1.1.9 0:1:2:3:4:5` without an index, which old ones do not set.
func arpMessage(typ uint8, dst string, index uint16, mac []byte) message {
	return message{typ: typ, flags: abi.RTF_HOST | abi.RTF_STATIC | abi.RTF_LLDATA, addrs: map[int][]byte{
		abi.RTAX_DST:     route.Sockaddr(netip.MustParseAddr(dst), 0),
		abi.RTAX_GATEWAY: ifnet.SockaddrDl(index, abi.IFT_ETHER, "", mac),
	}}
}

// TestNeighbors adds, asks for, lists and deletes link-level addresses by the messages of arp(8), with the errors of sys/net/if_llatbl.c of
// NetBSD.
func TestNeighbors(t *testing.T) {
	w := newWorld(t)
	w.lan()
	ll := &neighbors{}
	w.table.RegisterLLTable(abi.AF_INET, ll)
	fd := w.open(0)
	mac := []byte{0, 1, 2, 3, 4, 5}
	published := arpMessage(abi.RTM_ADD, "10.1.1.10", 0, mac)
	published.flags |= abi.RTF_ANNOUNCE
	published.rmx.Expire = 2000000000
	index := w.shm.Index
	for i, step := range []struct {
		m     message
		errno abi.Errno
	}{
		{arpMessage(abi.RTM_ADD, "10.1.1.9", 0, mac), 0},
		{arpMessage(abi.RTM_ADD, "10.1.1.9", index, mac), abi.EEXIST},
		{arpMessage(abi.RTM_ADD, "10.1.1.9", 77, mac), abi.EINVAL},
		{arpMessage(abi.RTM_ADD, "10.1.1.8", index, mac[:4]), abi.EINVAL},
		{published, 0},
		{published, 0},
		{arpMessage(abi.RTM_DELETE, "10.1.1.77", index, mac), abi.ENOENT},
		{arpMessage(abi.RTM_DELETE, "10.1.1.9", 77, mac), abi.EINVAL},
	} {
		if errno := w.send(fd, step.m); errno != step.errno {
			t.Errorf("step %d: %v, want %v", i, errno, step.errno)
		}
		w.read(fd)
	}
	if len(ll.list) != 2 || ll.list[0].Flags != abi.RTF_STATIC || string(ll.list[0].LinkAddr) != string(mac) || ll.list[1].Flags != abi.RTF_ANNOUNCE || ll.list[1].Expire.Unix() != 2000000000 {
		t.Errorf("table %+v", ll.list)
	}
	get := message{typ: abi.RTM_GET, flags: abi.RTF_LLDATA, addrs: map[int][]byte{abi.RTAX_DST: route.Sockaddr(netip.MustParseAddr("10.1.1.9"), 0)}}
	if errno := w.send(fd, get); errno != 0 {
		t.Fatal(errno)
	}
	reply := w.read(fd)
	var h abi.RtMsghdr
	h.Decode(reply)
	if h.Flags&(abi.RTF_LLDATA|abi.RTF_STATIC) != abi.RTF_LLDATA|abi.RTF_STATIC || h.Addrs != abi.RTA_DST|abi.RTA_GATEWAY || string(reply[120+16+8:][:6]) != string(mac) {
		t.Errorf("answer %+v %x", h, reply)
	}
	dump, errno := w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, abi.AF_INET, abi.NET_RT_FLAGS, abi.RTF_LLDATA)
	const size = 120 + 16 + 16
	if errno != 0 || len(dump) != 2*size || dump[size+120+12] != abi.SIN_PROXY {
		t.Errorf("dump: %v, %x", errno, dump)
	}
	if errno := w.send(fd, arpMessage(abi.RTM_DELETE, "10.1.1.9", index, mac)); errno != 0 || len(ll.list) != 1 {
		t.Errorf("delete: %v, %+v", errno, ll.list)
	}
	if dump, _ := w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, abi.AF_INET, abi.NET_RT_FLAGS, abi.RTF_LOCAL); len(dump) == 0 {
		t.Error("no local routes by NET_RT_FLAGS")
	}
}
