package shmif

import (
	"errors"
	"strings"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/internal/host"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
	"github.com/rumpctrl/rumpctrl/kern/net/membus"
	format "github.com/rumpctrl/rumpctrl/ondisk/shmif"
)

// getLinkstr is SIOCGLINKSTR: which bus the interface is on, or (IFLINKSTR_QUERYLEN) how long that name is with its NUL.
//
// Errors: ENOENT on none, ENOBUFS without room for it, EFAULT.
func (d *driver) getLinkstr(t *kern.Thread, data []byte) error {
	var req abi.Ifdrv
	if err := req.Decode(data); err != nil {
		return err
	}
	if d.linkstr == "" {
		return abi.ENOENT
	}
	name := append([]byte(d.linkstr), 0)
	switch {
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

// setLinkstr is SIOCSLINKSTR: goes on a bus, or (IFLINKSTR_UNSET) leaves it. Paths are the host's, from where the kernel's program runs.
//
// Errors: EBUSY for an interface that is up, or on a bus already; E2BIG, EINVAL for an impossible length, ENOEXEC for a file that is no
// bus, what the host says of the file.
func (d *driver) setLinkstr(t *kern.Thread, ifp *ifnet.Interface, data []byte) error {
	var req abi.Ifdrv
	if err := req.Decode(data); err != nil {
		return err
	}
	switch {
	case ifp.Flags()&abi.IFF_UP != 0:
		return abi.EBUSY
	case req.Cmd == abi.IFLINKSTR_UNSET:
		d.disconnect(ifp)
		return nil
	case req.Cmd != 0:
		return abi.ENOTTY
	case d.linkstr != "":
		return abi.EBUSY
	case req.Len > abi.MAXPATHLEN:
		return abi.E2BIG
	case req.Len < 1:
		return abi.EINVAL
	}
	name, err := t.Mem.CopyInStr(req.Data, int(req.Len))
	if err != nil {
		return err
	}
	linkstr := string(name)
	m, err := openMedium(t.K, linkstr)
	if err != nil {
		return busErrno(err)
	}
	d.connect(ifp, linkstr, m)
	return nil
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
