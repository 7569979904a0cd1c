package loop_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/loop"
)

// newNet is a Net of no kernel with lo0, which is up.
func newNet(tb testing.TB) (*ifnet.Net, *ifnet.Interface) {
	tb.Helper()
	n := ifnet.New(nil, nil)
	if err := loop.Attach(n); err != nil {
		tb.Fatal(err)
	}
	lo := n.ByName("lo0")
	n.Config.Lock()
	defer n.Config.Unlock()
	if err := lo.SetFlags(abi.IFF_UP, 0); err != nil {
		tb.Fatal(err)
	}
	return n, lo
}

func packet(b []byte, family uint8) *ifnet.Packet {
	p := ifnet.NewPacket(b)
	p.Family = family
	return p
}

// taps counts what it sees.
type taps struct {
	mu      sync.Mutex
	in, out int
}

func (t *taps) Tap(_ *ifnet.Interface, _ *ifnet.Packet, out bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if out {
		t.out++
	} else {
		t.in++
	}
}

// lingering lets the clock of a test go on until a goroutine that waits for further packets has gone. One that stays ends the test with a deadlock.
func lingering() { time.Sleep(time.Second) }

// TestLoop has what is sent come back in order, once to the taps, with the flags of transcript net-01-ifconfig.
func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer lingering()
		n, lo := newNet(t)
		if f := lo.Flags(); f != 0x8049 || lo.MTU() != 33624 || lo.Index != 1 {
			t.Errorf("flags %#x, MTU %d, index %d", f, lo.MTU(), lo.Index)
		}
		var v4, v6 []byte
		take := func(log *[]byte) func(*ifnet.Interface, *ifnet.Packet) {
			return func(_ *ifnet.Interface, p *ifnet.Packet) {
				if p.Flags&(ifnet.ChecksumGood|ifnet.Looped) != ifnet.ChecksumGood|ifnet.Looped {
					t.Errorf("flags %d", p.Flags)
				}
				*log = append(*log, p.Buf.Flatten()...)
				p.Release()
			}
		}
		n.HandleProtocol(0x0800, take(&v4))
		n.HandleProtocol(0x86dd, take(&v6))
		tap := &taps{}
		lo.AddTap(tap)
		for i := range 10 {
			lo.Output(packet([]byte{byte(i)}, abi.AF_INET), packet([]byte{byte(100 + i)}, abi.AF_INET6))
		}
		lo.Output(packet([]byte{1}, abi.AF_LINK))
		synctest.Wait()
		if string(v4) != "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09" || string(v6) != "defghijklm" {
			t.Errorf("%v and %v came back", v4, v6)
		}
		if s := &lo.Stats; s.Ipackets.Load() != 21 || s.Opackets.Load() != 21 || s.Noproto.Load() != 1 || tap.in != 0 || tap.out != 21 {
			t.Errorf("counters %+v, taps %d %d", lo.Data(), tap.in, tap.out)
		}
	})
}

// TestFull has packets that find no room dropped, counted, and told of with ENOBUFS.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer lingering()
		n, lo := newNet(t)
		hold := make(chan struct{})
		got := 0
		n.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) {
			<-hold
			got++
			p.Release()
		})
		lo.Output(packet([]byte{0}, abi.AF_INET))
		synctest.Wait()
		var err error
		sent := 1
		for ; err == nil; sent++ {
			err = lo.Output(packet([]byte{0}, abi.AF_INET))
		}
		if err != abi.ENOBUFS || sent != 1+256+1 || lo.Stats.Oerrors.Load() != 1 {
			t.Errorf("%v after %d packets, %d errors", err, sent, lo.Stats.Oerrors.Load())
		}
		close(hold)
		synctest.Wait()
		if got != 257 {
			t.Errorf("%d came back", got)
		}
	})
}

// TestReentry has a protocol send from where it receives, with its lock held: answers do not come back on its own goroutine.
func TestReentry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer lingering()
		n, lo := newNet(t)
		var mu sync.Mutex
		left := 1000
		n.HandleProtocol(0x0800, func(ifp *ifnet.Interface, p *ifnet.Packet) {
			mu.Lock()
			defer mu.Unlock()
			if left--; left > 0 {
				ifp.Output(p)
				return
			}
			p.Release()
		})
		mu.Lock()
		lo.Output(packet([]byte{0}, abi.AF_INET))
		mu.Unlock()
		synctest.Wait()
		if left != 0 {
			t.Errorf("%d are missing", left)
		}
	})
}

// TestPauses has packets come back after pauses of any length, those included that just end the goroutine.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer lingering()
		n, lo := newNet(t)
		got := 0
		n.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) {
			got++
			p.Release()
		})
		sent := 0
		for pause := 10 * time.Millisecond; pause <= 200*time.Millisecond; pause += 10 * time.Millisecond {
			for range 10 {
				lo.Output(packet([]byte{0}, abi.AF_INET))
				time.Sleep(pause)
				synctest.Wait()
				if sent++; got != sent {
					t.Fatalf("%d of %d came back, with pauses of %v", got, sent, pause)
				}
			}
		}
	})
}

// TestClone has further interfaces, and lo0 stay: EPERM, sys/net/if_loop.c of NetBSD.
func TestClone(t *testing.T) {
	n, _ := newNet(t)
	ifp, err := n.Create(nil, "lo1")
	if err != nil || ifp.Flags() != abi.IFF_LOOPBACK|abi.IFF_MULTICAST|abi.IFF_RUNNING {
		t.Fatalf("lo1: %+v, %v", ifp, err)
	}
	if err := n.Destroy("lo0"); err != abi.EPERM {
		t.Errorf("lo0 destroyed: %v", err)
	}
	if err := n.Destroy("lo1"); err != nil || n.ByName("lo1") != nil {
		t.Errorf("lo1 not destroyed: %v", err)
	}
}

// BenchmarkLoop sends large segments, as TCP does, as fast as they come back.
func BenchmarkLoop(b *testing.B) {
	n, lo := newNet(b)
	room := make(chan struct{}, 128)
	n.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) {
		p.Release()
		<-room
	})
	frame := packet(make([]byte, 32768), abi.AF_INET)
	b.SetBytes(32768)
	b.ReportAllocs()
	for range b.N {
		room <- struct{}{}
		if err := lo.Output(frame.Clone()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRoundTrip sends a packet and waits until it is back.
func BenchmarkRoundTrip(b *testing.B) {
	n, lo := newNet(b)
	back := make(chan struct{})
	n.HandleProtocol(0x0800, func(_ *ifnet.Interface, p *ifnet.Packet) {
		p.Release()
		back <- struct{}{}
	})
	frame := packet(make([]byte, 64), abi.AF_INET)
	b.ReportAllocs()
	for range b.N {
		lo.Output(frame.Clone())
		<-back
	}
}
