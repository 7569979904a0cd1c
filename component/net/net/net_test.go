package net_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestBoot looks at a new kernel: lo0 with index 1 and the flags that sys/net/if_loop.c of NetBSD gives it, 33624 bytes of MTU as
// transcript net-01-ifconfig shows, and the nodes of net that sysctl-allserver lists.
func TestBoot(t *testing.T) {
	k := kerntest.New(t, rumpnet.Component(), net.Component())
	p := kerntest.Proc(t, k)
	fd := int(p.Must(abi.SYS___socket30, abi.AF_LINK, abi.SOCK_DGRAM, 0))
	req := make([]byte, abi.SizeofIfreq)
	copy(req, "lo0")
	for _, want := range []struct {
		cmd   int
		value int32
	}{
		{abi.SIOCGIFINDEX, 1},
		{abi.SIOCGIFMTU, 33624},
		{abi.SIOCGIFDLT, abi.DLT_NULL},
		{abi.SIOCGIFFLAGS, abi.IFF_LOOPBACK | abi.IFF_RUNNING | abi.IFF_MULTICAST},
	} {
		clear(req[abi.IFNAMSIZ:])
		p.Must(abi.SYS_ioctl, fd, want.cmd, req)
		if got := kerntest.Int(req[abi.IFNAMSIZ:]); got != want.value {
			t.Errorf("ioctl %#x: %#x, want %#x", want.cmd, got, want.value)
		}
	}
	for name, want := range map[string]int32{
		"net.interfaces.lo0.rcvq.drops":  0,
		"net.interfaces.lo0.sndq.len":    0,
		"net.interfaces.lo0.sndq.maxlen": 256,
		"net.interfaces.lo0.sndq.drops":  0,
	} {
		v, errno := p.Sysctl(name)
		if errno != 0 || kerntest.Int(v) != want {
			t.Errorf("%s: %v, %v", name, v, errno)
		}
	}
}
