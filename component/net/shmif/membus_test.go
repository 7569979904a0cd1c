//go:build unix

package shmif

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
)

// TestMemory: interfaces of kernels that were made with the same buses meet by name; large frames pass, and "mem:" in other
// kernels is no bus.
func TestMemory(t *testing.T) {
	var buses membus.Buses
	inMemory := func(name string) *card {
		c := newCard(t)
		c.kernel = kerntest.New(t, rumpnet.Component(), buses.Component())
		if err := c.linkstr(0, name); err != nil {
			t.Fatal(err)
		}
		c.up()
		return c
	}
	a, b, other := inMemory("mem:lan"), inMemory("mem:lan"), inMemory("mem:wan")
	checkGet(t, a, "mem:lan")
	for i, size := range []int{60, 1514, 65549} {
		other.send(broadcast, i, size)
		a.send(b.ifp.LinkAddr(), i, size)
		b.want(a.ifp.LinkAddr(), b.ifp.LinkAddr(), i, size)
		b.send(broadcast, i, size)
		a.want(b.ifp.LinkAddr(), broadcast, i, size)
	}
	if err := a.setFlags(0, abi.IFF_UP); err != nil {
		t.Fatal(err)
	}
	b.send(broadcast, 1, 60)
	a.up()
	b.send(broadcast, 2, 60)
	a.want(b.ifp.LinkAddr(), broadcast, 2, 60)
	if err := newCard(t).linkstr(0, "mem:lan"); err != abi.ENXIO {
		t.Errorf("memory in a kernel without buses: %v", err)
	}
}
