package membus

import (
	"bytes"
	"fmt"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/socket"
)

const testType = 0x88b6

// driver sends on a port.
type driver struct{ port *Port }

func (d *driver) Transmit(_ *ifnet.Interface, pkts []*ifnet.Packet) error {
	d.port.Send(pkts)
	return nil
}

// card is an interface of a network of its own on a bus.
type card struct {
	ifp    *ifnet.Interface
	driver *driver
	got    chan *ifnet.Packet
}

func join(tb testing.TB, b *Bus, last byte) *card {
	tb.Helper()
	c := &card{driver: &driver{}, got: make(chan *ifnet.Packet, 8192)}
	n := ifnet.New(nil, nil)
	n.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) { c.got <- p })
	c.ifp = ifnet.NewEthernet("mem", int(last), c.driver)
	c.ifp.SetCaps(ifnet.CapChecksum | ifnet.CapSegment)
	n.Config.Lock()
	defer n.Config.Unlock()
	if err := n.Attach(c.ifp, mac(last), 1500, abi.IFF_UP|abi.IFF_RUNNING); err != nil {
		tb.Fatal(err)
	}
	c.driver.port = b.Join(c.ifp)
	tb.Cleanup(c.driver.port.Close)
	return c
}

func mac(last byte) []byte { return []byte{0xb2, 0xa0, 0, 0, 0, last} }

func frame(dst []byte, size int, number byte) *ifnet.Packet {
	b := make([]byte, size)
	copy(b, dst)
	b[12], b[13], b[14] = testType>>8, testType&0xff, number
	return ifnet.NewPacket(b)
}

func number(p *ifnet.Packet) byte {
	var b [15]byte
	p.Header(b[:])
	return b[14]
}

// TestDelivery: unicast reaches its address, broadcast everyone else, in order; promiscuous interfaces see all (Ethernet).
func TestDelivery(t *testing.T) {
	var b Bus
	one, two, three := join(t, &b, 1), join(t, &b, 2), join(t, &b, 3)
	broadcast := bytes.Repeat([]byte{0xff}, 6)
	if err := one.ifp.Output(frame(mac(2), 60, 1), frame(broadcast, 60, 2), frame(mac(3), 60, 3), frame(mac(1), 60, 4)); err != nil {
		t.Fatal(err)
	}
	three.ifp.Output(frame(broadcast, 60, 5))
	for _, c := range []struct {
		card *card
		want string
	}{{two, "1 2 5"}, {three, "2 3"}, {one, "5"}} {
		var got []byte
		for range len(bytes.Fields([]byte(c.want))) {
			got = append(got, number(<-c.card.got))
		}
		if fmt.Sprint(got) != "["+c.want+"]" {
			t.Errorf("%s got %v, want %v", c.card.ifp.Name, got, c.want)
		}
	}
}

// TestNoCopy: the bytes that arrive are those that were sent, uncut and with what their sender said of them.
func TestNoCopy(t *testing.T) {
	var b Bus
	one, two := join(t, &b, 1), join(t, &b, 2)
	p := frame(mac(2), 65000, 9)
	p.Flags, p.Segment = ifnet.ChecksumMissing|ifnet.Looped, ifnet.Segment{Size: 1448, HeaderLen: 40, V6: true}
	sent := first(p)
	if err := one.ifp.Output(p); err != nil {
		t.Fatal(err)
	}
	got := <-two.got
	if first(got) != sent || got.Len() != 65000 || got.Segment != (ifnet.Segment{Size: 1448, HeaderLen: 40, V6: true}) ||
		got.Flags != ifnet.ChecksumMissing|ifnet.ChecksumGood {
		t.Errorf("%d bytes, %+v, flags %b, the same memory: %v", got.Len(), got.Segment, got.Flags, first(got) == sent)
	}
	p = frame(mac(2), 60, 9)
	one.ifp.Output(p)
	if got := <-two.got; got.Flags != 0 {
		t.Errorf("a packet whose checksum is there has flags %b", got.Flags)
	}
}

// first is where a packet's bytes are.
func first(p *ifnet.Packet) (b *byte) {
	p.Buf.Apply(func(v *buffer.View) {
		if s := v.AsSlice(); b == nil && len(s) > 0 {
			b = &s[0]
		}
	})
	return b
}

// TestFull: what a receiver that does not keep up has no room for is lost and counted; the rest is in order.
func TestFull(t *testing.T) {
	var b Bus
	one, two := join(t, &b, 1), join(t, &b, 2)
	held, started := make(chan struct{}), make(chan struct{}, 8192)
	two.ifp.Net.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) {
		started <- struct{}{}
		<-held
		two.got <- p
	})
	one.ifp.Output(frame(mac(2), 60, 0))
	<-started
	for range maxQueue + 100 {
		one.ifp.Output(frame(mac(2), 60, 1))
	}
	if n := two.ifp.Stats.Iqdrops.Load(); n != 100 {
		t.Errorf("%d losses counted", n)
	}
	close(held)
	for range maxQueue + 1 {
		(<-two.got).Release()
	}
	if n := two.ifp.Stats.Ipackets.Load(); n != maxQueue+1 {
		t.Errorf("%d packets arrived", n)
	}
}

// TestFullOfBytes: large frames fill a queue by their bytes.
func TestFullOfBytes(t *testing.T) {
	var b Bus
	one, two := join(t, &b, 1), join(t, &b, 2)
	held, started := make(chan struct{}), make(chan struct{}, 8192)
	two.ifp.Net.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) {
		started <- struct{}{}
		<-held
		p.Release()
	})
	one.ifp.Output(frame(mac(2), 60, 0))
	<-started
	for range 200 {
		one.ifp.Output(frame(mac(2), 65536, 1))
	}
	if n := two.ifp.Stats.Iqdrops.Load(); n != 200-maxBytes>>16 {
		t.Errorf("%d losses counted", n)
	}
	close(held)
}

func TestClose(t *testing.T) {
	var b Bus
	one, two := join(t, &b, 1), join(t, &b, 2)
	two.driver.port.Close()
	if err := one.ifp.Output(frame(mac(2), 60, 0)); err != nil {
		t.Error(err)
	}
	if len(b.list()) != 1 {
		t.Errorf("%d ports are left", len(b.list()))
	}
	two.driver.port.Close() // again does nothing
}

// TestBuses: kernels that were made with the same Buses meet by name, and only they.
func TestBuses(t *testing.T) {
	var a, b Buses
	if x := a.Bus("x"); a.Bus("x") != x || a.Bus("y") == x || b.Bus("x") == x {
		t.Error("names do not tell buses apart")
	}
	net := &kern.Component{Name: "rumpnet", Attach: socket.Attach}
	with, without := kerntest.New(t, net, a.Component()), kerntest.New(t, net)
	if Of(with) != &a || Of(without) != nil || Of(nil) != nil {
		t.Error("a kernel has other buses than it was given")
	}
}

func BenchmarkBus(b *testing.B) {
	for _, size := range []int{1514, 65536} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var bus Bus
			one, two := join(b, &bus, 1), join(b, &bus, 2)
			credit := make(chan struct{}, 64)
			two.ifp.Net.HandleProtocol(testType, func(_ *ifnet.Interface, p *ifnet.Packet) {
				p.Release()
				credit <- struct{}{}
			})
			for range cap(credit) {
				credit <- struct{}{}
			}
			p := frame(mac(2), size, 0)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				<-credit
				one.ifp.Output(p.Clone())
			}
		})
	}
}
