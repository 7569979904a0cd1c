package ifnet_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

var le = binary.LittleEndian

// TestClone has the errors of transcript net-01-ifconfig and of sys/net/if.c of NetBSD.
func TestClone(t *testing.T) {
	w := newWorld(t)
	const create, destroy = abi.SIOCIFCREATE, abi.SIOCIFDESTROY
	for _, step := range []struct {
		cmd   uint32
		name  string
		errno abi.Errno
	}{
		{create, "ether0", 0},
		{create, "ether0", abi.EEXIST},
		{create, "nosuch0", abi.EINVAL},
		{create, "ether", abi.EINVAL},
		{create, "0", abi.EINVAL},
		{create, "ether00", abi.EINVAL},
		{create, "ether1x", abi.EINVAL},
		{create, "ether99999999999", abi.EINVAL},
		{create, "ether2147483648", abi.EINVAL},
		{create, "other7", 0},
		{destroy, "ether1", abi.ENXIO},
		{destroy, "nosuch0", abi.EINVAL},
		{destroy, "ether0", 0},
		{destroy, "ether0", abi.ENXIO},
		{create, "ether99", 0},
		{destroy, "ether99", abi.EPERM},
	} {
		if _, errno := w.ioctl(step.cmd, step.name, nil); errno != step.errno {
			t.Errorf("%s %#x: %v, want %v", step.name, step.cmd, errno, step.errno)
		}
	}
	var names []string
	for _, ifp := range w.net.Interfaces() {
		names = append(names, ifp.Name)
	}
	if !slices.Equal(names, []string{"other7", "ether99"}) || w.net.ByName("other7").Index != 2 || w.net.ByIndex(3).Name != "ether99" || w.net.ByIndex(1) != nil {
		t.Errorf("interfaces %v", names)
	}
	if _, errno := w.p.Sysctl("net.interfaces.ether99.sndq.maxlen"); errno != 0 {
		t.Error(errno)
	}
	if _, err := w.k.Sysctl().MIB("net.interfaces.ether0"); err == nil {
		t.Error("the nodes of an interface that has gone are there")
	}
}

// TestDetach has the order of what happens: the driver stops, routing sockets hear of it, the observers take their addresses off, the interface goes.
func TestDetach(t *testing.T) {
	w := newWorld(t)
	ifp, d := w.create("ether0")
	w.config(func() { ifp.AddAddr(&ifnet.Addr{Family: abi.AF_INET, Addr: []byte{16, 2, 0, 0, 10, 0, 0, 1, 15: 0}}) })
	w.kinds()
	w.ioctl(abi.SIOCIFDESTROY, "ether0", nil)
	if got, want := w.kinds(), []ifnet.EventKind{ifnet.FlagsChanged, ifnet.Detaching, ifnet.AddrDeleted, ifnet.Detached}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if want := []string{"start", "stop", "destroy"}; !slices.Equal(d.log, want) {
		t.Errorf("driver %v, want %v", d.log, want)
	}
	if err := ifp.Output(ifnet.NewPacket(make([]byte, 60))); err != abi.ENETDOWN {
		t.Errorf("output: %v", err)
	}
}

// TestCloners has SIOCIFGCLONERS list the cloners in their order, as far as there is room.
func TestCloners(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		room  int32
		names string
		errno abi.Errno
	}{
		{2, "other ether", 0},
		{9, "other ether", 0},
		{1, "other", 0},
		{0, "", 0},
		{-1, "", abi.EINVAL},
	} {
		addr := w.p.Mem.Map(make([]byte, 64))
		r := abi.IfClonereq{Count: c.room, Buffer: addr}
		b := kerntest.Struct(&r)
		if _, errno := w.p.Call(abi.SYS_ioctl, w.fd, int(uint32(abi.SIOCIFGCLONERS)), b); errno != c.errno {
			t.Fatal(errno)
		}
		if errno := c.errno; errno != 0 {
			continue
		}
		r.Decode(b)
		raw := make([]byte, 64)
		w.p.Mem.CopyIn(addr, raw)
		names := strings.Join(strings.FieldsFunc(string(raw), func(r rune) bool { return r == 0 }), " ")
		if r.Total != 2 || names != c.names {
			t.Errorf("room %d: %d, %q", c.room, r.Total, names)
		}
	}
}

