package ifnet

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// osiocgifconf is OSIOCGIFCONF, SIOCGIFCONF of NetBSD 4.0 and before, whose struct ifreq had 16 bytes for the address.
const osiocgifconf = 0xc0106924

// oifreqSize is the size of that struct ifreq.
const oifreqSize = abi.IFNAMSIZ + abi.SizeofSockaddr

// netIoctl is an ioctl that is about no interface that exists.
type netIoctl struct {
	root bool // only the superuser may
	do   func(n *Net, t *kern.Thread, data []byte) error
}

var netIoctls = map[uint32]netIoctl{
	abi.SIOCGIFCONF:    {do: (*Net).ifconf},
	osiocgifconf:       {do: (*Net).oifconf},
	abi.SIOCIFCREATE:   {root: true, do: (*Net).ifcreate},
	abi.SIOCIFDESTROY:  {root: true, do: (*Net).ifdestroy},
	abi.SIOCIFGCLONERS: {do: (*Net).cloneList},
	abi.SIOCINITIFADDR: {do: func(*Net, *kern.Thread, []byte) error { return abi.EPERM }},
}

func (n *Net) ifcreate(t *kern.Thread, data []byte) error {
	_, err := n.Create(t, ifrName(data))
	return err
}

func (n *Net) ifdestroy(_ *kern.Thread, data []byte) error { return n.Destroy(ifrName(data)) }

func (n *Net) ifconf(t *kern.Thread, data []byte) error  { return n.listAddrs(t, data, abi.SizeofIfreq) }
func (n *Net) oifconf(t *kern.Thread, data []byte) error { return n.listAddrs(t, data, oifreqSize) }

// listAddrs fills the caller's array of struct ifreq, each of size bytes, with the addresses of all interfaces, as many as there is room for;
// without an array it says how much room they need.
func (n *Net) listAddrs(t *kern.Thread, data []byte, size int) error {
	var c abi.Ifconf
	if err := c.Decode(data); err != nil {
		return err
	}
	var list []byte
	for _, ifp := range n.Interfaces() {
		for _, a := range ifp.Addrs() {
			req := make([]byte, size)
			copy(req[:abi.IFNAMSIZ-1], ifp.Name)
			copy(req[abi.IFNAMSIZ:], a.Addr)
			list = append(list, req...)
		}
	}
	if c.Ifcu != 0 {
		room := max(int(c.Len), 0)
		list = list[:min(len(list), room-room%size)]
		if err := t.Mem.CopyOut(c.Ifcu, list); err != nil {
			return err
		}
	}
	c.Len = int32(len(list))
	return c.Encode(data)
}

// cloneList fills the caller's array of names with those of the cloners. Errors: EINVAL for a negative count.
func (n *Net) cloneList(t *kern.Thread, data []byte) error {
	var c abi.IfClonereq
	if err := c.Decode(data); err != nil {
		return err
	}
	names := n.clonerNames()
	c.Total = int32(len(names))
	if c.Buffer != 0 {
		if c.Count < 0 {
			return abi.EINVAL
		}
		var list []byte
		for _, name := range names[:min(len(names), int(c.Count))] {
			var b [abi.IFNAMSIZ]byte
			copy(b[:abi.IFNAMSIZ-1], name)
			list = append(list, b[:]...)
		}
		if err := t.Mem.CopyOut(c.Buffer, list); err != nil {
			return err
		}
	}
	return c.Encode(data)
}
