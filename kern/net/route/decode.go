package route

import (
	"net/netip"

	"github.com/rumpctrl/rumpctrl/abi"
)

// request is a message that a program has sent.
type request struct {
	abi.RtMsghdr
	addrs addrs
	dst   netip.Addr
	scope uint16
}

// headerLen is the length of the structure that requests begin with.
const headerLen = abi.SizeofRtMsghdr

// decodeHeader takes the header of a message. It says whether there is one, of a message of this length.
func (r *request) decodeHeader(b []byte) bool {
	return r.Decode(b) == nil && int(r.Msglen) == len(b)
}

// decodeAddrs takes the sockaddrs after the header, each with what rounds it up to 8 bytes; a netmask at the end may lack that.
//
// Errors: EINVAL for sockaddrs that the message has no room for, bytes that are none's, no destination, families that there are not. (A RTM_GET says with RTA_IFP and RTA_IFA
// what it wants to know: they need not be there.)
func (r *request) decodeAddrs(rest []byte) error {
	i := 0
	for ; i < abi.RTAX_MAX && len(rest) > 0; i++ {
		if r.Addrs>>i&1 == 0 {
			continue
		}
		n := int(rest[0])
		switch whole := roundup(n); {
		case whole <= len(rest):
			r.addrs[i] = rest[:n:n]
			rest = rest[whole:]
		case i == abi.RTAX_NETMASK && n == len(rest):
			r.addrs[i] = rest
			rest = nil
		default:
			return abi.EINVAL
		}
	}
	missing := r.Addrs &^ (1<<i - 1)
	if r.Type == abi.RTM_GET {
		missing &^= abi.RTA_IFP | abi.RTA_IFA
	}
	dst, gateway := r.addrs[abi.RTAX_DST], r.addrs[abi.RTAX_GATEWAY]
	if missing != 0 || len(rest) != 0 || dst == nil || family(dst) >= abi.AF_MAX || family(gateway) >= abi.AF_MAX {
		return abi.EINVAL
	}
	return nil
}

// flags are the routing flags that a program may give.
func (r *request) flags() uint32 { return uint32(r.Flags) &^ abi.RTF_DONE }

// prefix is what the request is about: the destination under its netmask, or the destination alone for RTF_HOST and without a netmask.
// masked says whether there is a netmask.
//
// Errors: ESRCH for a family without routes, EINVAL for a netmask with holes.
func (r *request) prefix() (p netip.Prefix, masked bool, err error) {
	r.dst, r.scope, err = ParseSockaddr(r.addrs[abi.RTAX_DST])
	if err != nil {
		return p, false, abi.ESRCH
	}
	mask := r.addrs[abi.RTAX_NETMASK]
	if mask == nil || uint32(r.Flags)&abi.RTF_HOST != 0 {
		return netip.PrefixFrom(r.dst, r.dst.BitLen()), false, nil
	}
	bits, err := parseMask(mask, family(r.addrs[abi.RTAX_DST]))
	if err != nil {
		return p, true, err
	}
	return netip.PrefixFrom(r.dst, bits).Masked(), true, nil
}
