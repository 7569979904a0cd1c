package inet

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/rumpctrl/rumpctrl/kern/net/ifnet"
)

// linkEndpoint is what the stack sees of an interface below the network protocols: its MTU and that it cuts segments and computes
// checksums. Both are always true: packets are given to ifnet, which does for the driver what the driver can not.
type linkEndpoint struct {
	ifc *iface
}

var (
	_ stack.LinkEndpoint = (*linkEndpoint)(nil)
	_ stack.GSOEndpoint  = (*linkEndpoint)(nil)
)

// maxSegment bounds the TCP segments that are given to an interface uncut: what fits into an IPv4 datagram, in bytes.
const maxSegment = 65535 - header.IPv4MaximumHeaderSize - header.TCPHeaderMaximumSize

// GSOMaxSize is how large segments may be.
func (l *linkEndpoint) GSOMaxSize() uint32 { return maxSegment }

// SupportedGSO says that segments may be given uncut.
func (l *linkEndpoint) SupportedGSO() stack.SupportedGSO { return stack.HostGSOSupported }

// MTU is the interface's.
func (l *linkEndpoint) MTU() uint32 { return l.ifc.ifp.MTU() }

// SetMTU is not the stack's to do.
func (l *linkEndpoint) SetMTU(uint32) {}

// MaxHeaderLength is the room for a link header.
func (l *linkEndpoint) MaxHeaderLength() uint16 { return ifnet.EtherHdrLen }

// LinkAddress is the interface's.
func (l *linkEndpoint) LinkAddress() tcpip.LinkAddress {
	return tcpip.LinkAddress(l.ifc.ifp.LinkAddr())
}

// SetLinkAddress is not the stack's to do.
func (l *linkEndpoint) SetLinkAddress(tcpip.LinkAddress) {}

// Capabilities say that checksums are not the stack's work. Resolution of addresses is not either.
func (l *linkEndpoint) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityTXChecksumOffload
}

// Attach has nothing to remember.
func (l *linkEndpoint) Attach(stack.NetworkDispatcher) {}

// IsAttached is true.
func (l *linkEndpoint) IsAttached() bool { return true }

// Wait has nothing to wait for.
func (l *linkEndpoint) Wait() {}

// ARPHardwareType is the ether's: the stack does not resolve anything.
func (l *linkEndpoint) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareEther }

// AddHeader leaves the link header to link.go.
func (l *linkEndpoint) AddHeader(*stack.PacketBuffer) {}

// ParseHeader is not used.
func (l *linkEndpoint) ParseHeader(*stack.PacketBuffer) bool { return false }

// Close has nothing to free.
func (l *linkEndpoint) Close() {}

// SetOnCloseAction has nobody to call.
func (l *linkEndpoint) SetOnCloseAction(func()) {}

// WritePackets refuses: packets leave through endpoint.WritePacket.
func (l *linkEndpoint) WritePackets(stack.PacketBufferList) (int, tcpip.Error) {
	return 0, &tcpip.ErrNotSupported{}
}
