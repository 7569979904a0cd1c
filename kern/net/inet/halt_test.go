package inet_test

import (
	"runtime"
	"strings"
	"sync"
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

// TestHaltUnderLoad: packets that come in and datagrams that are sent while a kernel halts do no harm.
func TestHaltUnderLoad(t *testing.T) {
	k, err := kern.New(kern.Config{Components: []*kern.Component{rumpnet.Component(), net.Component(), netinet.Component(), netinet6.Component()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Boot(); err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, k: k, in: inet.Of(k), n: ifnet.Of(k)}
	w := newWire(false)
	ifp := h.attach(w, "shm0", 2)
	h.add4(ifp, "10.1.1.254/24")
	h.add6(ifp, "2001:db8:1::ff/64")
	h.sysctl("net.inet6.ip6.accept_rtadv", 1)
	stop, started := make(chan struct{}), make(chan struct{}, 2)
	var wg sync.WaitGroup
	load := func(f func()) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
			started <- struct{}{}
			for {
				select {
				case <-stop:
					return
				default:
					f()
				}
			}
		}()
	}
	frames := seeds()
	load(func() {
		for _, f := range frames {
			w.inject(f)
		}
	})
	load(func() {
		h.in.WriteIP4(ip4("", "10.1.1.254", abi.IPPROTO_ICMP, 64, echo(1, 2000)), inet.RawOptions{})
		h.in.WriteIP6(ip6("", "2001:db8:1::99", 99, 64, []byte("data")), inet.RawOptions{})
	})
	<-started
	<-started
	k.Halt()
	close(stop)
	wg.Wait()
}

// TestRemovalUnderLoad: an interface comes and goes while packets for it come in.
func TestRemovalUnderLoad(t *testing.T) {
	h := newHost(t)
	w := newWire(false)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				for _, f := range seeds() {
					w.inject(f)
				}
			}
		}
	}()
	for range 20 {
		ifp := h.attach(w, "shm0", 2)
		h.add4(ifp, "10.1.1.254/24")
		h.add6(ifp, "2001:db8:1::ff/64")
		h.n.Config.Lock()
		h.n.Detach(ifp)
		h.n.Config.Unlock()
		w.mu.Lock()
		w.ports = nil
		w.mu.Unlock()
	}
	close(stop)
	<-done
	for _, e := range h.in.Table.Entries(abi.AF_UNSPEC) {
		if e.If.Name != "lo0" {
			t.Errorf("route %v is left", e.Dst)
		}
	}
}
