package inet

import "net/netip"

// ConfigureLoopback gives the first loopback interface, when there is one, the address 127.0.0.1.
func (in *Inet) ConfigureLoopback() error {
	in.Net.Config.Lock()
	defer in.Net.Config.Unlock()
	lo := in.loopback()
	if lo == nil {
		return nil
	}
	return in.addAddr(in.iface(lo).newAddr4(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 8))
}
