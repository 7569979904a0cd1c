package route_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// open opens a routing socket that does not wait.
func (w *world) open(proto int) int {
	w.tb.Helper()
	return int(w.p.Must(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_RAW|abi.SOCK_NONBLOCK, proto))
}

// read takes the next message; nil when there is none.
func (w *world) read(fd int) []byte {
	w.tb.Helper()
	buf := make([]byte, 4096)
	n, errno := w.p.Call(abi.SYS_read, fd, buf, len(buf))
	if errno == abi.EAGAIN {
		return nil
	}
	if errno != 0 {
		w.tb.Fatal(errno)
	}
	return buf[:n]
}

// next takes the next message and says its type; 0 without one.
func (w *world) next(fd int) int {
	if m := w.read(fd); m != nil {
		return int(m[3])
	}
	return 0
}

// message is a request, with sockaddrs as route(8) writes them.
type message struct {
	typ   uint8
	flags uint32
	addrs map[int][]byte
	inits int32
	rmx   abi.RtMetrics
}

func (m message) bytes() []byte {
	var tail []byte
	h := abi.RtMsghdr{Version: abi.RTM_VERSION, Type: m.typ, Flags: int32(m.flags), Seq: 1, Inits: m.inits, Rmx: m.rmx}
	for i := range abi.RTAX_MAX {
		if sa, ok := m.addrs[i]; ok {
			h.Addrs |= 1 << i
			tail = append(tail, sa...)
			for n := max(len(sa), 1); n%8 != 0; n++ {
				tail = append(tail, 0)
			}
			if len(sa) == 0 {
				tail = append(tail, 0)
			}
		}
	}
	h.Msglen = uint16(abi.SizeofRtMsghdr + len(tail))
	return append(h.Append(nil), tail...)
}

// routeMessage is what `route typ dst gateway` sends; gateway may be empty.
func routeMessage(typ uint8, dst, gateway string, flags uint32) message {
	p, err := netip.ParsePrefix(dst)
	if err != nil {
		a := netip.MustParseAddr(dst)
		p = netip.PrefixFrom(a, a.BitLen())
		flags |= abi.RTF_HOST
	}
	m := message{typ: typ, flags: abi.RTF_UP | abi.RTF_STATIC | flags, addrs: map[int][]byte{abi.RTAX_DST: route.Sockaddr(p.Addr(), 0)}}
	if flags&abi.RTF_HOST == 0 {
		m.addrs[abi.RTAX_NETMASK] = mask4(p.Bits())
		if p.Addr().Is6() {
			m.addrs[abi.RTAX_NETMASK] = mask6(p.Bits())
		}
	}
	if gateway != "" {
		m.flags |= abi.RTF_GATEWAY
		m.addrs[abi.RTAX_GATEWAY] = route.Sockaddr(netip.MustParseAddr(gateway), 0)
	}
	return m
}

// send sends a request on a socket and returns the errno.
func (w *world) send(fd int, m message) abi.Errno {
	b := m.bytes()
	_, errno := w.p.Call(abi.SYS_write, fd, b, len(b))
	return errno
}

