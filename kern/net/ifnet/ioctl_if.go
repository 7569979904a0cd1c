package ifnet

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
)

var le = binary.LittleEndian

// ifIoctls are the ioctls that every interface has. Config held.
var ifIoctls = map[uint32]func(ifp *Interface, data []byte) error{
	abi.SIOCGIFFLAGS:  reader(func(ifp *Interface) uint32 { return ifp.Flags() & 0xffff }, 2),
	abi.SIOCGIFMETRIC: reader(func(ifp *Interface) uint32 { return uint32(ifp.Metric()) }, 4),
	abi.SIOCGIFMTU:    reader((*Interface).MTU, 4),
	abi.SIOCGIFDLT:    reader(func(ifp *Interface) uint32 { return ifp.DLT }, 4),
	abi.SIOCGIFINDEX:  reader(func(ifp *Interface) uint32 { return uint32(ifp.Index) }, 4),

	abi.SIOCSIFFLAGS:  (*Interface).ioctlSetFlags,
	abi.SIOCSIFMETRIC: (*Interface).ioctlSetMetric,
	abi.SIOCSIFMTU:    (*Interface).ioctlSetMTU,
	abi.SIOCGIFDATA:   (*Interface).ioctlData,
	abi.SIOCZIFDATA:   (*Interface).ioctlZeroData,
}

// reader answers with a number of size bytes after the name.
func reader(value func(*Interface) uint32, size int) func(*Interface, []byte) error {
	return func(ifp *Interface, data []byte) error {
		var b [4]byte
		le.PutUint32(b[:], value(ifp))
		copy(data[abi.IFNAMSIZ:], b[:size])
		return nil
	}
}

// ioctlSetFlags changes those flags that a program may.
func (ifp *Interface) ioctlSetFlags(data []byte) error {
	want := uint32(le.Uint16(data[abi.IFNAMSIZ:]))
	const may = 0xffff &^ abi.IFF_CANTCHANGE
	return ifp.SetFlags(want&may, ^want&may)
}

func (ifp *Interface) ioctlSetMetric(data []byte) error {
	ifp.SetMetric(uint64(le.Uint32(data[abi.IFNAMSIZ:])))
	return nil
}

// Limits of Ethernet's MTU: the least payload of a frame, and the largest.
const (
	etherMinMTU = 46
	etherMaxMTU = 1500
)

// mtuLimits are the least and the largest MTU of the interface.
func (ifp *Interface) mtuLimits() (least, most uint32) {
	switch {
	case ifp.MaxMTU != 0:
		return ifp.MinMTU, ifp.MaxMTU
	case ifp.Type == abi.IFT_ETHER:
		return etherMinMTU, etherMaxMTU
	}
	return ifp.MinMTU, 1<<31 - 1
}

func (ifp *Interface) ioctlSetMTU(data []byte) error {
	mtu := le.Uint32(data[abi.IFNAMSIZ:])
	least, most := ifp.mtuLimits()
	if mtu < least || mtu > most {
		return abi.EINVAL
	}
	ifp.SetMTU(mtu)
	return nil
}

func (ifp *Interface) ioctlData(data []byte) error {
	var r abi.Ifdatareq
	if err := r.Decode(data); err != nil {
		return err
	}
	r.Data = ifp.Data()
	return r.Encode(data)
}

// ioctlZeroData answers with the statistics and sets the counters to 0.
func (ifp *Interface) ioctlZeroData(data []byte) error {
	if err := ifp.ioctlData(data); err != nil {
		return err
	}
	ifp.Stats.reset()
	ifp.touch()
	return nil
}

func (s *Stats) reset() {
	for _, c := range s.counters() {
		c.Store(0)
	}
}
