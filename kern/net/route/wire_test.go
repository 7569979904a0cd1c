package route_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// recorded makes the kernel of the recordings in testdata.
func recorded(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	lo6 := w.addr(w.lo, "::1/128", abi.RTF_UP)
	lo6.Dst = lo6.Addr
	loLink := w.addr(w.lo, "fe80::1/64", 0)
	loLink.Dst = []byte{}
	lo4 := w.addr(w.lo, "127.0.0.1/8", 0)
	lo4.Dst = lo4.Addr
	shm4 := w.addr(w.shm, "1.2.3.4/24", 0x101)
	shmLink := w.addr(w.shm, "fe80::b0a0:b0ff:fe63:9d77/64", 0x100)
	w.shm.Stats.Opackets.Store(4)
	w.shm.Stats.Obytes.Store(0x124)
	w.shm.Stats.Omcasts.Store(3)

	routes := []struct {
		dst   string
		scope uint16
		flags uint32
		ifp   *ifnet.Interface
		addr  *ifnet.Addr
		gw    string
		mtu   uint64
	}{
		{"0.0.0.0/0", 0, 0x803, w.shm, shm4, "1.2.3.254", 0},
		{"1.2.3.0/24", 0, 0x101, w.shm, shm4, "", 0},
		{"1.2.3.4/32", 0, 0x40405, w.lo, shm4, "", 0},
		{"127.0.0.1/32", 0, 0x40005, w.lo, lo4, "", 33624},
		{"::1/128", 0, 0x5, w.lo, lo6, "", 33624},
		{"fe80::/64", 1, 0x1, w.lo, loLink, "", 0},
		{"fe80::1/128", 1, 0x40005, w.lo, loLink, "", 0},
		{"fe80::/64", 2, 0x101, w.shm, shmLink, "", 0},
		{"fe80::b0a0:b0ff:fe63:9d77/128", 2, 0x40405, w.lo, shmLink, "", 0},
		{"ff01::/32", 1, 0x101, w.lo, lo6, "", 33624},
		{"ff01::/32", 2, 0x101, w.shm, shmLink, "", 0},
		{"ff02::/32", 1, 0x101, w.lo, lo6, "", 33624},
		{"ff02::/32", 2, 0x101, w.shm, shmLink, "", 0},
	}
	for i := range routes {
		r := routes[(i*5+3)%len(routes)] // in any order: the table sorts
		e := &route.Entry{Dst: netip.MustParsePrefix(r.dst), Scope: r.scope, Flags: r.flags, If: r.ifp, Addr: r.addr}
		e.Metrics.Mtu = r.mtu
		if r.gw != "" {
			e.Gateway = netip.MustParseAddr(r.gw)
		}
		w.add(e)
	}
	return w
}

// TestDump compares NET_RT_DUMP with the recorded one.
func TestDump(t *testing.T) {
	w := recorded(t)
	want := lines(t, "dump.hex")
	// The recorded kernel gave connected IPv4 routes the time of their making.
	var h abi.RtMsghdr
	h.Decode(want[1])
	w.config(func() {
		e, err := w.table.Delete(netip.MustParsePrefix("1.2.3.0/24"), 0)
		if err != nil {
			t.Fatal(err)
		}
		e.Expire = time.Unix(h.Rmx.Expire, 0)
		w.table.Replace(e)
	})
	got, errno := w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, 0, abi.NET_RT_DUMP, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	compareMessages(t, got, want, func([]byte) {})
}

// TestInterfaceList compares NET_RT_IFLIST with the recorded one.
func TestInterfaceList(t *testing.T) {
	w := recorded(t)
	got, errno := w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, 0, abi.NET_RT_IFLIST, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	compareMessages(t, got, lines(t, "iflist.hex"), func(m []byte) {
		if m[3] == abi.RTM_IFINFO { // the time of the last change is the kernel's, and two bytes of padding
			clear(m[14:16])
			clear(m[abi.SizeofIfMsghdr-16 : abi.SizeofIfMsghdr])
		} else {
			clear(m[18:abi.SizeofIfaMsghdr])
		}
	})
}

