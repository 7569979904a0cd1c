package inpcb_test

import (
	"net/netip"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// pcbs reads a list of sockets.
func (h host) pcbs(name string) []abi.KinfoPcb {
	h.t.Helper()
	mib, err := h.K.Sysctl().MIB(name + ".pcblist")
	must(h.t, err)
	b, errno := h.SysctlMIB(append(mib, abi.PCB_ALL, 0, abi.SizeofKinfoPcb, 1000)...)
	if errno != 0 {
		h.t.Fatalf("%s: %v", name, errno)
	}
	list := make([]abi.KinfoPcb, len(b)/abi.SizeofKinfoPcb)
	for i := range list {
		must(h.t, list[i].Decode(b[i*abi.SizeofKinfoPcb:]))
	}
	return list
}

// Oracle: sysctl_inpcblist of netinet/tcp_usrreq.c, which netstat(1) and sockstat(1) read: family, addresses, states, the newest first; connections that
// nobody has accepted yet too, and those of closed sockets.
func TestPcblist(t *testing.T) {
	h := newHost(t)
	server := h.listen(at("127.0.0.1:8000"), 4)
	first := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(first, at("127.0.0.1:8000"))
	conn, peer := h.accept(server)
	h.send(first, "four", 0)
	h.poll(conn, abi.POLLIN, -1)
	second := h.socket(abi.AF_INET, abi.SOCK_STREAM, 0)
	h.connect(second, at("127.0.0.1:8000"))
	h.poll(server, abi.POLLIN, -1)
	type pcb struct {
		local, foreign string
		state          int32
		rcvq           uint64
	}
	got := map[pcb]bool{}
	for _, p := range h.pcbs("net.inet.tcp") {
		if p.Family != abi.AF_INET || p.Type != abi.SOCK_STREAM || p.Protocol != abi.IPPROTO_TCP {
			t.Errorf("%+v", p)
		}
		e := pcb{local: addrPort(p.S[:]).String(), state: p.Tstate, rcvq: p.Rcvq}
		if p.D[0] != 0 {
			e.foreign = addrPort(p.D[:]).String()
		}
		got[e] = true
	}
	at8000, other := "127.0.0.1:8000", h.local(second).String()
	for _, want := range []pcb{
		{at8000, "", abi.TCPS_LISTEN, 0},
		{peer.String(), at8000, abi.TCPS_ESTABLISHED, 0},
		{at8000, peer.String(), abi.TCPS_ESTABLISHED, 4},
		{other, at8000, abi.TCPS_ESTABLISHED, 0},
		{at8000, other, abi.TCPS_ESTABLISHED, 0},
	} {
		if !got[want] {
			t.Errorf("%+v is missing in %v", want, got)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d sockets: %v", len(got), got)
	}
	h.Close(second)
	h.Close(first)
	states := map[int32]bool{}
	for _, p := range h.pcbs("net.inet.tcp") {
		states[p.Tstate] = true
	}
	if !states[abi.TCPS_FIN_WAIT_1] && !states[abi.TCPS_FIN_WAIT_2] {
		t.Errorf("closed connections are in states %v", states)
	}
	if list := h.pcbs("net.inet6.tcp6"); len(list) != 0 {
		t.Errorf("IPv6: %v", list)
	}
}

// The lists of UDP and raw sockets, of both families.
func TestPcblistDatagrams(t *testing.T) {
	h := newHost(t)
	udp := h.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0)
	h.connect(udp, at("[::1]:7000"))
	h.socket(abi.AF_INET, abi.SOCK_RAW, 89)
	list := h.pcbs("net.inet6.udp6")
	if len(list) != 1 || addrPort(list[0].D[:]) != netip.MustParseAddrPort("[::1]:7000") || list[0].Prstate != 2 ||
		list[0].Sostate&abi.SS_ISCONNECTED == 0 {
		t.Errorf("udp6: %+v", list)
	}
	if list := h.pcbs("net.inet.raw"); len(list) != 1 || list[0].Protocol != 89 || list[0].Type != abi.SOCK_RAW {
		t.Errorf("raw: %+v", list)
	}
	mib, _ := h.K.Sysctl().MIB("net.inet.udp.pcblist")
	for _, name := range [][]int32{{0}, {0, 0, 100, 10}} {
		b := make([]byte, 1000)
		full := append(mib[:len(mib):len(mib)], name...)
		h.Want(abi.EINVAL, abi.SYS___sysctl, kerntest.Ints(full...), len(full), b, []byte{0xe8, 3, 0, 0, 0, 0, 0, 0}, nil, 0)
	}
}

// Oracle: tcpdrop(8), identd(8) and sysctl_net_inet_tcp_ident: whose a connection is, and its end.
func TestIdentAndDrop(t *testing.T) {
	for _, f := range []struct{ node, addr string }{{"net.inet.tcp", "127.0.0.1"}, {"net.inet6.tcp6", "::1"}} {
		t.Run(f.node, func(t *testing.T) {
			h := newHost(t)
			user := host{h.Fork(), h.k, t}
			user.Must(abi.SYS_setuid, 1000)
			server := h.listen(port(f.addr, 8000), 1)
			client := user.socket(int(port(f.addr, 1)[1]), abi.SOCK_STREAM, 0)
			user.connect(client, port(f.addr, 8000))
			conn, _ := h.accept(server)
			ends := make([]byte, 2*abi.SizeofSockaddrStorage)
			copy(ends, port(f.addr, 8000))
			copy(ends[abi.SizeofSockaddrStorage:], port(f.addr, user.local(client).Port()))
			mib, err := h.K.Sysctl().MIB(f.node + ".ident")
			must(t, err)
			uid, size := make([]byte, 4), []byte{4, 0, 0, 0, 0, 0, 0, 0}
			user.Must(abi.SYS___sysctl, kerntest.Ints(mib...), len(mib), uid, size, ends, len(ends))
			if kerntest.Int(uid) != 1000 {
				t.Errorf("the user is %d", kerntest.Int(uid))
			}
			if errno := user.SetSysctl(f.node+".drop", ends); errno != abi.EPERM {
				t.Errorf("drop by a user: %v", errno)
			}
			if errno := h.SetSysctl(f.node+".drop", ends); errno != 0 {
				t.Errorf("drop: %v", errno)
			}
			h.want(conn, 10, 0, "", abi.ECONNRESET)
			user.want(client, 10, 0, "", abi.ECONNABORTED)
			ends[2]++
			if errno := h.SetSysctl(f.node+".drop", ends); errno != abi.ESRCH {
				t.Errorf("drop of none: %v", errno)
			}
		})
	}
}

// Oracle: sockstat(1): a socket's ki_sockaddr is the ki_fdata of its descriptor in kern.file2.
func TestSocketNumbers(t *testing.T) {
	h := newHost(t)
	for range 3 {
		h.socket(abi.AF_INET, abi.SOCK_DGRAM, 0)
	}
	sockets := map[uint64]bool{}
	for _, p := range h.pcbs("net.inet.udp") {
		sockets[p.Sockaddr] = true
	}
	mib, err := h.K.Sysctl().MIB("kern.file2")
	must(t, err)
	b, errno := h.SysctlMIB(append(mib, abi.KERN_FILE_BYPID, int32(h.PID), abi.SizeofKinfoFile, 100)...)
	if errno != 0 {
		t.Fatal(errno)
	}
	found := 0
	for ; len(b) >= abi.SizeofKinfoFile; b = b[abi.SizeofKinfoFile:] {
		var f abi.KinfoFile
		must(t, f.Decode(b))
		if f.Ftype == abi.DTYPE_SOCKET && sockets[f.Fdata] {
			found++
		}
	}
	if len(sockets) != 3 || found != 3 {
		t.Errorf("sockets %v, of which %d are descriptors", sockets, found)
	}
}
