package inet

import (
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
)

// ioctlFunc serves an ioctl of the addresses of an interface; ifc is that which data names. Config held.
type ioctlFunc func(in *Inet, t *kern.Thread, ifc *iface, data []byte) error

// ioctlRow is an ioctl; set says that it changes something, which is root's to do.
type ioctlRow struct {
	f   ioctlFunc
	set bool
}

// Ioctl serves the ioctls of addresses, for sockets of a family: AF_INET or AF_INET6. data is their argument, which begins with the
// interface's name.
//
// Errors: ENOTTY for those it does not know, ENXIO for an interface that is not there, EPERM, EADDRNOTAVAIL, EINVAL, ...
func (in *Inet) Ioctl(t *kern.Thread, family int, cmd uint32, data []byte) error {
	rows := ioctls4
	if family == familyInet6 {
		rows = ioctls6
	}
	row, ok := rows[cmd]
	if !ok {
		return abi.ENOTTY
	}
	if row.set && !t.Cred().Root() {
		return abi.EPERM
	}
	if len(data) < abi.IFNAMSIZ {
		return abi.EINVAL
	}
	name, _, _ := strings.Cut(string(data[:abi.IFNAMSIZ]), "\x00")
	in.Net.Config.Lock()
	defer in.Net.Config.Unlock()
	ifp := in.Net.ByName(name)
	if ifp == nil || in.iface(ifp) == nil {
		return abi.ENXIO
	}
	return row.f(in, t, in.iface(ifp), data)
}
