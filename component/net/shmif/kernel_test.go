//go:build unix

package shmif

import (
	"path/filepath"
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/component/net/net"
	"github.com/rumpctrl/rumpctrl/component/net/rumpnet"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
)

// TestKernel makes an interface with the calls of ifconfig(8): the recorded sessions ifconfig-create and ifconfig-linkstr, whose struct
// ifdrv points into the client's memory.
func TestKernel(t *testing.T) {
	k := kerntest.New(t, rumpnet.Component(), net.Component(), Component())
	p := kerntest.Proc(t, k)
	fd := int(p.Must(abi.SYS___socket30, abi.PF_ROUTE, abi.SOCK_RAW, 0))
	name := func(size int) []byte {
		b := make([]byte, size)
		copy(b, "shmif0")
		return b
	}
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCIFCREATE), name(abi.SizeofIfreq))
	up := name(abi.SizeofIfreq)
	up[abi.IFNAMSIZ] = abi.IFF_UP
	p.Want(abi.ENXIO, abi.SYS_ioctl, fd, uint64(abi.SIOCSIFFLAGS), up)
	bus := append([]byte(filepath.Join(t.TempDir(), "busmem")), 0)
	req := abi.Ifdrv{Len: uint64(len(bus)), Data: p.Mem.Map(bus)}
	copy(req.Name[:], "shmif0")
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCSLINKSTR), req.Append(nil))
	got := make([]byte, len(bus))
	req.Data = p.Mem.Map(got)
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCGLINKSTR), req.Append(nil))
	if string(got) != string(bus) {
		t.Errorf("linkstr is %q", got)
	}
	req.Data = 1
	p.Want(abi.EFAULT, abi.SYS_ioctl, fd, uint64(abi.SIOCGLINKSTR), req.Append(nil))
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCSIFFLAGS), up)
	p.Want(abi.EBUSY, abi.SYS_ioctl, fd, uint64(abi.SIOCSLINKSTR), req.Append(nil))
	p.Must(abi.SYS_ioctl, fd, uint64(abi.SIOCIFDESTROY), name(abi.SizeofIfreq))
	p.Want(abi.ENXIO, abi.SYS_ioctl, fd, uint64(abi.SIOCSIFFLAGS), up)
}
