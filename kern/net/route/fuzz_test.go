package route_test

import (
	"encoding/binary"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// FuzzMessage has anybody write anything to a routing socket: it answers, and all that can be read or listed afterwards is whole messages.
func FuzzMessage(f *testing.F) {
	f.Add(lines(f, "get.hex")[0])
	f.Add(lines(f, "add.hex")[0])
	f.Add(arpMessage(abi.RTM_ADD, "10.1.1.9", 0, []byte{0, 1, 2, 3, 4, 5}).bytes())
	for _, typ := range []uint8{abi.RTM_ADD, abi.RTM_CHANGE, abi.RTM_DELETE, abi.RTM_LOCK, abi.RTM_GET} {
		f.Add(routeMessage(typ, "10.1.1.0/24", "10.1.1.2", 0).bytes())
		f.Add(routeMessage(typ, "fe80::/64", "fe80::1", 0).bytes())
	}
	w := newWorld(f)
	w.lan()
	w.addr(w.shm, "fe80::1/64", 0)
	w.table.RegisterLLTable(abi.AF_INET, &neighbors{})
	fd := w.open(0)
	f.Fuzz(func(t *testing.T, b []byte) {
		w := *w
		w.tb, w.p = t, kerntest.Wrap(t, w.p.Proc)
		if len(b) >= 4 {
			b = append([]byte(nil), b...)
			binary.LittleEndian.PutUint16(b, uint16(len(b)))
			b[2] = abi.RTM_VERSION
		}
		w.p.Call(abi.SYS_write, fd, b, len(b))
		for m := w.read(fd); m != nil; m = w.read(fd) {
			whole(t, m)
		}
		for _, op := range []int32{abi.NET_RT_DUMP, abi.NET_RT_FLAGS} {
			dump, errno := w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, abi.AF_INET, op, 0)
			if errno != 0 {
				t.Fatal(errno)
			}
			whole(t, dump)
		}
	})
}

// whole checks that b is messages, each as long as it says.
func whole(t *testing.T, b []byte) {
	t.Helper()
	for len(b) > 0 {
		if len(b) < abi.SizeofRtMsghdr || int(binary.LittleEndian.Uint16(b)) > len(b) || binary.LittleEndian.Uint16(b) < abi.SizeofRtMsghdr {
			t.Fatalf("%d bytes are no message: %x", len(b), b)
		}
		b = b[binary.LittleEndian.Uint16(b):]
	}
}

// FuzzSockaddr takes addresses apart and puts them together again.
func FuzzSockaddr(f *testing.F) {
	f.Add([]byte{16, 2, 0, 0, 10, 1, 1, 1})
	f.Add([]byte{28, 24, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, sa []byte) {
		a, scope, err := route.ParseSockaddr(sa)
		if err != nil {
			return
		}
		b, again, err := route.ParseSockaddr(route.Sockaddr(a, scope))
		if err != nil || a != b || scope != again {
			t.Errorf("%x: %v %d, then %v %d, %v", sa, a, scope, b, again, err)
		}
	})
}