// compareMessages compares a list of messages with the recorded ones, after mask has cleared in both what varies.
func compareMessages(t *testing.T, got []byte, want [][]byte, mask func([]byte)) {
	t.Helper()
	for i, m := range want {
		if len(got) < 4 {
			t.Fatalf("%d messages, want %d", i, len(want))
		}
		n := int(binary.LittleEndian.Uint16(got))
		if n < 4 || n > len(got) {
			t.Fatalf("message %d: length %d of %d bytes", i, n, len(got))
		}
		g := got[:n]
		mask(g)
		mask(m)
		if !bytes.Equal(g, m) {
			t.Errorf("message %d:\n got %x\nwant %x", i, g, m)
		}
		got = got[n:]
	}
	if len(got) > 0 {
		t.Errorf("%d bytes more", len(got))
	}
}

// TestGet compares the answer to RTM_GET with the recorded one; the pid is the process's.
func TestGet(t *testing.T) {
	w := recorded(t)
	rec := lines(t, "get.hex")
	fd := w.open(0)
	w.p.Must(abi.SYS_write, fd, rec[0], len(rec[0]))
	got := w.read(fd)
	want := bytes.Clone(rec[1])
	binary.LittleEndian.PutUint32(want[16:], uint32(w.p.PID))
	if !bytes.Equal(got, want) {
		t.Errorf("\n got %x\nwant %x", got, want)
	}
}

// TestAdd has the recorded RTM_ADD make the default route of the recorded dump.
func TestAdd(t *testing.T) {
	w := recorded(t)
	w.config(func() { w.table.Delete(netip.MustParsePrefix("0.0.0.0/0"), 0) })
	fd := w.open(0)
	msg := lines(t, "add.hex")[0]
	if n := w.p.Must(abi.SYS_write, fd, msg, len(msg)); n != int64(len(msg)) {
		t.Errorf("wrote %d of %d", n, len(msg))
	}
	got, _ := w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, abi.AF_INET, abi.NET_RT_DUMP, 0)
	want := lines(t, "dump.hex")[0]
	if !bytes.HasPrefix(got, want) {
		t.Errorf("\n got %x\nwant %x", got[:min(len(got), len(want))], want)
	}
}

// TestDumpSizes has the size semantics that the recorded sysctl calls show: without a buffer the length and a tenth (896 bytes
// gave 985), with too small a one ENOMEM and whole messages.
func TestDumpSizes(t *testing.T) {
	w := recorded(t)
	mib := kerntest.Ints(abi.CTL_NET, abi.PF_ROUTE, 0, 0, abi.NET_RT_IFLIST, 0)
	size := binary.LittleEndian.AppendUint64(nil, 77)
	w.p.Must(abi.SYS___sysctl, mib, 6, nil, size, nil, 0)
	if n := binary.LittleEndian.Uint64(size); n != 985 {
		t.Errorf("length %d, want 985", n)
	}
	buf := make([]byte, 300)
	binary.LittleEndian.PutUint64(size, uint64(len(buf)))
	if _, errno := w.p.Call(abi.SYS___sysctl, mib, 6, buf, size, nil, 0); errno != abi.ENOMEM {
		t.Errorf("short buffer: %v", errno)
	}
	if n := binary.LittleEndian.Uint64(size); n != 168+56 {
		t.Errorf("filled %d, want the first two messages, %d", n, 168+56)
	}
	for _, bad := range []struct {
		op, arg int32
		errno   abi.Errno
	}{
		{abi.NET_RT_FLAGS, 0, abi.EINVAL},
		{abi.NET_RT_OIFLIST, 0, abi.EINVAL},
		{99, 0, abi.EINVAL},
	} {
		if _, errno := w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, 0, bad.op, bad.arg); errno != bad.errno {
			t.Errorf("net.route.0.0.%d.%d: %v, want %v", bad.op, bad.arg, errno, bad.errno)
		}
	}
}
