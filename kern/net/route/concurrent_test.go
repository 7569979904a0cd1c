package route_test

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/route"
)

// TestConcurrent has routes changed by programs, looked up, listed and listened to at once: for the race detector.
func TestConcurrent(t *testing.T) {
	w := newWorld(t)
	w.lan()
	const rounds = 200
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			fd := w.open(0)
			for range rounds {
				dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(20 + i), 0, 0}), 16).String()
				if errno := w.send(fd, routeMessage(abi.RTM_ADD, dst, "10.1.1.2", 0)); errno != 0 {
					t.Error(errno)
				}
				w.send(fd, routeMessage(abi.RTM_CHANGE, dst, "10.1.1.3", 0))
				if errno := w.send(fd, routeMessage(abi.RTM_DELETE, dst, "", 0)); errno != 0 {
					t.Error(errno)
				}
			}
			w.p.Close(fd)
		})
	}
	wg.Go(func() {
		for range rounds {
			if e := w.table.Lookup(netip.MustParseAddr("10.1.1.7"), 0); e == nil || e.If != w.shm {
				t.Errorf("lookup: %+v", e)
			}
			w.table.Miss(netip.MustParseAddr("99.9.9.9"), 0)
		}
	})
	wg.Go(func() {
		for range rounds {
			w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, 0, abi.NET_RT_DUMP, 0)
			w.p.SysctlMIB(abi.CTL_NET, abi.PF_ROUTE, 0, 0, abi.NET_RT_IFLIST, 0)
		}
	})
	wg.Go(func() {
		for i := range rounds {
			ifp := w.attach("shmif", 1+i, []byte{2, 0, 0, 0, 1, byte(i)})
			a := w.addr(ifp, "10.3.0.1/24", 0)
			w.config(func() {
				w.table.Replace(&route.Entry{Dst: netip.MustParsePrefix("10.3.0.0/24"), Flags: abi.RTF_UP, If: ifp, Addr: a})
				w.net.Detach(ifp)
			})
		}
	})
	wg.Wait()
	if got := len(w.table.Entries(abi.AF_UNSPEC)); got != 3 {
		t.Errorf("%d routes are left, want 3", got)
	}
}

// TestStatsNode reads net.route.stats, a struct rtstat.
func TestStatsNode(t *testing.T) {
	w := newWorld(t)
	w.table.Miss(netip.MustParseAddr("99.9.9.9"), 0)
	b, errno := w.p.Sysctl("net.route.stats")
	var s abi.Rtstat
	if err := s.Decode(b); err != nil || errno != 0 || s != (abi.Rtstat{Unreach: 1}) {
		t.Errorf("%+v, %v, %v", s, errno, err)
	}
}
