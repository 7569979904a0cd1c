package shmif

import (
	"errors"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/linkstr"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

var _ linkstr.Connector = (*driver)(nil)

// Linkstr is the bus's name as it was given.
func (d *driver) Linkstr() string { return d.linkstr }

// Connect puts the interface on a bus. Paths are the host's, from where the kernel's program runs.
//
// Errors: ENOEXEC for a file that is no bus, what the host says of the file; ENXIO for memory in a kernel without such.
func (d *driver) Connect(t *kern.Thread, ifp *ifnet.Interface, name string) error {
	m, err := openMedium(t.K, name)
	if err != nil {
		return busErrno(err)
	}
	d.linkstr = name
	d.medium.Store(&mediumBox{m})
	ifp.SetCaps(m.caps())
	return nil
}

// Disconnect leaves the bus.
func (d *driver) Disconnect(ifp *ifnet.Interface) {
	d.linkstr = ""
	ifp.SetCaps(0)
	if m := d.medium.Swap(nil); m != nil {
		m.close()
	}
}

// openMedium opens the bus that a linkstr names: a file, or with memScheme memory. Errors: the host's, package ondisk/shmif's; ENXIO for
// memory in a kernel that was made without membus.Buses.
func openMedium(k *kern.Kernel, linkstr string) (medium, error) {
	name, inMemory := strings.CutPrefix(linkstr, memScheme)
	if !inMemory {
		return openFileBus(linkstr)
	}
	buses := membus.Of(k)
	if buses == nil {
		return nil, abi.ENXIO
	}
	return &memBus{bus: buses.Bus(name)}, nil
}

// busErrno is what a program is told of an error of a bus.
func busErrno(err error) error {
	var version format.VersionError
	switch {
	case errors.Is(err, format.ErrNotBus), errors.As(err, &version):
		return abi.ENOEXEC
	case errors.Is(err, errors.ErrUnsupported):
		return abi.EOPNOTSUPP
	}
	return host.Errno(err)
}
