// Package linkstr is the ioctls SIOCGLINKSTR and SIOCSLINKSTR: the string that says what of the host an interface is connected to.
// Drivers with such an interface (shmif, virtif) say what the string means.
package linkstr

import (
	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Connector is a driver with a linkstr. Its methods are called with Net.Config held and the interface down.
type Connector interface {
	// Linkstr is the string of what the interface is connected to; empty when to nothing.
	Linkstr() string
	// Connect connects the interface, which is connected to nothing. Its errors are abi.Errno.
	Connect(t *kern.Thread, ifp *ifnet.Interface, linkstr string) error
	// Disconnect undoes that.
	Disconnect(ifp *ifnet.Interface)
}

// Ioctl serves the two ioctls, whose data is a struct ifdrv. Errors: ENOTTY for others, and those of get and set.
func Ioctl(t *kern.Thread, ifp *ifnet.Interface, c Connector, cmd uint32, data []byte) error {
	switch cmd {
	case abi.SIOCGLINKSTR:
		return get(t, c, data)
	case abi.SIOCSLINKSTR:
		return set(t, ifp, c, data)
	}
	return abi.ENOTTY
}

// get is SIOCGLINKSTR: what the interface is connected to, or (IFLINKSTR_QUERYLEN) how long that is with its NUL.
//
// Errors: ENOENT for one that is connected to nothing, ENOBUFS without room for it, EFAULT.
func get(t *kern.Thread, c Connector, data []byte) error {
	var req abi.Ifdrv
	if err := req.Decode(data); err != nil {
		return err
	}
	name := append([]byte(c.Linkstr()), 0)
	switch {
	case len(name) == 1:
		return abi.ENOENT
	case req.Cmd == abi.IFLINKSTR_QUERYLEN:
		req.Len = uint64(len(name))
		return req.Encode(data)
	case req.Cmd != 0:
		return abi.ENOTTY
	case req.Len < uint64(len(name)):
		return abi.ENOBUFS
	}
	return t.Mem.CopyOut(req.Data, name)
}

// set is SIOCSLINKSTR: connects the interface, or (IFLINKSTR_UNSET) disconnects it.
//
// Errors: EBUSY for an interface that is up, or connected already; E2BIG, EINVAL for an impossible length, EFAULT, the driver's.
func set(t *kern.Thread, ifp *ifnet.Interface, c Connector, data []byte) error {
	var req abi.Ifdrv
	if err := req.Decode(data); err != nil {
		return err
	}
	switch {
	case ifp.Flags()&abi.IFF_UP != 0:
		return abi.EBUSY
	case req.Cmd == abi.IFLINKSTR_UNSET:
		c.Disconnect(ifp)
		return nil
	case req.Cmd != 0:
		return abi.ENOTTY
	case c.Linkstr() != "":
		return abi.EBUSY
	case req.Len > abi.MAXPATHLEN:
		return abi.E2BIG
	case req.Len < 1:
		return abi.EINVAL
	}
	name, err := t.Mem.CopyInStr(req.Data, int(req.Len))
	switch {
	case err != nil:
		return err
	case len(name) == 0:
		return abi.EINVAL
	}
	return c.Connect(t, ifp, string(name))
}
