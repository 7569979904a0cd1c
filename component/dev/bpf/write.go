package bpf

import (
	"encoding/binary"

	"github.com/rumpctrl/rumpctrl/abi"
	"github.com/rumpctrl/rumpctrl/kern"
	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// Write sends a packet with its link header on the interface: an Ethernet frame, whose source address the kernel fills in unless
// BIOCSHDRCMPLT says that it is complete; on DLT_NULL the address family and the packet. With BIOCSFEEDBACK the interface receives it too.
//
// Errors: ENXIO without an interface, ENETDOWN, EMSGSIZE, EINVAL for what is shorter than the header, EAFNOSUPPORT for a family that is not IP,
// EOPNOTSUPP for other types of links, the interface's.
func (b *descriptor) Write(_ *kern.Thread, _ *kern.File, p []byte, _ int64) (int, error) {
	b.mu.Lock()
	ifp, complete, feedback := b.ifp, b.hdrcmplt, b.feedback
	b.mu.Unlock()
	switch {
	case ifp == nil:
		return 0, abi.ENXIO
	case ifp.Flags()&abi.IFF_UP == 0:
		return 0, abi.ENETDOWN
	case len(p) == 0:
		return 0, nil
	}
	pkt, err := outgoing(ifp, p, complete)
	if err != nil {
		return 0, err
	}
	var back *ifnet.Packet
	if feedback {
		back = pkt.Clone()
	}
	err = ifp.Output(pkt)
	switch {
	case back == nil:
	case err == nil:
		ifp.Input(back)
	default:
		back.Release()
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// outgoing is the packet that a program has written.
func outgoing(ifp *ifnet.Interface, p []byte, complete bool) (*ifnet.Packet, error) {
	header := map[uint32]int{abi.DLT_EN10MB: ifnet.EtherHdrLen, abi.DLT_NULL: nullHdrLen}[ifp.DLT]
	switch {
	case header == 0:
		return nil, abi.EOPNOTSUPP
	case len(p) < header:
		return nil, abi.EINVAL
	case len(p)-header > int(ifp.MTU()):
		return nil, abi.EMSGSIZE
	}
	if ifp.DLT == abi.DLT_NULL {
		family := binary.NativeEndian.Uint32(p)
		if family != abi.AF_INET && family != abi.AF_INET6 {
			return nil, abi.EAFNOSUPPORT
		}
		pkt := ifnet.NewPacket(p[header:])
		pkt.Family = uint8(family)
		return pkt, nil
	}
	frame := append([]byte(nil), p...)
	if !complete {
		copy(frame[6:12], ifp.LinkAddr())
	}
	return ifnet.NewPacket(frame), nil
}
