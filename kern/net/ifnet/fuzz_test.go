package ifnet_test

import (
	"testing"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/kerntest"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// mute is an Ethernet without an address of its own.
type mute struct{}

func (mute) Prefix() string { return "mute" }

func (mute) Create(_ *kern.Thread, n *ifnet.Net, unit int) (*ifnet.Interface, error) {
	ifp := ifnet.NewEthernet("mute", unit, &driver{})
	return ifp, n.Attach(ifp, nil, 1500, abi.IFF_BROADCAST)
}

// FuzzIoctl makes any ioctl of interfaces with any argument, on sockets of AF_LINK; afterwards every interface has a link-level address
// in use, and the list is what the names and indices say.
func FuzzIoctl(f *testing.F) {
	var cmds []uint32
	for _, c := range abi.Ioctls() {
		if abi.IOCGroup(c.Cmd) == 'i' && (len(cmds) == 0 || cmds[len(cmds)-1] != c.Cmd) {
			cmds = append(cmds, c.Cmd)
		}
	}
	laddr := make([]byte, 24)
	le.PutUint32(laddr[16:], abi.IFLR_ACTIVE)
	laddr = append(laddr, ifnet.SockaddrDl(0, 0, "", mac(5))...)
	for i := range cmds {
		f.Add(uint8(i), []byte("ether0"))
		f.Add(uint8(i), append([]byte("mute0"), laddr[5:]...))
		f.Add(uint8(i), append([]byte("ether0"), laddr[6:]...))
	}
	w := newWorld(f)
	w.net.RegisterCloner(mute{})
	f.Fuzz(func(t *testing.T, i uint8, arg []byte) {
		p := kerntest.Wrap(t, w.p.Proc)
		for _, name := range []string{"ether0", "mute0"} {
			w.net.Create(nil, name)
		}
		cmd := cmds[int(i)%len(cmds)]
		b := make([]byte, abi.IOCParmLen(cmd))
		copy(b, arg)
		p.Call(abi.SYS_ioctl, w.fd, int(cmd), b)
		for _, ifp := range w.net.Interfaces() {
			if w.net.ByName(ifp.Name) != ifp || w.net.ByIndex(ifp.Index) != ifp || ifp.LinkLevel() == nil || len(ifp.Addrs()) == 0 {
				t.Errorf("%s: index %d, addresses %v", ifp.Name, ifp.Index, ifp.Addrs())
			}
			if len(ifp.Addrs()) > 50 {
				w.net.Destroy(ifp.Name)
			}
		}
		if len(w.net.Interfaces()) > 50 {
			for _, ifp := range w.net.Interfaces() {
				w.net.Destroy(ifp.Name)
			}
		}
	})
}
