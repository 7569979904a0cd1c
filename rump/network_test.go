package rump_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/rumpctrl/rumpctrl/client"
	"github.com/rumpctrl/rumpctrl/rump"
)

// node is a kernel of a network, with the process that configures it.
type node struct {
	name string
	k    *rump.Kernel
	p    *client.Process
}

// network is kernels and the buses that join them.
type network struct {
	t     testing.TB
	buses rump.Buses
	nodes []*node
}

// boot boots n kernels at once.
func (w *network) boot(n int) {
	w.t.Helper()
	w.nodes = make([]*node, n)
	errs := make(chan error, n)
	for i := range n {
		go func() {
			var err error
			w.nodes[i], err = w.newNode(fmt.Sprintf("n%d", i))
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Cleanup(func() {
		var all sync.WaitGroup
		for _, n := range w.nodes {
			all.Go(n.k.Halt)
		}
		all.Wait()
	})
}

func (w *network) newNode(name string) (*node, error) {
	k, err := rump.New(rump.Config{Components: rump.With("rumpnet_netinet6", "rumpnet_shmif"), Hostname: name, Buses: &w.buses})
	if err != nil {
		return nil, err
	}
	if err := k.Boot(); err != nil {
		return nil, err
	}
	p, err := k.Process("init")
	return &node{name, k, p}, err
}

// must ends the test on an error.
func (w *network) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// join puts an interface of a node on a bus, with an address.
func (w *network) join(n *node, unit int, bus string, a netip.Prefix) {
	w.t.Helper()
	name := fmt.Sprintf("shmif%d", unit)
	w.must(n.p.CreateInterface(name))
	w.must(n.p.SetLinkstr(name, "mem:"+bus))
	w.must(n.p.AddAddress(name, a))
}

// ping sends an ICMP echo to an address and waits for the answer.
func (w *network) ping(n *node, to netip.Addr) {
	w.t.Helper()
	c, err := n.p.ListenPacket(context.Background(), "ip4:icmp", "0.0.0.0")
	w.must(err)
	defer c.Close()
	w.must(c.SetReadDeadline(time.Now().Add(time.Minute)))
	msg := []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}
	if _, err := c.WriteTo(msg, &net.IPAddr{IP: to.AsSlice()}); err != nil {
		w.t.Fatalf("%s to %s: %v", n.name, to, err)
	}
	buf := make([]byte, 200)
	for {
		got, from, err := c.ReadFrom(buf)
		if err != nil {
			w.t.Fatalf("%s to %s: %v", n.name, to, err)
		}
		if got >= 28 && buf[20] == 0 && from.String() == to.String() {
			return
		}
		if got >= 28 && buf[20] == 3 {
			w.t.Fatalf("%s to %s: unreachable, says %s", n.name, to, from)
		}
	}
}

// transfer sends text by TCP and returns what came.
func (w *network) transfer(from, to *node, at netip.Addr, text string) string {
	w.t.Helper()
	ctx := context.Background()
	l, err := to.p.Listen(ctx, "tcp", netip.AddrPortFrom(at, 80).String())
	w.must(err)
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- err.Error()
			return
		}
		defer c.Close()
		b, err := io.ReadAll(c)
		if err != nil {
			b = []byte(err.Error())
		}
		got <- string(b)
	}()
	c, err := from.p.DialContext(ctx, "tcp", l.Addr().String())
	w.must(err)
	_, err = io.WriteString(c, text)
	w.must(err)
	w.must(c.Close())
	return <-got
}

// size is how many kernels the networks have.
const size = 100

// TestLine joins a hundred kernels by ninety-nine Ethernets in a line. All but the ends forward; packets cross all of them.
//
// Oracle: RFC 1812: each router takes one from the time to live, which is 255 at first and enough for 98.
func TestLine(t *testing.T) {
	w := &network{t: t}
	w.boot(size)
	net4 := func(link, host int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(link), byte(host)}) }
	for i, n := range w.nodes {
		if i > 0 {
			w.join(n, 0, fmt.Sprintf("link%d", i-1), netip.PrefixFrom(net4(i-1, 2), 24))
		}
		if i < size-1 {
			w.join(n, 1, fmt.Sprintf("link%d", i), netip.PrefixFrom(net4(i, 1), 24))
		}
		w.must(n.p.Sysctl().SetInt64("net.inet.ip.forwarding", 1))
		w.routes(n, i, net4)
	}
	first, last := w.nodes[0], w.nodes[size-1]
	w.ping(first, net4(0, 2))
	w.ping(first, net4(size-2, 2))
	w.ping(last, net4(0, 1))
	for _, n := range []*node{first, last} {
		w.must(n.p.Sysctl().SetInt64("net.inet.ip.ttl", 255)) // 64 routers are too many for what it is at first
	}
	if got := w.transfer(first, last, net4(size-2, 2), "messages from earth"); got != "messages from earth" {
		t.Errorf("the far end read %q", got)
	}
}

// routes has node i send to the right what is for links on the right, and to the left what is for the others.
func (w *network) routes(n *node, i int, net4 func(link, host int) netip.Addr) {
	w.t.Helper()
	for link := range size - 1 {
		dst := netip.PrefixFrom(net4(link, 0), 24)
		switch {
		case link > i:
			w.must(n.p.AddRoute(dst, net4(i, 2)))
		case link < i-1:
			w.must(n.p.AddRoute(dst, net4(i-1, 1)))
		}
	}
}

// TestStar joins a hundred kernels to one in the middle, each by an Ethernet of its own: any two meet through the middle.
func TestStar(t *testing.T) {
	w := &network{t: t}
	w.boot(size)
	hub := w.nodes[0]
	w.must(hub.p.Sysctl().SetInt64("net.inet.ip.forwarding", 1))
	at := func(i, host int) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, byte(i), byte(host)}) }
	for i, n := range w.nodes[1:] {
		bus := fmt.Sprintf("ray%d", i)
		w.join(hub, i, bus, netip.PrefixFrom(at(i, 1), 24))
		w.join(n, 0, bus, netip.PrefixFrom(at(i, 2), 24))
		w.must(n.p.AddRoute(netip.MustParsePrefix("0.0.0.0/0"), at(i, 1)))
	}
	for i := range size - 1 {
		w.ping(w.nodes[1+i], at((i+37)%(size-1), 2))
	}
	if got := w.transfer(w.nodes[1], w.nodes[size-1], at(size-2, 2), "across"); got != "across" {
		t.Errorf("the far end read %q", got)
	}
}
