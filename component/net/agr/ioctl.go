package agr

import (
	"bytes"
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

var le = binary.LittleEndian

// The ioctls of agr(4) are SIOCSIFGENERIC and SIOCGIFGENERIC by other names; ifr_data points to a struct agrreq.
const (
	siocsetagr = abi.SIOCSIFGENERIC
	siocgetagr = abi.SIOCGIFGENERIC
)

// Ioctl serves SIOCSETAGR and SIOCGETAGR, and keeps link1 on an interface with ports. Errors: EOPNOTSUPP for turning it off.
func (a *aggregate) Ioctl(t *kern.Thread, ifp *ifnet.Interface, cmd uint32, data []byte) error {
	switch cmd {
	case siocsetagr, siocgetagr:
		return a.request(t, cmd, le.Uint64(data[abi.IFNAMSIZ:]))
	case abi.SIOCSIFFLAGS:
		if le.Uint16(data[abi.IFNAMSIZ:])&static == 0 && len(a.list()) > 0 {
			return abi.EOPNOTSUPP
		}
	}
	return abi.ENOTTY
}

// request carries a struct agrreq out. Errors: EINVAL for another version or command, EFAULT, the commands'.
func (a *aggregate) request(t *kern.Thread, cmd uint32, addr uint64) error {
	raw := make([]byte, abi.SizeofAgrreq)
	if err := t.Mem.CopyIn(addr, raw); err != nil {
		return err
	}
	var req abi.Agrreq
	if err := req.Decode(raw); err != nil {
		return err
	}
	switch {
	case req.Version != abi.AGRREQ_VERSION:
		return abi.EINVAL
	case cmd == siocsetagr:
		return a.configure(t, &req)
	case req.Cmd != abi.AGRCMD_PORTLIST:
		return abi.EINVAL
	}
	if err := a.portList(t, &req); err != nil {
		return err
	}
	return t.Mem.CopyOut(addr, req.Append(nil))
}

// configure adds or removes the port whose name ar_buf has. Errors: ENOENT without such an interface, or port; EINVAL for another aggregate's
// port, or another command.
func (a *aggregate) configure(t *kern.Thread, req *abi.Agrreq) error {
	raw := make([]byte, min(req.Buflen, abi.IFNAMSIZ-1))
	if err := t.Mem.CopyIn(req.Buf, raw); err != nil {
		return err
	}
	name, _, _ := bytes.Cut(raw, []byte{0})
	ifp := a.ifp.Net.ByName(string(name))
	switch {
	case ifp == nil:
		return abi.ENOENT
	case req.Cmd == abi.AGRCMD_ADDPORT:
		return a.add(ifp)
	case req.Cmd != abi.AGRCMD_REMPORT:
		return abi.EINVAL
	case a.remove(ifp):
		return nil
	}
	if _, other := ifp.Port().(*aggregate); other {
		return abi.EINVAL
	}
	return abi.ENOENT
}

// portList is AGRCMD_PORTLIST: the number of ports and a struct agrportinfo of each; without a buffer, how large it must be. Errors: E2BIG without room
// for all, EFAULT.
func (a *aggregate) portList(t *kern.Thread, req *abi.Agrreq) error {
	list := le.AppendUint32(nil, uint32(len(a.list())))
	for _, p := range a.list() {
		info := abi.Agrportinfo{}
		copy(info.Ifname[:abi.IFNAMSIZ-1], p.ifp.Name)
		if p.ifp.Up() {
			info.Flags = abi.AGRPORTINFO_COLLECTING | abi.AGRPORTINFO_DISTRIBUTING
		}
		list = info.Append(list)
	}
	switch {
	case req.Buf == 0:
		req.Buflen = uint64(len(list))
		return nil
	case req.Buflen < uint64(len(list)):
		return abi.E2BIG
	}
	return t.Mem.CopyOut(req.Buf, list)
}