// TestTranscript does what transcript net-04-route does.
func TestTranscript(t *testing.T) {
	w := newWorld(t)
	w.lan()
	fd := w.open(0)
	const add, del, change = abi.RTM_ADD, abi.RTM_DELETE, abi.RTM_CHANGE
	for _, step := range []struct {
		typ     uint8
		dst, gw string
		flags   uint32
		errno   abi.Errno
	}{
		{add, "0.0.0.0/0", "10.1.1.254", 0, 0},
		{add, "0.0.0.0/0", "10.1.1.254", 0, abi.EEXIST},
		{add, "192.168.5.0/24", "10.1.1.253", 0, 0},
		{add, "192.168.6.7", "10.1.1.252", 0, 0},
		{change, "0.0.0.0/0", "10.1.1.250", 0, 0},
		{del, "192.168.5.0/24", "", 0, 0},
		{del, "192.168.5.0/24", "", 0, abi.ESRCH},
		{add, "172.16.0.0/12", "127.0.0.1", abi.RTF_REJECT, 0},
	} {
		if errno := w.send(fd, routeMessage(step.typ, step.dst, step.gw, step.flags)); errno != step.errno {
			t.Fatalf("%d %s %s: %v, want %v", step.typ, step.dst, step.gw, errno, step.errno)
		}
		reply := w.read(fd)
		var h abi.RtMsghdr
		if err := h.Decode(reply); err != nil {
			t.Fatal(err)
		}
		if abi.Errno(h.Errno) != step.errno || (h.Flags&abi.RTF_DONE != 0) != (step.errno == 0) || int(h.Pid) != w.p.PID || h.Seq != 1 {
			t.Errorf("%d %s: answer %+v", step.typ, step.dst, h)
		}
	}
	want := map[string]string{
		"8.8.8.8":     "10.1.1.250 shmif0 0x803",
		"10.1.1.7":    "invalid IP shmif0 0x101",
		"10.1.1.1":    "invalid IP lo0 0x40005",
		"192.168.5.9": "10.1.1.250 shmif0 0x803",
		"192.168.6.7": "10.1.1.252 shmif0 0x807",
		"172.16.1.1":  "127.0.0.1 lo0 0x80b",
	}
	for dst, text := range want {
		if got := describe(w.table.Lookup(netip.MustParseAddr(dst), 0)); got != text {
			t.Errorf("%s: %s, want %s", dst, got, text)
		}
	}
	if err := w.table.Lookup(netip.MustParseAddr("172.16.1.1"), 0).Reject(); err != abi.ENETUNREACH {
		t.Errorf("rejected with %v, want %v", err, abi.ENETUNREACH)
	}
}

func describe(e *route.Entry) string {
	if e == nil {
		return "none"
	}
	return e.Gateway.String() + " " + e.If.Name + " 0x" + hexa(e.Flags)
}

func hexa(v uint32) string {
	const digits = "0123456789abcdef"
	s := ""
	for ; v > 0; v /= 16 {
		s = string(digits[v%16]) + s
	}
	return s
}

// TestRefusals has the errors of route(4) and sys/net/rtsock.c of NetBSD.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.lan()
	fd := w.open(0)
	edit := func(m message, f func(b []byte)) []byte {
		b := m.bytes()
		f(b)
		return b
	}
	good := routeMessage(abi.RTM_ADD, "10.9.0.0/16", "10.1.1.2", 0)
	noDst := message{typ: abi.RTM_GET, addrs: map[int][]byte{abi.RTAX_GATEWAY: route.Sockaddr(netip.MustParseAddr("1.1.1.1"), 0)}}
	holes := routeMessage(abi.RTM_ADD, "10.9.0.0/16", "10.1.1.2", 0)
	holes.addrs[abi.RTAX_NETMASK] = []byte{8, 2, 0, 0, 255, 0, 255, 0}
	noMask := routeMessage(abi.RTM_CHANGE, "10.1.1.0/24", "10.1.1.2", 0)
	delete(noMask.addrs, abi.RTAX_NETMASK)
	for name, c := range map[string]struct {
		msg   []byte
		errno abi.Errno
	}{
		"next to nothing":     {[]byte{1, 2}, abi.ENOBUFS},
		"half a header":       {good.bytes()[:60], abi.EINVAL},
		"length":              {edit(good, func(b []byte) { b[0]++ }), abi.EINVAL},
		"version":             {edit(good, func(b []byte) { b[2] = 3 }), abi.EPROTONOSUPPORT},
		"type":                {edit(good, func(b []byte) { b[3] = abi.RTM_IFINFO }), abi.EOPNOTSUPP},
		"no destination":      {noDst.bytes(), abi.EINVAL},
		"more addresses":      {edit(good, func(b []byte) { b[12] |= abi.RTA_IFA }), abi.EINVAL},
		"fewer addresses":     {edit(good, func(b []byte) { b[12] &^= abi.RTA_NETMASK }), abi.EINVAL},
		"long address":        {edit(good, func(b []byte) { b[120] = 200 }), abi.EINVAL},
		"family":              {edit(good, func(b []byte) { b[121] = 200 }), abi.EINVAL},
		"family with no tree": {edit(good, func(b []byte) { b[121] = abi.AF_LOCAL }), abi.ESRCH},
		"no gateway":          {routeMessage(abi.RTM_ADD, "10.9.0.0/16", "", 0).bytes(), abi.EINVAL},
		"gateway of IPv6":     {routeMessage(abi.RTM_ADD, "10.9.0.0/16", "::1", 0).bytes(), abi.ENETUNREACH},
		"distant gateway":     {routeMessage(abi.RTM_ADD, "10.9.0.0/16", "99.9.9.9", 0).bytes(), abi.ENETUNREACH},
		"netmask with holes":  {holes.bytes(), abi.EINVAL},
		"change of nothing":   {routeMessage(abi.RTM_CHANGE, "10.9.0.0/16", "10.1.1.2", 0).bytes(), abi.ESRCH},
		"change without mask": {noMask.bytes(), abi.ETOOMANYREFS},
		"get of nothing":      {routeMessage(abi.RTM_GET, "99.9.9.9", "", 0).bytes(), abi.ESRCH},
		"lock of nothing":     {routeMessage(abi.RTM_LOCK, "99.9.9.9", "", 0).bytes(), abi.ESRCH},
	} {
		if _, errno := w.p.Call(abi.SYS_write, fd, c.msg, len(c.msg)); errno != c.errno {
			t.Errorf("%s: %v, want %v", name, errno, c.errno)
		}
	}
}

