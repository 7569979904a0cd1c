package inet

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
)

// ConfigureLoopback sets the first loopback interface up, when there is one, and gives it the address 127.0.0.1.
func (in *Inet) ConfigureLoopback() error {
	in.Net.Config.Lock()
	defer in.Net.Config.Unlock()
	lo := in.loopback()
	if lo == nil {
		return nil
	}
	if err := lo.SetFlags(abi.IFF_UP, 0); err != nil {
		return err
	}
	return in.addAddr(in.iface(lo).newAddr4(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 8))
}
