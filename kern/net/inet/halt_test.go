package inet_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/netinet"
	"github.com/rumpctrl/rumpctrl/component/net/netinet6"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/inet"
)

// ours are the goroutines of the network and of gVisor.
func ours() (list []string) {
	b := make([]byte, 4<<20)
	for _, g := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if (strings.Contains(g, "kern/net/") || strings.Contains(g, "gvisor.dev")) && !strings.Contains(g, "testing.tRunner") {
			list = append(list, g)
		}
	}
	return list
}

// TestHalt: a kernel that has halted leaves no goroutine behind, whatever was under way: detection of duplicates, resolution, reports of groups.
func TestHalt(t *testing.T) {
	before := len(ours())
	k, err := kern.New(kern.Config{Components: []*kern.Component{rumpnet.Component(), net.Component(), netinet.Component(), netinet6.Component()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, k: k, in: inet.Of(k), n: ifnet.Of(k)}
	ifp := h.attach(newWire(false), "shm0", 1)
	h.add4(ifp, "10.1.1.1/24")
	h.add4(ifp, "10.1.1.2/24")
	h.add6(ifp, "2001:db8::1/64")
	for _, dst := range []string{"10.1.1.9", "127.0.0.1"} {
		if err := h.in.WriteIP4(ip4("", dst, abi.IPPROTO_ICMP, 64, echo(1, 8)), inet.RawOptions{}); err != nil {
			t.Error(err)
		}
	}
	k.Halt()
	until(t, "end of the goroutines", func() bool { return len(ours()) <= before })
}

// TestIdle: kernels that nobody talks to have only the goroutines of the stack's TCP, and lo0's none.
func TestIdle(t *testing.T) {
	before := len(ours())
	const n = 4
	for range n {
		newHost(t)
	}
	perKernel := runtime.GOMAXPROCS(0)
	until(t, "quiet", func() bool { return len(ours())-before <= n*(perKernel+1) })
}