// TestGenericIoctls has those that ifconfig uses, with the values and errors of transcript net-01-ifconfig and wire session
// net-ifconfig-a.
func TestGenericIoctls(t *testing.T) {
	w := newWorld(t)
	ifp, _ := w.create("ether0")
	num := func(v uint32) []byte { return le.AppendUint32(nil, v) }
	for _, step := range []struct {
		name  string
		cmd   uint32
		in    []byte
		out   []byte
		errno abi.Errno
	}{
		{"flags", abi.SIOCGIFFLAGS, nil, []byte{0x43, 0x88}, 0},
		{"down", abi.SIOCSIFFLAGS, []byte{0x02, 0x88}, nil, 0},
		{"flags", abi.SIOCGIFFLAGS, nil, []byte{0x02, 0x88}, 0},
		{"link0, and what a program may not", abi.SIOCSIFFLAGS, []byte{0x01, 0x11}, nil, 0},
		{"flags", abi.SIOCGIFFLAGS, nil, []byte{0x43, 0x98}, 0},
		{"mtu", abi.SIOCGIFMTU, nil, num(1500), 0},
		{"mtu 1400", abi.SIOCSIFMTU, num(1400), nil, 0},
		{"mtu", abi.SIOCGIFMTU, nil, num(1400), 0},
		{"mtu 9000000", abi.SIOCSIFMTU, num(9000000), nil, abi.EINVAL},
		{"mtu 45", abi.SIOCSIFMTU, num(45), nil, abi.EINVAL},
		{"metric 3", abi.SIOCSIFMETRIC, num(3), nil, 0},
		{"metric", abi.SIOCGIFMETRIC, nil, num(3), 0},
		{"index", abi.SIOCGIFINDEX, nil, num(1), 0},
		{"dlt", abi.SIOCGIFDLT, nil, num(abi.DLT_EN10MB), 0},
		{"capabilities", abi.SIOCGIFCAP, nil, make([]byte, 16), 0},
		{"a capability", abi.SIOCSIFCAP, append(make([]byte, 8), num(abi.IFCAP_TSOv4)...), nil, abi.EINVAL},
		{"ether capabilities", abi.SIOCGETHERCAP, nil, make([]byte, 8), 0},
		{"media", abi.SIOCGIFMEDIA, nil, nil, abi.ENOTTY},
		{"carp", abi.SIOCGVH, nil, nil, abi.ENOTTY},
		{"initialize an address", abi.SIOCINITIFADDR, nil, nil, abi.EPERM},
	} {
		out, errno := w.ioctl(step.cmd, "ether0", step.in)
		if errno != step.errno || step.out != nil && string(out[:len(step.out)]) != string(step.out) {
			t.Errorf("%s: %x, %v, want %x, %v", step.name, out, errno, step.out, step.errno)
		}
	}
	if _, errno := w.ioctl(abi.SIOCGIFFLAGS, "nosuch0", nil); errno != abi.ENXIO {
		t.Errorf("no such interface: %v", errno)
	}
	ifp.Stats.Ipackets.Store(7)
	var data abi.Ifdatareq
	for _, cmd := range []uint32{abi.SIOCGIFDATA, abi.SIOCZIFDATA} {
		out, errno := w.ioctl(cmd, "ether0", nil)
		if err := data.Decode(append(make([]byte, abi.IFNAMSIZ), out...)); err != nil || errno != 0 || data.Data.Ipackets != 7 || data.Data.Mtu != 1400 || data.Data.Baudrate != 10000000 {
			t.Errorf("data %+v, %v, %v", data, err, errno)
		}
	}
	if ifp.Stats.Ipackets.Load() != 0 {
		t.Error("SIOCZIFDATA has left the counters")
	}
}