// TestPermission has everybody ask and the superuser alone change: EACCES, route(4).
func TestPermission(t *testing.T) {
	w := newWorld(t)
	w.lan()
	fd := w.open(0)
	w.p.SetCred(&kern.Cred{Ruid: 5, Euid: 5, Svuid: 5})
	if errno := w.send(fd, routeMessage(abi.RTM_ADD, "10.9.0.0/16", "10.1.1.2", 0)); errno != abi.EACCES {
		t.Errorf("RTM_ADD: %v", errno)
	}
	if errno := w.send(fd, routeMessage(abi.RTM_GET, "10.1.1.7", "", 0)); errno != 0 {
		t.Errorf("RTM_GET: %v", errno)
	}
}

// TestListeners has who hears an answer: sockets of all families and of its own, the sender unless it has turned
// SO_USELOOPBACK off, none that has shut its receiving side; what is about no family only sockets of all.
func TestListeners(t *testing.T) {
	w := newWorld(t)
	w.lan()
	sender, quiet, shut := w.open(0), w.open(0), w.open(0)
	all, v4, v6 := w.open(0), w.open(abi.AF_INET), w.open(abi.AF_INET6)
	w.p.Must(abi.SYS_setsockopt, quiet, abi.SOL_SOCKET, abi.SO_USELOOPBACK, make([]byte, 4), 4)
	w.p.Must(abi.SYS_shutdown, shut, abi.SHUT_RD)
	hears := func(when string, want map[int]int) {
		t.Helper()
		for fd, typ := range want {
			if got := w.next(fd); got != typ {
				t.Errorf("%s: descriptor %d has message %d, want %d", when, fd, got, typ)
			}
		}
	}
	get := routeMessage(abi.RTM_GET, "10.1.1.7", "", 0)
	w.send(sender, get)
	hears("sender", map[int]int{sender: abi.RTM_GET, quiet: abi.RTM_GET, all: abi.RTM_GET, v4: abi.RTM_GET, v6: 0})
	w.send(quiet, get)
	hears("quiet sender", map[int]int{sender: abi.RTM_GET, quiet: 0, all: abi.RTM_GET, v4: abi.RTM_GET, v6: 0})
	w.config(func() { w.shm.SetFlags(0, abi.IFF_UP) })
	hears("flags", map[int]int{sender: abi.RTM_IFINFO, quiet: abi.RTM_IFINFO, all: abi.RTM_IFINFO, v4: 0, v6: 0})
	buf := make([]byte, 8)
	if n, errno := w.p.Call(abi.SYS_read, shut, buf, len(buf)); n != 0 || errno != 0 {
		t.Errorf("read after shutdown: %d, %v", n, errno)
	}
	w.p.Must(abi.SYS_close, all)
	w.config(func() { w.shm.SetFlags(abi.IFF_UP, 0) })
	hears("after a close", map[int]int{sender: abi.RTM_IFINFO})
}

