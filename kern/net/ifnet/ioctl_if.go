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
	abi.SIOCGIFCAP:    (*Interface).ioctlGetCap,
	abi.SIOCSIFCAP:    (*Interface).ioctlSetCap,
	abi.SIOCADDMULTI:  (*Interface).ioctlAddMulti,
	abi.SIOCDELMULTI:  (*Interface).ioctlDelMulti,
	abi.SIOCGETHERCAP: (*Interface).ioctlEtherCap,
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

func (ifp *Interface) ioctlGetCap(data []byte) error {
	var r abi.Ifcapreq
	if err := r.Decode(data); err != nil {
		return err
	}
	r.Capabilities, r.Capenable = ifp.IFCAP, ifp.Capenable()
	return r.Encode(data)
}

// ioctlSetCap errors: EINVAL for what the interface is not capable of.
func (ifp *Interface) ioctlSetCap(data []byte) error {
	var r abi.Ifcapreq
	if err := r.Decode(data); err != nil {
		return err
	}
	if r.Capenable&^ifp.IFCAP != 0 {
		return abi.EINVAL
	}
	ifp.mu.Lock()
	ifp.capenable = r.Capenable
	ifp.mu.Unlock()
	return nil
}

// Capenable are the IFCAP_* that SIOCSIFCAP has enabled.
func (ifp *Interface) Capenable() uint64 {
	ifp.mu.Lock()
	defer ifp.mu.Unlock()
	return ifp.capenable
}

// ioctlEtherCap says that an Ethernet has no ETHERCAP_*. Errors: ENOTTY for others.
func (ifp *Interface) ioctlEtherCap(data []byte) error {
	if ifp.Type != abi.IFT_ETHER {
		return abi.ENOTTY
	}
	clear(data[abi.IFNAMSIZ:])
	return nil
}

func (ifp *Interface) ioctlAddMulti(data []byte) error {
	mac, err := ifp.groupAddr(data)
	if err == nil {
		ifp.JoinGroup(mac)
	}
	return err
}

func (ifp *Interface) ioctlDelMulti(data []byte) error {
	mac, err := ifp.groupAddr(data)
	if err == nil && !ifp.LeaveGroup(mac) {
		err = abi.ENXIO
	}
	return err
}

// groupAddr is the Ethernet address of a multicast group of IPv4 (RFC 1112), of IPv6 (RFC 2464), or for AF_UNSPEC the address itself.
//
// Errors: ENOTTY on interfaces other than Ethernet, EAFNOSUPPORT, EINVAL for an address that is no group's.
func (ifp *Interface) groupAddr(data []byte) (mac [6]byte, err error) {
	if ifp.Type != abi.IFT_ETHER {
		return mac, abi.ENOTTY
	}
	sa := data[abi.IFNAMSIZ:]
	switch sa[1] {
	case abi.AF_UNSPEC:
		copy(mac[:], sa[2:])
	case abi.AF_INET:
		mac = [6]byte{0x01, 0x00, 0x5e, sa[5] & 0x7f, sa[6], sa[7]}
	case abi.AF_INET6:
		mac = [6]byte{0x33, 0x33, sa[20], sa[21], sa[22], sa[23]}
	default:
		return mac, abi.EAFNOSUPPORT
	}
	if mac[0]&1 == 0 {
		return mac, abi.EINVAL
	}
	return mac, nil
}