// TestRoot has the ioctls that are the superuser's, if.c of NetBSD.
func TestRoot(t *testing.T) {
	w := newWorld(t)
	w.create("ether0")
	w.p.SetCred(&kern.Cred{Ruid: 5, Euid: 5, Svuid: 5})
	for _, cmd := range []uint32{
		abi.SIOCIFCREATE, abi.SIOCIFDESTROY, abi.SIOCALIFADDR, abi.SIOCDLIFADDR, abi.SIOCSIFADDRPREF, abi.SIOCSIFFLAGS, abi.SIOCSIFCAP,
		abi.SIOCSIFMETRIC, abi.SIOCZIFDATA, abi.SIOCSIFMTU, abi.SIOCADDMULTI, abi.SIOCDELMULTI, abi.SIOCSIFMEDIA, abi.SIOCSLINKSTR,
	} {
		if _, errno := w.ioctl(cmd, "ether0", nil); errno != abi.EPERM {
			t.Errorf("%#x: %v", cmd, errno)
		}
	}
	if _, errno := w.ioctl(abi.SIOCGIFFLAGS, "ether0", nil); errno != 0 {
		t.Errorf("SIOCGIFFLAGS: %v", errno)
	}
}

// TestStart has a driver that refuses to start leave its interface down.
func TestStart(t *testing.T) {
	w := newWorld(t)
	_, d := w.create("ether0")
	w.ioctl(abi.SIOCSIFFLAGS, "ether0", []byte{0, 0})
	d.refuse = abi.ENXIO
	if _, errno := w.ioctl(abi.SIOCSIFFLAGS, "ether0", []byte{abi.IFF_UP, 0}); errno != abi.ENXIO {
		t.Errorf("up: %v", errno)
	}
	if f := w.net.ByName("ether0").Flags(); f&(abi.IFF_UP|abi.IFF_RUNNING) != 0 {
		t.Errorf("flags %#x", f)
	}
	if want := []string{"start", "stop"}; !slices.Equal(d.log, want) {
		t.Errorf("driver %v, want %v", d.log, want)
	}
}

// TestIfconf has SIOCGIFCONF and the older OSIOCGIFCONF list the addresses, as far as there is room for whole entries.
func TestIfconf(t *testing.T) {
	w := newWorld(t)
	ifp, _ := w.create("ether0")
	w.create("ether1")
	w.config(func() { ifp.AddAddr(&ifnet.Addr{Family: abi.AF_INET, Addr: []byte{16, 2, 0, 0, 10, 0, 0, 1, 15: 0}}) })
	const osiocgifconf = 0xc0106924
	for _, c := range []struct {
		cmd        uint32
		size, room int
		want       string
	}{
		{abi.SIOCGIFCONF, abi.SizeofIfreq, 1000, "ether0/18 ether0/2 ether1/18"},
		{abi.SIOCGIFCONF, abi.SizeofIfreq, 2*abi.SizeofIfreq + 9, "ether0/18 ether0/2"},
		{abi.SIOCGIFCONF, abi.SizeofIfreq, 9, ""},
		{osiocgifconf, 32, 1000, "ether0/18 ether0/2 ether1/18"},
	} {
		addr := w.p.Mem.Map(make([]byte, 1000))
		r := abi.Ifconf{Len: int32(c.room), Ifcu: addr}
		b := kerntest.Struct(&r)
		w.p.Must(abi.SYS_ioctl, w.fd, int(c.cmd), b)
		r.Decode(b)
		raw := make([]byte, r.Len)
		w.p.Mem.CopyIn(addr, raw)
		var got []string
		for e := range slices.Chunk(raw, c.size) {
			name, _, _ := strings.Cut(string(e[:16]), "\x00")
			got = append(got, name+"/"+map[byte]string{18: "18", 2: "2"}[e[17]])
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%#x with %d bytes: %s, want %s", c.cmd, c.room, s, c.want)
		}
	}
	r := abi.Ifconf{}
	b := kerntest.Struct(&r)
	w.p.Must(abi.SYS_ioctl, w.fd, int(uint32(abi.SIOCGIFCONF)), b)
	if r.Decode(b); r.Len != 3*abi.SizeofIfreq {
		t.Errorf("without a buffer: %d", r.Len)
	}
}

