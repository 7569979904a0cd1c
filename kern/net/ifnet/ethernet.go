package ifnet

import (
	"strconv"

	"github.com/rumpctrl/rumpctrl/abi"
)

// etherBaudrate is what an Ethernet says of its speed that does not know it: 10 Mbit/s.
const etherBaudrate = 10_000_000

// NewEthernet makes an Ethernet interface of a driver, prefix and unit its name; it is yet to be attached (Net.Attach).
func NewEthernet(prefix string, unit int, d Driver) *Interface {
	return &Interface{
		Name: prefix + strconv.Itoa(unit), Prefix: prefix, Unit: unit,
		Type: abi.IFT_ETHER, HdrLen: EtherHdrLen, DLT: abi.DLT_EN10MB, Driver: d,
		baudrate: etherBaudrate,
	}
}