// TestAnnouncements has the messages that the kernel sends by itself, route(4).
func TestAnnouncements(t *testing.T) {
	w := newWorld(t)
	fd := w.open(0)
	ifp := w.attach("shmif", 1, []byte{2, 0, 0, 0, 0, 1})
	m := w.read(fd)
	var an abi.IfAnnouncemsghdr
	if err := an.Decode(m); err != nil || an.Type != abi.RTM_IFANNOUNCE || an.What != abi.IFAN_ARRIVAL || an.Index != ifp.Index || string(an.Name[:7]) != "shmif1\x00" {
		t.Errorf("arrival: %+v, %v", an, err)
	}
	a := w.addr(ifp, "10.2.0.1/16", abi.RTF_UP)
	m = w.read(fd)
	var ifa abi.IfaMsghdr
	if err := ifa.Decode(m); err != nil || ifa.Type != abi.RTM_NEWADDR || ifa.Index != ifp.Index || ifa.Addrs != abi.RTA_IFA|abi.RTA_IFP|abi.RTA_NETMASK|abi.RTA_BRD {
		t.Errorf("new address: %+v, %v", ifa, err)
	}
	e := w.add(&route.Entry{Dst: netip.MustParsePrefix("10.2.0.0/16"), Flags: abi.RTF_UP, If: ifp, Addr: a})
	w.table.Announce(abi.RTM_ADD, e, 0)
	m = w.read(fd)
	var h abi.RtMsghdr
	if err := h.Decode(m); err != nil || h.Type != abi.RTM_ADD || h.Flags&abi.RTF_DONE == 0 || h.Addrs != abi.RTA_DST|abi.RTA_GATEWAY|abi.RTA_NETMASK|abi.RTA_IFP|abi.RTA_IFA {
		t.Errorf("new route: %+v, %v", h, err)
	}
	w.table.Miss(netip.MustParseAddr("99.9.9.9"), 0)
	w.table.Redirected(netip.MustParseAddr("9.9.9.9"), netip.MustParseAddr("10.2.0.2"), netip.MustParseAddr("10.2.0.3"), 0, abi.RTF_GATEWAY|abi.RTF_DYNAMIC, 0)
	w.table.Losing(e)
	w.config(func() {
		w.net.Notify(ifnet.Event{Kind: ifnet.AddrChanged, If: ifp, Addr: a})
		ifp.SetLinkAddr([]byte{2, 0, 0, 0, 0, 2})
		ifp.SetLinkState(abi.LINK_STATE_UP)
		w.net.Detach(ifp)
	})
	for _, want := range []int{
		abi.RTM_MISS, abi.RTM_REDIRECT, abi.RTM_LOSING, abi.RTM_CHGADDR, abi.RTM_CHGADDR, abi.RTM_IFINFO,
		abi.RTM_DELETE, abi.RTM_DELADDR, abi.RTM_IFANNOUNCE, 0,
	} {
		if got := w.next(fd); got != want {
			t.Errorf("message %d, want %d", got, want)
		}
	}
	if w.table.Lookup(netip.MustParseAddr("10.2.0.9"), 0) != nil {
		t.Error("the route of an interface that has gone is there")
	}
	if s := w.table.Stats(); s.Unreach != 1 || s.Dynamic != 1 {
		t.Errorf("statistics %+v", s)
	}
}