// TestDriverMemory has a driver's ioctl read its caller's memory and write there.
func TestDriverMemory(t *testing.T) {
	w := newWorld(t)
	_, d := w.create("ether0")
	addr := w.p.Mem.Map(make([]byte, 16))
	w.p.Mem.CopyOut(addr, []byte("bus\x00"))
	args := kerntest.Struct(&abi.Ifdrv{Len: 16, Data: addr})[abi.IFNAMSIZ:]
	if _, errno := w.ioctl(abi.SIOCSLINKSTR, "ether0", args); errno != 0 {
		t.Fatal(errno)
	}
	if want := []string{"start", "bus us"}; !slices.Equal(d.log, want) {
		t.Errorf("driver %q, want %q", d.log, want)
	}
	if _, errno := w.ioctl(abi.SIOCGLINKSTR, "ether0", args); errno != 0 {
		t.Fatal(errno)
	}
	got := make([]byte, 4)
	if w.p.Mem.CopyIn(addr, got); string(got) != "link" {
		t.Errorf("read %q", got)
	}
	for name, c := range map[string]struct {
		r     abi.Ifdrv
		errno abi.Errno
	}{
		"nowhere":  {abi.Ifdrv{Len: 16, Data: 0xdead0000}, abi.EFAULT},
		"too much": {abi.Ifdrv{Len: 1 << 20, Data: addr}, abi.E2BIG},
	} {
		if _, errno := w.ioctl(abi.SIOCSLINKSTR, "ether0", kerntest.Struct(&c.r)[abi.IFNAMSIZ:]); errno != c.errno {
			t.Errorf("%s: %v, want %v", name, errno, c.errno)
		}
	}
}

// TestGroups has SIOCADDMULTI and SIOCDELMULTI count groups, by the mappings of RFC 1112 and RFC 2464, and net.ether.multicast list them.
func TestGroups(t *testing.T) {
	w := newWorld(t)
	_, d := w.create("ether0")
	v4 := []byte{16, 2, 0, 0, 224, 129, 0, 5}
	v6 := []byte{28, 24, 8: 0xff, 2, 23: 6, 27: 0}
	for _, step := range []struct {
		cmd   uint32
		sa    []byte
		errno abi.Errno
	}{
		{abi.SIOCADDMULTI, v4, 0},
		{abi.SIOCADDMULTI, v4, 0},
		{abi.SIOCADDMULTI, v6, 0},
		{abi.SIOCDELMULTI, v4, 0},
		{abi.SIOCADDMULTI, []byte{16, 0, 1, 0, 0, 0, 0, 7}, 0},
		{abi.SIOCADDMULTI, []byte{16, 0, 2, 0, 0, 0, 0, 7}, abi.EINVAL},
		{abi.SIOCADDMULTI, []byte{16, 1}, abi.EAFNOSUPPORT},
		{abi.SIOCDELMULTI, v6, 0},
		{abi.SIOCDELMULTI, v6, abi.ENXIO},
	} {
		if _, errno := w.ioctl(step.cmd, "ether0", step.sa); errno != step.errno {
			t.Errorf("%#x %x: %v, want %v", step.cmd, step.sa, errno, step.errno)
		}
	}
	if want := []string{"start", "join 5", "join 6", "join 7", "leave 6"}; !slices.Equal(d.log, want) {
		t.Errorf("driver %v, want %v", d.log, want)
	}
	mib, err := w.k.Sysctl().MIB("net.ether.multicast")
	if err != nil {
		t.Fatal(err)
	}
	got, errno := w.p.SysctlMIB(append(mib, 1)...)
	want := "\x01\x00\x00\x00\x01\x00\x00\x00\x00\x07\x01\x00\x00\x00\x00\x07\x01\x00\x00\x00\x01\x00\x5e\x01\x00\x05\x01\x00\x5e\x01\x00\x05"
	if errno != 0 || string(got) != want {
		t.Errorf("net.ether.multicast %x, %v", got, errno)
	}
	if _, errno := w.p.SysctlMIB(append(mib, 9)...); errno != abi.ENODEV {
		t.Errorf("index 9: %v", errno)
	}
	sdl, _ := w.k.Sysctl().MIB("net.sdl")
	if got, errno := w.p.SysctlMIB(append(sdl, 1)...); errno != 0 || string(got) != string(mac(0)) {
		t.Errorf("net.sdl %x, %v", got, errno)
	}
}

// TestAddrPref has the preference of an address set and read on a socket of its family, as wire session ifconfig-lo0 reads it, with the errors of
// ifaddrpref_ioctl of sys/net/if.c of NetBSD.
func TestAddrPref(t *testing.T) {
	w := newWorld(t)
	socket.Of(w.k).Register(abi.AF_INET6, family{})
	ifp, _ := w.create("ether0")
	kernel := []byte{28, 24, 8: 0xfe, 0x80, 0, 1, 23: 9, 27: 0} // the scope is in the address
	program := []byte{28, 24, 8: 0xfe, 0x80, 23: 9, 24: 1, 27: 0}
	w.config(func() { ifp.AddAddr(&ifnet.Addr{Family: abi.AF_INET6, Addr: kernel}) })
	w.fd = int(w.p.Must(abi.SYS___socket30, abi.AF_INET6, abi.SOCK_DGRAM, 0))
	request := func(pref int16, sa []byte) []byte {
		b := make([]byte, abi.SizeofIfAddrprefreq-abi.IFNAMSIZ)
		le.PutUint16(b, uint16(pref))
		copy(b[8:], sa)
		return b
	}
	for name, c := range map[string]struct {
		sa    []byte
		errno abi.Errno
	}{
		"as a program has it": {program, 0},
		"as the kernel":       {kernel, 0},
		"another":             {[]byte{28, 24, 8: 0xfe, 0x80, 23: 8, 27: 0}, abi.EADDRNOTAVAIL},
		"of another family":   {[]byte{16, 2, 0, 0, 1, 2, 3, 4}, abi.EINVAL},
		"too short":           {[]byte{16, 24}, abi.EINVAL},
	} {
		if _, errno := w.ioctl(abi.SIOCSIFADDRPREF, "ether0", request(-7, c.sa)); errno != c.errno {
			t.Errorf("%s: %v, want %v", name, errno, c.errno)
		}
	}
	out, errno := w.ioctl(abi.SIOCGIFADDRPREF, "ether0", request(0, program))
	if errno != 0 || int16(le.Uint16(out)) != -7 || string(out[8:8+28]) != string(kernel) {
		t.Errorf("%v, %x", errno, out)
	}
	if _, errno := w.ioctl(abi.SIOCAIFADDR_IN6, "ether0", nil); errno != abi.EOPNOTSUPP {
		t.Errorf("an ioctl of the protocol's, which has none: %v", errno)
	}
}

// family is a domain of sockets that do nothing.
type family struct{}

func (family) Open(*kern.Thread, *socket.Socket) (socket.Protocol, error) { return silent{}, nil }

type silent struct{}

func (silent) Send(*kern.Thread, *socket.Message, int) (int, error) { return 0, abi.EWOULDBLOCK }
func (silent) Recv(*kern.Thread, *socket.Message, int) (int, error) { return 0, abi.EWOULDBLOCK }
func (silent) Poll(int) int                                         { return 0 }
func (silent) Sockname() ([]byte, error)                            { return nil, nil }
func (silent) Close(*kern.Thread) error                             { return nil }