// TestMetrics has RTM_ADD and RTM_CHANGE take the metrics that rtm_inits names and RTM_LOCK lock them, route(8).
func TestMetrics(t *testing.T) {
	w := newWorld(t)
	w.lan()
	fd := w.open(0)
	m := routeMessage(abi.RTM_ADD, "10.9.0.0/16", "10.1.1.2", 0)
	m.inits, m.rmx = abi.RTV_MTU|abi.RTV_RTT, abi.RtMetrics{Mtu: 1400, Rtt: 7, Hopcount: 3}
	if errno := w.send(fd, m); errno != 0 {
		t.Fatal(errno)
	}
	e := w.table.Lookup(netip.MustParseAddr("10.9.1.1"), 0)
	if e.Metrics.Mtu != 1400 || e.Metrics.Rtt != 7 || e.Metrics.Hopcount != 0 {
		t.Errorf("metrics %+v", e.Metrics)
	}
	m = routeMessage(abi.RTM_LOCK, "10.9.0.0/16", "", 0)
	m.inits, m.rmx = abi.RTV_MTU, abi.RtMetrics{Locks: abi.RTV_MTU | abi.RTV_RTT}
	if errno := w.send(fd, m); errno != 0 {
		t.Fatal(errno)
	}
	if got := w.table.Lookup(netip.MustParseAddr("10.9.1.1"), 0).Locks; got != abi.RTV_MTU {
		t.Errorf("locks %#x", got)
	}
	m = routeMessage(abi.RTM_CHANGE, "10.9.0.0/16", "10.1.1.3", abi.RTF_PROTO1|abi.RTF_REJECT)
	m.inits, m.rmx = abi.RTV_HOPCOUNT, abi.RtMetrics{Hopcount: 4}
	if errno := w.send(fd, m); errno != 0 {
		t.Fatal(errno)
	}
	e = w.table.Lookup(netip.MustParseAddr("10.9.1.1"), 0)
	if e.Metrics.Mtu != 1400 || e.Metrics.Hopcount != 4 || e.Gateway != netip.MustParseAddr("10.1.1.3") || e.Flags&(abi.RTF_PROTO1|abi.RTF_REJECT) != abi.RTF_PROTO1|abi.RTF_REJECT {
		t.Errorf("changed route %+v, %v, %#x", e.Metrics, e.Gateway, e.Flags)
	}
}

// TestInterfaceRoute has a route to an interface, `route add -net 10.9 -link shmif0 -iface`, and one with -ifp.
func TestInterfaceRoute(t *testing.T) {
	w := newWorld(t)
	w.lan()
	fd := w.open(0)
	m := routeMessage(abi.RTM_ADD, "10.9.0.0/16", "", 0)
	m.addrs[abi.RTAX_GATEWAY] = ifnet.SockaddrDl(w.shm.Index, 0, "", nil)
	if errno := w.send(fd, m); errno != 0 {
		t.Fatal(errno)
	}
	e := w.table.Lookup(netip.MustParseAddr("10.9.1.1"), 0)
	if e.If != w.shm || e.Gateway.IsValid() || e.Addr == nil || e.Addr.Family != abi.AF_INET {
		t.Errorf("route %+v", e)
	}
	m = routeMessage(abi.RTM_ADD, "10.10.0.0/16", "10.77.0.1", 0)
	m.addrs[abi.RTAX_IFP] = ifnet.SockaddrDl(0, 0, "shmif0", nil)
	if errno := w.send(fd, m); errno != 0 {
		t.Fatal(errno)
	}
	if e := w.table.Lookup(netip.MustParseAddr("10.10.1.1"), 0); e.If != w.shm || e.Gateway != netip.MustParseAddr("10.77.0.1") {
		t.Errorf("route %+v", e)
	}
}

// TestSocketKinds has the errors of socket(2), and what a routing socket says of its addresses.
func TestSocketKinds(t *testing.T) {
	w := newWorld(t)
	if _, errno := w.p.Call(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_STREAM, 0); errno != abi.EPROTOTYPE {
		t.Errorf("SOCK_STREAM: %v", errno)
	}
	if _, errno := w.p.Call(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_DGRAM, 1); errno != abi.EPROTONOSUPPORT {
		t.Errorf("SOCK_DGRAM, 1: %v", errno)
	}
	fd := w.open(0)
	sa, size := make([]byte, 16), binary.LittleEndian.AppendUint32(nil, 16)
	w.p.Must(abi.SYS_getsockname, fd, sa, size)
	if binary.LittleEndian.Uint32(size) != 2 || sa[0] != 2 || sa[1] != abi.PF_ROUTE {
		t.Errorf("address %x of %x bytes", sa, size)
	}
	w.p.Must(abi.SYS_shutdown, fd, abi.SHUT_WR)
	if errno := w.send(fd, routeMessage(abi.RTM_GET, "1.1.1.1", "", 0)); errno != abi.EPIPE {
		t.Errorf("write after shutdown: %v", errno)
	}
}
